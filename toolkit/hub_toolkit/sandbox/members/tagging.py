"""The Resource Groups Tagging API: GetResources over the instances of the estate.

Only ``ResourceARNList`` and paging are there. Clients speak CBOR or JSON with it, by their age.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.aws_json import JSON_1_1, read_request, respond_failed, respond_ok
from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.members import cbor
from hub_toolkit.sandbox.wsgi import header, read_body, respond

if TYPE_CHECKING:
    from hub_toolkit.sandbox.members.accounts import Caller
    from hub_toolkit.sandbox.members.ec2 import Instances
    from hub_toolkit.sandbox.wsgi import Environ, StartResponse

CBOR = "application/cbor"
MAX_ARNS = 100
PAGE = 50
_ARN = re.compile(r"arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:(\d{12})?:.+", re.DOTALL)
_PROTOCOL = ("Smithy-Protocol", "rpc-v2-cbor")


class Tagging:
    """GetResources over WSGI.

    Args:
        caller: tells in which account and region a request is made.
    """

    def __init__(self, instances: Instances, caller: Callable[[Environ], Caller]) -> None:
        self._instances = instances
        self._caller = caller

    def app(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI application."""
        if header(environ, "Smithy-Protocol") != _PROTOCOL[1]:
            try:
                answer = self._resources(self._caller(environ), read_request(environ))
            except AwsError as error:
                return respond_failed(start_response, error, JSON_1_1)
            return respond_ok(start_response, answer, JSON_1_1)
        status = 200
        try:
            request = cbor.decode(read_body(environ) or b"\xa0")
            answer = self._resources(self._caller(environ), request)
        except AwsError as error:
            status, answer = error.status, {"__type": error.code, "message": error.message}
        return respond(start_response, status, cbor.encode(answer), CBOR, [_PROTOCOL])

    def _resources(self, caller: Caller, request: Any) -> dict[str, Any]:
        arns = request.get("ResourceARNList") if isinstance(request, dict) else None
        if not isinstance(arns, list) or not 1 <= len(arns) <= MAX_ARNS:
            raise _invalid(f"ResourceARNList must have 1 to {MAX_ARNS} ARNs here")
        for arn in arns:
            if not isinstance(arn, str) or not _ARN.fullmatch(arn):
                raise _invalid(f"{str(arn)[:80]!r} is no ARN")
        token = request.get("PaginationToken") or "0"
        if not str(token).isdecimal():
            raise AwsError("PaginationTokenExpiredException", "The token is not of this sandbox.")
        there = self._instances.there(caller.account, caller.region)
        found = [one for one in there if one.arn in arns and one.tags]
        start, end = int(token), int(token) + PAGE
        return {
            "PaginationToken": str(end) if end < len(found) else "",
            "ResourceTagMappingList": [
                {
                    "ResourceARN": one.arn,
                    "Tags": [{"Key": key, "Value": value} for key, value in one.tags.items()],
                }
                for one in found[start:end]
            ],
        }


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)

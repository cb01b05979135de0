"""Systems Manager's list of what it manages: the instances of the estate with a ``ComputerName``.

DescribeInstanceInformation takes ``Filters`` with the key ``InstanceIds``; instances that are not
managed are passed over. The other keys that Systems Manager has are refused rather than ignored.
The agent's version and the ping status are guesses: Online while the instance runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.aws_json import JSON_1_1, read_request, respond_failed, respond_ok
from hub_toolkit.sandbox.errors import AwsError

if TYPE_CHECKING:
    from hub_toolkit.sandbox.members.accounts import Caller
    from hub_toolkit.sandbox.members.ec2 import Instance, Instances
    from hub_toolkit.sandbox.wsgi import Environ, StartResponse

OPERATIONS = ("DescribeInstanceInformation",)
MIN_PAGE, MAX_PAGE = 5, 50
DEFAULT_PAGE = 10
"""A guess: the reference names no default."""
MAX_VALUES = 100


class ManagedNodes:
    """The operation over WSGI.

    Args:
        caller: tells in which account and region a request is made.
    """

    def __init__(self, instances: Instances, caller: Callable[[Environ], Caller]) -> None:
        self._instances = instances
        self._caller = caller

    def app(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI application."""
        try:
            answer = self._described(self._caller(environ), read_request(environ))
        except AwsError as error:
            return respond_failed(start_response, error, JSON_1_1)
        return respond_ok(start_response, answer, JSON_1_1)

    def _described(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        managed = [
            one
            for one in self._instances.there(caller.account, caller.region)
            if one.computer_name and one.state != "terminated"
        ]
        for one in request.get("Filters") or []:
            key, values = one.get("Key"), one.get("Values") or []
            if key != "InstanceIds":
                raise AwsError("InvalidFilterKey", f"The filter key {str(key)[:80]} is not valid")
            if not 1 <= len(values) <= MAX_VALUES:
                raise AwsError("ValidationException", f"A filter has 1 to {MAX_VALUES} values")
            managed = [node for node in managed if node.instance_id in values]
        size, token = request.get("MaxResults", DEFAULT_PAGE), str(request.get("NextToken") or "0")
        if not MIN_PAGE <= size <= MAX_PAGE:
            raise AwsError("ValidationException", f"MaxResults is {MIN_PAGE} to {MAX_PAGE}")
        if not token.isdecimal():
            raise AwsError("InvalidNextToken", "The specified token is not valid")
        start, end = int(token), int(token) + size
        shown = [_shown(node) for node in managed[start:end]]
        more = {"NextToken": str(end)} if end < len(managed) else {}
        return {"InstanceInformationList": shown, **more}


def _shown(one: Instance) -> dict[str, Any]:
    return {
        "InstanceId": one.instance_id,
        "PingStatus": "Online" if one.state == "running" else "ConnectionLost",
        "AgentVersion": "3.3.1611.0",
        "PlatformType": "Windows" if one.platform == "windows" else "Linux",
        "ResourceType": "EC2Instance",
        "IPAddress": one.private_ip_address,
        "ComputerName": one.computer_name,
    }

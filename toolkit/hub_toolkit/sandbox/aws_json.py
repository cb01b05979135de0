"""AWS's JSON protocols over WSGI: what AWS JSON 1.1 and REST-JSON share, and the first whole.

AWS JSON 1.1 names the operation in the header ``X-Amz-Target`` and answers an error with its name
in ``__type``; REST-JSON names it by method and path and tells the error's name in the header
``x-amzn-ErrorType``. Sources: the protocol pages of Smithy (awsJson1_1, restJson1). Both forms are
always sent with an error, so that every client finds its own.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, Protocol

from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.wsgi import TooLarge, header, read_body, respond

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hub_toolkit.sandbox.wsgi import App, Environ, StartResponse

JSON_1_1 = "application/x-amz-json-1.1"


class Service(Protocol):
    """What answers the operations of one AWS service."""

    def handle(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer of an operation.

        Raises:
            AwsError: the service refuses.
        """


def read_request(environ: Environ) -> dict[str, Any]:
    """The request's JSON object; an empty body is an empty object.

    Raises:
        AwsError: the body is too large, no JSON, or no object.
    """
    try:
        body = read_body(environ)
    except TooLarge as error:
        raise AwsError("RequestEntityTooLargeException", str(error), 413) from None
    if not body:
        return {}
    try:
        request = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise AwsError("SerializationException", f"The body is not JSON: {error}") from None
    if not isinstance(request, dict):
        raise AwsError("SerializationException", "The body is not a JSON object.")
    return request


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def respond_ok(
    start_response: StartResponse, value: dict[str, Any], content_type: str
) -> list[bytes]:
    """Answer 200 with ``value``."""
    return respond(start_response, 200, _encode(value), content_type, _request_id())


def respond_failed(
    start_response: StartResponse, error: AwsError, content_type: str
) -> list[bytes]:
    """Answer with an error in the form of both protocols."""
    body = {"__type": error.code, "message": error.message, "Message": error.message, **error.extra}
    headers = [*_request_id(), ("x-amzn-ErrorType", error.code)]
    return respond(start_response, error.status, _encode(body), content_type, headers)


def json_app(target_prefix: str, service: Service) -> App:
    """A WSGI application that speaks AWS JSON 1.1.

    Args:
        target_prefix: what comes before the dot in ``X-Amz-Target``, as ``AWSEvents``.
        service: answers the operations.
    """

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        prefix, _, operation = header(environ, "X-Amz-Target").partition(".")
        if prefix != target_prefix:
            refusal = AwsError("UnknownOperationException", f"This is {target_prefix}.")
            return respond_failed(start_response, refusal, JSON_1_1)
        try:
            answer = service.handle(operation, read_request(environ))
        except AwsError as error:
            return respond_failed(start_response, error, JSON_1_1)
        return respond_ok(start_response, answer, JSON_1_1)

    return app


def _encode(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _request_id() -> list[tuple[str, str]]:
    return [("x-amzn-RequestId", str(uuid.uuid4()))]

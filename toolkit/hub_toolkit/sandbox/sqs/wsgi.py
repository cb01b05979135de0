"""AWS JSON protocol 1.0 over the operations of the SQS API."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from hub_toolkit.sandbox.sqs.errors import SqsError
from hub_toolkit.sandbox.wsgi import Environ, StartResponse, TooLarge, header, read_body, respond

CONTENT_TYPE = "application/x-amz-json-1.0"
TARGET = "AmazonSQS."

Handle = Callable[[str, Mapping[str, Any]], dict[str, Any]]


def app(handle: Handle, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer one request; ``handle`` carries out its operation."""
    headers = [("x-amzn-RequestId", str(uuid.uuid4()))]
    try:
        action = header(environ, "X-Amz-Target").removeprefix(TARGET)
        answer = handle(action, _params(environ))
    except SqsError as error:
        body = {"__type": f"com.amazonaws.sqs#{error.name}", "message": error.message}
        headers.append(("x-amzn-query-error", f"{error.query_code};Sender"))
        return respond(start_response, 400, msgspec.json.encode(body), CONTENT_TYPE, headers)
    return respond(start_response, 200, msgspec.json.encode(answer), CONTENT_TYPE, headers)


def _params(environ: Environ) -> dict[str, Any]:
    try:
        params = msgspec.json.decode(read_body(environ) or b"{}")
    except (msgspec.DecodeError, RecursionError, TooLarge, ValueError) as error:
        raise SqsError("SerializationException", f"The request cannot be read: {error}") from error
    if not isinstance(params, dict):
        raise SqsError("SerializationException", "The request is not a JSON object.")
    return params

"""Lambda function URLs: ``/_urls/FUNCTION/...`` takes the place of ``https://ID.lambda-url...``.

"Invoking Lambda function URLs": the event is version 2.0 of the payload format, an answer with a
``statusCode`` is the response, any other is its body. Without the permissions for everybody, the
answer is 403. A body is handed over as text where its type says text or JSON, and in base64 else:
which types count as text is not documented for function URLs, so it is as with API Gateway's HTTP
APIs. Reserved concurrency has no effect here.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from hub_toolkit.sandbox.wsgi import (
    Environ,
    StartResponse,
    TooLarge,
    read_body,
    respond,
    respond_json,
)

if TYPE_CHECKING:
    from hub_toolkit.sandbox.pollers import Outcome

PATH = "/_urls"
MAX_REQUEST = 6 * 1024 * 1024
"""Bytes ("Lambda quotas": invocation payload, synchronous)."""
NEEDED = frozenset({"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"})
"""What everybody must be allowed, since October 2025 ("Control access to Lambda function URLs")."""
_TEXTS = ("application/javascript", "application/json", "application/xml")


class FunctionUrls:
    """WSGI: the requests of one function's URL.

    Args:
        name: the function. allowed: what everybody may do with it.
        invoke: runs a function with an event. clock: returns epoch seconds.
    """

    def __init__(
        self,
        name: str,
        allowed: Collection[str],
        invoke: Callable[[str, Any], Outcome],
        clock: Callable[[], float],
    ) -> None:
        self._name = name
        self._open = set(allowed) >= NEEDED
        self._invoke = invoke
        self._clock = clock

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if not self._open:
            return respond_json(start_response, HTTPStatus.FORBIDDEN, {"Message": "Forbidden"})
        try:
            body = read_body(environ)
        except TooLarge:
            body = b" " * (MAX_REQUEST + 1)
        if len(body) > MAX_REQUEST:
            told = {"Message": "Request entity too large"}
            return respond_json(start_response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, told)
        outcome = self._invoke(self._name, event(environ, body, self._clock()))
        if outcome.error is not None:
            return respond(start_response, 502, b"Internal Server Error", "text/plain")
        return _answer(start_response, outcome.payload)


def event(environ: Mapping[str, Any], body: bytes, now: float) -> dict[str, Any]:
    """A request as the function gets it; without a body there is no ``body``."""
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_") or (name in {"CONTENT_TYPE", "CONTENT_LENGTH"} and value)
    }
    path, host = str(environ["PATH_INFO"]) or "/", headers.get("host", "")
    at = datetime.fromtimestamp(now, UTC)
    made = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": str(environ.get("QUERY_STRING", "")),
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": host.partition(".")[0],
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "http": {
                "method": str(environ["REQUEST_METHOD"]),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": str(environ.get("REMOTE_ADDR", "")),
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": "$default",
            "stage": "$default",
            "time": at.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": False,
    }
    if not body:
        return made
    text = _text(headers, body)
    if text is None:
        return {**made, "body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return {**made, "body": text}


def _text(headers: Mapping[str, str], body: bytes) -> str | None:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if "content-encoding" in headers or not (kind.startswith("text/") or kind in _TEXTS):
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _answer(start_response: StartResponse, payload: Any) -> Iterable[bytes]:
    if not isinstance(payload, dict) or "statusCode" not in payload:
        return respond_json(start_response, HTTPStatus.OK, payload)
    held = payload.get("body") or ""
    text = held if isinstance(held, str) else msgspec.json.encode(held).decode()
    body = base64.b64decode(text) if payload.get("isBase64Encoded") else text.encode()
    headers = {str(k).lower(): str(v) for k, v in (payload.get("headers") or {}).items()}
    kind = headers.pop("content-type", "application/json")
    return respond(start_response, int(payload["statusCode"]), body, kind, headers.items())

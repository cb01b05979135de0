"""The little of WSGI that the parts of the sandbox share."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]

SENDING_KEY = "hub_toolkit.sending"
"""In the environ, a `Sending` where the server is not to send the answer as it is."""
Sending = Callable[[Iterable[bytes]], Iterable[bytes]]
"""What is sent in place of an answer's parts; ConnectionResetError resets the connection."""

MAX_BODY = 16 * 1024 * 1024
"""Bytes of a request body; the largest AWS call here is BatchImportFindings with 6 MB."""


class TooLarge(ValueError):  # noqa: N818 - reads as the fact
    """The request body is over `MAX_BODY`."""


def read_body(environ: Environ) -> bytes:
    """The whole body; it can be read again, by us or by the app that gets ``environ`` next.

    Raises:
        TooLarge: it has more than `MAX_BODY` bytes.
    """
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > MAX_BODY:
        raise TooLarge(f"the request body has {length} bytes, the limit is {MAX_BODY}")
    body: bytes = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def respond(
    start_response: StartResponse,
    status: int,
    body: bytes,
    content_type: str = "application/json",
    headers: Iterable[tuple[str, str]] = (),
) -> list[bytes]:
    """Answer with ``body``."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Status"
    start_response(
        f"{status} {phrase}",
        [("Content-Type", content_type), ("Content-Length", str(len(body))), *headers],
    )
    return [body]


def respond_json(start_response: StartResponse, status: int, value: Any) -> list[bytes]:
    """Answer with ``value`` as JSON."""
    return respond(start_response, status, msgspec.json.encode(value))


def respond_error(start_response: StartResponse, status: int, message: str) -> list[bytes]:
    """Answer with ``{"error": message}``, as everything below ``/_sandbox`` does."""
    return respond_json(start_response, status, {"error": message})


def header(environ: Mapping[str, Any], name: str) -> str:
    """A request header, or an empty string."""
    return str(environ.get("HTTP_" + name.upper().replace("-", "_"), ""))

"""A request to a Lambda function URL, as the function gets it.

"Request payload format" of function URLs: version 2.0, as of API Gateway's HTTP APIs. Names of
headers are in lower case; a body that is no text is base64.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """``path`` has no first slash, ``headers`` are by their names in lower case, ``body`` is as it
    was sent."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def read(event: Mapping[str, Any]) -> Request:
    """`Request` from an event; what is not as documented is empty, and so is never genuine."""
    context = event.get("requestContext")
    http = context.get("http") if isinstance(context, dict) else None
    headers = event.get("headers")
    return Request(
        method=str(http.get("method", "")) if isinstance(http, dict) else "",
        path=str(event.get("rawPath", "")).removeprefix("/"),
        headers={str(name).lower(): str(value) for name, value in headers.items()}
        if isinstance(headers, dict)
        else {},
        body=_body(event.get("body"), encoded=event.get("isBase64Encoded") is True),
    )


def _body(held: Any, *, encoded: bool) -> bytes:
    if not isinstance(held, str):
        return b""
    if not encoded:
        return held.encode("utf-8", "replace")
    try:
        return base64.b64decode(held, validate=True)
    except (binascii.Error, ValueError):
        return b""

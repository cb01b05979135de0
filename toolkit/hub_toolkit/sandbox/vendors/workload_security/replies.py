"""The error bodies: one ``message``, as "API troubleshooting" describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub_toolkit.sandbox.vendors.base import json_response

if TYPE_CHECKING:
    from werkzeug.wrappers import Response


def _error(status: int, message: str) -> Response:
    return json_response({"message": message}, status)


def bad_request(message: str) -> Response:
    """400; the documents give no texts, so these are our own."""
    return _error(400, message)


def invalid_key() -> Response:
    """401, with the documented text."""
    return _error(401, "Invalid API Key")


def not_authorized(action: str, resources: str) -> Response:
    """403: "Not authorized to <action> <resource type>"."""
    return _error(403, f"Not authorized to {action} {resources}")


def not_found(message: str) -> Response:
    """404; the text is our own."""
    return _error(404, message)


def other(status: int, name: str) -> Response:
    """405 and 413, which the documents do not show."""
    return _error(status, name)


def too_many_requests() -> Response:
    """429, with the documented text. No ``Retry-After`` is documented."""
    return _error(429, "Too many API requests")

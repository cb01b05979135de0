"""The error bodies, as Guides/Troubleshooting and Trend's published mock show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.vendors.base import json_response

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

_BAD_REQUEST = (
    "Unable to process the request. Verify that the request is properly formatted and try again."
    " (Error code: 3090003)"
)


def bad_request() -> Response:
    """400. The real body does not say what was wrong either."""
    return json_response(
        {"error": {"code": "BadRequest", "message": _BAD_REQUEST, "number": 3090003}}, 400
    )


def invalid_token() -> Response:
    """401, with the vendor's spelling."""
    return json_response(
        {
            "error": {
                "code": "InvalidCredentials",
                "message": "Invalid token, Authorization token invaild for header",
                "innererror": {"code": "InvalidToken", "service": "svp"},
            }
        },
        401,
    )


def access_denied() -> Response:
    """403: the key's role lacks the permission."""
    return json_response(
        {"error": {"code": "AccessDenied", "message": "Insufficient permissions."}}, 403
    )


def not_found() -> Response:
    """404."""
    return json_response(
        {
            "error": {
                "code": "NotFound",
                "message": "Not found",
                "innererror": {"code": "NotFound", "service": "svp"},
            }
        },
        404,
    )


def condition_not_met() -> Response:
    """412: ``If-Match`` names another state."""
    message = "The target resource is not updated because of ETag unmatching."
    return json_response(
        {
            "error": {
                "code": "ConditionNotMet",
                "message": f"{message} (Error code: 3090018)",
                "number": 3090018,
            }
        },
        412,
    )


def other(status: int, code: str, message: str) -> Response:
    """A status that the documents name without a body (405, 413), in the common shape: a guess."""
    return json_response({"error": {"code": code, "message": message}}, status)


def too_many_requests(refusals: int, wait_s: int) -> Response:
    """429 in the shapes seen: wrapped and bare, each with and without ``Retry-After``, in turn.

    Args:
        refusals: how many were answered 429 before this one.
        wait_s: seconds until a request would pass.
    """
    inner: dict[str, Any] = {"code": "TooManyRequests", "message": "Too many API requests"}
    bare = {"code": "TooManyRequests", "message": "Too many requests"}
    headers = [("Retry-After", str(wait_s))] if refusals % 4 in (0, 1) else []
    return json_response(bare if refusals % 2 else {"error": inner}, 429, headers)

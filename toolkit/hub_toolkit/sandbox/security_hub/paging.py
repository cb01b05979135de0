"""Pages of a list, as Security Hub hands them out."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from hub_toolkit.sandbox.errors import AwsError

MAX_PAGE = 100


def page(
    request: dict[str, Any], items: list[Any], key: str, *, default: int = MAX_PAGE
) -> dict[str, Any]:
    """One page of ``items`` under ``key``, with a ``NextToken`` where more follow.

    A token belongs to the request it was given for: with other filters it is refused.

    Raises:
        AwsError: InvalidInputException for a token that is not ours.
    """
    start = _start(request)
    end = start + (request.get("MaxResults") or default)
    answer: dict[str, Any] = {key: items[start:end]}
    if end < len(items):
        token = json.dumps([end, _question(request)])
        answer["NextToken"] = base64.urlsafe_b64encode(token.encode()).decode()
    return answer


def _start(request: dict[str, Any]) -> int:
    token = request.get("NextToken")
    if not token:
        return 0
    try:
        start, question = json.loads(base64.urlsafe_b64decode(token))
        if type(start) is int and start > 0 and question == _question(request):
            return start
    except (ValueError, TypeError):
        pass
    raise AwsError("InvalidInputException", "Invalid parameter NextToken")


def _question(request: dict[str, Any]) -> str:
    asked = {k: v for k, v in request.items() if k not in ("NextToken", "MaxResults")}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]

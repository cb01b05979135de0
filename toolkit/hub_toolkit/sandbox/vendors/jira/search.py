"""``POST /search/jql``: what a request asks for, and the page that answers it.

Documented: ids only unless ``fields`` says otherwise, no total, a token to the next page, unbounded
queries refused, at most 50 issues reconciled.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from hub_toolkit.sandbox.vendors.jira import jql
from hub_toolkit.sandbox.vendors.jira.errors import INVALID_INPUT, JiraError

if TYPE_CHECKING:
    from hub_toolkit.sandbox.vendors.jira.issues import Issue

DEFAULT_RESULTS = 50
MAX_RESULTS = 5000
MAX_RESULTS_WITH_FIELDS = 100
"""More is not refused, the page is just shorter. The number is a guess; the real one varies."""
MAX_RECONCILED = 50

_UNBOUNDED = (
    "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."
)
_WRONG_TOKEN = "The provided next page token is invalid or expired."  # noqa: S105 - a message


@dataclass(frozen=True, slots=True)
class Search:
    """A search; ``names`` are the wanted fields, None for all; ``start`` is from the token."""

    text: str
    where: jql.Term | jql.Group
    order: tuple[tuple[str, bool], ...]
    names: list[str] | None
    size: int
    start: int
    reconciled: set[str]


def read(body: dict[str, Any]) -> Search:
    """What a request asks for.

    Raises:
        JiraError: as Jira would refuse it.
    """
    text = body.get("jql", "")
    if not isinstance(text, str):
        raise JiraError(400, INVALID_INPUT)
    try:
        query = jql.parse(text)
    except jql.JqlError as error:
        raise JiraError(400, str(error)) from None
    if query.where is None:
        raise JiraError(400, _UNBOUNDED)
    names = _wanted_fields(body)
    return Search(
        text=text,
        where=query.where,
        order=query.order,
        names=names,
        size=_page_size(body, limited=names != ["id"]),
        start=_read_page_token(body.get("nextPageToken"), text),
        reconciled=_reconciled(body),
    )


def answer(asked: Search, found: list[Issue]) -> dict[str, Any]:
    """The page of ``found`` that was asked for."""
    end = asked.start + asked.size
    page = _sorted(found, asked.order)[asked.start : end]
    answered: dict[str, Any] = {"issues": [_result(issue, asked.names) for issue in page]}
    answered["isLast"] = end >= len(found)
    if not answered["isLast"]:
        answered["nextPageToken"] = _write_page_token(end, asked.text)
    return answered


def field_names(given: list[str]) -> list[str] | None:
    """Names of fields as ``Issue.shown`` takes them: None for all."""
    return None if {"*all", "*navigable"} & set(given) else given


def _wanted_fields(body: dict[str, Any]) -> list[str] | None:
    given = body.get("fields") or ["id"]
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        raise JiraError(400, INVALID_INPUT)
    return field_names(given)


def _result(issue: Issue, names: list[str] | None) -> dict[str, Any]:
    return {"id": issue.id} if names == ["id"] else issue.shown(names)


def _page_size(body: dict[str, Any], *, limited: bool) -> int:
    given = body.get("maxResults", DEFAULT_RESULTS)
    if type(given) is not int or not 1 <= given <= MAX_RESULTS:
        raise JiraError(400, f"The value of maxResults must be between 1 and {MAX_RESULTS}.")
    return min(given, MAX_RESULTS_WITH_FIELDS) if limited else given


def _reconciled(body: dict[str, Any]) -> set[str]:
    given = body.get("reconcileIssues") or []
    if not isinstance(given, list) or not all(type(number) is int for number in given):
        raise JiraError(400, INVALID_INPUT, reason="reconcileIssues is a list of issue ids")
    if len(given) > MAX_RECONCILED:
        raise JiraError(400, f"At most {MAX_RECONCILED} issues can be reconciled.")
    return {str(number) for number in given}


def _sorted(found: list[Issue], order: tuple[tuple[str, bool], ...]) -> list[Issue]:
    """The newest first where the query does not say: a guess."""
    result = list(found)
    for field, descending in reversed(order or (("key", True),)):
        result.sort(key=_RANKS[field], reverse=descending)
    return result


def _by_key(issue: Issue) -> tuple[str, int]:
    return issue.project, int(issue.key.rpartition("-")[2])


_RANKS: dict[str, Any] = {
    "key": _by_key,
    "created": lambda issue: issue.created,
    "updated": lambda issue: issue.updated,
}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _write_page_token(start: int, text: str) -> str:
    content = msgspec.json.encode([start, _digest(text)])
    return base64.urlsafe_b64encode(content).decode()


def _read_page_token(token: Any, text: str) -> int:
    if token is None:
        return 0
    try:
        content = base64.urlsafe_b64decode(token)
        start, digest = msgspec.json.decode(content, type=tuple[int, str])
    except (TypeError, ValueError):
        raise JiraError(400, _WRONG_TOKEN) from None
    if digest != _digest(text) or start < 0:
        raise JiraError(400, _WRONG_TOKEN)
    return start

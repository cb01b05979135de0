"""Which ticket a webhook is about: all that is read of its body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub_responder import strictjson
from hub_responder.ledger.pointers import MAX_TICKET

Headers = Mapping[str, str]


def mentioned(settings: Mapping[str, Any], headers: Headers, body: bytes) -> str:
    """The ticket's id, as the ledger names tickets; empty: it is about none.

    Args:
        settings: of the connection, with its type. headers: by their names in lower case.

    Raises:
        UnreadableEvent: the body is not JSON.
    """
    told = strictjson.parse(body)
    if not isinstance(told, dict):
        return ""
    ticket = _TICKETS[str(settings["type"])](settings, headers, told)
    return ticket if len(ticket.encode("utf-8", "replace")) <= MAX_TICKET else ""


def _jira(_settings: Mapping[str, Any], _headers: Headers, told: Mapping[str, Any]) -> str:
    """``jira:issue_updated`` and its like: ``{"webhookEvent", "issue": {"key", ...}, ...}``."""
    return _text(_object(told.get("issue")).get("key"))


def _github(settings: Mapping[str, Any], headers: Headers, told: Mapping[str, Any]) -> str:
    """The event ``issues``: ``{"action", "issue": {"number", ...}, "repository": {"full_name",
    ...}, ...}``. ``ping``, which GitHub sends first, is about none. Case does not tell names
    apart there; a ticket's id has them as the connection does."""
    number = _object(told.get("issue")).get("number")
    repository = _text(_object(told.get("repository")).get("full_name"))
    if headers.get("x-github-event") != "issues" or type(number) is not int or not repository:
        return ""
    own = str(settings.get("repository", ""))
    return f"{own if repository.casefold() == own.casefold() else repository}#{number}"


def _servicenow(_settings: Mapping[str, Any], _headers: Headers, told: Mapping[str, Any]) -> str:
    """What our script sends: ``{"number": "INC0010001"}``."""
    return _text(told.get("number"))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


_TICKETS: Mapping[str, Callable[[Mapping[str, Any], Headers, Mapping[str, Any]], str]] = {
    "jira": _jira,
    "github": _github,
    "servicenow": _servicenow,
}

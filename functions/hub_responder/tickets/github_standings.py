"""What has become of issues on GitHub: many with one query in GraphQL.

Listing them would read every issue of the repository, and search reads an index that lags. A query
of a hundred issues costs two or three of the 5,000 points an hour ("Rate limits and query limits
for the GraphQL API").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hub_responder.errors import PermanentError
from hub_responder.markdown.characters import clean, one_line, shorten
from hub_responder.tickets.github_api import errors_of
from hub_responder.tickets.ticket import Standing

if TYPE_CHECKING:
    from hub_responder.tickets.github_api import GitHubApi

MAX_ISSUES = 100
"""Issues in one query."""
PRIORITY = "priority: "
"""How the label begins that stands for a priority."""
_DECLINED = frozenset({"NOT_PLANNED", "DUPLICATE"})
_SHOWN = 80
_ISSUE = """fragment issue on Issue {
  state stateReason%s closedAt
  labels(first: 100) { nodes { name } }
  timelineItems(itemTypes: [CLOSED_EVENT], last: 1) { nodes { ... on ClosedEvent { actor { login } } } }
}"""  # noqa: E501
_REASON = "(enableDuplicate: true)"


def ask(
    api: GitHubApi, name: str, repository: str, numbers: Sequence[int]
) -> Mapping[int, Standing]:
    """The standings of issues of one repository, at most `MAX_ISSUES`; those that cannot be told
    now are left out.

    Raises:
        TransientError: it may pass.
        PermanentError: the repository cannot be seen, or the query is refused.
    """
    answer = api.graphql(*_query(repository, numbers, _REASON))
    if any(_code(error) == "argumentNotAccepted" for error in errors_of(answer)):
        # An older GitHub Enterprise Server, which cannot close an issue as a duplicate either.
        answer = api.graphql(*_query(repository, numbers, ""))
    data = answer.get("data")
    held = data.get("repository") if isinstance(data, dict) else None
    if not isinstance(held, dict):
        raise PermanentError(
            f"{name} does not tell the issues of {repository}{_complaint(answer)}", target=name
        )
    gone = {_place(error) for error in errors_of(answer) if error.get("type") == "NOT_FOUND"}
    found: dict[int, Standing] = {}
    for number in numbers:
        issue = held.get(f"i{number}")
        if isinstance(issue, dict):
            found[number] = _standing(issue)
        elif ("repository", f"i{number}") in gone:
            found[number] = Standing("gone")
    return found


def label_names(issue: Mapping[str, Any]) -> list[str]:
    """The names of an issue's labels, of either API."""
    labels = issue.get("labels")
    nodes = labels.get("nodes") if isinstance(labels, dict) else labels
    return [str(one.get("name", "")) for one in (nodes if isinstance(nodes, list) else ()) if one]


def _query(repository: str, numbers: Sequence[int], reason: str) -> tuple[str, dict[str, str]]:
    owner, _, name = repository.partition("/")
    issues = "\n".join(f"  i{number}: issue(number: {number}) {{ ...issue }}" for number in numbers)
    query = (
        "query($owner: String!, $name: String!) {\n"
        f"repository(owner: $owner, name: $name) {{\n{issues}\n}}\n}}\n{_ISSUE % reason}"
    )
    return query, {"owner": owner, "name": name}


def _standing(issue: Mapping[str, Any]) -> Standing:
    marks = [name for name in label_names(issue) if name.casefold().startswith(PRIORITY)]
    priority = _shown(marks[0][len(PRIORITY) :]) if marks else ""
    if issue.get("state") != "CLOSED":
        return Standing("open", "open", priority=priority)
    reason = str(issue.get("stateReason") or "COMPLETED")
    return Standing(
        "declined" if reason in _DECLINED else "done",
        _shown(reason.replace("_", " ").lower()),
        by=_actor(issue),
        priority=priority,
        closed_at=_time(issue.get("closedAt")),
    )


def _actor(issue: Mapping[str, Any]) -> str:
    """Who closed it last; empty where that account is gone."""
    events = issue.get("timelineItems")
    nodes = events.get("nodes") if isinstance(events, dict) else None
    actor = nodes[0].get("actor") if nodes and isinstance(nodes[0], dict) else None
    return _shown(str(actor.get("login", ""))) if isinstance(actor, dict) else ""


def _time(value: Any) -> float | None:
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except (ValueError, OverflowError):
        return None


def _code(error: Mapping[str, Any]) -> Any:
    extensions = error.get("extensions")
    return extensions.get("code") if isinstance(extensions, dict) else None


def _place(error: Mapping[str, Any]) -> tuple[Any, ...]:
    path = error.get("path")
    return tuple(map(str, path)) if isinstance(path, list) else ()


def _complaint(answer: Mapping[str, Any]) -> str:
    said = "; ".join(str(error.get("message", "")) for error in errors_of(answer))
    return shorten(": " + one_line(clean(said)), 200) if said else ""


def _shown(text: str) -> str:
    return shorten(one_line(clean(text)), _SHOWN)

"""GraphQL over the issues of one repository: the part of GitHub's public schema that tells them.

Types, arguments and the shape of errors follow docs.github.com/graphql. What a query costs, and
GitHub's limit of nodes, are not simulated.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from hub_responder.clock import iso

if TYPE_CHECKING:
    from hub_toolkit.sandbox.vendors.github.issues import Issue

_SCHEMA = """
scalar DateTime
enum IssueState { OPEN CLOSED }
enum IssueStateReason { COMPLETED NOT_PLANNED REOPENED DUPLICATE }
enum IssueTimelineItemsItemType { CLOSED_EVENT REOPENED_EVENT }
type Query { repository(owner: String!, name: String!): Repository }
type Repository { issue(number: Int!): Issue, nameWithOwner: String! }
type Issue {
  number: Int!
  title: String!
  state: IssueState!
  stateReason%s: IssueStateReason
  closedAt: DateTime
  labels(first: Int): LabelConnection
  timelineItems(
    first: Int, last: Int, itemTypes: [IssueTimelineItemsItemType!]
  ): IssueTimelineItemsConnection!
}
type LabelConnection { nodes: [Label] }
type Label { name: String! }
type IssueTimelineItemsConnection { nodes: [IssueTimelineItems] }
union IssueTimelineItems = ClosedEvent | ReopenedEvent
interface Actor { login: String! }
type User implements Actor { login: String! }
type ClosedEvent { actor: Actor, createdAt: DateTime! }
type ReopenedEvent { actor: Actor, createdAt: DateTime! }
"""
_REASON = "(enableDuplicate: Boolean = false)"


def answer(
    given: Mapping[str, Any], repository: str, issues: Mapping[int, Issue], *, duplicates: bool
) -> dict[str, Any]:
    """What GitHub answers to a query, status 200 in any case.

    Args:
        repository: ``owner/name`` of the only one that there is.
        issues: its issues by number.
        duplicates: whether issues can be closed as duplicates.
    """
    schema = _schema(duplicates)
    try:
        document = parse(str(given.get("query", "")))
    except GraphQLError as error:
        return {"errors": [_shown(error)]}
    errors = validate(schema, document)
    if errors:
        return {"errors": [_refused(error) for error in errors]}
    root = _Root(repository, issues)
    told = execute_sync(schema, document, root, variable_values=dict(given.get("variables") or {}))
    found: dict[str, Any] = {"data": told.data}
    return {**found, "errors": [_shown(error) for error in told.errors]} if told.errors else found


@lru_cache(maxsize=2)
def _schema(duplicates: bool) -> GraphQLSchema:
    schema = build_schema(_SCHEMA % (_REASON if duplicates else ""))
    schema.type_map["IssueTimelineItems"].resolve_type = _kind  # type: ignore[attr-defined]
    schema.type_map["Actor"].resolve_type = _kind  # type: ignore[attr-defined]
    return schema


def _kind(value: Mapping[str, Any], _info: GraphQLResolveInfo[Any], _type: Any) -> str:
    return str(value["kind"])


class _Root:
    """Resolves the one repository."""

    def __init__(self, repository: str, issues: Mapping[int, Issue]) -> None:
        self._name, self._issues = repository, issues

    def repository(self, _info: GraphQLResolveInfo[Any], owner: str, name: str) -> Any:
        asked = f"{owner}/{name}"
        if asked.lower() != self._name.lower():
            raise _not_found(f"Could not resolve to a Repository with the name '{asked}'.")
        return {"nameWithOwner": self._name, "issue": self._issue}

    def _issue(self, _info: GraphQLResolveInfo[Any], number: int) -> Any:
        issue = self._issues.get(number)
        if issue is None:
            raise _not_found(f"Could not resolve to an Issue with the number of {number}.")
        return _told(issue)


def _told(issue: Issue) -> dict[str, Any]:
    def reason(_info: GraphQLResolveInfo[Any], *, enableDuplicate: bool = False) -> str | None:  # noqa: N803
        told = (issue.state_reason or "").upper() or None
        # What it is without the argument is not documented: a guess.
        return "NOT_PLANNED" if told == "DUPLICATE" and not enableDuplicate else told

    def events(_info: GraphQLResolveInfo[Any], **_asked: Any) -> dict[str, Any]:
        if issue.closed_at is None:
            return {"nodes": []}
        actor = {"kind": "User", "login": issue.closed_by}
        event = {"kind": "ClosedEvent", "actor": actor, "createdAt": iso(issue.closed_at)}
        return {"nodes": [event]}

    def labels(_info: GraphQLResolveInfo[Any], first: int = 100) -> dict[str, Any]:
        return {"nodes": [{"name": name} for name in issue.labels[:first]]}

    return {
        "number": issue.number,
        "title": issue.title,
        "state": issue.state.upper(),
        "stateReason": reason,
        "closedAt": None if issue.closed_at is None else iso(issue.closed_at),
        "labels": labels,
        "timelineItems": events,
    }


def _not_found(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"type": "NOT_FOUND"})


def _shown(error: GraphQLError) -> dict[str, Any]:
    """An error as GitHub shows it: its type beside the message."""
    shown: dict[str, Any] = dict(error.formatted)
    kind = (shown.pop("extensions", None) or {}).get("type")
    return {"type": kind, **shown} if kind else shown


def _refused(error: GraphQLError) -> dict[str, Any]:
    """A query that the schema refuses, with the code that GitHub gives."""
    code = "argumentNotAccepted" if "Unknown argument" in error.message else "undefinedField"
    return {**_shown(error), "extensions": {"code": code}}

"""Jira: who the token is, the project, and what an issue of the type needs.

https://developer.atlassian.com/cloud/jira/platform/rest/v3/: myself, projects, issue createmeta.
Data Center has the same below its own path, and names the entries of a create screen ``values``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from hub_responder import http
from hub_responder.connections.settings import AnyJira, Jira, JiraDataCenter, read
from hub_responder.errors import PermanentError
from hub_responder.tickets.jira_flavour import Flavour, cloud, data_center
from hub_toolkit.checks.asker import Asker
from hub_toolkit.checks.places import places
from hub_toolkit.checks.told import Told, good, wrong

_OURS = frozenset(
    {"project", "issuetype", "summary", "description", "labels", "priority", "reporter"}
)
"""Fields that we set, and the reporter, which Jira sets."""
_OPTIONAL: Mapping[str, str] = {
    "priority": "priorities",
    "duedate": "due",
    "components": "components",
    "assignee": "assignee",
}
"""Fields that the connection's settings can set -> the setting."""
_NOT_FOUND = 404


def check(asker: Asker) -> Iterator[Told]:
    """Of Jira Cloud: the account, each project, and its issue type."""
    yield from _check(asker, Jira, cloud())


def check_data_center(asker: Asker) -> Iterator[Told]:
    """The same of Jira Data Center."""
    yield from _check(asker, JiraDataCenter, data_center())


def _check(asker: Asker, kind: type[AnyJira], flavour: Flavour) -> Iterator[Told]:
    settings = read(asker.connection.settings, kind, asker.name)
    base = settings.url.rstrip("/") + flavour.api

    def ask(path: str) -> Mapping[str, Any]:
        return _ask(asker, base + path, flavour)

    myself = ask("/myself")
    yield good("access", f"as {str(myself.get('displayName', 'somebody'))[:60]}")
    for project in places(asker.connection):
        yield from _project(asker, ask, project, settings.issue_type)


def _project(
    asker: Asker, ask: Callable[[str], Mapping[str, Any]], project: str, issue_type: str
) -> Iterator[Told]:
    key = quote(project, safe="")
    try:
        ask(f"/project/{key}")
        answer = ask(f"/issue/createmeta/{key}/issuetypes")
    except PermanentError as error:
        if error.status != _NOT_FOUND:
            raise
        do = "is the key right, and may the account browse the project and create issues there?"
        yield wrong("place", f"there is no project {project} for this account", do)
        return
    kinds = _named(answer.get("issueTypes", answer.get("values")))
    if issue_type not in kinds:
        known = ", ".join(sorted(kinds)[:12]) or "none"
        do = "put one of them into `issue_type`"
        yield wrong(
            "place", f"project {project} has no issue type {issue_type}; it has {known}", do
        )
        return
    meta = ask(f"/issue/createmeta/{key}/issuetypes/{quote(kinds[issue_type])}")
    yield _fields(asker, project, issue_type, meta.get("fields", meta.get("values")))


def _fields(asker: Asker, project: str, issue_type: str, held: Any) -> Told:
    fields = [one for one in held if isinstance(one, Mapping)] if isinstance(held, list) else []
    known = {str(one.get("fieldId", one.get("key"))) for one in fields}
    missing = [
        f"{str(one.get('name', ''))[:40]} ({one.get('fieldId', one.get('key'))})"
        for one in fields
        if one.get("required") and not one.get("hasDefaultValue") and not _is_set(asker, one)
    ]
    where = f"project {project}, {issue_type}"
    if missing:
        do = "set them in `fields` of the connection, or make them optional in Jira"
        return wrong("place", f"{where}: fields that must be set: {', '.join(missing)}", do)
    absent = _absent(known, asker)
    if absent:
        do = "add them to the issue type's create screen, or leave them out of the connection"
        return wrong("place", f"{where}: not on its create screen: {', '.join(absent)}", do)
    return good("place", where)


def _is_set(asker: Asker, field: Mapping[str, Any]) -> bool:
    name = str(field.get("fieldId", field.get("key")))
    settings = asker.connection.settings
    own = settings.get("fields") or {}
    return name in _OURS or name in own or bool(settings.get(_OPTIONAL.get(name, "")))


def _absent(known: set[str], asker: Asker) -> Sequence[str]:
    """What we would set and the create screen has not, for which Jira refuses the issue."""
    settings = asker.connection.settings
    wanted = ["description", "labels", *(settings.get("fields") or {})]
    wanted += [name for name, setting in _OPTIONAL.items() if settings.get(setting)]
    return [name for name in wanted if known and name not in known]


def _named(held: Any) -> dict[str, str]:
    kinds = held if isinstance(held, list) else []
    return {str(one["name"]): str(one["id"]) for one in kinds if isinstance(one, Mapping)}


def _ask(asker: Asker, url: str, flavour: Flavour) -> Mapping[str, Any]:
    response = asker.get(
        url, lambda secret: {"Authorization": flavour.authorization(secret, asker.name)}
    )
    http.raise_for_status(response, asker.name)
    answer = response.json()
    if not isinstance(answer, dict):
        text = f"{asker.name} answered with something that is not Jira's"
        raise PermanentError(text, target=asker.name)
    return answer

"""What has become of issues of Jira, told from the category of the status and the resolution.

A hundred issues are fetched in one request, by their keys: ``POST /issue/bulkfetch`` ("Issues" of
the REST API) reads the issues themselves. A search for keys would read an index that lags, is
refused as a whole where one of the keys is deleted, and reconciles issues only by numeric ids,
which nobody keeps. The answer lacks what is deleted or out of sight; each of those is asked for
once. Data Center has no such request: there a search that is not validated passes over what is not
there, and what its index has not seen yet is asked for once, too. Of a project that cannot be seen
any more (Jira answers 404 as well) nothing is told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hub_responder.errors import PermanentError
from hub_responder.markdown.characters import clean, one_line, shorten
from hub_responder.tickets.jira_api import NOT_FOUND
from hub_responder.tickets.ticket import Standing, State

if TYPE_CHECKING:
    from hub_responder.tickets.jira_api import JiraApi

MAX_ISSUES = 100
"""Issues of one request ("Bulk fetch issues")."""
MAX_ASKED = 25
"""Missing issues that are asked for one by one; the others cannot be told this time."""
FIELDS = ("status", "resolution", "priority", "resolutiondate", "statuscategorychangedate")
_SHOWN = 80


def ask(api: JiraApi, tickets: Sequence[str], declined: Collection[str]) -> Mapping[str, Standing]:
    """The standings by key; those that cannot be told now are left out."""
    names = {name.casefold() for name in declined}
    found: dict[str, Standing] = {}
    for start in range(0, len(tickets), MAX_ISSUES):
        part = tickets[start : start + MAX_ISSUES]
        by_key = dict(_fetched(api, part))
        for ticket in part:
            if ticket.upper() in by_key:
                _keep(found, ticket, of(by_key[ticket.upper()], names))
    missing = [ticket for ticket in tickets if ticket not in found]
    visible: dict[str, bool] = {}
    for ticket in missing[:MAX_ASKED]:
        project = ticket.rpartition("-")[0].upper()
        if project not in visible:
            visible[project] = _answers(api, f"/project/{project}") is not None
        if visible[project]:
            _keep(found, ticket, _alone(api, ticket, names))
    return found


def of(issue: Mapping[str, Any], declined: Collection[str]) -> Standing | None:
    """What has become of one issue; None where Jira does not tell.

    Args:
        declined: names of resolutions, casefolded.
    """
    fields = _mapping(issue.get("fields"))
    status, resolution = _mapping(fields.get("status")), _mapping(fields.get("resolution"))
    category = _mapping(status.get("statusCategory")).get("key")
    if not isinstance(category, str):
        return None
    priority = _name(fields.get("priority"))
    if category != "done":
        return Standing("open", _name(status), priority=priority)
    resolved = _name(resolution)
    state: State = "declined" if resolved.casefold() in declined else "done"
    closed = _time(fields.get("resolutiondate")) or _time(fields.get("statuscategorychangedate"))
    return Standing(state, resolved or _name(status), priority=priority, closed_at=closed)


def _fetched(api: JiraApi, part: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Page by page: a site of Data Center may have shorter ones (jira.search.views.default.max)."""
    path, body = api.flavour.fetch(part, FIELDS)
    start = 0
    while start < len(part):
        answer = api.look_up("POST", path, {**body, "startAt": start} if start else body)
        issues = answer.get("issues")
        if not isinstance(issues, list):
            raise api.strange("no list of issues")
        for issue in issues:
            if isinstance(issue, dict):
                yield str(issue.get("key")).upper(), issue
        start += len(issues)
        total = answer.get("total")
        if not issues or not isinstance(total, int) or start >= total:
            return


def _alone(api: JiraApi, ticket: str, declined: Collection[str]) -> Standing | None:
    """A missing one: moved to another project, where its old key still leads to it, or gone."""
    issue = _answers(api, f"/issue/{ticket}?fields={','.join(FIELDS)}")
    return Standing("gone") if issue is None else of(issue, declined)


def _answers(api: JiraApi, path: str) -> Mapping[str, Any] | None:
    """What is there, or None where Jira knows nothing."""
    try:
        return api.look_up("GET", path)
    except PermanentError as error:
        if error.status == NOT_FOUND:
            return None
        raise


def _keep(found: dict[str, Standing], ticket: str, standing: Standing | None) -> None:
    if standing is not None:
        found[ticket] = standing


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _name(value: Any) -> str:
    """What Jira calls it; names are the site's own."""
    name = _mapping(value).get("name")
    return shorten(one_line(clean(name)), _SHOWN) if isinstance(name, str) else ""


def _time(value: Any) -> float | None:
    """Jira writes ``2026-11-18T11:06:40.000+0000``."""
    try:
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
    except (TypeError, ValueError, OverflowError):
        return None

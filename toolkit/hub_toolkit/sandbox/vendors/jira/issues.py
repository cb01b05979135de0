"""The issues of one Jira site: what a field may hold, and what search sees of an issue when."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.vendors.jira import adf, wiki
from hub_toolkit.sandbox.vendors.jira.errors import INVALID_INPUT, FieldErrors
from hub_toolkit.sandbox.vendors.jira.jql import Subject

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_SUMMARY = 255
MAX_TEXT = 32_767
"""Characters of a description or comment. Counted on the text: whether Jira counts the document's
JSON is not documented."""
MAX_LABEL = 255

MAX_FIELD = 255
"""Characters of a custom field of one line ("Text Field (single line)")."""

RESOLUTIONS = ("Done", "Won't Do", "Duplicate", "Cannot Reproduce")
"""Those that a new site has."""
PRIORITIES = ("Highest", "High", "Medium", "Low", "Lowest")


@dataclass(frozen=True, slots=True)
class Status:
    """A status; its name is the site's own, its category is one of Jira's three."""

    id: str
    name: str
    category: str
    transition: str

    def shown(self, base: str) -> dict[str, Any]:
        """As the API shows it."""
        number, name, colour = _CATEGORIES[self.category]
        return {
            "self": f"{base}/rest/api/3/status/{self.id}",
            "id": self.id,
            "name": self.name,
            "statusCategory": {
                "self": f"{base}/rest/api/3/statuscategory/{number}",
                "id": number,
                "key": self.category,
                "colorName": colour,
                "name": name,
            },
        }


_CATEGORIES = {
    "new": (2, "To Do", "blue-gray"),
    "indeterminate": (4, "In Progress", "yellow"),
    "done": (3, "Done", "green"),
}

STATUSES = (
    Status("10000", "Backlog", "new", "11"),
    Status("10001", "Investigating", "indeterminate", "21"),
    Status("10002", "Resolved", "done", "31"),
)
"""A workflow of a site's own names, each status reachable from each: only the category tells."""


@dataclass(slots=True)
class Issue:
    """An issue. ``fields`` are as given; ``history`` is what search saw since when."""

    id: str
    key: str
    base: str
    created: float
    updated: float
    fields: dict[str, Any]
    status: Status = STATUSES[0]
    comments: list[dict[str, Any]] = field(default_factory=list)
    history: list[tuple[float, Subject]] = field(default_factory=list)
    resolution: str = ""
    resolved_at: float | None = None
    turned_at: float | None = None
    links: list[dict[str, Any]] = field(default_factory=list)

    def turn(self, status: Status, resolution: str, now: float) -> None:
        """Another status; the workflow sets a resolution at the end and clears it elsewhere."""
        if status.category != self.status.category:
            self.turned_at = now
        self.status = status
        closed = status.category == "done"
        self.resolution = (resolution or "Done") if closed else ""
        self.resolved_at = now if closed else None

    @property
    def project(self) -> str:
        """The project's key."""
        return self.key.rpartition("-")[0]

    def subject(self) -> Subject:
        """What a query sees of it now."""
        labels = frozenset(self.fields.get("labels") or ())
        return Subject(self.id, self.key, self.project, labels, self.status.category)

    def touch(self, now: float, lag_s: float) -> None:
        """Notes a change; what no search can see any more is forgotten."""
        self.updated = now
        self.history.append((now, self.subject()))
        while len(self.history) > 1 and self.history[1][0] <= now - lag_s:
            del self.history[0]

    def indexed(self, before: float) -> Subject | None:
        """What search saw of it at ``before``; None: it was not indexed yet."""
        seen = [subject for at, subject in self.history if at <= before]
        return seen[-1] if seen else None

    def shown(self, names: list[str] | None = None) -> dict[str, Any]:
        """As the API shows it; ``names`` limits the fields."""
        everything = {
            **dict.fromkeys(("description", "duedate", "assignee", "priority")),
            "components": [],
            **self.fields,
            "resolution": resolution(self.resolution) if self.resolution else None,
            "resolutiondate": _stamp(self.resolved_at),
            "statuscategorychangedate": _stamp(self.turned_at or self.created),
            "issuelinks": self.links,
            "labels": self.fields.get("labels") or [],
            "status": self.status.shown(self.base),
            "created": stamp(self.created),
            "updated": stamp(self.updated),
            "comment": {
                "comments": self.comments,
                "total": len(self.comments),
                "maxResults": len(self.comments),
                "startAt": 0,
            },
        }
        fields = (
            everything
            if names is None
            else {name: value for name, value in everything.items() if name in names}
        )
        link = f"{self.base}/rest/api/3/issue/{self.id}"
        return {"id": self.id, "key": self.key, "self": link, "fields": fields}

    def ticket(self) -> dict[str, Any]:
        """As a ticket of any system: texts only."""
        description = self.fields.get("description")
        return {
            "id": self.key,
            "url": f"{self.base}/browse/{self.key}",
            "summary": self.fields["summary"],
            "status": self.status.name,
            "state": self._decided(),
            "labels": self.fields.get("labels") or [],
            "comments": [_plain(comment["body"]) for comment in self.comments],
            "body": _plain(description) if description else "",
        }

    def _decided(self) -> str:
        """What people decided: open, done or declined."""
        if self.status.category != "done":
            return "open"
        return "declined" if self.resolution == "Won't Do" else "done"


def _plain(text: Any) -> str:
    return wiki.plain(text) if isinstance(text, str) else adf.plain(text)


def resolution(name: str) -> dict[str, str]:
    """A resolution as the API shows it; its id is made up."""
    return {"id": str(10_000 + RESOLUTIONS.index(name)), "name": name}


def _stamp(at: float | None) -> str | None:
    return None if at is None else stamp(at)


def stamp(at: float) -> str:
    """A time as Jira writes times."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


@dataclass(frozen=True, slots=True)
class Site:
    """What was set up: keys of projects, names of their components, ids of custom fields; and
    whether texts are wiki markup and people have names, as in Data Center."""

    projects: tuple[str, ...]
    components: tuple[str, ...] = ()
    further: tuple[str, ...] = ()
    wiki: bool = False


def check_fields(fields: Any, *, site: Site, creating: bool) -> dict[str, Any]:
    """The fields, checked and in the form in which they are shown.

    Args:
        fields: as the request gives them.
        site: what exists.
        creating: project, issuetype and summary must be there; else they may be left out.

    Raises:
        FieldErrors: with all that is wrong, as Jira words it.
    """
    if not isinstance(fields, dict):
        raise FieldErrors({}, INVALID_INPUT)
    errors: dict[str, str] = {}
    checked: dict[str, Any] = {}
    if creating:
        missing = {"project": "project is required", "issuetype": "Specify an issue type"}
        missing["summary"] = "You must specify a summary of the issue."
        errors.update((name, text) for name, text in missing.items() if name not in fields)
    for name, value in fields.items():
        try:
            if name == "project":
                checked[name] = _project(value, site.projects)
            elif name == "components":
                checked[name] = _components(value, site.components)
            elif name in site.further:
                checked[name] = _further(value)
            elif name == "description":
                checked[name] = None if value is None else text_of(value, site, message=_WANTED)
            elif name == "assignee":
                checked[name] = _assignee(value, "name" if site.wiki else "accountId")
            elif name in _CHECKS:
                checked[name] = _CHECKS[name](value)
            else:
                errors[name] = (
                    f"Field '{name}' cannot be set. It is not on the appropriate screen, or"
                    " unknown."
                )
        except ValueError as error:
            errors[name] = str(error)
    if errors:
        raise FieldErrors(errors)
    return checked


def text_of(value: Any, site: Site, *, message: str) -> Any:
    """A checked description or comment, as the site takes them.

    Raises:
        FieldErrors, ValueError: as `document`.
    """
    if not site.wiki:
        return document(value, message=message)
    if not isinstance(value, str):
        raise ValueError("Operation value must be a string")  # noqa: TRY004 - the field's error
    if len(value) > MAX_TEXT:
        raise ValueError(_TOO_LONG)
    return value


def document(value: Any, *, message: str) -> dict[str, Any]:
    """A checked document.

    Raises:
        FieldErrors: the document is not valid ADF; Jira does not say where, ``reason`` does.
        ValueError: it is no document at all (``message``), or its text is too long.
    """
    if not isinstance(value, dict):
        raise ValueError(message)  # noqa: TRY004 - becomes the field's error
    try:
        adf.validate(value)
    except adf.AdfError as error:
        raise FieldErrors({}, INVALID_INPUT, str(error)) from None
    if len(adf.plain(value)) > MAX_TEXT:
        raise ValueError(_TOO_LONG)
    return value


_TOO_LONG = (
    f"The entered text is too long. It exceeds the allowed limit of {MAX_TEXT:,} characters."
)


def _summary(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("You must specify a summary of the issue.")
    if len(value) > MAX_SUMMARY:
        raise ValueError(f"Summary can't exceed {MAX_SUMMARY} characters.")
    if re.search(r"[\r\n]", value):
        raise ValueError("The summary is invalid because it contains newline characters.")
    return value


_WANTED = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"


def _labels(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(label, str) for label in value):
        raise ValueError("data was not an array of strings")
    for label in value:
        check_label(label)
    return sorted(set(value))


def check_label(label: Any) -> str:
    """A label that Jira takes.

    Raises:
        ValueError: it is empty, too long or has white space.
    """
    if not isinstance(label, str) or not label or len(label) > MAX_LABEL:
        raise ValueError(f"The label '{str(label)[:80]}' is empty or too long.")
    if re.search(r"\s", label):
        raise ValueError(f"The label '{label[:80]}' contains spaces which is invalid.")
    return label


def _named(value: Any, names: tuple[str, ...], wrong: str) -> dict[str, str]:
    """``{"name": ...}`` or ``{"id": ...}``, the id being the position from 1."""
    given = value if isinstance(value, dict) else {}
    for position, name in enumerate(names, 1):
        if given.get("name") == name or given.get("id") == str(position):
            return {"id": str(position), "name": name}
    raise ValueError(wrong)


def _project(value: Any, projects: tuple[str, ...]) -> dict[str, str]:
    given = value if isinstance(value, dict) else {}
    for position, key in enumerate(projects, 10_000):
        if given.get("key") == key or given.get("id") == str(position):
            return {"id": str(position), "key": key}
    raise ValueError("valid project is required")


def _components(value: Any, names: tuple[str, ...]) -> list[dict[str, str]]:
    if not isinstance(value, list):
        raise ValueError("data was not an array")  # noqa: TRY004 - becomes the field's error
    for one in value:
        name = one.get("name") if isinstance(one, dict) else None
        if name not in names:
            raise ValueError(f"Component name '{str(name)[:80]}' is not valid")
    return [{"id": str(10_000 + names.index(one["name"])), "name": one["name"]} for one in value]


def _further(value: Any) -> Any:
    """The value of a custom field. Its kind is not simulated: a text is one line, all else goes."""
    if isinstance(value, str) and len(value) > MAX_FIELD:
        raise ValueError(
            f"The entered text is too long. It exceeds the allowed limit of {MAX_FIELD} characters."
        )
    return value


def _assignee(value: Any, key: str) -> dict[str, str] | None:
    if value is None:
        return None
    account = value.get(key, value.get("id")) if isinstance(value, dict) else None
    if not isinstance(account, str) or not account:
        raise ValueError("Specify a valid value for assignee")
    return {key: account}


def _due_date(value: Any) -> str | None:
    if value is None:
        return None
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        pass
    raise ValueError(f"Error parsing date string: {str(value)[:40]}")


ISSUE_TYPES = ("Task", "Bug", "Story", "Incident")

_CHECKS: dict[str, Callable[[Any], Any]] = {
    "summary": _summary,
    "labels": _labels,
    "issuetype": lambda value: _named(value, ISSUE_TYPES, "Specify a valid issue type"),
    "priority": lambda value: _named(value, PRIORITIES, "The priority selected is invalid."),
    "duedate": _due_date,
}
FIELDS = ("project", "components", "description", "assignee", *_CHECKS)
"""What a create screen has; `REQUIRED` must be given."""
REQUIRED = frozenset({"project", "issuetype", "summary"})

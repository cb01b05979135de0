"""Issues and their comments, and what GitHub checks of a request that writes one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from hub_responder.clock import iso

MAX_TITLE = 256
MAX_BODY = 65_536
MAX_LABEL = 50
MAX_LABELS = 100
MAX_ASSIGNEES = 10
DECLINED = ("not_planned", "duplicate")
REASONS = ("completed", "not_planned", "reopened", "duplicate")


class Invalid(Exception):  # noqa: N818 - GitHub's own word: "Validation Failed"
    """A field that GitHub answers with 422."""

    def __init__(self, name: str, code: str, message: str = "") -> None:
        super().__init__(f"{name}: {message or code}")
        self.error = {"resource": "Issue", "field": name, "code": code}
        if message:
            self.error["message"] = message


@dataclass(slots=True)
class Issue:
    """An issue; ``at`` is when it was created, in epoch seconds."""

    number: int
    base: str
    repository: str
    at: float
    title: str
    body: str
    labels: list[str]
    assignees: list[str] = field(default_factory=list)
    state: str = "open"
    state_reason: str | None = None
    closed_at: float | None = None
    closed_by: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)

    def turn(self, state: str, reason: str | None, by: str, at: float) -> None:
        """Open or close it; ``reason`` counts only where the state changes."""
        if state == self.state:
            return
        closed = state == "closed"
        self.state, self.state_reason = state, reason or ("completed" if closed else "reopened")
        self.closed_at, self.closed_by = (at, by) if closed else (None, "")

    @property
    def page(self) -> str:
        """Its address for people."""
        return f"{self.base}/{self.repository}/issues/{self.number}"

    def shown(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "id": 3_000_000_000 + self.number,
            "number": self.number,
            "url": f"{self.base}/api/v3/repos/{self.repository}/issues/{self.number}",
            "html_url": self.page,
            "state": self.state,
            "state_reason": self.state_reason,
            "title": self.title,
            "body": self.body,
            "user": {"login": "hub-responder", "type": "User"},
            "labels": [{"name": name, "color": "ededed"} for name in self.labels],
            "assignees": [{"login": login, "type": "User"} for login in self.assignees],
            "comments": len(self.comments),
            "locked": False,
            "created_at": iso(self.at),
            "closed_at": None if self.closed_at is None else iso(self.closed_at),
        }

    def ticket(self) -> dict[str, Any]:
        """As one of the sandbox's tickets."""
        return {
            "id": f"{self.repository}#{self.number}",
            "url": self.page,
            "summary": self.title,
            "status": self.state,
            "state": self._decided(),
            "labels": list(self.labels),
            "assignees": list(self.assignees),
            "comments": [comment["body"] for comment in self.comments],
            "body": self.body,
        }

    def _decided(self) -> str:
        """What people decided: open, done or declined."""
        if self.state == "open":
            return "open"
        return "declined" if self.state_reason in DECLINED else "done"


def title(value: Any) -> str:
    """The title of an issue.

    Raises:
        Invalid: it is missing, blank, too long or no text.
    """
    if not isinstance(value, str) or not value.strip():
        raise Invalid("title", "missing_field")
    if len(value) > MAX_TITLE:
        raise Invalid("title", "custom", f"title is too long (maximum is {MAX_TITLE} characters)")
    return value


def body(value: Any, *, required: bool = False) -> str:
    """The body of an issue or comment.

    Raises:
        Invalid: it is too long or no text, or blank where it is ``required``.
    """
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value.strip()):
        raise Invalid("body", "custom", "body cannot be blank")
    if len(value) > MAX_BODY:
        raise Invalid("body", "custom", f"body is too long (maximum is {MAX_BODY} characters)")
    return value


def labels(value: Any, known: dict[str, str]) -> list[str]:
    """The names of an issue's labels; those that are not ``known`` (by their lower case) become so.

    Raises:
        Invalid: not a list, too many, or one that is blank, too long or no text.
    """
    if not isinstance(value, list) or len(value) > MAX_LABELS:
        raise Invalid("labels", "invalid")
    names: list[str] = []
    for one in value:
        name = one.get("name") if isinstance(one, dict) else one
        if not isinstance(name, str) or not name.strip() or len(name) > MAX_LABEL:
            raise Invalid("labels", "invalid", f"label {str(name)[:60]!r} is invalid")
        name = known.setdefault(name.lower(), name)
        if name not in names:
            names.append(name)
    return names


def assignees(value: Any, people: Collection[str]) -> list[str]:
    """The logins of those whose an issue is.

    Raises:
        Invalid: not a list of texts, too many, or one that is none of the ``people`` who can be
            assigned: GitHub names the field, with the code ``invalid``.
    """
    if not isinstance(value, list) or len(value) > MAX_ASSIGNEES:
        raise Invalid("assignees", "invalid")
    known = {login.lower(): login for login in people}
    if not all(isinstance(one, str) and one.lower() in known for one in value):
        raise Invalid("assignees", "invalid")
    return list(dict.fromkeys(known[one.lower()] for one in value))

"""Jira Cloud, REST API 3 (https://developer.atlassian.com/cloud/jira/platform/rest/v3/).

Creating an issue has no idempotency key. Each issue carries a label made of its effect key;
after an attempt whose end is unknown it is looked up by that label. The index behind the search
lags, so "not found" counts only once the attempt is two minutes old.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hub_responder import clock, http, secrets
from hub_responder.connections.resolve import at
from hub_responder.connections.settings import Jira, read
from hub_responder.errors import PermanentError, TransientError
from hub_responder.markdown.adf import to_adf
from hub_responder.markdown.characters import clean, one_line, shorten
from hub_responder.tickets.ticket import MAX_SUMMARY, Draft, Ticket, label

if TYPE_CHECKING:
    from hub_responder.connections.resolve import Connection
    from hub_responder.markdown.document import Document
    from hub_responder.runtime import Runtime

INDEX_LAG_S = 120.0
"""How long the search may lag. Atlassian names no bound; delays of seconds are usual."""
_KEY = re.compile(r"[A-Z][A-Z0-9_]{0,254}-\d{1,18}", re.IGNORECASE)
_COMMENTS_READ = 50


def system(connection: Connection, runtime: Runtime, ticket: str = "") -> JiraProject:
    """The project of ``connection``, or of ``ticket``: a key begins with its project's."""
    return JiraProject(at(connection, ticket.rpartition("-")[0]) if ticket else connection, runtime)


class JiraProject:
    """One Jira connection, for one invocation."""

    def __init__(self, connection: Connection, runtime: Runtime) -> None:
        self._name = connection.name
        self._settings = read(connection.settings, Jira, connection.name)
        self._runtime = runtime
        self._base = self._settings.url.rstrip("/")

    def open(self, draft: Draft) -> Ticket:
        """Open an issue, or find the one that an earlier attempt opened.

        Raises:
            TransientError: it may pass, or whether the issue exists cannot be told yet.
            PermanentError: Jira refuses it; the message names the fields it complains about.
        """
        found = self._found_after_doubt(draft) if draft.in_doubt else None
        if found is not None:
            return found
        answer = self._call("POST", "/rest/api/3/issue", {"fields": self._fields(draft)})
        return self._ticket(answer.get("key"), opened=True)

    def comment(self, ticket: str, document: Document, mark: str, *, in_doubt: bool) -> bool:
        """Add a comment that ends with ``mark``; in doubt, only if no recent one has it.

        Returns:
            Whether this call added it.
        """
        self._check_key(ticket)
        path = f"/rest/api/3/issue/{ticket}/comment"
        if in_doubt and self._has_comment(path, mark):
            return False
        body = to_adf(document)
        text = {"type": "text", "text": mark, "marks": [{"type": "code"}]}
        body["content"].append({"type": "paragraph", "content": [text]})
        self._call("POST", path, {"body": body})
        return True

    def _fields(self, draft: Draft) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "project": {"key": self._settings.project},
            "issuetype": {"name": self._settings.issue_type},
            "summary": shorten(draft.document.title, MAX_SUMMARY) or "hub-responder",
            "description": to_adf(draft.document.body),
            "labels": [label(draft.key), "hub-responder", *map(_as_label, draft.labels)],
        }
        if draft.priority:
            fields["priority"] = {"name": draft.priority}
        return fields

    def _found_after_doubt(self, draft: Draft) -> Ticket | None:
        """The issue of an earlier attempt; None once it is certain that there is none."""
        jql = f'labels = "{label(draft.key)}"'
        if not self._settings.allow:  # else the earlier attempt may have chosen another project
            jql = f'project = "{self._settings.project}" AND {jql}'
        answer = self._look_up(
            "POST", "/rest/api/3/search/jql", {"jql": jql, "fields": ["status"], "maxResults": 1}
        )
        issues = answer.get("issues")
        if isinstance(issues, list) and issues:
            return self._ticket(issues[0].get("key"), opened=True)
        if draft.attempted_at is not None and clock.now() - draft.attempted_at < INDEX_LAG_S:
            # Still in doubt, and for as long again at most: the lag counts from the last attempt.
            raise TransientError(
                f"{self._name}: whether an earlier attempt opened the ticket shows only once "
                "Jira's search has caught up",
                target=self._name,
                sent=True,
                retry_after=INDEX_LAG_S,
            )
        return None

    def _has_comment(self, path: str, mark: str) -> bool:
        query = f"?orderBy=-created&maxResults={_COMMENTS_READ}"
        comments = self._look_up("GET", path + query, None).get("comments")
        return isinstance(comments, list) and any(mark in str(item) for item in comments)

    def _ticket(self, key: object, *, opened: bool) -> Ticket:
        issue = str(key)
        self._check_key(issue)
        return Ticket(issue, f"{self._base}/browse/{issue}", opened)

    def _check_key(self, issue: str) -> None:
        if not _KEY.fullmatch(issue):
            raise PermanentError(
                f"{self._name} answered without the key of an issue", target=self._name, sent=True
            )

    def _look_up(self, method: str, path: str, body: Any) -> Mapping[str, Any]:
        """A call that changes nothing: once more, at once, where that can help."""
        try:
            return self._call(method, path, body)
        except TransientError as error:
            if error.retry_after:
                raise
            return self._call(method, path, body)

    def _call(self, method: str, path: str, body: Any) -> Mapping[str, Any]:
        def call(secret: Mapping[str, str]) -> http.Response:
            user = secrets.value(secret, "email", self._name)
            token = secrets.value(secret, "api_token", self._name)
            basic = base64.b64encode(f"{user}:{token}".encode()).decode()
            response = http.call(
                method,
                self._base + path,
                target=self._name,
                deadline=self._runtime.deadline,
                headers={"Authorization": f"Basic {basic}"},
                json=body,
            )
            if response.status in {400, 404, 409, 413, 422}:
                raise PermanentError(
                    f"{self._name} answered {response.status}{_complaints(response)}",
                    target=self._name,
                    status=response.status,
                )
            http.raise_for_status(response, self._name)
            return response

        answer = secrets.use(self._runtime.stage, self._name, call).json()
        if not isinstance(answer, dict):
            raise PermanentError(
                f"{self._name} answered with something that is not Jira's", target=self._name
            )
        return answer


def _as_label(text: str) -> str:
    """Jira's labels hold no white space."""
    return shorten(re.sub(r"\s+", "-", clean(text).strip()), MAX_SUMMARY) or "-"


def _complaints(response: http.Response) -> str:
    """What Jira says is wrong (``errorMessages`` and ``errors`` by field), bounded."""
    try:
        answer = response.json()
    except PermanentError:
        return ""
    if not isinstance(answer, dict):
        return ""
    messages, fields = answer.get("errorMessages"), answer.get("errors")
    said = [str(message) for message in messages] if isinstance(messages, list) else []
    if isinstance(fields, dict):
        said += [f"{field}: {message}" for field, message in fields.items()]
    return shorten(": " + one_line(clean("; ".join(said))), 200) if said else ""

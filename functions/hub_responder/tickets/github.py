"""GitHub Issues, REST API version 2022-11-28 (https://docs.github.com/rest/issues).

Opening an issue has no idempotency key. Each issue carries a label made of its effect key, which
GitHub creates with the issue; after an attempt whose end is unknown it is looked up by listing that
label. Search is not asked: its index lags.

Of a token that may not set labels GitHub opens the issue and drops them silently, so that it would
not be found again: `docs/connections.md` says what the token needs, and the log says when it lacks
it.

Issues have no due date: it is the first line of the text. Who cannot be assigned is answered with
422, and of a token without push access GitHub drops the assignee silently ("Create an issue"); the
issue is opened all the same, and the step says whose it is not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from hub_responder import clock, observability
from hub_responder.connections.settings import GitHub, read
from hub_responder.errors import PermanentError, TransientError
from hub_responder.markdown.characters import clean, one_line, shorten
from hub_responder.markdown.document import Document, Paragraph, Strong, Text
from hub_responder.markdown.github import to_github
from hub_responder.tickets import github_standings
from hub_responder.tickets.github_api import GitHubApi
from hub_responder.tickets.github_standings import PRIORITY, label_names
from hub_responder.tickets.ticket import MAX_SUMMARY, Draft, Standing, Ticket, day, label

if TYPE_CHECKING:
    from hub_responder.connections.resolve import Connection
    from hub_responder.runtime import Runtime

MAX_BODY = 65_536
"""Characters of an issue or comment; GitHub answers more with 422."""
MAX_LABEL = 50
MAX_LABELS = 100
SETTLED_S = 30.0
"""When an attempt has ended for certain: GitHub ends a request after 10 seconds ("Best practices
for using the REST API"), and our own connection may be late."""
_TICKET = re.compile(r"([A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)#([1-9]\d{0,8})")
_PER_PAGE = 100
_NOT_FOUND, _INVALID = 404, 422


def system(connection: Connection, runtime: Runtime, ticket: str = "") -> GitHubIssues:  # noqa: ARG001
    """The issues of ``connection``; a ticket's id names its repository itself."""
    return GitHubIssues(connection, runtime)


class GitHubIssues:
    """One connection to a repository, for one invocation. A ticket's id is ``owner/name#12``."""

    def __init__(self, connection: Connection, runtime: Runtime) -> None:
        self._name = connection.name
        self._settings = read(connection.settings, GitHub, connection.name)
        self._timezone = runtime.playbook.timezone
        self._api = GitHubApi(connection.name, self._settings, runtime)

    def open(self, draft: Draft) -> Ticket:
        """Open an issue, or find the one that an earlier attempt opened.

        Raises:
            TransientError: it may pass, or whether the issue exists cannot be told yet.
            PermanentError: GitHub refuses it; the message says what it complains about.
        """
        repository = self._settings.repository
        if draft.in_doubt:
            found = self._found_after_doubt(draft, repository)
            if found is not None:
                return found
        answer = self._created(f"/repos/{repository}", draft)
        if label(draft.key) not in str(answer.get("labels")):
            # The ticket is there; only a doubt about it could not be cleared up.
            extra = {"connection": self._name, "needs": "Issues: read and write"}
            observability.logger().warning("the token may not set labels", extra=extra)
        return self._ticket(repository, answer, draft.assignee, opened=True)

    def comment(self, ticket: str, document: Document, mark: str, *, in_doubt: bool) -> bool:
        """Add a comment that ends with ``mark``; in doubt, only if no recent one has it.

        Returns:
            Whether this call added it.
        """
        path = self._path(ticket)
        if in_doubt and self._has_comment(path, mark):
            return False
        ending = f"\n\n`{mark}`"
        body = to_github(document, MAX_BODY - len(ending)) + ending
        self._api.object("POST", f"{path}/comments", {"body": body})
        return True

    def standings(self, tickets: Sequence[str]) -> Mapping[str, Standing]:
        """What has become of issues: one query for each hundred of a repository, in GraphQL, which
        reads the issues themselves and no index."""
        by_repository: dict[str, list[int]] = {}
        for match in map(_TICKET.fullmatch, dict.fromkeys(tickets)):
            if match is not None:  # else it is none of GitHub's, and the others are asked about
                by_repository.setdefault(match[1], []).append(int(match[2]))
        found: dict[str, Standing] = {}
        for repository, numbers in by_repository.items():
            for start in range(0, len(numbers), github_standings.MAX_ISSUES):
                part = numbers[start : start + github_standings.MAX_ISSUES]
                told = github_standings.ask(self._api, self._name, repository, part)
                found |= {f"{repository}#{number}": one for number, one in told.items()}
        return found

    def close(self, ticket: str, document: Document, mark: str, *, in_doubt: bool) -> bool:
        """Say why in a comment, then close the issue as completed; a closed one stays as it is.

        Returns:
            Whether this call closed it.
        """
        return self._turn(ticket, "closed", "completed", document, mark, in_doubt=in_doubt)

    def reopen(self, ticket: str, document: Document, mark: str, *, in_doubt: bool) -> bool:
        """Say why in a comment, then open the issue again; an open one stays as it is.

        Returns:
            Whether this call reopened it.
        """
        return self._turn(ticket, "open", "reopened", document, mark, in_doubt=in_doubt)

    def prioritise(self, ticket: str, priority: str) -> bool:
        """Let ``priority: ...`` be the issue's only label of its kind; GitHub has no priorities.

        The others are taken away one by one: a list of labels would undo what people set meanwhile.
        """
        path = self._path(ticket)
        wanted = _label(PRIORITY + priority)
        held = label_names(self._api.look_up(path))
        ours = [name for name in held if name.casefold().startswith(PRIORITY)]
        others = [name for name in ours if name.casefold() != wanted.casefold()]
        is_new = len(others) == len(ours)
        if is_new:
            self._api.call("POST", f"{path}/labels", {"labels": [wanted]})
        for name in others:
            self._drop_label(path, name)
        return is_new or bool(others)

    def link(self, ticket: str, earlier: str) -> None:
        """Refer to ``earlier`` in a comment: GitHub shows the reference there too."""
        path = self._path(ticket)
        self._parts(earlier)
        text = f"Follows {earlier}."
        if not self._has_comment(path, text):
            self._api.object("POST", f"{path}/comments", {"body": text})

    def _created(self, repository: str, draft: Draft) -> Mapping[str, Any]:
        """The new issue; without an assignee where there is none such."""
        fields: dict[str, Any] = {
            "title": shorten(draft.document.title, MAX_SUMMARY) or "hub-responder",
            "body": to_github(_dated(draft, self._timezone), MAX_BODY) or "-",
            "labels": _labels(draft),
        }
        if not draft.assignee:
            return self._api.object("POST", f"{repository}/issues", fields)
        try:
            assigned = fields | {"assignees": [draft.assignee]}
            return self._api.object("POST", f"{repository}/issues", assigned)
        except PermanentError as error:
            if error.status != _INVALID or self._can_have(repository, draft.assignee):
                raise
        return self._api.object("POST", f"{repository}/issues", fields)

    def _can_have(self, repository: str, login: str) -> bool:
        """Whether somebody can be assigned there ("Check if a user can be assigned")."""
        try:
            self._api.call("GET", f"{repository}/assignees/{quote(login, safe='')}")
        except PermanentError as error:
            if error.status != _NOT_FOUND:
                raise
            return False
        return True

    def _turn(
        self, ticket: str, state: str, reason: str, document: Document, mark: str, *, in_doubt: bool
    ) -> bool:
        """The comment comes first: an issue that is turned has been told why."""
        path = self._path(ticket)
        if self._api.look_up(path).get("state") == state:
            return False
        self.comment(ticket, document, mark, in_doubt=in_doubt)
        self._api.object("PATCH", path, {"state": state, "state_reason": reason})
        return True

    def _drop_label(self, path: str, name: str) -> None:
        try:
            self._api.call("DELETE", f"{path}/labels/{quote(name, safe='')}")
        except PermanentError as error:
            if error.status != _NOT_FOUND:  # else somebody was faster
                raise

    def _path(self, ticket: str) -> str:
        repository, number = self._parts(ticket)
        return f"/repos/{repository}/issues/{number}"

    def _parts(self, ticket: str) -> tuple[str, int]:
        match = _TICKET.fullmatch(ticket)
        if match is None:
            raise PermanentError(f"{ticket[:80]!r} is no issue of GitHub", target=self._name)
        return match[1], int(match[2])

    def _found_after_doubt(self, draft: Draft, repository: str) -> Ticket | None:
        """The issue of an earlier attempt; None once it is certain that there is none."""
        query = f"?labels={label(draft.key)}&state=all&sort=created&direction=asc"
        for issue in self._api.listed(f"/repos/{repository}/issues{query}"):
            if "pull_request" not in issue:  # to this API each pull request is an issue too
                return self._ticket(repository, issue, draft.assignee, opened=True)
        if draft.attempted_at is not None and clock.now() - draft.attempted_at < SETTLED_S:
            raise TransientError(
                f"{self._name}: whether an earlier attempt opened the ticket is not certain yet",
                target=self._name,
                sent=True,
                retry_after=SETTLED_S,
            )
        return None

    def _has_comment(self, path: str, mark: str) -> bool:
        """Whether one of the last hundred or more comments has the mark; they come oldest first."""
        count = self._api.look_up(path).get("comments")
        last = max(1, math.ceil(count / _PER_PAGE)) if isinstance(count, int) else 1
        return any(
            mark in str(comment.get("body"))
            for page in {max(1, last - 1), last}
            for comment in self._api.listed(f"{path}/comments?per_page={_PER_PAGE}&page={page}")
        )

    def _ticket(
        self, repository: str, issue: Mapping[str, Any], assignee: str = "", *, opened: bool
    ) -> Ticket:
        number = issue.get("number")
        if type(number) is not int or number < 1:
            raise PermanentError(
                f"{self._name} answered without the number of an issue",
                target=self._name,
                sent=True,
            )
        url = f"{_for_people(self._api.base)}/{repository}/issues/{number}"
        lacks = ""
        if assignee and assignee.casefold() not in _assigned(issue):
            lacks = f"not assigned to {assignee}, who cannot be, or the token may not assign"
        return Ticket(f"{repository}#{number}", url, opened, lacks)


def _dated(draft: Draft, timezone: str) -> Document:
    """The text under its due date, where it has one."""
    body = draft.document.body
    if draft.due is None:
        return body
    due = "期限" if body.language == "ja" else "Due"
    line = Paragraph((Strong((Text(f"{due}: {day(draft.due, timezone)}"),)),))
    return Document((line, *body.blocks), body.language)


def _assigned(issue: Mapping[str, Any]) -> set[str]:
    people = issue.get("assignees")
    return {
        str(one.get("login")).casefold()
        for one in (people if isinstance(people, list) else ())
        if isinstance(one, dict)
    }


def _labels(draft: Draft) -> list[str]:
    """Our own first; GitHub has no priorities, so that one becomes a label. It ignores case."""
    wanted = [label(draft.key), "hub-responder"]
    wanted += [PRIORITY + draft.priority] if draft.priority else []
    wanted += draft.labels
    unique: dict[str, str] = {}
    for text in wanted:
        name = _label(text)
        if name:
            unique.setdefault(name.casefold(), name)
    return list(unique.values())[:MAX_LABELS]


def _label(text: str) -> str:
    """The name of a label; a comma parts labels where they are listed."""
    return shorten(one_line(clean(text)).replace(",", " ").strip(), MAX_LABEL)


def _for_people(base: str) -> str:
    """The web address of an API's: github.com, GitHub Enterprise Server's, or SUBDOMAIN.ghe.com."""
    if base.endswith("/api/v3"):
        return base.removesuffix("/api/v3")
    parts = urlsplit(base)
    return f"{parts.scheme}://{parts.netloc.removeprefix('api.')}{parts.path}"

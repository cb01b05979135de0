"""Jira: Cloud, and with another flavour Data Center (see `jira_flavour`).

Creating an issue has no idempotency key. Each issue carries a label made of its effect key;
after an attempt whose end is unknown it is looked up by that label. The index behind the search
lags, so "not found" counts only once the attempt is two minutes old.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub_responder import clock
from hub_responder.connections.resolve import at
from hub_responder.connections.settings import AnyJira, Jira, read
from hub_responder.errors import ConfigurationError, PermanentError, TransientError
from hub_responder.markdown.characters import clean, shorten
from hub_responder.tickets import jira_standings, jira_workflow
from hub_responder.tickets.jira_api import JiraApi
from hub_responder.tickets.jira_flavour import Flavour, cloud
from hub_responder.tickets.ticket import MAX_SUMMARY, Draft, Standing, Ticket, day, label

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
    connection = at(connection, ticket.rpartition("-")[0]) if ticket else connection
    settings = read(connection.settings, Jira, connection.name)
    return JiraProject(connection.name, settings, cloud(), runtime)


class JiraProject:
    """One Jira connection, for one invocation."""

    def __init__(self, name: str, settings: AnyJira, flavour: Flavour, runtime: Runtime) -> None:
        self._name = name
        self._settings = settings
        self._flavour = flavour
        self._timezone = runtime.playbook.timezone
        self._declined = {name.casefold() for name in settings.declined}
        self._api = JiraApi(name, settings, flavour, runtime)

    def open(self, draft: Draft) -> Ticket:
        """Open an issue, or find the one that an earlier attempt opened.

        Raises:
            TransientError: it may pass, or whether the issue exists cannot be told yet.
            ConfigurationError: Jira refuses the value of a setting, which is named.
            PermanentError: Jira refuses something else; the message says what it complains about.
        """
        found = self._found_after_doubt(draft) if draft.in_doubt else None
        if found is not None:
            return found
        answer = self._api.call("POST", "/issue", {"fields": self._fields(draft)})
        return self._ticket(answer.get("key"), opened=True)

    def comment(self, ticket: str, document: Document, mark: str, *, in_doubt: bool) -> bool:
        """Add a comment that ends with ``mark``; in doubt, only if no recent one has it.

        Returns:
            Whether this call added it.
        """
        self._check_key(ticket)
        path = f"/issue/{ticket}/comment"
        if in_doubt and self._has_comment(path, mark):
            return False
        self._api.call("POST", path, {"body": self._flavour.comment(document, mark)})
        return True

    def standings(self, tickets: Sequence[str]) -> Mapping[str, Standing]:
        """What has become of issues: one request for each hundred, and one for each missing one."""
        keys = [ticket for ticket in dict.fromkeys(tickets) if _KEY.fullmatch(ticket)]
        return jira_standings.ask(self._api, keys, self._declined)

    def close(self, ticket: str, document: Document, mark: str, *, in_doubt: bool) -> bool:
        """Say why in a comment, then close the issue as done; a closed one stays as it is.

        Returns:
            Whether this call closed it.

        Raises:
            ConfigurationError: the workflow has no way there that we can take.
        """
        if self._is_done(ticket):
            return False
        self.comment(ticket, document, mark, in_doubt=in_doubt)
        self._turn(ticket, jira_workflow.closing(self._transitions(ticket), self._declined), "done")
        return True

    def reopen(self, ticket: str, document: Document, mark: str, *, in_doubt: bool) -> bool:
        """Say why in a comment, then open the issue again; an open one stays as it is.

        Returns:
            Whether this call reopened it.

        Raises:
            ConfigurationError: the workflow has no way there that we can take.
        """
        if not self._is_done(ticket):
            return False
        self.comment(ticket, document, mark, in_doubt=in_doubt)
        self._turn(ticket, jira_workflow.opening(self._transitions(ticket)), "to do")
        return True

    def prioritise(self, ticket: str, priority: str) -> bool:
        """Set the issue's priority; one that it has already is left alone."""
        held = self._standing(ticket).priority
        if held.casefold() == priority.casefold():
            return False
        self._api.call("PUT", f"/issue/{ticket}", {"fields": {"priority": {"name": priority}}})
        return True

    def link(self, ticket: str, earlier: str) -> None:
        """Link the issues as related; where the site has no such links, say it in a comment."""
        self._check_key(ticket)
        self._check_key(earlier)
        if earlier.upper() in self._linked(ticket):
            return
        related = {
            "type": {"name": "Relates"},
            "inwardIssue": {"key": ticket},
            "outwardIssue": {"key": earlier},
        }
        try:
            self._api.call("POST", "/issueLink", related)
        except (PermanentError, ConfigurationError):  # no such type, links are off, not permitted
            text = f"Follows {earlier}."
            path = f"/issue/{ticket}/comment"
            if not self._has_comment(path, text):
                self._api.call("POST", path, {"body": self._flavour.sentence(text)})

    def _linked(self, ticket: str) -> set[str]:
        """The keys of the issues that are linked to one, whichever way."""
        fields = self._api.look_up("GET", f"/issue/{ticket}?fields=issuelinks").get("fields")
        links = fields.get("issuelinks") if isinstance(fields, dict) else None
        ends = [
            link.get(end)
            for link in links or ()
            if isinstance(link, dict)
            for end in ("inwardIssue", "outwardIssue")
        ]
        return {str(end.get("key")).upper() for end in ends if isinstance(end, dict)}

    def _is_done(self, ticket: str) -> bool:
        return self._standing(ticket).state != "open"

    def _standing(self, ticket: str) -> Standing:
        self._check_key(ticket)
        wanted = ",".join(jira_standings.FIELDS)
        issue = self._api.look_up("GET", f"/issue/{ticket}?fields={wanted}")
        standing = jira_standings.of(issue, self._declined)
        if standing is None:
            raise self._api.strange("an issue without a status")
        return standing

    def _transitions(self, ticket: str) -> list[Mapping[str, Any]]:
        path = f"/issue/{ticket}/transitions?expand=transitions.fields"
        found = self._api.look_up("GET", path).get("transitions")
        if not isinstance(found, list):
            raise self._api.strange("no list of transitions")
        return [one for one in found if isinstance(one, dict)]

    def _turn(self, ticket: str, chosen: jira_workflow.Chosen | None, where: str) -> None:
        if chosen is None:
            raise ConfigurationError(
                f"connection {self._name}: from where {ticket} is, the workflow has no transition"
                f" to a status of the category {where!r} that the account may take, and that"
                " demands nothing but a resolution"
            )
        body: dict[str, Any] = {"transition": {"id": chosen.id}}
        if chosen.fields:
            body["fields"] = dict(chosen.fields)
        self._api.call("POST", f"/issue/{ticket}/transitions", body)

    def _fields(self, draft: Draft) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "project": {"key": self._settings.project},
            "issuetype": {"name": self._settings.issue_type},
            "summary": shorten(draft.document.title, MAX_SUMMARY) or "hub-responder",
            "description": self._flavour.text(draft.document.body),
            "labels": [label(draft.key), "hub-responder", *map(_as_label, draft.labels)],
        }
        if draft.priority:
            fields["priority"] = {"name": draft.priority}
        if draft.due is not None:
            fields["duedate"] = day(draft.due, self._timezone)
        if draft.components:
            fields["components"] = [{"name": name} for name in draft.components]
        if draft.assignee:
            fields["assignee"] = dict(self._flavour.person(draft.assignee))
        return {**draft.fields, **fields}

    def _found_after_doubt(self, draft: Draft) -> Ticket | None:
        """The issue of an earlier attempt; None once it is certain that there is none."""
        jql = f'labels = "{label(draft.key)}"'
        if not self._settings.allow:  # else the earlier attempt may have chosen another project
            jql = f'project = "{self._settings.project}" AND {jql}'
        path, body = self._flavour.search(jql)
        answer = self._api.look_up("POST", path, body)
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
        comments = self._api.look_up("GET", path + query).get("comments")
        return isinstance(comments, list) and any(mark in str(item) for item in comments)

    def _ticket(self, key: object, *, opened: bool) -> Ticket:
        issue = str(key)
        self._check_key(issue)
        return Ticket(issue, f"{self._api.base}/browse/{issue}", opened)

    def _check_key(self, issue: str) -> None:
        if not _KEY.fullmatch(issue):
            raise PermanentError(
                f"{self._name} answered without the key of an issue", target=self._name, sent=True
            )


def _as_label(text: str) -> str:
    """Jira's labels hold no white space."""
    return shorten(re.sub(r"\s+", "-", clean(text).strip()), MAX_SUMMARY) or "-"

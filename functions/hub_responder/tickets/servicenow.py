"""ServiceNow: incidents and security incidents, through the Table API.

Opening a record has no idempotency key. Each carries a ``correlation_id`` made of its effect key,
by which it is looked up after an attempt whose end is unknown. The column is not unique, so it is
looked up again after such a record was made: of two the earliest is the ticket, and the other says
so.

A query whose parts ServiceNow does not take is answered as if they were not there, with records of
all kinds (`glide.invalid_query.returns_no_rows`). So every record that is told is compared with
what was asked for. No value from outside gets into a query: a number and a key of ours have no
character that means anything there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub_responder import clock, observability
from hub_responder.connections.settings import ServiceNow, read
from hub_responder.errors import ConfigurationError, PermanentError, TransientError
from hub_responder.markdown.characters import clean, one_line, shorten
from hub_responder.markdown.servicenow import harmless, to_servicenow
from hub_responder.tickets.servicenow_api import ServiceNowApi
from hub_responder.tickets.servicenow_standings import (
    FIELDS,
    STATES,
    is_closed,
    stamp,
    standing,
    value,
)
from hub_responder.tickets.ticket import Draft, Standing, Ticket, label

if TYPE_CHECKING:
    from hub_responder.connections.resolve import Connection
    from hub_responder.markdown.document import Document
    from hub_responder.runtime import Runtime

MAX_TITLE = 160
"""Characters of `short_description`; ServiceNow cuts more off without a word."""
MAX_TEXT = 4_000
""""Multi-line text fields have a default character limit of 4000": description and notes."""
MAX_ASKED = 100
"""Tickets in one query."""
SETTLED_S = 300.0
"""When an attempt has ended for certain: a transaction is cancelled after five minutes ("Inbound
Web Services — Troubleshooting Guide")."""
_NUMBER = re.compile(r"[A-Za-z0-9_-]{1,40}")
_SYS_ID = re.compile(r"[0-9a-f]{32}")
_PAIR = re.compile(r"([1-9])/([1-9])")


def system(connection: Connection, runtime: Runtime, ticket: str = "") -> ServiceNowTable:  # noqa: ARG001
    """The table of ``connection``; all its tickets are there."""
    return ServiceNowTable(connection, runtime)


class ServiceNowTable:
    """One connection to a table, for one invocation. A ticket's id is its number (INC0010001)."""

    def __init__(self, connection: Connection, runtime: Runtime) -> None:
        self._name = connection.name
        self._settings = read(connection.settings, ServiceNow, connection.name)
        self._states = STATES[self._settings.table]
        self._api = ServiceNowApi(connection.name, self._settings, runtime.stage, runtime.deadline)

    def open(self, draft: Draft) -> Ticket:
        """Open a record, or find the one that an earlier attempt opened.

        Raises:
            TransientError: it may pass, or whether the record exists cannot be told yet.
            PermanentError: ServiceNow refuses it; the message says what it complains about.
        """
        if draft.in_doubt:
            found = self._earliest(draft.key)
            if found is not None:
                return self._ticket(found)
            self._settle(draft)
        record = self._api.create(self._values(draft))
        if value(record, "correlation_id") != label(draft.key):
            # The ticket is there; only a doubt about it could not be cleared up.
            extra = {"connection": self._name, "needs": "write access to correlation_id"}
            observability.logger().warning("the account may not set correlation_id", extra=extra)
        elif draft.in_doubt:
            record = self._first_of_two(draft.key, record)
        return self._ticket(record)

    def comment(self, ticket: str, document: Document, mark: str, *, in_doubt: bool) -> bool:
        """Add a work note that ends with ``mark``; in doubt, only if none has it.

        Returns:
            Whether this call added it.
        """
        row = self._row(ticket, "number,sys_id,work_notes" if in_doubt else "number,sys_id")
        if mark in _journal(row):
            return False
        self._api.change(self._sys_id(row), {"work_notes": _note(document, mark)})
        return True

    def standings(self, tickets: Sequence[str]) -> Mapping[str, Standing]:
        """What has become of records, a hundred with one request.

        Raises:
            PermanentError: ServiceNow does not take the query, so that nothing can be told.
        """
        asked = [one for one in dict.fromkeys(tickets) if _NUMBER.fullmatch(one)]
        found: dict[str, Standing] = {}
        for start in range(0, len(asked), MAX_ASKED):
            found |= self._told(asked[start : start + MAX_ASKED])
        return found

    def close(self, ticket: str, document: Document, mark: str, *, in_doubt: bool) -> bool:
        """Close the record with a work note that says why, in one change; a closed one stays.

        Returns:
            Whether this call closed it.
        """
        row = self._row(ticket, _TURNING)
        # State and note were set together: where the note is, the closing was done, and somebody
        # opened it since.
        if is_closed(row, self._states) or (in_doubt and mark in _journal(row)):
            return False
        notes = shorten(one_line(document.title), MAX_TITLE) or "hub-responder"
        values = {
            "state": self._states.close,
            "close_code": self._settings.close_code or self._states.close_code,
            "close_notes": harmless(notes),
            "work_notes": _note(document, mark),
        }
        self._turned(row, values)
        return True

    def reopen(self, ticket: str, document: Document, mark: str, *, in_doubt: bool) -> bool:
        """Work on a closed record again, with a work note that says why; an open one stays.

        Returns:
            Whether this call reopened it.

        Raises:
            PermanentError: ServiceNow does not let the account: an incident that is Closed, not
                only Resolved, is read-only to all but administrators.
        """
        row = self._row(ticket, _TURNING)
        if not is_closed(row, self._states) or (in_doubt and mark in _journal(row)):
            return False
        self._turned(row, {"state": self._states.reopen, "work_notes": _note(document, mark)})
        return True

    def prioritise(self, ticket: str, priority: str) -> bool:
        """Set impact and urgency (``1/2``), from which ServiceNow computes the priority."""
        wanted = self._pair(priority)
        row = self._row(ticket, "number,sys_id,impact,urgency")
        if all(value(row, name) == number for name, number in wanted.items()):
            return False
        self._api.change(self._sys_id(row), wanted)
        return True

    def link(self, ticket: str, earlier: str) -> None:
        """Make ``earlier`` the parent, and say so in a work note: both with one change.

        `parent`, not `parent_incident`: resolving that one would resolve its children.
        """
        first = self._row(earlier, "number,sys_id")
        row = self._row(ticket, "number,sys_id,parent")
        parent = self._sys_id(first)
        if value(row, "parent") != parent:
            note = f"Follows {value(first, 'number')}."
            self._api.change(self._sys_id(row), {"parent": parent, "work_notes": note})

    def _values(self, draft: Draft) -> dict[str, str]:
        title = shorten(one_line(clean(draft.document.title)), MAX_TITLE)
        values = {
            **(self._pair(draft.priority) if draft.priority else {}),
            "category": self._settings.category,
            "assignment_group": self._settings.assignment_group,
            "assigned_to": draft.assignee,
            "due_date": "" if draft.due is None else stamp(draft.due),
            **{name: self._text(name, given) for name, given in draft.fields.items()},
            "short_description": harmless(title) or "hub-responder",
            "description": to_servicenow(draft.document.body, MAX_TEXT) or "-",
            "correlation_id": label(draft.key),
            "correlation_display": "hub-responder",
        }
        return {name: text for name, text in values.items() if text}

    def _text(self, name: str, given: Any) -> str:
        """A field's value as the Table API takes it: text; a list's parts are parted by commas."""
        if isinstance(given, Mapping):
            text = f"connection {self._name}: `fields.{name}` gives a mapping; a column takes none"
            raise ConfigurationError(text)
        if isinstance(given, list):
            return ",".join(self._text(name, one) for one in given)
        if isinstance(given, bool):
            return "true" if given else "false"
        return "" if given is None else harmless(str(given))

    def _pair(self, priority: str) -> dict[str, str]:
        match = _PAIR.fullmatch(priority)
        if match is None:
            raise ConfigurationError(
                f"connection {self._name}: {priority[:40]!r} is no priority of ServiceNow's:"
                " impact and urgency are needed, as 1/2"
            )
        return {"impact": match[1], "urgency": match[2]}

    def _earliest(self, key: str) -> Mapping[str, Any] | None:
        """The first record of a key; None where there is none."""
        query = f"correlation_id={label(key)}^ORDERBYsys_created_on^ORDERBYnumber"
        rows = self._api.rows(query, "number,sys_id,correlation_id", 2)
        if any(value(row, "correlation_id") != label(key) for row in rows):
            raise self._ignored("correlation_id")
        return rows[0] if rows else None

    def _settle(self, draft: Draft) -> None:
        if draft.attempted_at is not None and clock.now() - draft.attempted_at < SETTLED_S:
            raise TransientError(
                f"{self._name}: whether an earlier attempt opened the ticket is not certain yet",
                target=self._name,
                sent=True,
                retry_after=SETTLED_S,
            )

    def _first_of_two(self, key: str, made: Mapping[str, Any]) -> Mapping[str, Any]:
        """The ticket, where two attempts made one each; the later one says that it is none."""
        first = self._earliest(key) or made
        if value(first, "sys_id") == value(made, "sys_id"):
            return made
        ticket, other = self._ticket(first).id, self._ticket(made).id
        extra = {"connection": self._name, "ticket": ticket, "other": other}
        observability.logger().warning("a ticket was opened twice", extra=extra)
        note = f"Opened twice: {ticket} is the ticket. Nothing is told here any more."
        self._api.change(self._sys_id(made), {"work_notes": note})
        return first

    def _told(self, numbers: Sequence[str]) -> dict[str, Standing]:
        rows = self._api.rows(f"numberIN{','.join(numbers)}", FIELDS, len(numbers), shown=True)
        by_number = {value(row, "number"): row for row in rows}
        if not set(by_number) <= set(numbers):
            raise self._ignored("number")
        declined = self._settings.declined
        told = {one: standing(row, self._states, declined) for one, row in by_number.items()}
        if rows.hidden:  # some are there and may not be read: which, cannot be told
            return told
        return {one: told.get(one, Standing("gone")) for one in numbers}

    def _row(self, ticket: str, fields: str) -> Mapping[str, Any]:
        """The one record of a number."""
        if not _NUMBER.fullmatch(ticket):
            raise PermanentError(f"{ticket[:80]!r} is no number of ServiceNow", target=self._name)
        rows = self._api.rows(f"number={ticket}", fields, 1, shown=True)
        if not rows:
            text = f"{self._name}: there is no {ticket}, or the account may not read it"
            raise PermanentError(text, target=self._name)
        if value(rows[0], "number") != ticket:
            raise self._ignored("number")
        return rows[0]

    def _turned(self, row: Mapping[str, Any], values: Mapping[str, str]) -> None:
        """Change the state; a rule of the instance may drop that without a word."""
        changed = self._api.change(self._sys_id(row), values)
        if value(changed, "state") != values["state"]:
            text = f"{self._name} left {value(row, 'number')} in its state: may the account set it?"
            raise PermanentError(text, target=self._name, sent=True)

    def _ticket(self, row: Mapping[str, Any]) -> Ticket:
        number = value(row, "number")
        if not _NUMBER.fullmatch(number):
            text = f"{self._name} answered without the number of a record"
            raise PermanentError(text, target=self._name, sent=True)
        table, sys_id = self._settings.table, self._sys_id(row)
        url = f"{self._api.base}/nav_to.do?uri={table}.do%3Fsys_id%3D{sys_id}"
        return Ticket(number, url, opened=True)

    def _sys_id(self, row: Mapping[str, Any]) -> str:
        sys_id = value(row, "sys_id")
        if not _SYS_ID.fullmatch(sys_id):
            text = f"{self._name} answered without the sys_id of a record"
            raise PermanentError(text, target=self._name, sent=True)
        return sys_id

    def _ignored(self, column: str) -> PermanentError:
        text = f"{self._name} does not take a query by {column}: may the account read that column?"
        return PermanentError(text, target=self._name)


_TURNING = "number,sys_id,state,active,work_notes"


def _journal(row: Mapping[str, Any]) -> str:
    """All work notes: a journal field has a display value only."""
    held = row.get("work_notes")
    return str(held.get("display_value") or "") if isinstance(held, dict) else ""


def _note(document: Document, mark: str) -> str:
    ending = f"\n\n{mark}"
    return to_servicenow(document, MAX_TEXT - len(ending)) + ending

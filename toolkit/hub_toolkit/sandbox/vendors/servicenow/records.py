"""The records of two tables: which columns they have, and what a write does or is refused for.

What a write names and the table has not is left out without a word; a text that is too long is cut;
`priority` is computed from impact and urgency ("Priority lookup rules"). Resolving or closing needs
a close code and notes, which a data policy demands; an incident that is Closed is read-only to all
but administrators.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

STATES: Mapping[str, Mapping[str, str]] = {
    "incident": {
        "1": "New",
        "2": "In Progress",
        "3": "On Hold",
        "6": "Resolved",
        "7": "Closed",
        "8": "Canceled",
    },
    "sn_si_incident": {
        "10": "Draft",
        "16": "Analysis",
        "18": "Contain",
        "19": "Eradicate",
        "20": "Recover",
        "100": "Review",
        "3": "Closed",
        "7": "Cancelled",
    },
}
PREFIXES = {"incident": "INC", "sn_si_incident": "SIR"}
NEW = {"incident": "1", "sn_si_incident": "10"}
SOLVED = {"incident": frozenset({"6", "7"}), "sn_si_incident": frozenset({"3"})}
CANCELED = {"incident": "8", "sn_si_incident": "7"}
OPEN_AGAIN = {"incident": "2", "sn_si_incident": "16"}
LENGTHS: Mapping[str, int] = {
    "short_description": 160,
    "description": 4_000,
    "correlation_id": 100,
    "correlation_display": 100,
    "close_code": 40,
    "close_notes": 4_000,
    "category": 40,
    "subcategory": 40,
    "assignment_group": 32,
    "assigned_to": 32,
    "caller_id": 32,
    "cmdb_ci": 32,
    "parent": 32,
    "due_date": 40,
    "impact": 40,
    "urgency": 40,
    "state": 40,
    "contact_type": 40,
}
"""Columns that can be written, and how many characters each keeps."""
JOURNALS = ("work_notes", "comments")
_SYSTEM = (
    "sys_id",
    "number",
    "priority",
    "active",
    "sys_created_on",
    "resolved_at",
    "resolved_by",
    "closed_at",
    "closed_by",
)
COLUMNS = frozenset({*LENGTHS, *_SYSTEM, *JOURNALS})
ACCOUNT = "hub-responder"


class Refused(Exception):  # noqa: N818 - reads as the fact
    """A write that is answered with 403."""


@dataclass(slots=True)
class Record:
    """One record; ``values`` are the database's, ``notes`` the journal's entries."""

    table: str
    values: dict[str, str]
    notes: list[tuple[float, str, str, str]] = field(default_factory=list)

    def write(self, given: Mapping[str, Any], at: float, by: str = ACCOUNT) -> None:
        """Set values, all or none.

        Raises:
            Refused: by the data policy or an access control.
        """
        values = {name: _text(value) for name, value in given.items()}
        after = {
            **self.values,
            **{name: values[name][:size] for name, size in LENGTHS.items() if name in values},
        }
        was, state = self.values["state"], after["state"]
        if self.table == "incident" and was == "7" and by == ACCOUNT:
            raise Refused("ACL Exception Update Failed due to security constraints")
        solved = state in SOLVED[self.table]
        if solved and state != was:
            missing = [name for name in ("close_code", "close_notes") if not after.get(name)]
            if missing:
                told = ", ".join(_MANDATORY[name] for name in missing)
                raise Refused(f"Data Policy Exception: The following fields are mandatory: {told}")
        after["priority"] = _priority(after)
        self.values = {**after, **self._ending(was, state, at, by)}
        for name in JOURNALS:
            if values.get(name):
                self.notes.append((at, by, name, values[name]))

    def _ending(self, was: str, state: str, at: float, by: str) -> dict[str, str]:
        """Who ended it and when; a record that is only Resolved stays active."""
        over = state in SOLVED[self.table] or state == CANCELED[self.table]
        active = not over or (self.table == "incident" and state == "6")
        told = {"active": "true" if active else "false"}
        if state == was:
            return told
        kind = "resolved" if active and over else "closed"
        for name in ("resolved", "closed"):
            if not over:
                told |= {f"{name}_at": "", f"{name}_by": ""}
            elif name == kind:
                told |= {f"{name}_at": stamp(at), f"{name}_by": by}
        return told

    def journal(self, name: str) -> str:
        """All entries of a journal, newest first, as the display value has them."""
        title = {"work_notes": "Work notes", "comments": "Additional comments"}[name]
        entries = [
            f"{stamp(at)} - {by} ({title})\n{text}\n\n"
            for at, by, column, text in reversed(self.notes)
            if column == name
        ]
        return "".join(entries)

    def shown(self, name: str, display: str) -> Any:
        """A column as the API shows it; ``display`` is false, true or all."""
        value = "" if name in JOURNALS else self.values.get(name, "")
        label = self.journal(name) if name in JOURNALS else self._label(name, value)
        if display == "all":
            return {"display_value": label, "value": value}
        return label if display == "true" else value

    def _label(self, name: str, value: str) -> str:
        return STATES[self.table].get(value, value) if name == "state" else value

    def ticket(self, base: str) -> dict[str, Any]:
        """As a ticket of any system: texts only."""
        state = self.values["state"]
        return {
            "id": self.values["number"],
            "url": page(base, self.table, self.values["sys_id"]),
            "summary": self.values["short_description"],
            "status": STATES[self.table].get(state, state),
            "state": self._decided(state),
            "labels": [self.values["correlation_id"]],
            "comments": [text for _, _, _, text in self.notes],
            "body": self.values["description"],
        }

    def _decided(self, state: str) -> str:
        if state == CANCELED[self.table]:
            return "declined"
        return "done" if state in SOLVED[self.table] else "open"


_MANDATORY = {"close_code": "Resolution code", "close_notes": "Resolution notes"}


def new(table: str, count: int, given: Mapping[str, Any], at: float) -> Record:
    """A record with the values of a request.

    Raises:
        Refused: as of `Record.write`.
    """
    number = f"{PREFIXES[table]}{10_000 + count:07}"
    values = dict.fromkeys(COLUMNS - set(JOURNALS), "")
    values |= {
        "sys_id": hashlib.md5(f"{table}{count}".encode(), usedforsecurity=False).hexdigest(),
        "number": number,
        "state": NEW[table],
        "impact": "3",
        "urgency": "3",
        "sys_created_on": stamp(at),
    }
    record = Record(table, values)
    record.write(given, at)
    return record


def page(base: str, table: str, sys_id: str) -> str:
    """Its address for people."""
    return f"{base}/nav_to.do?uri={table}.do%3Fsys_id%3D{sys_id}"


def stamp(at: float) -> str:
    """A time as the database has it: UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _priority(values: Mapping[str, str]) -> str:
    """The shipped matrix: 1 for 1/1, to 5 for 3/3."""
    pair = (values.get("impact", ""), values.get("urgency", ""))
    numbers = [int(one) for one in pair if one in {"1", "2", "3"}]
    return str(sum(numbers) - 1) if len(numbers) == len(pair) else ""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)

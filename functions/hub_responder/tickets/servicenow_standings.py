"""What the fields of a ServiceNow record say of a ticket.

States are told by their numbers, which customers keep: `incident` has 1 New, 2 In Progress, 3 On
Hold, 6 Resolved, 7 Closed and 8 Canceled ("Incident Management state model"); `sn_si_incident` has
10 Draft, 16 Analysis, 18 Contain, 19 Eradicate, 20 Recover, 100 Review, 3 Closed and 7 Cancelled.
A state that is none of these is told by the field `active`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hub_responder.markdown.characters import clean, one_line, shorten
from hub_responder.tickets.ticket import Standing

if TYPE_CHECKING:
    from hub_responder.tickets.ticket import State

FIELDS = (
    "number,sys_id,state,active,close_code,resolved_at,resolved_by,closed_at,closed_by,"
    "impact,urgency"
)
_SHOWN = 80
_TIME = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class States:
    """The states of a table, and the close code that we give where the connection names none."""

    closed: frozenset[str]
    canceled: str
    close: str
    reopen: str
    close_code: str


STATES: Mapping[str, States] = {
    "incident": States(frozenset({"6", "7"}), "8", "6", "2", "Solution provided"),
    "sn_si_incident": States(frozenset({"3"}), "7", "3", "16", "Threat mitigated"),
}
"""By table. Close codes are those of new instances; an instance may have others."""


def standing(row: Mapping[str, Any], states: States, declined: Sequence[str]) -> Standing:
    """What has become of a record that was read with `FIELDS`, each with its display value."""
    state = _state(row, states, declined)
    impact, urgency = value(row, "impact"), value(row, "urgency")
    closed = "closed" if value(row, "closed_at") else "resolved"
    done = state != "open"
    return Standing(
        state,
        shown(row, "state"),
        by=(shown(row, f"{closed}_by") or shown(row, "resolved_by")) if done else "",
        priority=f"{impact}/{urgency}" if impact and urgency else "",
        closed_at=_time(value(row, f"{closed}_at")) if done else None,
    )


def is_closed(row: Mapping[str, Any], states: States) -> bool:
    """Whether nobody works on it any more, for whatever reason."""
    return _state(row, states, ()) != "open"


def value(row: Mapping[str, Any], name: str) -> str:
    """A field as the database has it."""
    held = row.get(name)
    return str((held.get("value") if isinstance(held, dict) else held) or "")


def shown(row: Mapping[str, Any], name: str) -> str:
    """A field as people see it, bounded."""
    held = row.get(name)
    text = held.get("display_value") if isinstance(held, dict) else held
    return shorten(one_line(clean(str(text or ""))), _SHOWN)


def _state(row: Mapping[str, Any], states: States, declined: Sequence[str]) -> State:
    number = value(row, "state")
    if number == states.canceled:
        return "declined"
    known = number in states.closed
    if not known and value(row, "active") != "false":
        return "open"
    refusing = {code.casefold() for code in declined}
    codes = {value(row, "close_code").casefold(), shown(row, "close_code").casefold()}
    return "declined" if codes & refusing else "done"


def stamp(at: float) -> str:
    """A time as the database takes it."""
    return datetime.fromtimestamp(at, UTC).strftime(_TIME)


def _time(text: str) -> float | None:
    """A time as the database has it: UTC, without saying so."""
    try:
        return datetime.strptime(text, _TIME).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None

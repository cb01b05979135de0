"""What happened to a finding, an incident, an instance or a ticket, in the order of time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from hub_toolkit.trail.records import Record

MAX_SUBJECT = 512
MAX_INCIDENTS = 100
"""Whose records are shown beside those that name the subject."""
Read = Callable[[Sequence[str]], Iterable["Record"]]


class Event(msgspec.Struct, frozen=True):
    """One record, for people.

    Attributes:
        at: when (ISO 8601). playbook, kind: whose record, and what it tells.
        step, uses, status: of a step. detail: in words. who: who or what made it happen.
        incident: the ledger's key of the incident, or empty. findings: how many it is about.
        run: the run that wrote it, with the record's number.
    """

    at: str
    playbook: str
    kind: str
    step: str
    uses: str
    status: str
    detail: str
    who: str
    incident: str
    findings: int
    run: str


def about(read: Read, subject: str) -> list[Event]:
    """The records about ``subject``, and those of the incidents that they name.

    Args:
        read: gives the records in which one of some texts stands; none: all.
        subject: any name that stands in a record: of a finding, an instance, a ticket, an incident,
            a run; as a whole, so that SEC-1 is not SEC-12. Empty: every record.
    """
    if not subject:
        return [event(one) for one in sorted(read(()), key=_order)]
    named = re.compile(rf"(?<![\w-]){re.escape(subject)}(?![\w-])")
    found = [one for one in read((subject,)) if named.search(_text(one))]
    incidents = sorted({str(one["incident"]) for one in found if one.get("incident")})
    is_finding = any(named.search(_text(one.get("findings", ()))) for one in found)
    known = {_text(one) for one in found}
    for one in read(incidents[:MAX_INCIDENTS]) if incidents else ():
        others = is_finding and one.get("findings")
        if one.get("incident") in incidents and not others and _text(one) not in known:
            found.append(one)
    return [event(one) for one in sorted(found, key=_order)]


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def event(record: Record) -> Event:
    """A record as a line of the time line."""
    texts = {
        name: str(record.get(name) or "")
        for name in ("at", "playbook", "kind", "step", "uses", "status", "detail", "incident")
    }
    return Event(
        **texts,
        who=_who(record),
        findings=len(record.get("findings", ())),
        run=str(record.get("id") or ""),
    )


def _who(record: Record) -> str:
    """An operator by name; else what set it off. Who clicked is not told by AWS."""
    if actor := record.get("actor"):
        return str(actor)
    trigger = record.get("trigger", {})
    return str(trigger.get("by") or trigger.get("kind") or "")


def _order(record: Record) -> tuple[str, str, int]:
    run, _, number = str(record.get("id") or "").partition(".")
    digits = number.partition(".")[0]
    return str(record.get("at") or ""), run, int(digits) if digits.isdecimal() else 0

"""What became of an event, read from the audit trail: one entry per playbook and incident."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

Record = Mapping[str, Any]

_ENDINGS = (
    ("finished", "done"),
    ("closed", "closed"),
    ("deferred", "deferred"),
    ("joined", "joined"),
    ("repeat", "repeat"),
    ("skipped", "skipped"),
)
"""Kinds of record that end an incident's part of the trip, the most telling first."""
_FAILURES = frozenset({"failed", "dead", "unreadable"})
FAILED = "failed"
NO_MATCH = "no_match"
REPEAT = "repeat"


class StepResult(msgspec.Struct, frozen=True):
    """How a step ended; ``status`` is done, skipped, failed or deferred."""

    id: str
    uses: str
    status: str
    detail: str


class Entry(msgspec.Struct, frozen=True):
    """What ``hub-responder run --json`` prints for one event, playbook and incident.

    ``status`` is done, failed, deferred, joined, repeat, skipped, closed, or no_match where no rule
    wanted the event (``playbook`` is null then).
    """

    event: str
    playbook: str | None
    incident: str | None
    finding_ids: tuple[str, ...]
    status: str
    verdict: str | None
    steps: tuple[StepResult, ...]
    audit_records: int


@dataclass(frozen=True, slots=True)
class Result:
    """An entry with what only the table for people shows.

    Attributes:
        instances: the instances that the entry is about.
        messages: where messages were delivered, as ``slack soc-chat``.
        tickets: tickets opened or updated.
        state: the finding's workflow, before and after, as ``NEW -> NOTIFIED``.
        seconds: the sandbox's time from the event's arrival to the last record.
    """

    entry: Entry
    instances: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    tickets: tuple[str, ...] = ()
    state: str = ""
    seconds: float | None = None


def added(before: Sequence[Record], after: Sequence[Record]) -> list[Record]:
    """The records of ``after`` that ``before`` does not hold, in their order."""
    known = Counter(msgspec.json.encode(record) for record in before)
    new: list[Record] = []
    for record in after:
        key = msgspec.json.encode(record)
        if known[key] > 0:
            known[key] -= 1
        else:
            new.append(record)
    return new


def entries(event: str, finding_ids: Sequence[str], records: Iterable[Record]) -> list[Entry]:
    """One entry per playbook and incident; records without an incident go to all of a playbook.

    An event without any record gives one entry with status no_match.
    """
    groups: dict[str, dict[str | None, list[Record]]] = {}
    for record in records:
        playbook = groups.setdefault(str(record.get("playbook") or ""), {})
        playbook.setdefault(record.get("incident"), []).append(record)
    if not groups:
        return [unmatched(event, finding_ids)]
    found: list[Entry] = []
    for playbook_name, incidents in groups.items():
        loose = incidents.pop(None, [])
        if not incidents:
            found.append(_entry(event, playbook_name, None, finding_ids, loose))
        for incident, own in incidents.items():
            found.append(
                _entry(event, playbook_name, incident, finding_ids, own, shared=len(loose))
            )
    return found


def unmatched(event: str, finding_ids: Sequence[str]) -> Entry:
    """The entry of an event that no rule wants."""
    return Entry(event, None, None, tuple(finding_ids), NO_MATCH, None, (), 0)


def lost(event: str, playbook: str | None, finding_ids: Sequence[str], why: str) -> Entry:
    """The entry of an event that a playbook should have handled and of which nothing is known."""
    step = StepResult("", "", FAILED, why)
    return Entry(event, playbook, None, tuple(finding_ids), FAILED, None, (step,), 0)


def with_letters(entry: Entry, letters: Iterable[Mapping[str, Any]]) -> Entry:
    """The entry, failed where a message of its own has become a dead letter."""
    for letter in letters:
        body = msgspec.json.encode(letter.get("body")).decode()
        names = [*entry.finding_ids, entry.incident or ""]
        if entry.status != FAILED and any(name and name in body for name in names):
            why = letter.get("reason") or f"{letter.get('receive_count')} runs died of it"
            step = StepResult("", "", FAILED, f"in the dead-letter queue: {why}")
            return msgspec.structs.replace(entry, status=FAILED, steps=(*entry.steps, step))
    return entry


def _entry(
    event: str,
    playbook: str,
    incident: str | None,
    finding_ids: Sequence[str],
    records: Sequence[Record],
    *,
    shared: int = 0,
) -> Entry:
    steps = tuple(_steps(records))
    own = tuple(dict.fromkeys(item for record in records for item in record.get("findings", ())))
    return Entry(
        event=event,
        playbook=playbook,
        incident=incident,
        finding_ids=own or tuple(finding_ids),
        status=_status(records, steps),
        verdict=_verdict(records),
        steps=steps,
        audit_records=len(records) + shared,
    )


def _steps(records: Iterable[Record]) -> Iterable[StepResult]:
    """The last outcome of each step, in the order in which the steps first ended."""
    last: dict[str, StepResult] = {}
    for record in records:
        if record.get("kind") in {"outcome", "deferred"} and record.get("step"):
            step = str(record["step"])
            last[step] = StepResult(
                step,
                str(record.get("uses", "")),
                str(record.get("status") or record["kind"]),
                str(record.get("detail", "")),
            )
    return last.values()


def _status(records: Sequence[Record], steps: Iterable[StepResult]) -> str:
    kinds = [str(record.get("kind")) for record in records]
    if any(step.status == FAILED for step in steps) or _FAILURES.intersection(kinds):
        return FAILED
    return next((status for kind, status in _ENDINGS if kind in kinds), FAILED)


def _verdict(records: Iterable[Record]) -> str | None:
    verdict: str | None = None
    for record in records:
        result = record.get("result")
        if isinstance(result, Mapping) and "verdict" in result:
            verdict = str(result["verdict"])
    return verdict


def results(records: Iterable[Record], uses: str) -> list[Mapping[str, Any]]:
    """What the steps that use an action and are done have left, oldest first."""
    return [
        record.get("result", {})
        for record in records
        if record.get("kind") == "outcome"
        and record.get("uses") == uses
        and record.get("status") == "done"
    ]


def of_incident(records: Iterable[Record], entry: Entry) -> list[Record]:
    """The records that an entry is made of, those of its playbook without an incident included."""
    return [
        record
        for record in records
        if record.get("playbook") == entry.playbook
        and record.get("incident") in {None, entry.incident}
    ]


def seconds(records: Sequence[Record]) -> float | None:
    """From the first record to the last, on the sandbox's clock."""
    times = [datetime.fromisoformat(str(record["at"])) for record in records if record.get("at")]
    return (max(times) - min(times)).total_seconds() if times else None

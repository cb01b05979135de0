"""What a run leaves behind, and what must be so of it whatever went wrong on the way."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from attempts import without_outcome

ENDED = frozenset({"finished", "skipped", "closed", "repeat"})
"""Kinds of record that tell what became of a finding."""
FILES = "s3"


@dataclass(frozen=True, slots=True)
class End:
    """What one run added.

    Attributes:
        findings: ids of the findings that started it.
        records: of the audit trail. deliveries: of the inbox. letters: in the dead-letter queue.
        states: the findings' workflow. waiting: how many messages each queue still holds.
    """

    findings: tuple[str, ...]
    records: tuple[dict[str, Any], ...]
    deliveries: tuple[dict[str, Any], ...]
    tickets: tuple[dict[str, Any], ...]
    letters: tuple[dict[str, Any], ...]
    states: tuple[str, ...]
    waiting: dict[str, int]

    @property
    def messages(self) -> Counter[str]:
        """What people were sent, by connection; tickets are counted as what they are.

        A file is written under a name of its run's own: written again it is the same one.
        """
        apart = {ticket["system"] for ticket in self.tickets} | {FILES}
        sent = (one for one in self.deliveries if one["system"] not in apart)
        files = {one["path"] for one in self.deliveries if one["system"] == FILES}
        return Counter(f"{one['connection']} {one['path']}" for one in sent) + Counter(
            f"{FILES} {path.rpartition('/')[0]}" for path in files
        )

    @property
    def effects(self) -> int:
        """Messages, tickets, and what was written to findings."""
        return self.messages.total() + len(self.tickets) + len(self.done("finding."))

    def done(self, uses: str) -> list[dict[str, Any]]:
        """The outcomes of actions whose name begins so."""
        return [
            one
            for one in self.records
            if one["kind"] == "outcome" and one["status"] == "done" and one["uses"].startswith(uses)
        ]


def wrong(end: End, clean: End, *, again: int) -> list[str]:
    """What is not as the invariants want it after a fault that passes; empty: it was survived.

    Args:
        clean: what the same playbook leaves behind without the fault.
        again: how many messages may have been sent twice: 1 where the process died between
            sending and recording (invariant 5), else 0.
    """
    return [
        *_lost(end),
        *_tickets(end, clean),
        *_messages(end, clean, again),
        *_trail(end),
        *_states(end, clean),
        *_waiting(end),
    ]


def unexplained(end: End) -> list[str]:
    """What is not as it must be where a playbook has given up: every finding has ended or is in a
    letter, every letter says why, and every attempt has its outcome."""
    letters = json.dumps([letter["body"] for letter in end.letters])
    lost = [
        f"lost: {finding} has not ended and is in no letter"
        for finding in end.findings
        if finding not in letters
        and not any(
            finding in one.get("findings", ()) and one["kind"] in ENDED for one in end.records
        )
    ]
    silent = [f"a letter without a reason: {one}" for one in end.letters if not one["reason"]]
    return [*lost, *silent, *_trail(end)]


def undecided(end: End) -> list[str]:
    """What is not as it must be where a playbook went on without what it could not ask: every
    finding has ended, somebody was told, and nothing is open or waits."""
    silent = [] if end.messages else ["nobody was told"]
    return [*_lost(end), *silent, *_trail(end), *_waiting(end)]


def _lost(end: End) -> Iterator[str]:
    """Every finding has a record that tells what became of it; a fault that passes kills none."""
    for finding in end.findings:
        kinds = {one["kind"] for one in end.records if finding in one.get("findings", ())}
        if not kinds & ENDED:
            yield f"lost: {finding} has only {sorted(kinds)}"
    if not end.findings and "finished" not in {one["kind"] for one in end.records}:
        yield "lost: the run of the schedule never finished"
    for letter in end.letters:
        yield f"a letter in the dead-letter queue: {letter}"


def _tickets(end: End, clean: End) -> Iterator[str]:
    if len(end.tickets) != len(clean.tickets):
        yield f"tickets: {len(end.tickets)}, not {len(clean.tickets)}"


def _messages(end: End, clean: End, again: int) -> Iterator[str]:
    """A click whose verdict could not be told is answered at once, and again in the round that
    looks again (invariants 4 and 6): that round tells something new, its messages are no repeats.
    """
    looks = sum(
        one["status"] == "done" and bool(one.get("result", {}).get("retry_after"))
        for one in end.records
        if one["kind"] == "outcome"
    )
    again += looks * clean.messages.total()
    again += sum(one["kind"] == "outcome" and one["step"] == "_notice" for one in end.records)
    more = end.messages - clean.messages
    if more.total() > again:
        yield f"messages sent more often than may be: {dict(more)}"
    if clean.messages - end.messages:
        yield f"messages lost: {dict(clean.messages - end.messages)}"


def _trail(end: End) -> Iterator[str]:
    """After its last ATTEMPT every effect has an OUTCOME."""
    for effect in without_outcome(end.records):
        yield f"attempted, and no outcome recorded: {effect}"


def _states(end: End, clean: End) -> Iterator[str]:
    if end.states != clean.states:
        yield f"the findings are {end.states}, not {clean.states}"


def _waiting(end: End) -> Iterator[str]:
    yield from (f"{number} messages wait in {one}" for one, number in end.waiting.items() if number)

"""The scheduled function that follows tickets: what people decide there reaches the findings.

It walks the tickets of incidents that have not ended, asks each ticket system for many at once, and
goes on in the next run where this one had to stop.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hub_responder import aws, clock, observability
from hub_responder.actions.batch_update import Refusal, write
from hub_responder.actions.current import current
from hub_responder.audit import Audit
from hub_responder.connections.resolve import named
from hub_responder.deadline import Deadline
from hub_responder.errors import CallError, ConfigurationError, UnreadableFinding
from hub_responder.finding import Finding
from hub_responder.ledger.operations import KEEP_S
from hub_responder.ledger.pointers import Pointer
from hub_responder.ledger.transaction import Part, Transactions
from hub_responder.playbook import Playbook, Triggers
from hub_responder.runtime import Runtime
from hub_responder.sync import decision, plan
from hub_responder.sync.store import Held, Store
from hub_responder.tickets import registry
from hub_responder.tickets.ticket import Standing

NAME = "sync"
PAGE = 100
"""Tickets that are asked about together."""
MAX_PAGES = 20
"""Pages of one run; the function runs every five minutes."""
TIME_S = 20.0
"""No page and no decision is begun with less time left."""
_TRIGGER = {"kind": "schedule", "event_id": ""}


def handler(_event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """Follow the tickets of the stage; returns how many were asked about, and what was decided.

    Raises:
        ConfigurationError: the layer with the plan is missing.
        CallError: the ledger cannot be read.
    """
    deadline = Deadline(lambda: context.get_remaining_time_in_millis() / 1000)
    observability.begin(context.aws_request_id, NAME, 0)
    planned = plan.load(Path(os.environ["SYNC_DIR"]))
    walk = Walk(planned, deadline, context.aws_request_id)
    walk.run()
    return dict(walk.counts)


class Walk:
    """One run over the tickets of a stage."""

    def __init__(self, planned: plan.Plan, deadline: Deadline, request_id: str) -> None:
        playbook = Playbook(
            name=NAME,
            summary="Follows tickets",
            steps=(),
            on=Triggers(),
            version="",
            connections=planned.connections,
        )
        now, stage = clock.now(), os.environ["STAGE"]
        self.counts: Counter[str] = Counter()
        self._planned, self._deadline, self._now = planned, deadline, now
        self._runtime = Runtime(playbook, Path(os.environ["SYNC_DIR"]), deadline, now, stage)
        self._store = Store(os.environ["LEDGER_TABLE"], now)
        self._audit = Audit(os.environ["AUDIT_TABLE"], playbook, request_id)
        self._transactions = Transactions(aws.client("dynamodb"), self._audit, deadline)
        self._silent: set[str] = set()

    def run(self) -> None:
        """Page after page from where the last run stopped, once around at most."""
        names = sorted(self._planned.playbooks)
        begun, after = self._store.cursor()
        start = next((i for i, name in enumerate(names) if name >= begun), 0)
        if not names or names[start] != begun:
            after = ""
        pages = 0
        for name in [*names[start:], *names[:start]]:
            while pages < MAX_PAGES and self._deadline.left() > TIME_S:
                pages += 1
                found, last = self._store.page(name, after, PAGE)
                if not self._follow(found):
                    return  # the next run takes this page again
                after = last
                following = names[(names.index(name) + 1) % len(names)]
                self._store.keep_cursor(name if last else following, last)
                if not last:
                    break
            else:
                return

    def _follow(self, found: Sequence[Pointer]) -> bool:
        """Whether there was time for all of these."""
        by_connection: dict[str, list[Pointer]] = {}
        for pointer in found:
            if pointer.connection in self._planned.connections:
                by_connection.setdefault(pointer.connection, []).append(pointer)
        for name, some in by_connection.items():
            standings = self._standings(name, [pointer.ticket for pointer in some])
            for pointer in some:
                if self._deadline.left() <= TIME_S:
                    return False
                self._take(pointer, standings.get(pointer.ticket))
        return True

    def _standings(self, name: str, tickets: Sequence[str]) -> Mapping[str, Standing]:
        """Of a system that does not answer: none, and it is not asked again in this run."""
        if name in self._silent:
            return {}
        try:
            system = registry.find(named(self._runtime.playbook, name), self._runtime, tickets[0])
            told = system.standings(tickets)
        except (CallError, ConfigurationError) as error:
            self._silent.add(name)
            self.counts["unanswered"] += 1
            extra = {"connection": name, "error": str(error)}
            observability.logger().warning("tickets cannot be followed", extra=extra)
            return {}
        self.counts["asked"] += len(told)
        return told

    def _take(self, pointer: Pointer, standing: Standing | None) -> None:
        held = None
        if pointer.expires - self._now < KEEP_S / 2:
            held = self._store.incident(pointer.pk)
            if held is not None and held.expires > pointer.expires:
                self._store.extend(pointer, held.expires)
                return  # what became of it is looked at in the next run
        if standing is None:
            return
        if standing.state == "open":
            if pointer.handled:
                self._store.keep(pointer, "")
            return
        if pointer.handled == decision.token(standing):
            return
        self.counts[standing.state] += 1
        if standing.state == "gone":
            detail = (
                f"{pointer.ticket} in {pointer.connection} is gone: its findings stay as they are"
            )
            record = self._record("skipped", pointer, detail=detail)
            self._transactions.submit([Part([], [record])])
        else:
            held = held or self._store.incident(pointer.pk)
            if held is not None and not self._decide(pointer, standing, held):
                return
        self._store.keep(pointer, decision.token(standing))

    def _decide(self, pointer: Pointer, standing: Standing, held: Held) -> bool:
        """Write what was decided to the findings; whether nothing of it is to be tried again."""
        language = self._planned.playbooks[pointer.playbook]
        try:
            findings = current(_decided(held, standing), self._deadline)
        except CallError as error:
            observability.logger().warning("findings cannot be read", extra={"error": str(error)})
            return False
        wanted = [(one, decision.change(one, pointer, standing, language)) for one in findings]
        changed = [one.id for one, change in wanted if change is not None]
        if not changed:
            return True
        fields = {"findings": changed, "step": "_sync", "uses": "finding.update"}
        said = decision.note(pointer.ticket, standing, language)
        attempt = self._record("attempt", pointer, **fields, detail=said)
        self._transactions.submit([Part([], [attempt])])
        (progress,) = write([wanted], self._deadline)
        again: list[Refusal] = [one for one in progress.refusals if one.passing]
        detail = f"{said}; {progress.updated} written"
        if progress.refusals:
            detail += f", {len(progress.refusals)} refused: {progress.reasons()}"
        status = "deferred" if again else ("failed" if progress.refusals else "done")
        outcome = self._record("outcome", pointer, **fields, status=status, detail=detail)
        self._transactions.submit([Part([], [outcome])])
        self.counts["written"] += progress.updated
        self.counts["refused"] += len(progress.refusals)
        return not again

    def _record(self, kind: str, pointer: Pointer, **fields: Any) -> Mapping[str, Any]:
        return self._audit.record(kind, trigger=_TRIGGER, incident=pointer.pk, **fields)


def _decided(held: Held, standing: Standing) -> list[Finding]:
    """The findings that people knew of when they decided: those that were told, and that were
    there when the ticket was closed."""
    known = []
    for member in held.members:
        if member.closed or member.round > held.state.done:
            continue
        try:
            finding = Finding.from_compact(dict(member.data))
        except UnreadableFinding as error:  # of another version of this code
            observability.log_bug(error)
            continue
        seen, closed_at = finding.first_seen, standing.closed_at
        if seen is None or closed_at is None or seen <= closed_at:
            known.append(finding)
    return known

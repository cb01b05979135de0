"""What is done about a ticket of ours: asked what has become of it, and taken to its findings.

The scheduled walk and webhooks both go this way. Where they meet at one ticket, the second finds
the decision's mark on the findings and changes nothing.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub_responder import aws, clock, observability
from hub_responder.actions.batch_update import Refusal, write
from hub_responder.actions.current import current
from hub_responder.audit import Audit
from hub_responder.connections.resolve import named
from hub_responder.errors import CallError, UnreadableFinding
from hub_responder.finding import Finding
from hub_responder.ledger.operations import KEEP_S
from hub_responder.ledger.transaction import Part, Transactions
from hub_responder.playbook import Playbook, Triggers
from hub_responder.runtime import Runtime
from hub_responder.sync import decision
from hub_responder.sync.doubts import Doubt, Doubts, written
from hub_responder.sync.store import Held, Store
from hub_responder.tickets import registry

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline
    from hub_responder.ledger.pointers import Pointer
    from hub_responder.sync.plan import Plan
    from hub_responder.tickets.ticket import Standing

NAME = "sync"
"""Who acts, as the trail says."""


class Follower:
    """Follows tickets in one run.

    Args:
        planned: whose tickets. run: names its records.
        trigger: what started it, as the records say.

    Attributes:
        counts: how many tickets were asked about, and what was decided.
        store: the ledger. runtime: for ticket systems.
    """

    def __init__(
        self, planned: Plan, deadline: Deadline, run: str, trigger: Mapping[str, str]
    ) -> None:
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
        self.runtime = Runtime(playbook, Path(os.environ["SYNC_DIR"]), deadline, now, stage)
        self.store = Store(os.environ["LEDGER_TABLE"], now)
        self._doubts = Doubts(os.environ["LEDGER_TABLE"])
        self._planned, self._deadline, self._now = planned, deadline, now
        self._trigger = trigger
        self._audit = Audit(os.environ["AUDIT_TABLE"], playbook, run)
        self._transactions = Transactions(
            aws.client("dynamodb"), self._audit, deadline, ledger=os.environ["LEDGER_TABLE"]
        )

    def ask(self, name: str, tickets: Sequence[str]) -> Mapping[str, Standing]:
        """What has become of tickets of one connection; those that cannot be told now are left out.

        Raises:
            CallError: the system does not answer.
            ConfigurationError: the connection or its secret is wrong.
        """
        system = registry.find(named(self.runtime.playbook, name), self.runtime, tickets[0])
        told = system.standings(tickets)
        self.counts["asked"] += len(told)
        return told

    def take(self, pointer: Pointer, standing: Standing | None) -> bool:
        """Take what was decided in a ticket to its findings.

        Args:
            standing: None where it cannot be told now.

        Returns:
            Whether nothing of it is to be tried again.

        Raises:
            CallError: the ledger cannot be read or written.
        """
        held = None
        if pointer.expires - self._now < KEEP_S / 2:
            held = self.store.incident(pointer.pk)
            if held is not None and held.expires > pointer.expires:
                self.store.extend(pointer, held.expires)
                return False  # what became of it is looked at in the next run
        if standing is None:
            return False
        if standing.state == "open":
            if pointer.handled:
                self.store.keep(pointer, "")
            return True
        if pointer.handled == decision.token(standing):
            return True
        self.counts[standing.state] += 1
        if standing.state == "gone":
            detail = (
                f"{pointer.ticket} in {pointer.connection} is gone: its findings stay as they are"
            )
            record = self._audit.record(
                "skipped", trigger=self._trigger, incident=pointer.pk, detail=detail
            )
            self._transactions.submit([Part([], [record])])
        else:
            held = held or self.store.incident(pointer.pk)
            if held is not None and not self._decide(pointer, standing, held):
                return False
        self.store.keep(pointer, decision.token(standing))
        return True

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
        said = decision.note(pointer.ticket, standing, language)
        mark = decision.mark(pointer.ticket, standing)
        marked = sum(one.user_fields.get(decision.FIELD) == mark for one in findings)
        doubt = Doubt(
            key=decision.key(pointer, standing),
            incident=pointer.pk,
            mark=mark,
            findings=marked + len(changed),
            said=said,
            since=self._now,
        )
        attempt = self._record("attempt", doubt, changed, detail=said)
        guards = (pointer.playbook, NAME)
        (lost,) = self._transactions.submit([Part([self._doubts.put(doubt)], [attempt], guards)])
        if lost is not None:  # paused: the ticket is looked at in each walk until that is over
            self.counts["paused"] += 1
            return False
        (progress,) = write([wanted], self._deadline)
        again: list[Refusal] = [one for one in progress.refusals if one.passing]
        detail = f"{said}; {progress.updated} written"
        if progress.refusals:
            detail += f", {len(progress.refusals)} refused: {progress.reasons()}"
        status = "deferred" if again else ("failed" if progress.refusals else "done")
        texts = {"sent": progress.sent}
        self._resolve(doubt, changed, status=status, detail=detail, texts=texts)
        self.counts["written"] += progress.updated
        self.counts["refused"] += len(progress.refusals)
        return not again

    def settle(self) -> None:
        """Say what became of attempts of runs that died.

        Raises:
            CallError: the ledger or Security Hub cannot be asked; the next run goes on.
        """
        for doubt in self._doubts.open(self._now):
            found = written(doubt, self._deadline)
            told = f"{len(found)} of {doubt.findings} written by a run that died"
            status = "done" if len(found) >= doubt.findings else "failed"
            self._resolve(doubt, found, status=status, detail=f"{doubt.said}; {told}")

    def _resolve(self, doubt: Doubt, findings: Sequence[str], **told: Any) -> None:
        """The outcome of an attempt, which is in doubt no more."""
        outcome = self._record("outcome", doubt, findings, **told)
        self._transactions.submit([Part([self._doubts.resolved(doubt.key)], [outcome])])

    def _record(
        self, kind: str, doubt: Doubt, findings: Sequence[str], **fields: Any
    ) -> Mapping[str, Any]:
        return self._audit.record(
            kind,
            trigger=self._trigger,
            incident=doubt.incident,
            step="_sync",
            uses="finding.update",
            key=doubt.key,
            findings=findings,
            **fields,
        )


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

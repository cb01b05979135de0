"""How rounds end: finished and told, or put back until what they wait for may work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub_responder import clock
from hub_responder.engine.outbox import Outbox, backoff
from hub_responder.engine.rounds import Round
from hub_responder.engine.steps import STEP_TIME_S, Steps
from hub_responder.ledger import history, pauses
from hub_responder.ledger.decide import LOOK_AGAIN_S
from hub_responder.ledger.transaction import Part

_AT_ONCE = 90  # items of one transaction
HURRIES = 5
"""How often in a row a round goes on at once because a run's time was over."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Ends the rounds of one batch; ``clicks`` says which of the playbook's queues it came from."""

    steps: Steps
    outbox: Outbox
    clicks: bool

    def end(self, rounds: Sequence[Round]) -> None:
        """WAIT or FINISH every round; lost ones get a settle message, in case their taker died."""
        ours = [one for one in rounds if not one.lost]
        parts = [self._wait(one) if one.waits() else self._finish(one) for one in ours]
        self.steps.ledger.submit([part for one in ours for part in self._remember(one)])
        self.outbox.flush()  # what failed is in the DLQ before its round counts as told
        for one, lost in zip(ours, self.steps.ledger.submit(parts), strict=True):
            one.lost = lost is not None
        for one in rounds:
            if one.lost or (one.settles and one.paused is None):
                self._settle(one, LOOK_AGAIN_S)
            if one.lost:
                continue
            if one.waits():
                self._settle(one, self._delay(one))
            elif one.recheck is not None:
                self._look_again(one)

    def _settle(self, one: Round, delay: float) -> None:
        self.outbox.settle(one.pk, delay, clicks=self.clicks, clicked=one.incident.clicked)

    def _delay(self, one: Round) -> float:
        """Seconds until a round goes on; at once where only this run's time was over.

        A round that never gets the time, as with a timeout that is set too short, must not go on
        and on: it waits as for anything else after a few tries.
        """
        if one.paused is not None:
            return pauses.LOOK_S
        hurried = self.steps.runtime.deadline.left() < STEP_TIME_S
        if hurried and not one.retry_after and one.state.tries < HURRIES:
            return 0.0
        if one.retry_after and not one.backs_off:  # its turn: a time of its own
            return one.retry_after
        return max(one.retry_after, backoff(one.state.tries))

    def _wait(self, one: Round) -> Part:
        now, delay, state = clock.now(), self._delay(one), one.state
        operations = self.steps.ledger.operations()
        if one.paused is not None:
            queue = "clicks" if self.clicks else "imports"
            items = operations.pause(one.pk, state.round, one.steps, one.refs, queue=queue)
            pointers = operations.point(one.pk, one.refs, one.watched)
            fields = one.record_fields()
            record = self.steps.audit.record("paused", **fields, detail=one.paused.said)
            return Part([*items, *pointers], [*one.untold, record])
        move = operations.defer(
            one.pk,
            state.round,
            one.steps,
            one.refs,
            next_at=now + delay,
            tries=state.tries + (one.backs_off or not one.retry_after),
            first_at=state.first_at or now,
        )
        detail = f"goes on in {int(delay)} s"
        record = self.steps.audit.record("deferred", **one.record_fields(), detail=detail)
        pointers = operations.point(one.pk, one.refs, one.watched)
        return Part([move, *pointers], [*one.untold, record])

    def _finish(self, one: Round) -> Part:
        playbook = self.steps.playbook
        told = [step for step in playbook.steps if one.told_by(step.id)]
        tells = any(self.steps.runtime.action(step.uses).tells for step in told)
        now_told = one.told_now() if tells else one.state.told
        for step in playbook.steps:
            if one.status(step.id) == "failed":
                self._dead(one, step.id)
        operations, kind = self.steps.ledger.operations(), "finished"
        move = operations.finish(one.pk, one.state.round, now_told, one.refs)
        pointers = operations.point(one.pk, one.refs, one.watched)
        if one.state.closing:
            move, kind = operations.closed(one.pk, one.state.round, one.refs), "ended"
            pointers = operations.unpoint(one.pk, one.watched)
        record = self.steps.audit.record(kind, **one.record_fields())
        return Part([move, *pointers], [*one.untold, record])

    def _remember(self, one: Round) -> list[Part]:
        """As what a step closed the findings: later conditions ask for it with ``seen()``."""
        operations, now = self.steps.ledger.operations(), clock.now()
        items = [
            operations.remember(history.partition(finding), finding.id, history.closed(name), now)
            for name in one.closed_as()
            for finding in one.incident.findings
        ]
        return [Part(items[i : i + _AT_ONCE], []) for i in range(0, len(items), _AT_ONCE)]

    def _dead(self, one: Round, step: str) -> None:
        """What failed for good is in the DLQ as well: nothing is only in a log."""
        findings = [finding.compact() for finding in one.incident.findings]
        reason = f"{step}: {one.steps[step].get('d', '')}"
        self.outbox.failed(
            step,
            findings,
            reason,
            one.pk,
            clicks=self.clicks,
            trigger=one.cause.kind,
            ended=one.state.round if one.state.closing else 0,
        )

    def _look_again(self, one: Round) -> None:
        """An analyst was told UNKNOWN: ask again, a few times, until it can be told."""
        event_id = one.cause.event_id.rpartition("~")[0] if one.looks else one.cause.event_id
        if not event_id:  # a round that a settle message began has the hour's name, so that looks
            hour = int(clock.now() // 3600)  # which begin again and again run out
            event_id = f"{one.state.gen}@{hour}"
        delay = max(one.recheck or 0.0, backoff(one.looks))
        self.outbox.recheck(f"{event_id}~{one.looks + 1}", one.incident.findings, delay)

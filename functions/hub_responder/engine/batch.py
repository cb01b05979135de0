"""One invocation: a batch of queue messages, from the first look to the answer for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub_responder import clock
from hub_responder.audit import Audit, Record
from hub_responder.engine import insight
from hub_responder.engine.answers import Answers
from hub_responder.engine.ending import Ending
from hub_responder.engine.grouping import Cause, Group, group
from hub_responder.engine.intake import Message, Recheck, read
from hub_responder.engine.outbox import Outbox
from hub_responder.engine.rounds import Round, begin
from hub_responder.engine.steps import Steps
from hub_responder.errors import PermanentError, TransientError, UnreadableEvent, UnreadableFinding
from hub_responder.events import Trigger
from hub_responder.finding import Finding
from hub_responder.ledger.decide import Arrival, Arrived, Decision
from hub_responder.ledger.state import State
from hub_responder.ledger.store import Claim, Ledger, Settle
from hub_responder.ledger.transaction import Part
from hub_responder.runtime import Runtime

LAST_RECEIVE = 5
"""maxReceiveCount of the queues: the next crash sends the message to the DLQ."""


@dataclass(slots=True)
class _Intake:
    """What a batch holds, sorted by what is to be done with it."""

    caused: list[tuple[Cause, Finding]] = field(default_factory=list)
    left: list[tuple[Cause, Finding]] = field(default_factory=list)
    settles: dict[str, Settle] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)


class Batch:
    """Handles one batch.

    Args:
        clicks: the batch comes from the clicks queue.
    """

    def __init__(
        self, runtime: Runtime, ledger: Ledger, audit: Audit, outbox: Outbox, *, clicks: bool
    ) -> None:
        self._runtime = runtime
        self._ledger = ledger
        self._audit = audit
        self._outbox = outbox
        self._clicks = clicks
        self._steps = Steps(runtime, ledger, audit)
        self._answers = Answers(self._steps)
        self._ending = Ending(self._steps, outbox, clicks)

    def handle(self, messages: Sequence[Message]) -> list[str]:
        """Do what the messages ask; the ids of those that must come again.

        A dependency that is down defers the messages: they are sent again, later, and acknowledged,
        so that receives are spent by crashes only.
        """
        try:
            self._handle(messages)
            self._outbox.flush()
        except TransientError as error:
            return self._defer(messages, str(error))
        return []

    def _defer(self, messages: Sequence[Message], why: str) -> list[str]:
        for message in messages:
            self._outbox.defer(message, why, self._runtime.playbook.give_up_after)
        try:
            self._outbox.flush()
        except TransientError:
            return [message.id for message in messages]
        return []

    def _handle(self, messages: Sequence[Message]) -> None:
        taken = self._take(messages)
        groups, ungrouped = group(taken.caused, self._runtime.playbook)
        for cause, finding, why in ungrouped:
            self._cannot_group(taken, cause, finding, why)
        if taken.records:
            self._ledger.submit([Part([], taken.records)])
        self._close(taken.left)
        rounds = self._arrive(groups)
        rounds += self._settle(taken.settles, {one.pk for one in rounds})
        self._outbox.flush()
        self._answers.give()
        self._steps.run(rounds)
        self._ending.end(rounds)

    # What came

    def _take(self, messages: Sequence[Message]) -> _Intake:
        taken = _Intake()
        for message in messages:
            try:
                content = read(message)
            except UnreadableEvent as error:
                self._outbox.dead(message.body, f"unreadable: {error}")
                taken.records.append(self._audit.record("unreadable", detail=str(error)))
                continue
            if isinstance(content, Settle):
                held = taken.settles.get(content.pk, content)
                taken.settles[content.pk] = Settle(
                    content.pk, content.urgent or held.urgent, content.clicked or held.clicked
                )
            elif isinstance(content, Recheck):
                cause = Cause("recheck", content.event_id, clock.now(), clicked=True)
                taken.caused += [(cause, finding) for finding in content.findings]
            else:
                self._take_trigger(taken, message, content)
        return taken

    def _take_trigger(self, taken: _Intake, message: Message, trigger: Trigger) -> None:
        clicked = trigger.kind != "imported"
        cause = Cause(trigger.kind, trigger.event_id, trigger.at, clicked)
        findings: Iterable[Finding] = trigger.findings
        unreadable: Sequence[UnreadableFinding] = trigger.unreadable
        if trigger.kind == "insight":
            try:
                findings, unreadable, left_out = insight.expand(trigger)
            except PermanentError as error:
                self._outbox.dead(message.body, str(error))
                taken.records.append(self._record("dead", cause, detail=str(error)))
                return
            if left_out:
                taken.records.append(self._record("skipped", cause, detail=left_out))
        for bad in unreadable:
            finding_ids = [bad.finding_id] if bad.finding_id else []
            detail = f"{bad.field}: {bad}"
            taken.records.append(
                self._record("unreadable", cause, findings=finding_ids, detail=detail)
            )
        readable = list(findings)
        if unreadable and not readable:
            self._outbox.dead(message.body, f"unreadable: {unreadable[0].field}: {unreadable[0]}")
        if clicked and message.receives >= LAST_RECEIVE:
            self._answers.last_receive(cause, readable)
        for finding in readable:
            gone = not clicked and _left(finding)
            (taken.left if gone else taken.caused).append((cause, finding))

    def _cannot_group(self, taken: _Intake, cause: Cause, finding: Finding, why: str) -> None:
        """A finding whose incident cannot be told: to the DLQ, said aloud, an analyst answered."""
        self._outbox.dead(str(finding.id), f"could not decide: group_by: {why}")
        taken.records.append(
            self._record("dead", cause, findings=[finding.id], detail=f"group_by: {why}")
        )
        if cause.clicked:
            self._answers.say(cause, [finding], f"could not decide: group_by: {why}")

    def _record(self, kind: str, cause: Cause, **fields: Any) -> Record:
        trigger = {"kind": cause.kind, "event_id": cause.event_id}
        return self._audit.record(kind, trigger=trigger, **fields)

    def _close(self, left: Sequence[tuple[Cause, Finding]]) -> None:
        """Findings that were archived, resolved, suppressed or have passed."""
        groups, _ = group(left, self._runtime.playbook)
        leavers = [(one.pk, member) for one in groups for member in one.arrival().members]
        causes = {one.pk: one.cause for one in groups}

        def tell(pk: str, member: Arrived, kind: str, why: str) -> Record:
            return self._record(
                kind, causes[pk], incident=pk, findings=[member.finding_id], detail=why
            )

        if leavers:
            self._ledger.close(leavers, tell)

    # Which rounds are ours

    def _arrive(self, groups: Sequence[Group]) -> list[Round]:
        rounds: dict[str, Round] = {}
        waiting = list(groups)
        while waiting:
            wave = {one.pk: one for one in reversed(waiting)}
            waiting = [one for one in waiting if wave[one.pk] is not one]
            claims = self._ledger.arrive([one.arrival() for one in wave.values()], self._told(wave))
            for claim in claims:
                self._follow(claim, wave[claim.pk], rounds)
        return list(rounds.values())

    def _told(self, wave: dict[str, Group]) -> Any:
        def tell(arrival: Arrival, decision: Decision, state: State) -> list[Record]:
            cause = wave[arrival.pk].cause
            fresh = [member.finding_id for member, _ in decision.fresh]
            records = []
            where = {"incident": arrival.pk, "gen": state.gen}
            kinds = {"open": "opened", "takeover": "taken_over", "resume": "resumed"}
            kind = kinds.get(decision.move, "joined")
            if fresh or decision.move in ("takeover", "resume"):
                round_ = state.round + (1 if kind == "joined" else 0)
                records.append(self._record(kind, cause, **where, round=round_, findings=fresh))
            if decision.repeats and decision.move != "mine":
                again = [member.finding_id for member in decision.repeats]
                records.append(self._record("repeat", cause, **where, findings=again))
            return records

        return tell

    def _follow(self, claim: Claim, group_: Group, rounds: dict[str, Round]) -> None:
        """A round to run, or a settle message that brings somebody back to it."""
        decision, cause = claim.decision, group_.cause
        if claim.owned:
            if claim.pk not in rounds:
                self._begin(rounds, claim, cause, group_)
            return
        if decision.move in ("wait", "join", "settle"):
            self._outbox.settle(
                claim.pk,
                decision.delay,
                clicks=self._clicks,
                urgent=decision.urgent,
                clicked=cause.clicked,
            )
        if cause.clicked and decision.move == "join":
            self._answers.later(claim.state, cause, list(group_.findings.values()))

    def _begin(
        self, rounds: dict[str, Round], claim: Claim, cause: Cause, group_: Group | None
    ) -> None:
        """A round with its findings: those that just came, and those that the ledger holds."""
        fresh = {member.f_sk for member, _ in claim.decision.fresh}
        findings = {sk: one for sk, one in group_.findings.items() if sk in fresh} if group_ else {}
        if not claim.complete:
            held = [m for m in self._ledger.members(claim.pk) if m.belongs(claim.state.round)]
            # where all of them left, a round that had begun is still brought to its end
            for member in [m for m in held if not m.closed] or (held if claim.state.steps else []):
                findings.setdefault(member.sk, Finding.from_compact(dict(member.data)))
        if findings:
            new = sum(1 for _, held in claim.decision.fresh if held is None)
            new = new if claim.complete else len(findings)
            rounds[claim.pk] = begin(claim.state, findings.values(), cause, new)
        else:  # all of them left meanwhile
            state, operations = claim.state, self._ledger.operations()
            move = operations.finish(claim.pk, state.round, state.told, state.refs)
            record = self._record("finished", cause, incident=claim.pk, detail="no finding is left")
            self._ledger.submit([Part([move], [record])])

    def _settle(self, settles: dict[str, Settle], mine: set[str]) -> list[Round]:
        todo = [settle for pk, settle in settles.items() if pk not in mine]
        if not todo:
            return []
        cause = Cause("settle", "", clock.now())

        def tell(claim: Claim) -> list[Record]:
            kinds = {"open": "opened", "takeover": "taken_over", "resume": "resumed"}
            kind = kinds.get(claim.decision.move)
            if kind is None:
                return []
            return [self._record(kind, cause, incident=claim.pk, round=claim.state.round)]

        rounds: dict[str, Round] = {}
        for claim in self._ledger.settle(todo, tell):
            if claim.owned:
                self._begin(rounds, claim, cause, None)
                if claim.pk in rounds and claim.decision.move in ("takeover", "resume"):
                    rounds[claim.pk].settles = True
            elif claim.decision.move == "settle":
                settle = settles[claim.pk]
                self._outbox.settle(
                    claim.pk,
                    claim.decision.delay,
                    clicks=self._clicks,
                    urgent=settle.urgent,
                    clicked=settle.clicked,
                )
        return list(rounds.values())


def _left(finding: Finding) -> bool:
    """The finding needs nobody any more: the lifecycle rule brought it."""
    return (
        finding.record_state == "ARCHIVED"
        or finding.workflow in ("RESOLVED", "SUPPRESSED")
        or finding.compliance == "PASSED"
    )

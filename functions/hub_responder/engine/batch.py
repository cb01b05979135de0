"""One invocation: a batch of queue messages, from the first look to the answer for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from hub_responder import clock, observability
from hub_responder.audit import Audit, Record, finding_texts, target_of
from hub_responder.engine.answers import Answers
from hub_responder.engine.ending import Ending
from hub_responder.engine.grouping import Cause, Group, Subject, group
from hub_responder.engine.intake import Message
from hub_responder.engine.names import Names
from hub_responder.engine.outbox import Outbox
from hub_responder.engine.related import Others
from hub_responder.engine.rounds import Round, begin
from hub_responder.engine.steps import STEP_TIME_S, Steps
from hub_responder.engine.taking import LAST_RECEIVE, Taking
from hub_responder.errors import (
    CallError,
    TransientError,
    UnreadableFinding,
)
from hub_responder.finding import Finding
from hub_responder.ledger.decide import (
    DAILY,
    DAY_S,
    LOOK_AGAIN_S,
    Arrival,
    Arrived,
    Decision,
    day_of,
)
from hub_responder.ledger.state import Member, State
from hub_responder.ledger.store import Claim, Ledger, Settle
from hub_responder.ledger.transaction import Part
from hub_responder.runtime import Runtime

SUSPECT_RECEIVE = 2
"""From here on a message may be what killed the run before, and is handled by itself."""


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
        self._received: set[str] = set()
        self._names = Names(runtime, ledger.history)
        others = Others(ledger.joined, runtime.deadline)
        self._steps = Steps(runtime, ledger, audit, self._names, others)
        self._answers = Answers(self._steps)
        self._ending = Ending(self._steps, outbox, clicks)
        self._guarded: list[str] = []
        self._kept: dict[tuple[str, str], float] = {}

    def handle(self, messages: Sequence[Message]) -> list[str]:
        """Do what the messages ask; the ids of those that must come again.

        A dependency that is down defers the messages: they are sent again, later, and acknowledged,
        so that receives are spent by crashes only.
        """
        suspects = [message for message in messages if message.receives >= SUSPECT_RECEIVE]
        if not suspects or len(messages) == 1:
            return self._together(messages)
        fresh = [message for message in messages if message.receives < SUSPECT_RECEIVE]
        failed = self._one_by_one(suspects)
        return failed + (self._together(fresh) if fresh else [])

    def _together(self, messages: Sequence[Message]) -> list[str]:
        try:
            self._handle(messages)
            for (pk, sk), until in self._kept.items():
                self._outbox.kept(pk, sk, until)
            if self._audit.waits:
                self._ledger.submit([Part([], [])])
            self._outbox.flush()
            self._kept.clear()
        except TransientError as error:
            return self._defer(messages, str(error))
        except Exception as error:  # noqa: BLE001 - one message must not take the others with it
            observability.log_bug(error)
            self._outbox.forget()
            self._answers = Answers(self._steps)
            return self._broken(messages[0], error) if len(messages) == 1 else self._apart(messages)
        return []

    def _apart(self, messages: Sequence[Message]) -> list[str]:
        """Something in the batch breaks it: each by itself; what was done already is known."""
        failed: list[str] = []
        for number, message in enumerate(messages):
            if self._runtime.deadline.left() < STEP_TIME_S:
                return failed + self._defer(messages[number:], "no time left in this run")
            failed += self._together([message])
        return failed

    def _one_by_one(self, suspects: Sequence[Message]) -> list[str]:
        """Messages of which one may kill this run: each by itself, and gone once it is handled.

        In the order of their ids and, when they come again, in the reverse of it: so all others
        are handled in two runs at most, whichever of them it is.
        """
        failed: list[str] = []
        again = max(message.receives for message in suspects) % 2 == 1
        for message in sorted(suspects, key=lambda one: one.id, reverse=again):
            returned = self._apart([message])
            if not returned:
                self._outbox.handled(message)
            failed += returned
        return failed

    def _broken(self, message: Message, error: Exception) -> list[str]:
        """A message that cannot be handled: again, a few times, then to the DLQ with its reason."""
        if message.receives < LAST_RECEIVE:
            return [message.id]
        known = isinstance(error, CallError)
        reason = f"cannot be handled: {error if known else type(error).__name__}"
        try:
            self._outbox.dead(message, reason)
            self._outbox.flush()
        except CallError:
            self._outbox.forget()
            return [message.id]
        try:
            self._ledger.submit([Part([], [self._audit.record("dead", detail=reason)])])
        except CallError as unrecorded:
            # The letter says it. Given back, SQS would add a second one without a reason.
            observability.log_bug(unrecorded)
        return []

    def _defer(self, messages: Sequence[Message], why: str) -> list[str]:
        for message in messages:
            self._outbox.defer(message, why, self._runtime.playbook.give_up_after)
        try:
            self._outbox.flush()
        except CallError:
            return [message.id for message in messages]
        return []

    def _handle(self, messages: Sequence[Message]) -> None:
        taking = Taking(self._names, self._ledger, self._audit, self._outbox, self._answers)
        taken = taking.take(messages, self._received)
        groups = group(taken.caused, self._runtime.playbook)
        self._ledger.submit([Part([], [record]) for record in taken.records])
        self._close(taken.left)
        rounds = self._arrive(groups)
        for one in rounds:  # it was sent for findings that wait behind the round, perhaps
            one.settles = one.settles or one.pk in taken.settles
        rounds += self._settle(taken.settles, {one.pk for one in rounds})
        self._outbox.flush()
        self._tell_guarded()
        self._answers.give()
        self._steps.run(rounds)
        self._ending.end(rounds)
        for one in rounds:
            if one.paused is not None and one.incident.clicked and not one.lost:
                self._answers.paused(one, one.paused)

    def _tell_guarded(self) -> None:
        """Say aloud which findings came too often, each once on a day."""
        guarded, self._guarded = self._guarded, []
        if guarded:
            observability.count("Guarded", len(guarded))
            self._answers.tell_guarded(guarded)

    def _record(self, kind: str, cause: Cause, **fields: Any) -> Record:
        return self._audit.record(kind, trigger=cause.told, **fields)

    def _close(self, left: Sequence[Subject]) -> None:
        """Findings that were archived, resolved, suppressed or have passed."""
        playbook = self._runtime.playbook
        groups = group(left, playbook)
        leavers = [(one.pk, member) for one in groups for member in one.arrival(playbook).members]
        causes = {one.pk: one.cause for one in groups}

        def tell(pk: str, member: Arrived, kind: str, why: str) -> Record:
            return self._record(
                kind, causes[pk], incident=pk, findings=[member.finding_id], detail=why
            )

        if leavers:
            for pk in self._ledger.close(leavers, tell):  # perhaps the last one left
                self._outbox.settle(pk, LOOK_AGAIN_S, clicks=False)

    # Which rounds are ours

    def _arrive(self, groups: Sequence[Group]) -> list[Round]:
        rounds: dict[str, Round] = {}
        waiting = list(groups)
        while waiting:
            wave = {one.pk: one for one in reversed(waiting)}
            waiting = [one for one in waiting if wave[one.pk] is not one]
            arrivals = [one.arrival(self._runtime.playbook) for one in wave.values()]
            claims = self._ledger.arrive(arrivals, self._told(wave))
            for claim in claims:
                self._follow(claim, wave[claim.pk], rounds)
        return list(rounds.values())

    def _told(self, wave: dict[str, Group]) -> Any:
        def tell(arrival: Arrival, decision: Decision, state: State) -> list[Record]:
            cause, came = wave[arrival.pk].cause, wave[arrival.pk].findings
            fresh = [member.finding_id for member, _ in decision.fresh]
            texts = finding_texts(came[member.f_sk] for member, _ in decision.fresh)
            records = []
            where: dict[str, Any] = {"incident": arrival.pk, "gen": state.gen}
            where["target"] = target_of(next(iter(came.values())))
            kinds = {"open": "opened", "takeover": "taken_over", "resume": "resumed"}
            kind = kinds.get(decision.move, "joined")
            if fresh or decision.move in ("takeover", "resume"):
                round_ = state.round + (1 if kind == "joined" else 0)
                about = {**where, "round": round_, "findings": fresh}
                records.append(self._record(kind, cause, texts=texts, **about))
            for member, held in decision.guarded:
                why = f"came {held.times + 1} times today: kept until tomorrow"
                fields: dict[str, Any] = {"findings": [member.finding_id], "detail": why}
                records.append(self._record("guard", cause, **where, **fields))
            if decision.repeats and decision.move != "mine":
                again = [member.finding_id for member in decision.repeats]
                records.append(self._record("repeat", cause, **where, findings=again))
            return records

        return tell

    def _follow(self, claim: Claim, group_: Group, rounds: dict[str, Round]) -> None:
        """A round to run, or a settle message that brings somebody back to it."""
        decision, cause = claim.decision, group_.cause
        for member, known in decision.guarded:
            first = known.times == DAILY
            if first:
                self._guarded.append(member.finding_id)
            if first or cause.again:  # the run that was first may have died
                tomorrow = (day_of(clock.now()) + 1) * DAY_S
                self._kept[claim.pk, member.f_sk] = tomorrow
        if claim.owned:
            if claim.pk not in rounds:
                self._begin(rounds, claim, cause, group_)
            return
        joins_paused = decision.move == "join" and claim.state.paused
        if decision.move in ("wait", "join", "settle") and not joins_paused:
            self._outbox.settle(
                claim.pk,
                decision.delay,
                clicks=self._clicks,
                urgent=decision.urgent,
                clicked=cause.clicked,
            )
        if cause.clicked and decision.move in ("join", "settle"):
            self._answers.later(claim.state, cause, list(group_.findings.values()))

    def _begin(
        self, rounds: dict[str, Round], claim: Claim, cause: Cause, group_: Group | None
    ) -> None:
        """A round with its findings: those that just came, and those that the ledger holds."""
        if claim.state.closing:
            self._begin_closing(rounds, claim, cause)
            return
        fresh = {member.f_sk for member, _ in claim.decision.fresh}
        findings = {sk: one for sk, one in group_.findings.items() if sk in fresh} if group_ else {}
        lost: list[Record] = []
        if not claim.complete:
            held = [m for m in self._ledger.members(claim.pk) if m.belongs(claim.state.round)]
            # where all of them left, a round that had begun is still brought to its end
            begun = claim.state.steps and not claim.state.paused
            begun = begun or self._steps.acted(claim.state.steps)
            members = [m for m in held if not m.closed] or (held if begun else [])
            lost = self._recall(members, findings, claim, cause)
        if findings:
            new = sum(1 for _, held in claim.decision.fresh if held is None)
            new = new if claim.complete else len(findings)
            rounds[claim.pk] = begin(claim.state, findings.values(), cause, new)
            rounds[claim.pk].untold += lost
            return
        self._give_back(claim, cause, lost, "no finding is left")  # they left meanwhile

    def _begin_closing(self, rounds: dict[str, Round], claim: Claim, cause: Cause) -> None:
        """The round that ends what was opened; none where a finding has come meanwhile."""
        state = claim.state
        members = self._ledger.members(claim.pk)
        if state.pending or not all(member.closed for member in members):
            self._give_back(claim, cause, [], "a finding came: nothing is ended")
            return
        findings = []
        for member in members:
            with suppress(UnreadableFinding):  # of another version of this code
                findings.append(Finding.from_compact(dict(member.data)))
        if not findings:
            operations = self._ledger.operations()
            move = operations.closed(claim.pk, state.round, state.refs)
            pointers = operations.unpoint(claim.pk, state.watched)
            record = self._record("ended", cause, incident=claim.pk, detail="unreadable")
            self._ledger.submit([Part([move, *pointers], [record])])
            return
        left = Counter(member.left or "ARCHIVED" for member in members)
        rounds[claim.pk] = begin(state, findings, cause, 0, left)

    def _give_back(self, claim: Claim, cause: Cause, lost: list[Record], why: str) -> None:
        """End a round in which there is nothing to do."""
        state, operations = claim.state, self._ledger.operations()
        move = operations.finish(claim.pk, state.round, state.told, state.refs)
        pointers = operations.point(claim.pk, state.refs, state.watched)
        record = self._record("finished", cause, incident=claim.pk, detail=why)
        self._outbox.flush()
        self._ledger.submit([Part([move, *pointers], [*lost, record])])
        # what brought us here may have been meant for findings that wait for the next round
        self._outbox.settle(claim.pk, LOOK_AGAIN_S, clicks=self._clicks)

    def _recall(
        self, members: Sequence[Member], findings: dict[str, Finding], claim: Claim, cause: Cause
    ) -> list[Record]:
        """Take up the findings that the ledger holds; records of those that cannot be read.

        They were written by another version of this code: they are in the DLQ, not in the way.
        """
        lost = []
        for member in members:
            try:
                findings.setdefault(member.sk, Finding.from_compact(dict(member.data)))
            except UnreadableFinding as error:
                why = f"unreadable: {error}"
                self._outbox.failed(
                    "_recall",
                    [member.data],
                    why,
                    claim.pk,
                    clicks=self._clicks,
                    trigger=cause.kind,
                )
                ids = [member.finding_id]
                where = {"incident": claim.pk, "gen": claim.state.gen, "round": claim.state.round}
                lost.append(self._record("unreadable", cause, **where, findings=ids, detail=why))
        return lost

    def _settle(self, settles: dict[str, Settle], mine: set[str]) -> list[Round]:
        todo = [settle for pk, settle in settles.items() if pk not in mine]
        if not todo:
            return []
        cause = Cause("settle", "", clock.now())

        def tell(claim: Claim) -> list[Record]:
            kinds = {"open": "opened", "takeover": "taken_over", "resume": "resumed"}
            kind = (kinds | {"close": "ending"}).get(claim.decision.move)
            if kind is None:
                return []
            return [self._record(kind, cause, incident=claim.pk, round=claim.state.round)]

        rounds: dict[str, Round] = {}
        for claim in self._ledger.settle(todo, tell):
            if claim.owned:
                self._begin(rounds, claim, cause, None)
                if claim.pk in rounds and claim.decision.move != "open":
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

"""The playbook's steps over all rounds that this run owns, one step after the other.

A step is claimed for all its rounds in one transaction (with the outcomes of the steps before it),
runs over all of them at once, and leaves one outcome for each. Steps that only read claim nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import msgspec

from hub_responder import clock, observability
from hub_responder.actions.base import Action, Outcome, Work, attempt, each
from hub_responder.audit import Audit, Record
from hub_responder.engine import notice, quiet
from hub_responder.engine.names import Names
from hub_responder.engine.related import Others
from hub_responder.engine.rounds import RECHECKS, Round
from hub_responder.errors import (
    CallError,
    ConfigurationError,
    HubResponderError,
    TransientError,
)
from hub_responder.expressions import MissingResult, condition, fill
from hub_responder.ledger import keys, pointers
from hub_responder.ledger.pauses import Pause
from hub_responder.ledger.store import Ledger
from hub_responder.ledger.transaction import Part
from hub_responder.playbook import Playbook, Step
from hub_responder.runtime import Runtime

MAX_RESULT = 16_000
"""Bytes of one step's result; the incident's item, 400 KB at most, keeps those of a round."""
MAX_DETAIL = 300
STEP_TIME_S = 8.0
"""No step is begun with less: its call, the record of it and the queue's answer need that."""
UNKNOWN_PATIENCE_S = 900.0
"""How long an imported finding waits for a verdict that could not be told."""

Works = Sequence[tuple[Round, Work]]
ClaimStep = Callable[[Step, Works], list[tuple[Round, Work]]]


@dataclass(frozen=True, slots=True)
class Steps:
    """Runs the steps of one playbook."""

    runtime: Runtime
    ledger: Ledger
    audit: Audit
    names: Names
    others: Others

    @property
    def playbook(self) -> Playbook:
        """The playbook that runs."""
        return self.runtime.playbook

    def run(self, rounds: Sequence[Round]) -> None:
        """Every step over every round, as far as each can go now.

        A round that ends what was opened has only those steps that opened or told something.
        """
        steps = self.playbook.steps
        for one in rounds:
            if one.state.paused and not self.acted(one.steps):
                one.steps.clear()  # what was read before the pause may be long ago
        closing = [one for one in rounds if one.state.closing]
        live = [one for one in rounds if not one.state.closing]
        for number, step in enumerate(steps):
            try:
                action = self.runtime.action(step.uses)
            except ConfigurationError as error:
                self._cannot(step, rounds, str(error))
            else:
                for some, own in _by_change(action, live):
                    self.run_step(step, own, some, steps[:number])
                if action.closes is not None:
                    self.run_step(step, _instead(action, action.closes), closing, ())
        due = [one for one in rounds if notice.is_due(one, self.runtime)]
        for one in due:
            one.again(notice.STEP.id)
        self.run_step(notice.STEP, notice.ACTION, due, ())

    def _cannot(self, step: Step, rounds: Sequence[Round], why: str) -> None:
        """The layer's playbook and this code differ: the step fails, and that is told."""
        for one in rounds:
            if not one.lost and not one.ended(step.id):
                failed = Outcome("failed", f"could not decide: {why}", error="ConfigurationError")
                self.note(one, step, failed)

    def run_step(
        self,
        step: Step,
        action: Action,
        rounds: Sequence[Round],
        before: Sequence[Step],
        claim: ClaimStep | None = None,
    ) -> None:
        """One step over all rounds: prepare, claim, perform, keep the outcomes."""
        works: list[tuple[Round, Work]] = []
        self.others.know(rounds)
        for one in rounds:
            if one.lost or one.ended(step.id):
                continue
            work = self._prepare(one, step, action, before)
            if work is not None:
                works.append((one, work))
        if action.effects and self._observes(step):
            self._observe(step, action, works)
            return
        if action.effects and works:
            works = (claim or self._claim)(step, works)
        if not works:
            return
        began = time.monotonic()
        outcomes = self._perform(action, [work for _, work in works])
        took = {"ms": round((time.monotonic() - began) * 1000)}
        for (one, work), outcome in zip(works, outcomes, strict=True):
            told = {**took, "key": work.key} if action.effects else took
            self._take(one, step, action, outcome, before, last=work.last, told=told)
            self._keep_quiet(one, step, work)

    def _observes(self, step: Step) -> bool:
        """The step has no effect, as its playbook only observes."""
        return self.playbook.mode == "observe" and step is not notice.STEP

    def acted(self, steps: Mapping[str, Mapping[str, Any]]) -> bool:
        """Some of a round's steps had an effect, or may have had one."""
        for step in self.playbook.steps:
            kept = steps.get(step.id, {})
            if kept.get("s") not in ("done", "failed", "attempt") and not kept.get("doubt"):
                continue
            with suppress(ConfigurationError):  # such a step does nothing
                if self.runtime.action(step.uses).effects:
                    return True
        return False

    def _put_off(self, one: Round, step: Step, pause: Pause, *, in_doubt: bool = False) -> None:
        """The step waits for the end of a pause."""
        one.paused = pause
        detail = f"{self.playbook.name} is paused {pause.said}"
        self.note(one, step, Outcome("deferred", detail, in_doubt=in_doubt))

    def _observe(self, step: Step, action: Action, works: Works) -> None:
        """What the step would do, kept and recorded; it is not done."""
        plan = action.plan or (lambda _work, _runtime: f"would run {action.name}")
        for one, work in works:
            planned = attempt(lambda own: Outcome("observed", plan(own, self.runtime)), work)
            self._take(one, step, action, planned, last=work.last)
            self._keep_quiet(one, step, work)

    @staticmethod
    def _keep_quiet(one: Round, step: Step, work: Work) -> None:
        """An update is no message: what was told, and when, stays."""
        if work.quiet_until:
            one.steps[step.id]["quiet"] = True

    def _prepare(
        self, one: Round, step: Step, action: Action, before: Sequence[Step]
    ) -> Work | None:
        """The work of a step for one round, or None where it is held, skipped or failed."""
        if one.paused is not None and action.effects and not self._observes(step):
            self._put_off(one, step, one.paused)
            return None
        reason = self._held(one, step, action, before)
        if reason:
            self.note(one, step, Outcome("deferred", reason))
            return None
        related = self.others.of(one)
        incident = replace(one.incident, refs=one.refs, related=related, change=one.change())
        shared = self.names.shared(one.cause, incident.findings[0])
        scope = one.scope(self.playbook) | shared | {"incident": incident}
        if one.state.closing or action.raw:
            return self._work(one, step, action, step.with_, scope)
        try:
            reason = self._passed_over(one, step, action, scope)
            if reason:
                self.note(one, step, Outcome("skipped", reason))
                return None
            params = msgspec.convert(fill(step.with_, scope), action.params)
            work = self._work(one, step, action, params, scope)
            return self._quietly(one, step, action, work)
        except MissingResult as error:
            self.note(one, step, Outcome("skipped", str(error)))
        except TransientError as error:
            why = f"could not decide yet: {error}"
            name = type(error).__name__
            outcome = Outcome("deferred", why, retry_after=error.retry_after, error=name)
            self._take(one, step, action, outcome, last=self._is_last(one))
        except (HubResponderError, msgspec.ValidationError) as error:
            why, name = f"could not decide: {error}", type(error).__name__
            self.note(one, step, Outcome("failed", why, error=name))
        return None

    def _work(
        self, one: Round, step: Step, action: Action, params: Any, scope: Mapping[str, Any]
    ) -> Work:
        state, held = one.state, one.steps.get(step.id, {})
        return Work(
            incident=scope["incident"],
            params=params,
            key=keys.effect(one.pk, state.gen, state.round, step.id, lasting=action.lasting),
            in_doubt=held.get("s") == "attempt" or bool(held.get("doubt")),
            attempted_at=held.get("at"),
            scope=scope,
            late=bool(state.tries or state.steps),
            last=self._is_last(one),
        )

    def _quietly(self, one: Round, step: Step, action: Action, work: Work) -> Work | None:
        """``work``; in quiet time only where what was told can be brought up to date.

        Raises:
            CallError: the ledger cannot be read. ConfigurationError, ExpressionError: where the
                message went cannot be told.
        """
        end = quiet.until(one, action, self.playbook.quiet)
        if not end:
            return work
        if action.updates is not None and action.updates(work, self.runtime):
            return quiet.whole(work, self.ledger.members(one.pk), end)
        self.note(one, step, Outcome("skipped", f"quiet until {clock.iso(end)}"))
        return None

    def _is_last(self, one: Round) -> bool:
        """The round has waited for as long as the playbook lets it."""
        first = one.state.first_at
        return bool(first) and clock.now() - first > self.playbook.give_up_after

    def _held(self, one: Round, step: Step, action: Action, before: Sequence[Step]) -> str:
        """Why the step must wait, or empty."""
        if self.runtime.deadline.left() < STEP_TIME_S:
            return "no time left in this run"
        waiting = {other.id for other in before if one.status(other.id) == "deferred"}
        unsure = one.state.restoring and action.effects and not one.verdict()
        if waiting and (unsure or (action.answers and not one.incident.clicked)):
            return f"waits for {', '.join(sorted(waiting))}"
        goes_on = {other.id for other in before if other.on_error == "continue"}
        holding = [need for need in step.needs if need in waiting - goes_on]
        return f"waits for {', '.join(holding)}" if holding else ""

    def _passed_over(self, one: Round, step: Step, action: Action, scope: Mapping[str, Any]) -> str:
        """Why the step has nothing to do, or empty.

        Raises:
            ExpressionError: its condition cannot be told.
        """
        if one.stopped:
            return "a step before it stopped the round"
        if one.declined():
            return "its ticket was closed as not to be done"
        if reason := one.not_restored(effects=action.effects):
            return reason
        if step.if_ is not None and not condition(step.if_, scope):
            return f"not so: {step.if_}"
        return ""

    def attempt(self, one: Round, step: Step, work: Work) -> Record:
        """The ATTEMPT record of a step."""
        return self.audit.record(
            "attempt",
            **one.record_fields(),
            step=step.id,
            uses=step.uses,
            key=work.key,
            inputs=_digest(work.params),
            detail="again: an earlier attempt is in doubt" if work.in_doubt else "",
        )

    def _claim(self, step: Step, works: Works) -> list[tuple[Round, Work]]:
        """The ATTEMPT records and the ledger's move, in one transaction, before any effect.

        Nothing of it happens while the playbook is paused.
        """
        parts = []
        operations, guards = self.ledger.operations(), (self.playbook.name,)
        for one, work in works:
            one.begin(step.id, in_doubt=work.in_doubt)
            move = operations.step(one.pk, one.state.round, one.steps, one.refs)
            moves = [move, *operations.point(one.pk, one.refs, one.watched)]
            parts.append(Part(moves, [*one.untold, self.attempt(one, step, work)], guards))
        won = []
        for (one, work), lost in zip(works, self.ledger.submit(parts), strict=True):
            if lost is not None and lost.paused is not None:
                self._put_off(one, step, lost.paused, in_doubt=work.in_doubt)
                continue
            one.untold = []
            if lost is None:
                one.watched = pointers.of(one.refs)
                won.append((one, work))
            else:
                one.lost = True
        return won

    def _perform(self, action: Action, works: Sequence[Work]) -> list[Outcome]:
        """The action over all works; an error that nobody expected fails the step, recorded."""
        try:
            outcomes = action.run(works, self.runtime)
        except CallError as error:
            name = type(error).__name__
            return [Outcome("deferred", str(error), in_doubt=error.sent, error=name)] * len(works)
        except Exception as error:  # noqa: BLE001 - a bug in an action must not lose the batch
            observability.log_bug(error)
            name = type(error).__name__
            detail = f"internal error in {action.name}: {name}"
            return [Outcome("failed", detail, error=name)] * len(works)
        if len(outcomes) != len(works):
            detail = f"internal error in {action.name}: {len(outcomes)} outcomes"
            return [Outcome("failed", f"{detail} for {len(works)} incidents")] * len(works)
        return outcomes

    def _take(
        self,
        one: Round,
        step: Step,
        action: Action,
        outcome: Outcome,
        before: Sequence[Step] = (),
        *,
        last: bool,
        told: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep an outcome, with what the round makes of it; ``told`` is for its record.

        What answers is done again with the steps ``before`` it that wait. Those after it may wait
        for this very step: to do it again for them would never end.
        """
        if outcome.status == "done" and outcome.retry_after is not None:
            outcome = self._could_not_tell(one, outcome)
        if outcome.status == "deferred":
            one.retry_after = max(one.retry_after, outcome.retry_after or 0.0)
            one.backs_off = one.backs_off or not outcome.paced
            if last:
                outcome = Outcome("failed", f"gave up: {outcome.detail}", error=outcome.error)
        self.note(one, step, outcome, told)
        if outcome.status == "failed" and step.on_error == "stop":
            one.stopped = True
        waits = any(one.status(other.id) == "deferred" for other in before)
        if action.answers and outcome.status == "done" and waits:
            one.steps[step.id] = {"s": "deferred", "d": "answered; again with what waits"}

    def _could_not_tell(self, one: Round, outcome: Outcome) -> Outcome:
        """A verdict that may be another soon: an import waits a while, a click is answered now."""
        if one.incident.clicked and one.looks < RECHECKS:
            one.recheck = outcome.retry_after
            return outcome
        first = one.state.first_at or clock.now()
        patient = not one.incident.clicked and not one.state.restoring
        if not patient or clock.now() - first >= UNKNOWN_PATIENCE_S:
            # nobody looks again, so that nothing may promise it
            return replace(outcome, result={**outcome.result, "retry_after": None})
        return Outcome("deferred", outcome.detail, outcome.result, retry_after=outcome.retry_after)

    def note(
        self, one: Round, step: Step, outcome: Outcome, told: Mapping[str, Any] | None = None
    ) -> None:
        """Keep an outcome and its record; the next transaction writes it."""
        outcome = _keepable(outcome)
        one.take(step.id, outcome)
        one.untold.append(
            self.audit.record(
                "outcome",
                **one.record_fields(),
                step=step.id,
                uses=step.uses,
                status=outcome.status,
                detail=outcome.detail,
                result=dict(outcome.result),
                refs=dict(outcome.refs),
                error=outcome.error,
                texts={"sent": outcome.sent} if outcome.sent else None,
                **(told or {}),
            )
        )


def _digest(params: Any) -> str:
    """SHA-256 (hex) of a step's parameters, as JSON with sorted keys."""
    return sha256(msgspec.json.encode(params, enc_hook=str, order="sorted")).hexdigest()


def _by_change(action: Action, rounds: Sequence[Round]) -> list[tuple[Sequence[Round], Action]]:
    """The rounds with what a step does for them: where coverage is restored, some say only that."""
    if action.restores is None:
        return [(rounds, action)]
    restored = [one for one in rounds if one.change() == "restored"]
    others = [one for one in rounds if one.change() != "restored"]
    said = _instead(action, action.restores, "would say that coverage is restored")
    return [(others, action), (restored, said)]


def _instead(
    action: Action,
    does: Callable[[Work, Runtime], Outcome],
    planned: str = "would end what it opened or told",
) -> Action:
    """The action as it does something else by what was opened or told, once for each time.

    Its own plan is of what it does else, by parameters that are not filled here.
    """

    def run(works: Sequence[Work], runtime: Runtime) -> list[Outcome]:
        return each(lambda work: does(work, runtime), works)

    return replace(
        action,
        run=run,
        plan=lambda _work, _runtime: planned,
        lasting=False,
        answers=False,
        raw=True,
    )


def _keepable(outcome: Outcome) -> Outcome:
    """``outcome`` as the incident's item can keep it: its result is left out where that cannot.

    A step that reads what was left out cannot decide then, and says so.
    """
    why = _unkept(outcome)
    if not why and len(outcome.detail) <= MAX_DETAIL:
        return outcome
    detail = outcome.detail[: MAX_DETAIL - len(why) - 1]
    if why:
        return replace(outcome, detail=f"{detail} {why}".strip(), result={}, refs={})
    return replace(outcome, detail=f"{detail}…")


def _unkept(outcome: Outcome) -> str:
    """Why the result cannot be kept, or empty."""
    if not outcome.result and not outcome.refs:
        return ""
    try:
        size = len(msgspec.json.encode((outcome.result, outcome.refs)))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        return f"(its result is no JSON: {type(error).__name__})"
    return f"(its result has {size:,} bytes and is left out)" if size > MAX_RESULT else ""

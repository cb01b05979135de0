"""Answers that an analyst gets at once, whoever works on the incident.

A click waits for no other run's lease: the verdict is asked for and written on the finding now, and
the rest of the steps follows in the incident's next round.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub_responder.actions import update_finding
from hub_responder.actions.base import Outcome, Work
from hub_responder.audit import target_of
from hub_responder.engine import notice
from hub_responder.engine.grouping import Cause
from hub_responder.engine.rounds import Round, begin
from hub_responder.engine.steps import Steps, Works
from hub_responder.errors import CallError, PermanentError
from hub_responder.events import Trigger
from hub_responder.finding import Account, Finding, Resource
from hub_responder.ledger.decide import DAILY
from hub_responder.ledger.pauses import Pause
from hub_responder.ledger.state import State
from hub_responder.ledger.transaction import Part
from hub_responder.playbook import Step
from hub_responder.severity import Severity

_FOLLOWS = "another run works on this resource; this follows"
_LAST = "Earlier runs for this click ended without an answer; this is the last one. See the trail."


class Answers:
    """Answers of one batch."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._open: list[Round] = []

    def later(self, state: State, cause: Cause, findings: Sequence[Finding]) -> None:
        """Remember an incident that another run owns; `give` answers it."""
        if findings:
            self._open.append(begin(state, findings, cause, len(findings)))

    def give(self) -> None:
        """Run the steps that only read, and those that answer, for what `later` took."""
        rounds, self._open = self._open, []
        pause = self._steps.ledger.pause(self._steps.playbook.name) if rounds else None
        if pause is not None:
            for one in rounds:
                self.paused(one, pause)
            return
        for step in self._steps.playbook.steps if rounds else ():
            action = self._steps.runtime.action(step.uses)
            if action.effects and not action.answers:
                for one in rounds:
                    self._steps.note(one, step, Outcome("skipped", _FOLLOWS))
            elif action.effects:
                self._steps.run_step(step, action, rounds, (), claim=self._attempt)
            else:
                self._steps.run_step(step, action, rounds, ())
        self._steps.ledger.submit([Part([], [record]) for one in rounds for record in one.untold])

    def _attempt(self, step: Step, works: Works) -> list[tuple[Round, Work]]:
        """The ATTEMPT records alone: the incident's claim is another run's."""
        records = []
        for one, work in works:
            records += [*one.untold, self._steps.attempt(one, step, work)]
            one.untold = []
        self._steps.ledger.submit([Part([], [record]) for record in records])
        return list(works)

    def paused(self, one: Round, pause: Pause) -> None:
        """The one thing that is written while a playbook is paused: an analyst is told of it.

        Raises:
            TransientError: it cannot be written now; writing again is harmless.
        """
        if not notice.answered(one.status, self._steps.runtime):
            name = self._steps.playbook.name
            text = f"{name} is paused {pause.said}. What you asked for is done once that is over."
            self.say(one.cause, one.incident.findings, text)

    def last_receive(self, cause: Cause, findings: Sequence[Finding]) -> None:
        """The message is here for the last time: answer first, in case this run dies as well."""
        self.say(cause, findings, _LAST)

    def unreadable(self, cause: Cause, trigger: Trigger) -> None:
        """Answer on the findings of a click that cannot be read, as far as they can be named."""
        reasons = {bad.finding_id: bad for bad in trigger.unreadable if bad.finding_id}
        for raw in trigger.raw.get("detail", {}).get("findings", ()):
            if not isinstance(raw, dict) or raw.get("Id") not in reasons:
                continue
            bad, product_arn = reasons[raw["Id"]], raw.get("ProductArn")
            if isinstance(product_arn, str) and product_arn:
                named = _named(bad.finding_id, product_arn)
                self.say(cause, [named], f"This finding cannot be read: {bad.field}: {bad}")

    def tell_undecided(self, why: str, finding_ids: Sequence[str]) -> None:
        """Say in the default connection that findings could not be decided about, with records."""
        what = f"{len(finding_ids)} findings are" if finding_ids else "A message is"
        shown = [f"{what} in the dead-letter queue", *finding_ids[:10]]
        self._tell(f"{self._steps.playbook.name} could not decide", why, shown, finding_ids)

    def tell_guarded(self, finding_ids: Sequence[str]) -> None:
        """Say in the default connection that findings came too often today, with records."""
        name = self._steps.playbook.name
        why = (
            f"{len(finding_ids)} findings changed over {DAILY} times today: something answers what"
            " we write, or two write against each other. Nothing more is done about them until"
            " tomorrow (UTC)"
        )
        self._tell(
            f"{name} stopped at findings that do not rest", why, finding_ids[:10], finding_ids
        )

    def _tell(self, title: str, why: str, shown: Sequence[str], finding_ids: Sequence[str]) -> None:
        audit, name = self._steps.audit, self._steps.playbook.name
        fields: dict[str, Any] = {
            "findings": list(finding_ids),
            "step": notice.STEP.id,
            "uses": notice.STEP.uses,
        }
        attempt = audit.record("attempt", **fields, detail=why)
        fields["key"] = attempt["id"]
        (lost,) = self._steps.ledger.submit([Part([], [attempt], (name,))])
        if lost is not None and lost.paused is not None:
            detail = f"paused {lost.paused.said}: nobody is told; the DLQ has it"
            skipped = audit.record("outcome", **fields, status="skipped", detail=detail)
            self._steps.ledger.submit([Part([], [skipped])])
            return
        texts = None
        try:
            result = {"detail": notice.tell(title, [why, *shown], self._steps.runtime)}
            result["status"] = "done"
            texts = {"sent": {"notifications": "\n".join([title, why, *shown])}}
        except CallError as error:  # the DLQ's alarm says it as well
            result = {"status": "failed", "detail": str(error), "error": type(error).__name__}
        outcome = audit.record("outcome", texts=texts, **fields, **result)
        self._steps.ledger.submit([Part([], [outcome])])

    def say(self, cause: Cause, findings: Sequence[Finding], text: str) -> None:
        """Write ``text`` on the findings, with its records.

        Raises:
            TransientError: it cannot be written now; writing again is harmless.
        """
        if not findings:
            return
        audit = self._steps.audit
        fields: dict[str, Any] = {
            "trigger": cause.told,
            "target": target_of(findings[0]),
            "findings": [finding.id for finding in findings],
            "step": "_answer",
            "uses": update_finding.ACTION.name,
        }
        attempt = audit.record("attempt", **fields, detail=text)
        fields["key"] = attempt["id"]
        self._steps.ledger.submit([Part([], [attempt])])
        try:
            update_finding.answer(findings, text, self._steps.runtime)
            result = {"status": "done", "detail": "answered on the finding"}
            texts = {"sent": {"securityhub": text}}
        except PermanentError as error:
            result = {"status": "failed", "detail": str(error), "error": type(error).__name__}
            texts = None
        outcome = audit.record("outcome", texts=texts, **fields, **result)
        self._steps.ledger.submit([Part([], [outcome])])


def _named(finding_id: str, product_arn: str) -> Finding:
    """A finding of which only its name is known, to write an answer to."""
    resource = Resource("Other", finding_id)
    return Finding(finding_id, product_arn, Account(""), "", Severity.INFORMATIONAL, (resource,))

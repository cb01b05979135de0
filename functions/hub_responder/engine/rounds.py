"""A round that this run owns: one pass of the playbook's steps over an incident's findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hub_responder import clock
from hub_responder.actions.base import Outcome
from hub_responder.audit import target_of
from hub_responder.engine.grouping import Cause
from hub_responder.expressions import StepView
from hub_responder.finding import Finding
from hub_responder.incident import Change, Incident
from hub_responder.ledger.pauses import Pause
from hub_responder.ledger.state import State
from hub_responder.playbook import Playbook

RECHECKS = 6
"""How often an analyst's UNKNOWN is asked again: after 0.5, 1, 2, 4, 8 and 15 minutes."""
ENDED = ("done", "skipped", "failed", "observed")
_VERDICTS = ("PROTECTED", "UNKNOWN", "DEGRADED", "UNPROTECTED")  # from good to bad


@dataclass(slots=True)
class Round:
    """The state of a round while its steps run.

    Attributes:
        steps: id -> ``{"s": status, "at": time, "d": detail, "r": result, "doubt": true}``, the
            status one of done, skipped, failed, observed, deferred, attempt; ``"quiet": true``
            where it sent no new message because of the quiet period.
        refs: by connection; what steps leave is added.
        watched: sort keys of the pointers to its tickets that the ledger holds.
        untold: records of what happened since the last transaction.
        retry_after: the longest that a deferred step asked to wait (seconds).
        backs_off: a step waits for something that failed: each time for longer.
        lost: another run took it over; nothing more is done here.
        paused: an operator stopped the playbook's effects; what is left of them waits.
        settles: a settle message was used up to go on with this round; it may have been sent for
            findings that wait for the next one.
        recheck: seconds after which an answer that could not be told may be another.
    """

    state: State
    incident: Incident
    cause: Cause
    steps: dict[str, dict[str, Any]]
    refs: dict[str, dict[str, Any]]
    watched: tuple[str, ...] = ()
    untold: list[Mapping[str, Any]] = field(default_factory=list)
    retry_after: float = 0.0
    backs_off: bool = False
    lost: bool = False
    paused: Pause | None = None
    stopped: bool = False
    settles: bool = False
    recheck: float | None = None

    @property
    def pk(self) -> str:
        """The incident's partition key."""
        return self.state.pk

    def status(self, step: str) -> str:
        """What is known of a step: one of `ENDED`, deferred, attempt, or empty."""
        return str(self.steps.get(step, {}).get("s", ""))

    def ended(self, step: str) -> bool:
        """The step will not run again in this round."""
        return self.status(step) in ENDED

    def told_by(self, step: str) -> bool:
        """The step, which tells, sent a new message (or would have, where it only observes)."""
        kept = self.steps.get(step, {})
        return kept.get("s") in ("done", "observed") and not kept.get("quiet", False)

    def again(self, step: str) -> None:
        """The step is to run once more, though it has ended."""
        if self.ended(step):
            del self.steps[step]

    def waits(self) -> bool:
        """Some step is to be tried again later."""
        return any(kept["s"] == "deferred" for kept in self.steps.values())

    def scope(self, playbook: Playbook) -> dict[str, Any]:
        """The variables of expressions and templates, besides `Names.shared`."""
        incident = self.incident
        views = {
            step.id: StepView(
                step.id,
                self.status(step.id) or "skipped",
                self.steps.get(step.id, {}).get("r", {}),
                self.steps.get(step.id, {}).get("d", ""),
            )
            for step in playbook.steps
        }
        return views | {
            "incident": incident,
            "finding": incident.findings[0],
            "playbook": playbook,
        }

    def record_fields(self) -> dict[str, Any]:
        """The fields that every record about this round has."""
        return {
            "trigger": self.cause.told,
            "target": target_of(self.incident.findings[0]),
            "incident": self.pk,
            "gen": self.state.gen,
            "round": self.state.round,
            "findings": [finding.id for finding in self.incident.findings],
        }

    def begin(self, step: str, *, in_doubt: bool) -> None:
        """A step is attempted; where an earlier attempt is in doubt, its time is kept."""
        at = self.steps.get(step, {}).get("at") if in_doubt else None
        self.steps[step] = {"s": "attempt", "at": at or clock.now(), "doubt": in_doubt}

    def take(self, step: str, outcome: Outcome) -> None:
        """Keep what became of a step; a doubt stays until the step is over."""
        held = self.steps.get(step, {})
        doubt = outcome.status == "deferred" and (outcome.in_doubt or held.get("doubt", False))
        at = held.get("at") if doubt else None
        kept: dict[str, Any] = {
            "s": outcome.status,
            "at": at or clock.now(),
            "d": outcome.detail,
            "doubt": doubt,
        }
        if outcome.result:
            kept["r"] = dict(outcome.result)
        self.steps[step] = kept
        for connection, values in outcome.refs.items():
            self.refs[connection] = {**self.refs.get(connection, {}), **values}

    @property
    def looks(self) -> int:
        """How often an answer that could not be told was asked for again: ``ID~2`` is twice."""
        tail = self.cause.event_id.rpartition("~")[2]
        return int(tail) if "~" in self.cause.event_id and tail.isdecimal() else 0

    def verdict(self) -> str:
        """The verdict that a step of this round came to, or empty."""
        for kept in self.steps.values():
            verdict = kept.get("r", {}).get("verdict")
            if verdict:
                return str(verdict)
        return ""

    def declined(self) -> bool:
        """Its ticket was closed as not to be done: what comes later is not told again."""
        if self.incident.clicked:
            return False
        return any(kept.get("r", {}).get("declined") for kept in self.steps.values())

    def closed_as(self) -> list[str]:
        """As what steps of this round closed its findings, as ``FALSE_POSITIVE``."""
        done = (kept.get("r", {}) for kept in self.steps.values() if kept["s"] == "done")
        said = (str(result["closed_as"]) for result in done if result.get("closed_as"))
        return list(dict.fromkeys(said))

    def told_now(self) -> dict[str, Any]:
        """What a message that is sent now tells of."""
        return {
            "severity": self.incident.severity.rank,
            "exploit": any(finding.exploit_available for finding in self.incident.findings),
            "verdict": self.verdict(),
            "at": clock.now(),
        }

    def change(self) -> Change:
        """Why the round happens, by what it knows until now.

        Where nothing has joined, what was told unprotected and is found protected is restored.
        """
        change, told = self.incident.change, self.state.told.get("verdict", "")
        same = change == "grew" and (self.state.restoring or not self.incident.new)
        if same and _rank(told) > _rank("UNKNOWN") and self.verdict() == "PROTECTED":
            return "restored"
        return change

    def not_restored(self, *, effects: bool) -> str:
        """What a round that came to tell of restored coverage found instead, or empty.

        One that findings joined meanwhile is a round like any other. Before a verdict is there,
        only what has ``effects`` is passed over.
        """
        if not self.state.restoring or self.change() == "restored":
            return ""
        verdict = self.verdict()
        if verdict == "PROTECTED":
            return "coverage is not restored: that was told"
        if verdict or effects:
            return f"coverage is not restored: {verdict or 'no verdict'}"
        return ""

    def got_worse(self) -> bool:
        """Severity, exploit or verdict is worse than what was told."""
        told, now = self.state.told, self.told_now()
        return (
            now["severity"] > told.get("severity", -1)
            or (now["exploit"] and not told.get("exploit", False))
            or _rank(now["verdict"]) > _rank(told.get("verdict", ""))
        )


def _rank(verdict: str) -> int:
    return _VERDICTS.index(verdict) if verdict in _VERDICTS else 0


def begin(
    state: State,
    findings: Iterable[Finding],
    cause: Cause,
    new: int,
    left: Mapping[str, int] | None = None,
) -> Round:
    """The round that ``state`` says this run owns.

    Args:
        left: how its findings left, of one that ends what was opened for them.
    """
    if (
        cause.kind == "settle" and state.at
    ):  # `now` stays the trigger's time: a replay decides alike
        cause = replace(cause, at=state.at)
    ordered = tuple(sorted(findings, key=badness, reverse=True))
    clicked = cause.clicked or state.clicked
    refs = {name: dict(values) for name, values in state.refs.items()}
    incident = Incident(
        key=state.pk,
        group=state.group,
        gen=state.gen,
        round=state.round,
        findings=ordered,
        count=max(state.members, len(ordered)),
        new=new,
        resource=ordered[0].resource,
        severity=ordered[0].severity,
        change=_change(state, ordered, clicked=clicked),
        refs=refs,
        clicked=clicked,
        left=left or {},
    )
    steps = {step: dict(kept) for step, kept in state.steps.items()}
    return Round(state, incident, cause, steps, refs, state.watched)


def badness(finding: Finding) -> tuple[int, bool, float, float]:
    """What findings are ordered by: severity, then exploit, CVSS, and the time of the update."""
    return (
        finding.severity.rank,
        bool(finding.exploit_available),
        finding.max_cvss or 0.0,
        finding.updated,
    )


def _change(state: State, findings: tuple[Finding, ...], *, clicked: bool) -> Change:
    if state.closing:
        return "closed"
    if clicked:
        return "clicked"
    if not state.told:
        return "reopened" if state.gen > 1 else "opened"
    severity = findings[0].severity.rank
    exploit = any(finding.exploit_available for finding in findings)
    worse = severity > state.told.get("severity", 0) or (
        exploit and not state.told.get("exploit", False)
    )
    return "raised" if worse else "grew"

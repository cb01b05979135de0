"""``finding.update``: write the answer back to the findings in Security Hub.

BatchUpdateFindings takes one Note, one Workflow and one set of UserDefinedFields for up to 100
findings, so findings of the whole batch that get the same values share a call. What it could not do
comes back in ``UnprocessedFindings`` of a 200
(https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchUpdateFindings.html).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from hub_responder.actions.base import Action, Outcome, Work, line
from hub_responder.actions.batch_update import (
    SETTLED,
    Change,
    Progress,
    Wanted,
    apply,
    field_text,
    merged,
    permissions,
    write,
)
from hub_responder.actions.current import present
from hub_responder.clock import iso
from hub_responder.errors import CallError, ExpressionError, PermanentError, TransientError
from hub_responder.markdown.characters import shorten
from hub_responder.note import answer_text, is_ours, note_text, quotation

if TYPE_CHECKING:
    from hub_responder.finding import Finding
    from hub_responder.runtime import Runtime

_RANK = {"NEW": 0, "NOTIFIED": 1, "RESOLVED": 2, "SUPPRESSED": 2}

T = TypeVar("T")
_MAX_SHIELDS = 1000

Workflow = Literal["NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"]


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is written.

    ``workflow`` is set where it goes forward (NEW, NOTIFIED, then RESOLVED or SUPPRESSED), never
    back. ``note`` begins the finding's note; numbers, ticket and run follow it. An automatic run
    leaves a person's note, and findings that are resolved, suppressed or archived, as they are.
    """

    workflow: Workflow | None = None
    note: str = ""


class Result(msgspec.Struct, frozen=True):
    """How many findings of the incident were written, left as a person set them, and refused."""

    updated: int
    left: int = 0
    failed: int = 0


def run(works: Sequence[Work], runtime: Runtime) -> list[Outcome]:
    """Write to the findings of all incidents, in as few calls as their values allow."""
    works_now = [present(work, runtime.deadline) for work in works]
    wanted = [_wanted(one, runtime) if isinstance(one, Work) else () for one in works_now]
    progress = write(wanted, runtime.deadline)
    return [
        _outcome(part) if isinstance(one, Work) else one
        for one, part in zip(works_now, progress, strict=True)
    ]


def _wanted(work: Work, runtime: Runtime) -> Wanted:
    writer = _Writer(work, runtime)
    return [(finding, writer.change(finding)) for finding in work.incident.findings]


def plan(work: Work, runtime: Runtime) -> str:
    """How many findings would be written, and what they would get."""
    changes = [change for _, change in _wanted(work, runtime) if change is not None]
    if not changes:
        return "would leave all findings as a person set them"
    workflow = next((change.workflow for change in changes if change.workflow), "")
    note = next((change.note for change in changes if change.note), "")
    set_to = f"to {workflow}, " if workflow else "with their workflow kept, "
    what = set_to + (f"note: {note}" if note else "note kept")
    return line(f"would update {_findings(len(changes), what)}")


class _Writer:
    """What one incident's findings get; what they have in common is made once."""

    def __init__(self, work: Work, runtime: Runtime) -> None:
        self._work = work
        self._language = runtime.playbook.language
        self._clicked = work.incident.clicked
        self._notes: dict[str, str] = {}
        self._ours = _our_fields(work, runtime)

    def change(self, finding: Finding) -> Change | None:
        """What is written to ``finding``; None leaves it as a person set it."""
        settled = finding.record_state == "ARCHIVED" or finding.workflow in SETTLED
        if settled and not self._clicked:
            return None
        note = self._note(finding)
        if settled:
            return Change(note)
        change = Change(note, _workflow(self._work.params, finding), self._fields(finding))
        return change if change != Change() else None

    def _note(self, finding: Finding) -> str:
        summary = self._work.params.note
        if not self._clicked and not (summary and is_ours(finding.note)):
            return ""
        quote = quotation(finding.note, self._language)
        if quote not in self._notes:
            incident = self._work.incident
            self._notes[quote] = note_text(summary, incident, self._language, quote)
        return self._notes[quote]

    def _fields(self, finding: Finding) -> tuple[tuple[str, str], ...]:
        return merged(finding, self._ours)


def _our_fields(work: Work, runtime: Runtime) -> dict[str, str]:
    ticket = work.incident.ticket
    fields = {
        "hubResponderVerdict": verdict_of(work, runtime),
        "hubResponderShields": _shields(work, runtime),
        "hubResponderTicket": str(ticket["id"]) if ticket else "",
        "hubResponderIncident": f"{work.incident.key}#{work.incident.gen}",
        "hubResponderAt": iso(runtime.now),
    }
    return {name: bounded for name, text in fields.items() if (bounded := field_text(text))}


def _workflow(params: Params, finding: Finding) -> str:
    """The workflow to set; empty where that would go back on what is set."""
    wanted = params.workflow
    if wanted is None or _RANK[wanted] < _RANK.get(finding.workflow, 0):
        return ""
    return wanted


def verdict_of(work: Work, runtime: Runtime) -> str:
    """The verdict of the last step before this one that told any; else empty."""
    verdict = _told(work, runtime, "verdict", str)
    return str(verdict) if verdict else ""


def _shields(work: Work, runtime: Runtime) -> str:
    """``CVE-2026-1111 not_shieldable, CVE-2026-2222 shielded``, the most urgent that have room."""
    said = ""
    for one in _told(work, runtime, "cves", list) or ():
        longer = f"{said}, {one['cve']} {one['state']}" if said else f"{one['cve']} {one['state']}"
        if len(longer) > _MAX_SHIELDS:
            break
        said = longer
    return said


def _told(work: Work, runtime: Runtime, name: str, kind: type[T]) -> T | None:
    """A result of the last step before this one that told it."""
    for step in reversed(runtime.playbook.steps):
        view = work.scope.get(step.id)
        try:
            value = view[name] if view is not None else None
        except (ExpressionError, KeyError, TypeError):
            continue
        if isinstance(value, kind) and value:
            return value
    return None


def _outcome(part: Progress) -> Outcome:
    result = msgspec.to_builtins(Result(part.updated, part.left, len(part.refusals)))
    return part.outcome(_detail(part), result)


def _detail(part: Progress) -> str:
    said = [_findings(part.updated, "updated")] if part.updated else []
    if part.left:
        said.append(_findings(part.left, "left as a person set it"))
    if part.refusals:
        said.append(f"{_findings(len(part.refusals), 'refused')}: {part.reasons()}")
    return line(", ".join(said) or "no findings")


def _findings(count: int, what: str) -> str:
    return f"{count} finding{'' if count == 1 else 's'} {what}"


def answer(findings: Sequence[Finding], text: str, runtime: Runtime) -> None:
    """Write ``text`` as the note of ``findings``, quoting a person's note that it replaces.

    For a click that failed or was skipped: it always gets its answer on the finding.

    Raises:
        TransientError: some findings could not be written now; writing again is harmless.
        PermanentError: Security Hub refuses some of them.
    """
    changes: dict[Change, list[Finding]] = {}
    for finding in findings:
        note = answer_text(text, quotation(finding.note, runtime.playbook.language))
        changes.setdefault(Change(note), []).append(finding)
    refusals = [
        refusal
        for change, same in changes.items()
        for refusal in apply(change, same, runtime.deadline).values()
    ]
    if not refusals:
        return
    kind: type[CallError] = TransientError if any(r.passing for r in refusals) else PermanentError
    count = f"{len(refusals)} of {len(findings)}"
    reasons = "; ".join(sorted({refusal.reason for refusal in refusals}))
    message = shorten(f"{count} findings were not answered: {reasons}", 300)
    raise kind(message, target="securityhub.BatchUpdateFindings")


ACTION = Action(
    name="finding.update",
    summary="Writes note, workflow and user-defined fields to the findings in Security Hub.",
    effects=True,
    params=Params,
    result=Result,
    permissions=permissions,
    example='- {uses: finding.update, with: {workflow: NOTIFIED, note: "{{ coverage.summary }}"}}',
    run=run,
    answers=True,
    plan=plan,
)

"""``finding.update``: write the answer back to the findings in Security Hub.

BatchUpdateFindings takes one Note, one Workflow and one set of UserDefinedFields for up to 100
findings, so findings of the whole batch that get the same values share a call. What it could not do
comes back in ``UnprocessedFindings`` of a 200
(https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchUpdateFindings.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hub_responder.actions.base import THREADS, Action, Outcome, Statement, Work
from hub_responder.actions.batch_update import Change, Refusal, apply
from hub_responder.clock import iso
from hub_responder.errors import CallError, ExpressionError, PermanentError, TransientError
from hub_responder.markdown.characters import clean, one_line, shorten
from hub_responder.note import answer_text, is_ours, note_text, quotation

if TYPE_CHECKING:
    from hub_responder.finding import Finding
    from hub_responder.runtime import Runtime

MAX_FIELDS = 50
MAX_FIELD_VALUE = 1024
_SETTLED = frozenset({"RESOLVED", "SUPPRESSED"})
_RANK = {"NEW": 0, "NOTIFIED": 1, "RESOLVED": 2, "SUPPRESSED": 2}

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


@dataclass(slots=True)
class _Progress:
    """What became of one incident's findings."""

    left: int = 0
    updated: int = 0
    refusals: list[Refusal] = field(default_factory=list)


def run(works: Sequence[Work], runtime: Runtime) -> list[Outcome]:
    """Write to the findings of all incidents, in as few calls as their values allow."""
    progress = [_Progress() for _ in works]
    owners: dict[Change, list[tuple[int, Finding]]] = {}
    for index, work in enumerate(works):
        writer = _Writer(work, runtime)
        for finding in work.incident.findings:
            change = writer.change(finding)
            if change is None:
                progress[index].left += 1
            else:
                owners.setdefault(change, []).append((index, finding))
    for owned, refusals in _apply_all(owners, runtime):
        for index, finding in owned:
            refusal = refusals.get((finding.id, finding.product_arn))
            if refusal is None:
                progress[index].updated += 1
            else:
                progress[index].refusals.append(refusal)
    return [_outcome(part) for part in progress]


def _apply_all(
    owners: Mapping[Change, Sequence[tuple[int, Finding]]], runtime: Runtime
) -> Iterable[tuple[Sequence[tuple[int, Finding]], Mapping[tuple[str, str], Refusal]]]:
    """Each distinct change with what it was refused for; several at a time."""

    def one(item: tuple[Change, Sequence[tuple[int, Finding]]]) -> Mapping[Any, Refusal]:
        change, owned = item
        return apply(change, [finding for _, finding in owned], runtime.deadline)

    items = list(owners.items())
    if len(items) <= 1:
        return [(owned, one((change, owned))) for change, owned in items]
    with ThreadPoolExecutor(max_workers=min(THREADS, len(items))) as pool:
        return list(zip(owners.values(), pool.map(one, items), strict=True))


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
        settled = finding.record_state == "ARCHIVED" or finding.workflow in _SETTLED
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
        """Its own fields with ours; empty where writing them could lose somebody else's."""
        if not finding.user_fields_whole:
            return ()
        merged = {**finding.user_fields, **self._ours}
        return tuple(sorted(merged.items())) if len(merged) <= MAX_FIELDS else ()


def _our_fields(work: Work, runtime: Runtime) -> dict[str, str]:
    ticket = work.incident.ticket
    fields = {
        "hubResponderVerdict": verdict_of(work, runtime),
        "hubResponderTicket": str(ticket["id"]) if ticket else "",
        "hubResponderIncident": f"{work.incident.key}#{work.incident.gen}",
        "hubResponderAt": iso(runtime.now),
    }
    return {name: bounded for name, text in fields.items() if (bounded := _bounded(text))}


def _workflow(params: Params, finding: Finding) -> str:
    """The workflow to set; empty where that would go back on what is set."""
    wanted = params.workflow
    if wanted is None or _RANK[wanted] < _RANK.get(finding.workflow, 0):
        return ""
    return wanted


def _bounded(text: str) -> str:
    return shorten(one_line(clean(text)).strip(), MAX_FIELD_VALUE)


def verdict_of(work: Work, runtime: Runtime) -> str:
    """The verdict of the last step before this one that told any; else empty."""
    for step in reversed(runtime.playbook.steps):
        view = work.scope.get(step.id)
        try:
            verdict = view["verdict"] if view is not None else ""
        except (ExpressionError, KeyError, TypeError):
            continue
        if isinstance(verdict, str) and verdict:
            return str(verdict)
    return ""


def _outcome(part: _Progress) -> Outcome:
    result = msgspec.to_builtins(Result(part.updated, part.left, len(part.refusals)))
    detail = _detail(part)
    passing = [refusal for refusal in part.refusals if refusal.passing]
    if passing:
        waits = [refusal.retry_after for refusal in passing if refusal.retry_after]
        wait = max(waits) if waits else None
        return Outcome("deferred", detail, result=result, retry_after=wait)
    if part.refusals and not part.updated:
        return Outcome("failed", detail, result=result)
    return Outcome("done" if part.updated else "skipped", detail, result=result)


def _detail(part: _Progress) -> str:
    said = [_findings(part.updated, "updated")] if part.updated else []
    if part.left:
        said.append(_findings(part.left, "left as a person set it"))
    reasons = sorted({refusal.reason for refusal in part.refusals})
    if reasons:
        said.append(f"{_findings(len(part.refusals), 'refused')}: {'; '.join(reasons)}")
    return shorten(", ".join(said) or "no findings", 300)


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


def permissions(
    _params: Mapping[str, Any], _connections: Mapping[str, Mapping[str, Any]]
) -> list[Statement]:
    """Updating findings, in this account's hub."""
    hub = "arn:${AWS::Partition}:securityhub:${AWS::Region}:${AWS::AccountId}:hub/default"
    return [
        {
            "Effect": "Allow",
            "Action": ["securityhub:BatchUpdateFindings"],
            "Resource": [{"Fn::Sub": hub}],
        }
    ]


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
)

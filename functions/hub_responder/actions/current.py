"""Findings as they are now: what a person did while a round had to wait must not be undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hub_responder import get_findings
from hub_responder.actions.base import Outcome, Work
from hub_responder.errors import CallError, TransientError, UnreadableFinding
from hub_responder.events import decode_finding

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline
    from hub_responder.finding import Finding


def present(work: Work, deadline: Deadline) -> Work | Outcome:
    """The work with its findings as they are now, where its round had to wait.

    An `Outcome` is what it means that this cannot be told.
    """
    if not work.late:
        return work
    try:
        now = current(work.incident.findings, deadline)
    except TransientError as error:
        return Outcome("deferred", str(error), retry_after=error.retry_after)
    except CallError as error:
        return Outcome("failed", str(error))
    return replace(work, incident=replace(work.incident, findings=now))


def current(findings: Sequence[Finding], deadline: Deadline) -> tuple[Finding, ...]:
    """``findings`` as they are now. One that Security Hub does not know any more, or that cannot be
    read, stays as it is.

    Raises:
        CallError: Security Hub cannot be asked, or no time is left.
    """
    now: dict[tuple[str, str], Finding] = {}
    ids = list(dict.fromkeys(finding.id for finding in findings))
    for start in range(0, len(ids), get_findings.VALUES_AT_ONCE):
        some = ids[start : start + get_findings.VALUES_AT_ONCE]
        wanted = [{"Value": one, "Comparison": "EQUALS"} for one in some]
        for raw in get_findings.found({"Id": wanted}, deadline):
            try:
                held = decode_finding(raw)
            except UnreadableFinding:
                continue
            now[held.id, held.product_arn] = held
    return tuple(
        as_now(finding, now.get((finding.id, finding.product_arn))) for finding in findings
    )


def as_now(finding: Finding, now: Finding | None) -> Finding:
    """``finding`` with the workflow, record state, note and own fields that it has now."""
    if now is None:
        return finding
    return replace(
        finding,
        workflow=now.workflow,
        record_state=now.record_state,
        note=now.note,
        user_fields=now.user_fields,
        user_fields_whole=now.user_fields_whole,
    )

"""The scheduled function that ends suppressions: what nobody looked at again comes back.

`finding.suppress` writes until when into the finding. Once that is over, the finding is NEW again,
with a note that says so; Security Hub sends it again, and playbooks take it as one that came back.
A finding that a person set to something else meanwhile stays as it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from hub_responder import aws, clock, get_findings, observability
from hub_responder.actions.batch_update import Change, Key, Refusal, apply
from hub_responder.actions.suppress_finding import BY, UNTIL, WHY
from hub_responder.audit import Audit, target_of, try_of
from hub_responder.deadline import Deadline
from hub_responder.errors import UnreadableFinding
from hub_responder.events import decode_finding
from hub_responder.finding import Finding
from hub_responder.ledger.transaction import Part, Transactions
from hub_responder.note import answer_text
from hub_responder.playbook import Playbook, Triggers
from hub_responder.values import seconds

NAME = "lapsed"
ENDED = "hubResponderSuppressionEnded"
"""UserDefinedField: the last day of the suppression that ended."""
MAX_ENDED = 500
"""Suppressions that one run ends; the function runs every six hours."""
_TIME_S = 15.0
"""No more are looked for with less time left."""
_TRIGGER = {"kind": "schedule", "event_id": ""}
SUPPRESSED: Mapping[str, Any] = {
    "WorkflowStatus": [{"Value": "SUPPRESSED", "Comparison": "EQUALS"}],
    "RecordState": [{"Value": "ACTIVE", "Comparison": "EQUALS"}],
    "UserDefinedFields": [{"Key": UNTIL, "Value": "T", "Comparison": "CONTAINS"}],
}
"""The filters of GetFindings for findings that we suppressed and that still are."""


def handler(_event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """End the suppressions whose time is over; returns how many ended and how many could not."""
    deadline = Deadline(lambda: context.get_remaining_time_in_millis() / 1000)
    playbook = Playbook(name=NAME, summary="Ends suppressions", steps=(), on=Triggers(), version="")
    observability.begin(context.aws_request_id, NAME, 0)
    audit = Audit(os.environ["AUDIT_TABLE"], playbook, try_of(context.aws_request_id))
    transactions = Transactions(
        aws.client("dynamodb"), audit, deadline, ledger=os.environ["LEDGER_TABLE"]
    )
    ended = failed = 0
    over = list(islice(_over(deadline), MAX_ENDED))
    _leave([finding for finding in over if not finding.user_fields_whole], transactions, audit)
    whole = [finding for finding in over if finding.user_fields_whole]
    for change, findings in _by_change(whole).items():
        refusals = _end(change, findings, transactions, audit, deadline)
        if refusals is None:  # paused: the run after the end of it ends them
            break
        failed += len(refusals)
        ended += len(findings) - len(refusals)
    return {"ended": ended, "failed": failed}


def _over(deadline: Deadline) -> Iterator[Finding]:
    """Suppressed findings whose time is over, as far as this run has time for them."""
    now = clock.now()
    for raw in get_findings.found(SUPPRESSED, deadline):
        if deadline.left() <= _TIME_S:
            return
        until = seconds(raw.get("UserDefinedFields", {}).get(UNTIL))
        if until is None or until > now:
            continue
        try:
            yield decode_finding(raw)
        except UnreadableFinding as error:
            observability.log_bug(error)


def _by_change(findings: Sequence[Finding]) -> dict[Change, list[Finding]]:
    """The findings by what they get: those that get the same share calls."""
    changes: dict[Change, list[Finding]] = {}
    for finding in findings:
        kept = finding.user_fields
        owner, until = kept.get(BY, "nobody"), kept[UNTIL][:10]
        text = f"The suppression until {until} ended: {kept.get(WHY, '')} | owner: {owner}"
        rest = {name: value for name, value in kept.items() if name not in (UNTIL, BY, WHY)}
        # the end must go: whoever suppresses the finding by hand later sets none
        fields = {**rest, ENDED: until}
        change = Change(answer_text(text, ""), "NEW", tuple(sorted(fields.items())))
        changes.setdefault(change, []).append(finding)
    return changes


def _leave(findings: Sequence[Finding], transactions: Transactions, audit: Audit) -> None:
    """Record those that stay suppressed: writing them would lose fields that others wrote."""
    if findings:
        ids = [finding.id for finding in findings]
        why = "stays suppressed: its user-defined fields cannot be read whole"
        record = audit.record("skipped", trigger=_TRIGGER, findings=ids, detail=why)
        transactions.submit([Part([], [record])])


def _end(
    change: Change,
    findings: Sequence[Finding],
    transactions: Transactions,
    audit: Audit,
    deadline: Deadline,
) -> dict[Key, Refusal] | None:
    """Write it, with a record before and after; those that could not be written, or None where this
    is paused."""
    fields: dict[str, Any] = {
        "trigger": _TRIGGER,
        "target": target_of(findings[0]),
        "findings": [finding.id for finding in findings],
        "step": "_lapse",
        "uses": "finding.update",
    }
    attempt = audit.record("attempt", **fields, detail=change.note)
    fields["key"] = attempt["id"]
    (lost,) = transactions.submit([Part([], [attempt], (NAME,))])
    if lost is not None:
        return None
    refusals = apply(change, findings, deadline)
    status = "failed" if refusals else "done"
    reasons = "; ".join(sorted({refusal.reason for refusal in refusals.values()}))
    detail = reasons or "suppression ended: NEW again"
    texts = None if refusals else {"sent": {"securityhub": change.note}}
    outcome = audit.record("outcome", texts=texts, **fields, status=status, detail=detail)
    transactions.submit([Part([], [outcome])])
    return refusals

"""What an audit trail costs: the records of a batch, and what is kept beside them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from statistics import median
from typing import Any

from benchmarks.cloud import Cloud
from hub_responder.audit import Audit, finding_texts, target_of
from hub_responder.deadline import Deadline
from hub_responder.events import decode_finding
from hub_responder.finding import Finding
from hub_responder.ledger.transaction import Part, Transactions
from hub_responder.playbook import Playbook, Triggers

BATCH = 10
STEPS = 5
TEXT = "UNPROTECTED: no Vision One agent on web-01, 400 open, due 11-29. " * 40
"""As long as a ticket's text."""
AT = "2026-11-22T00:00:00.000Z"


class _Nobody:
    """Takes every transaction: what is measured ends before the client."""

    class exceptions:  # noqa: N801 - as botocore's clients have it
        class TransactionCanceledException(Exception):  # noqa: N818
            pass

    def transact_write_items(self, TransactItems: Any) -> None:  # noqa: N803
        pass


def cpu_ms(cloud: Cloud, rounds: int) -> float:
    """Median processor time for each finding of a batch of ten (ms)."""
    return median(
        _batch([decode_finding(one) for one in cloud.findings(BATCH)]) for _ in range(rounds)
    )


def _batch(findings: list[Finding]) -> float:
    played = Playbook(name="bench", summary="", steps=(), on=Triggers(), version="0" * 12)
    audit = Audit("audit", played, "run-1")
    submit = Transactions(_Nobody(), audit, Deadline.after(60)).submit
    began = time.process_time()
    fields = [_fields(one) for one in findings]
    for each in fields:
        audit.wait(audit.record("received", count=1, **each))
    opened = [
        audit.record("opened", texts=finding_texts([one]), **each)
        for one, each in zip(findings, fields, strict=True)
    ]
    submit([Part([], [record]) for record in opened])
    for step in range(STEPS):
        attempts = [audit.record("attempt", step=f"s{step}", key="0" * 40, **one) for one in fields]
        submit([Part([], [record]) for record in attempts])
        outcomes = [
            audit.record("outcome", step=f"s{step}", texts=_sent(number, step), **one)
            for number, one in enumerate(fields)
        ]
        submit([Part([], [record]) for record in outcomes])
    return (time.process_time() - began) * 1000 / len(findings)


def _fields(one: Finding) -> Mapping[str, Any]:
    """What all records about a round say."""
    trigger = {"kind": "imported", "event_id": one.id[-36:], "at": AT, "by": "arn:aws:events:x"}
    return {"trigger": trigger, "target": target_of(one), "findings": [one.id]}


def _sent(number: int, step: int) -> Any:
    """Three of the steps send a text of their own for each incident."""
    return {"sent": {"chat": f"{number} {step} {TEXT}"}} if step < 3 else None

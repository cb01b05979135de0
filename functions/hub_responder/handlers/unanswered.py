"""The scheduled function that answers clicks which ended in the DLQ.

A message that killed its run five times is moved there by SQS, without a word to the analyst who
clicked. This looks at the DLQ, writes the answer on the findings, and leaves the message there. A
click on an insight names no findings: its event holds groups and how many are in each, so that
there is nothing to write on. The trail says so.

It also tells, as a metric, for how long something has been paused: nobody is to forget a pause.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hub_responder import aws, clock, events, observability
from hub_responder.actions import update_finding
from hub_responder.audit import Audit, target_of, try_of
from hub_responder.deadline import Deadline
from hub_responder.errors import CallError, PermanentError, TransientError, UnreadableEvent
from hub_responder.events import Trigger
from hub_responder.ledger import pauses
from hub_responder.ledger.operations import KEEP_CLICK_S, number
from hub_responder.ledger.transaction import Part, Transactions
from hub_responder.playbook import Playbook, Triggers
from hub_responder.runtime import Runtime

NAME = "unanswered"
LOOK_S = 60
"""How long a message that was looked at stays out of sight; the function runs every 5 minutes."""
MAX_LOOKED_AT = 200
_TEXT = (
    "This request could not be handled: its runs ended without an answer, and its message is in"
    " the dead-letter queue ({reason}). Your security engineers can see it there and run it again."
)


def handler(_event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """Answer the clicks in the DLQ; returns how many messages were looked at and answered."""
    deadline = Deadline(lambda: context.get_remaining_time_in_millis() / 1000)
    playbook = Playbook(name=NAME, summary="Answers clicks", steps=(), on=Triggers(), version="")
    observability.begin(context.aws_request_id, NAME, 0)
    audit = Audit(os.environ["AUDIT_TABLE"], playbook, try_of(context.aws_request_id))
    transactions = Transactions(aws.client("dynamodb"), audit, deadline)
    runtime = Runtime(playbook, Path(), deadline, clock.now(), os.environ["STAGE"])
    looked_at = answered = 0
    for message in _messages(deadline):
        looked_at += 1
        try:
            click = _click(message["Body"])
            if click is not None and click.insight is not None:
                _no_findings(message, click, transactions, audit)
            elif click is not None:
                answered += _answer(message, click, transactions, audit, runtime)
        except Exception as error:  # noqa: BLE001 - the other clicks are to be answered all the same
            observability.log_bug(error)
    _tell_pauses()
    return {"looked_at": looked_at, "answered": answered}


def _tell_pauses() -> None:
    """How long the oldest pause has lasted; nothing where nothing is paused."""
    try:
        listed = pauses.all_listed(aws.client("dynamodb"), os.environ["LEDGER_TABLE"])
    except CallError as error:
        observability.logger().warning("pauses cannot be read", extra={"error": str(error)})
        return
    for name, pause in listed.items():
        observability.logger().info("paused", extra={"paused": name, "how": pause.said})
    if listed:
        oldest = min(pause.since for pause in listed.values())
        observability.measure("PausedFor", clock.now() - oldest)
        observability.flush()


def _messages(deadline: Deadline) -> Iterator[Mapping[str, Any]]:
    """The messages of the DLQ; each becomes visible again by itself."""
    client, seen = aws.client("sqs"), set[str]()
    while len(seen) < MAX_LOOKED_AT and deadline.left() > 10:  # noqa: PLR2004 - one answer's time
        received = client.receive_message(
            QueueUrl=os.environ["DLQ_URL"],
            MaxNumberOfMessages=10,
            VisibilityTimeout=LOOK_S,
            MessageAttributeNames=["reason"],
        ).get("Messages", [])
        fresh = [message for message in received if message["MessageId"] not in seen]
        if not fresh:
            return
        for message in fresh:
            seen.add(message["MessageId"])
            yield message


def _click(body: str) -> Trigger | None:
    """The click that a message holds, or None where it holds something else."""
    try:
        trigger = events.decode(body)
    except UnreadableEvent:
        return None
    if trigger.kind == "insight":
        return trigger
    return trigger if trigger.kind == "custom_action" and trigger.findings else None


def _no_findings(
    message: Mapping[str, Any], click: Trigger, transactions: Transactions, audit: Audit
) -> None:
    """Record, once, that a click on an insight has no finding to be answered on."""
    name = click.insight.name if click.insight is not None else ""
    reason = _reason(message)
    record = audit.record(
        "skipped",
        trigger={"kind": click.kind, "event_id": click.event_id},
        detail=f"no answer: results of the insight {name!r:.80} name no findings; {reason}",
    )
    mark = _mark(message, {})
    mark["Put"]["ConditionExpression"] = "attribute_not_exists(pk)"
    transactions.submit([Part([mark], [record])])


def _reason(message: Mapping[str, Any]) -> str:
    """Why the message is in the DLQ."""
    said = message.get("MessageAttributes", {}).get("reason", {}).get("StringValue", "")
    return said or "five runs in a row died"


def _answer(
    message: Mapping[str, Any],
    click: Trigger,
    transactions: Transactions,
    audit: Audit,
    runtime: Runtime,
) -> bool:
    """Write the answer, until it stands; whether this call wrote it."""
    text = _TEXT.format(reason=_reason(message))
    fields: dict[str, Any] = {
        "trigger": {"kind": click.kind, "event_id": click.event_id, "by": click.by},
        "target": target_of(click.findings[0]),
        "findings": [finding.id for finding in click.findings],
    }
    claim = _mark(message, {"until": number(clock.now() + LOOK_S)})
    claim["Put"] |= {
        # a mark without `until` says that it is answered
        "ConditionExpression": "attribute_not_exists(pk) OR #until < :now",
        "ExpressionAttributeNames": {"#until": "until"},
        "ExpressionAttributeValues": {":now": number(clock.now())},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    attempt = audit.record("attempt", **fields, step="_answer", uses="finding.update")
    fields["key"] = attempt["id"]
    (lost,) = transactions.submit([Part([claim], [attempt])])
    if lost is not None:
        return False
    marks = [_mark(message, {})]
    try:
        update_finding.answer(click.findings, text, runtime)
        status, detail = "done", text
    except TransientError as error:  # the next run tries again
        status, detail, marks = "deferred", str(error), []
    except PermanentError as error:  # as for a finding that is gone
        status, detail = "failed", str(error)
    texts = {"sent": {"securityhub": text}} if status == "done" else None
    outcome = audit.record("answered", texts=texts, **fields, status=status, detail=detail)
    transactions.submit([Part(marks, [outcome])])
    return status == "done"


def _mark(message: Mapping[str, Any], attributes: dict[str, Any]) -> dict[str, Any]:
    """What the ledger keeps of a click in the DLQ: who answers it ``until`` when, or an end."""
    item = {
        "pk": {"S": f"{NAME}#{message['MessageId']}"},
        "sk": {"S": "C"},
        "expires": number(int(clock.now()) + KEEP_CLICK_S),
    }
    return {"Put": {"TableName": os.environ["LEDGER_TABLE"], "Item": item | attributes}}

"""The function that sees who touches the audit trail, and what the stack is made of.

A record that is changed or removed comes by the table's stream. Nothing of ours ever does that, and
time to live removes items only after their time. What was there is kept, and an alarm tells of it.
The stream tells what was done, and not by whom; that is in CloudTrail, where data events of the
table are recorded. CloudTrail's events about the stack itself come by a queue (`api_calls`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from hub_responder import api_calls, aws, observability
from hub_responder.audit import Audit
from hub_responder.deadline import Deadline
from hub_responder.errors import UnreadableEvent
from hub_responder.ledger.transaction import Part, Transactions
from hub_responder.playbook import Playbook, Triggers

if TYPE_CHECKING:
    from hub_responder.audit import Record

NAME = "guard"
_WORDS = {"MODIFY": "changed", "REMOVE": "removed"}
_EXPIRED = "dynamodb.amazonaws.com"
"""Who removes what is over ("DynamoDB Streams and Time to Live", DynamoDB developer guide)."""


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Record each change of the trail, or each call; returns how many.

    Raises:
        CallError: they cannot be recorded now; Lambda brings them again.
    """
    deadline = Deadline(lambda: context.get_remaining_time_in_millis() / 1000)
    playbook = Playbook(name=NAME, summary="Sees changes", steps=(), on=Triggers(), version="")
    observability.begin(context.aws_request_id, NAME, len(event["Records"]))
    audit = Audit(os.environ["AUDIT_TABLE"], playbook, context.aws_request_id)
    transactions = Transactions(aws.client("dynamodb"), audit, deadline)
    if event["Records"][0].get("eventSource") == "aws:sqs":
        return _calls(event["Records"], audit, transactions)
    tampered = [_record(change, audit) for change in event["Records"] if _counts(change)]
    if tampered:
        transactions.submit([Part([], [record]) for record in tampered])
        observability.count("Tampered", len(tampered))
        observability.flush()
    return {"tampered": len(tampered)}


def _calls(
    messages: Sequence[Mapping[str, Any]], audit: Audit, transactions: Transactions
) -> dict[str, Any]:
    """Record what CloudTrail tells; what is no event of its is brought again, and then a letter."""
    events, unread = [], []
    for message in messages:
        try:
            events.append(api_calls.read(message["body"]))
        except UnreadableEvent as error:
            observability.logger().error("no event of CloudTrail", extra={"error": str(error)})
            unread.append({"itemIdentifier": message["messageId"]})
    told = [audit.record(kind, **fields) for kind, fields in api_calls.records(events)]
    if told:
        transactions.submit([Part([], [record]) for record in told])
    return {"batchItemFailures": unread}


def _counts(change: Mapping[str, Any]) -> bool:
    """It is a change of what was there, and not the end of its time."""
    who = change.get("userIdentity") or {}
    return change.get("eventName") in _WORDS and who.get("principalId") != _EXPIRED


def _record(change: Mapping[str, Any], audit: Audit) -> Record:
    told = change["dynamodb"]
    key = f"{told['Keys']['pk']['S']} {told['Keys']['sk']['S']}"
    before, after = (_lines(told.get(image)) for image in ("OldImage", "NewImage"))
    digests = {"before": _digest(before), "after": _digest(after) if after else ""}
    return audit.record(
        "tampered",
        trigger={"kind": "stream", "event_id": change["eventID"], "by": change["eventSourceARN"]},
        source={"operation": change["eventName"], "service": "dynamodb"},
        item=key,
        result={name: digest for name, digest in digests.items() if digest},
        detail=f"{key} was {_WORDS[change['eventName']]}; the stream does not tell by whom",
        texts={"records": {key: before}} if before else None,
    )


def _lines(image: Mapping[str, Any] | None) -> str:
    return str((image or {}).get("records", {}).get("S", ""))


def _digest(lines: str) -> str:
    return sha256(lines.encode()).hexdigest()

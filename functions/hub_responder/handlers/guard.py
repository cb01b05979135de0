"""The function that sees who touches the audit trail: a record that is changed or removed.

Nothing of ours ever does that, and time to live removes items only after their time. What was there
is kept, and an alarm tells of it. The table's stream tells what was done, and not by whom; that is
in CloudTrail, where data events of the table are recorded.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from hub_responder import aws, observability
from hub_responder.audit import Audit
from hub_responder.deadline import Deadline
from hub_responder.ledger.transaction import Part, Transactions
from hub_responder.playbook import Playbook, Triggers

if TYPE_CHECKING:
    from hub_responder.audit import Record

NAME = "guard"
_WORDS = {"MODIFY": "changed", "REMOVE": "removed"}
_EXPIRED = "dynamodb.amazonaws.com"
"""Who removes what is over ("DynamoDB Streams and Time to Live", DynamoDB developer guide)."""


def handler(event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """Record each change of the trail; returns how many.

    Raises:
        CallError: they cannot be recorded now; Lambda brings them again.
    """
    deadline = Deadline(lambda: context.get_remaining_time_in_millis() / 1000)
    playbook = Playbook(name=NAME, summary="Sees changes", steps=(), on=Triggers(), version="")
    observability.begin(context.aws_request_id, NAME, len(event["Records"]))
    audit = Audit(os.environ["AUDIT_TABLE"], playbook, context.aws_request_id)
    tampered = [_record(change, audit) for change in event["Records"] if _counts(change)]
    if tampered:
        transactions = Transactions(aws.client("dynamodb"), audit, deadline)
        transactions.submit([Part([], [record]) for record in tampered])
        observability.count("Tampered", len(tampered))
        observability.flush()
    return {"tampered": len(tampered)}


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

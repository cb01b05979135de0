"""Which incidents were told unprotected and are, by the fresh snapshot, protected again.

Nobody sends a finding when an agent comes back. So the walk compares what it saw with the snapshot
before, and sends the playbook of each such incident a message: its round asks Vision One once more,
live, before anything is told. One that was told protected is not told so again until it was told
otherwise, so that an agent that comes and goes is told of once.

The walk sees that an instance has become protected once. The team may be told otherwise after that,
the live answer may not be had, the ledger or EC2 may not answer: so the first walk of an hour looks
up all that is protected. With 10,000 instances those are 100 reads of the ledger for a playbook.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder import aws, clock
from hub_responder.errors import ExpressionError, TransientError
from hub_responder.expressions import text_of
from hub_responder.finding import Account, Finding
from hub_responder.ledger import keys
from hub_responder.ledger.state import State, read_state
from hub_responder.severity import Severity
from hub_responder.vision_one import clues, tiers
from hub_responder.vision_one.coverage import Demand

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline
    from hub_responder.finding import Resource
    from hub_responder.inventory.plan import Watch
    from hub_responder.vision_one.snapshot import Snapshot

TOLD = ("UNPROTECTED", "DEGRADED")
CALL_S = 10.0
_AT_ONCE = 100  # keys of one BatchGetItem
_MESSAGES = 10  # of one SendMessageBatch


HOUR_S = 3600.0


def since(before: Snapshot | None, after: Snapshot) -> Snapshot | None:
    """The snapshot to compare ``after`` with; None: all that is protected is to be looked up."""
    if before is None or before.read_at // HOUR_S != after.read_at // HOUR_S:
        return None
    return before


def tell(
    watches: Iterable[Watch],
    instances: Sequence[Resource],
    before: Snapshot | None,
    after: Snapshot,
    deadline: Deadline,
) -> int:
    """Send what is restored to the playbooks; how many incidents.

    Args:
        watches: the playbooks that check coverage by this tenant. instances: those that are known.
        before: what `since` says.

    Raises:
        CallError: the ledger or a queue cannot be asked. What was sent until then stays; the first
            walk of the next hour finds the others.
    """
    token = f"restored-{clock.iso(after.read_at)}"
    count = 0
    for watch in watches:
        for found in _told(watch, _fresh(watch, instances, before, after), deadline):
            _send(watch.playbook, found, token, deadline)
            count += len(found)
    return count


def _fresh(
    watch: Watch, instances: Sequence[Resource], before: Snapshot | None, after: Snapshot
) -> Iterator[Resource]:
    """The instances that are protected now, as the playbook demands it, and were not before."""
    demand = Demand(stale_after=watch.stale_after, modules=watch.modules)
    sought = [clues.of(one) for one in instances]
    now = _verdicts(after, sought, demand)
    then = _verdicts(before, sought, demand) if before is not None else [""] * len(sought)
    for instance, verdict, earlier in zip(instances, now, then, strict=True):
        if verdict == "PROTECTED" != earlier:
            yield instance


def _verdicts(snapshot: Snapshot, sought: Sequence[clues.Clues], demand: Demand) -> list[str]:
    known = tiers.of_snapshot(snapshot)
    read_at = snapshot.inventory.read_at
    return [
        tiers.judged(known, one, answer, demand, read_at).verdict
        for one, answer in zip(sought, known.find(sought), strict=True)
    ]


def _told(watch: Watch, instances: Iterable[Resource], deadline: Deadline) -> Iterator[list[str]]:
    """The playbook's live incidents about these instances that were told otherwise, by and by."""
    pks = list(dict.fromkeys(pk for one in instances if (pk := partition(watch, one))))
    for start in range(0, len(pks), _AT_ONCE):
        yield [
            state.pk
            for state in _states(pks[start : start + _AT_ONCE], deadline)
            if state.told.get("verdict") in TOLD and not state.closed and state.members > 0
        ]


def partition(watch: Watch, instance: Resource) -> str:
    """The incident's partition, as far as the instance alone decides it; or empty.

    Where ``group_by`` reads what only a finding tells, the partition found here is of no incident,
    and nothing is told.
    """
    finding = Finding(
        id="",
        product_arn="",
        account=Account(instance.account),
        region=instance.region,
        severity=Severity.INFORMATIONAL,
        resources=(instance,),
    )
    scope = {"finding": finding.with_resource(instance)}
    try:
        values = [text_of(expression, scope) for expression in watch.group_by]
    except ExpressionError:
        return ""
    return keys.partition(watch.playbook, values, watch.mode)


def _states(pks: Iterable[str], deadline: Deadline) -> Iterator[State]:
    table, now = os.environ["LEDGER_TABLE"], clock.now()
    todo: list[Any] = [{"pk": {"S": pk}, "sk": {"S": keys.INCIDENT}} for pk in pks]
    while todo:
        deadline.timeout(CALL_S, target="dynamodb.BatchGetItem")
        try:
            answer = aws.client("dynamodb").batch_get_item(RequestItems={table: {"Keys": todo}})
        except aws.ERRORS as error:
            raise aws.translate(error, "dynamodb.BatchGetItem") from error
        for item in answer["Responses"].get(table, []):
            if float(item.get("expires", {}).get("N", now + 1)) > now:
                yield read_state(item)
        todo = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])


def _send(playbook: str, pks: Sequence[str], token: str, deadline: Deadline) -> None:
    if not pks:
        return
    name = f"{os.environ['STACK']}-{playbook}-imports"
    sqs = aws.client("sqs")
    try:
        deadline.timeout(CALL_S, target="sqs.GetQueueUrl")
        queue = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        for start in range(0, len(pks), _MESSAGES):
            deadline.timeout(CALL_S, target="sqs.SendMessageBatch")
            entries = [
                {"Id": str(number), "MessageBody": body(pk, token)}
                for number, pk in enumerate(pks[start : start + _MESSAGES])
            ]
            answer = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
            if answer.get("Failed"):
                text = f"{len(answer['Failed'])} messages were not taken by {name}"
                raise TransientError(text, target="sqs.SendMessageBatch")
    except aws.ERRORS as error:
        raise aws.translate(error, "sqs") from error


def body(pk: str, token: str) -> str:
    """The message about one incident, as the engine's intake reads it."""
    return msgspec.json.encode({"hub_responder": "restored", "pk": pk, "event_id": token}).decode()

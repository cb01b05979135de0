"""Writes and ends pauses; see `hub_responder.ledger.pauses` for what the ledger keeps of them.

The order of the writes is such that a command that dies can be given again. What all are paused for
is listed before any playbook's own item is written, and taken from the list after the last is gone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from hub_responder.clock import iso
from hub_responder.ledger import pauses
from hub_responder.ledger.pauses import EVERYTHING, Pause

if TYPE_CHECKING:
    from hub_toolkit.stack import Stack
    from hub_toolkit.trail.operator import Operator

TABLE = "LedgerTable"
FUNCTIONS = ("lapsed", "sync")
"""Scheduled functions that have effects of their own."""
RECORDED = "all"
"""The name in records of what is done to all playbooks."""
_One = TypeVar("_One")
_ITEMS = 90
_MESSAGES = 10
_DELETES = 25


class Paused(msgspec.Struct, frozen=True):
    """One playbook or function that is paused.

    Attributes:
        all: by the pause of all. since: ISO 8601. who: the ARN. waiting: its incidents that wait.
    """

    name: str
    all: bool
    since: str
    who: str
    why: str
    waiting: int


class Resumed(msgspec.Struct, frozen=True):
    """What the end of a pause did: ``was`` paused at all, and ``woken`` incidents by playbook.

    ``still``: those that are paused by another pause.
    """

    was: bool
    woken: Mapping[str, int]
    still: Sequence[str]


class Pausing:
    """The pauses of one stack.

    Raises:
        DeploymentError: here and in all methods: the deployment cannot be asked.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._table = stack.table(TABLE)

    def names(self) -> list[str]:
        """What can be paused: the deployed playbooks, by their queues, and the functions."""
        return sorted({*self._stack.playbooks(), *FUNCTIONS})

    def listed(self) -> dict[str, Pause]:
        """What operators asked for: `EVERYTHING` or a name -> its pause."""
        found = self._query(pauses.LISTED)
        return {item["sk"]["S"]: pauses.read(item) for item in found}

    def paused(self) -> list[Paused]:
        """All that is paused, each once."""
        listed = self.listed()
        names = self.names() if EVERYTHING in listed else ()
        found = []
        for name in sorted({*names, *listed} - {EVERYTHING}):
            pause = listed.get(name) or listed[EVERYTHING]
            found.append(
                Paused(
                    name=name,
                    all=name not in listed,
                    since=iso(pause.since),
                    who=pause.who,
                    why=pause.why,
                    waiting=self._waiting(name),
                )
            )
        return found

    def pause(self, name: str, why: str, operator: Operator) -> Pause | None:
        """Stop the effects of ``name``, or of `EVERYTHING`; the pause that is there already, if so.

        What was paused is so when this returns: no effect begins any more.
        """
        held = self.listed()
        there = held.get(name)
        pause = there or Pause(operator.arn, why, time.time())
        everything = name == EVERYTHING
        if there is None:
            items = [self._put(pauses.listed(name), pause)]
            if not everything:
                items.append(self._put(pauses.own(name), pause))
            recorded = RECORDED if everything else name
            operator.record(recorded, "paused", items, step="_pause", why=why)
        if everything:  # also where it was listed before: whoever listed it may have died then
            own = [self._put(pauses.own(one), held.get(one, pause)) for one in self.names()]
            self._write(own)
        return there

    def resume(self, name: str, why: str, operator: Operator) -> Resumed:
        """Let ``name`` (or `EVERYTHING`) have its effects again, and wake what waits for that."""
        held = self.listed()
        everything = name == EVERYTHING
        names = self.names() if everything else [name]
        rest = held.get(EVERYTHING) if not everything else None
        still = [one for one in names if rest or (everything and one in held)]
        if not everything:
            own = self._put(pauses.own(name), rest) if rest else self._delete(pauses.own(name))
            items = [own, self._delete(pauses.listed(name))]
        else:
            self._write([self._delete(pauses.own(one)) for one in names if one not in held])
            items = [self._delete(pauses.listed(name))]
        if name in held:
            recorded = RECORDED if everything else name
            operator.record(recorded, "resumed", items, step="_pause", why=why)
        else:
            self._write(items)
        woken = {one: self._wake(one) for one in names if one not in still}
        return Resumed(name in held, {one: count for one, count in woken.items() if count}, still)

    def _wake(self, name: str) -> int:
        """Tell every incident of ``name`` that waits that it may go on; how many there are."""
        count = 0
        for items in _chunks(list(self._query(pauses.waiting(name))), _DELETES):
            for kind in ("imports", "clicks"):
                pks = [one["sk"]["S"] for one in items if one["queue"]["S"] == kind]
                self._send(f"{self._stack.stack}-{name}-{kind}", pks)
            keys = [{"DeleteRequest": {"Key": _key(one)}} for one in items]
            while keys:
                answer = self._stack.call(
                    "dynamodb", "batch_write_item", RequestItems={self._table: keys}
                )
                keys = answer.get("UnprocessedItems", {}).get(self._table, [])
            count += len(items)
        return count

    def _send(self, queue: str, pks: Sequence[str]) -> None:
        url = ""
        for some in _chunks(pks, _MESSAGES):
            url = url or self._stack.call("sqs", "get_queue_url", QueueName=queue)["QueueUrl"]
            entries = [{"Id": str(n), "MessageBody": _settle(pk)} for n, pk in enumerate(some)]
            while entries:
                answer = self._stack.call(
                    "sqs", "send_message_batch", QueueUrl=url, Entries=entries
                )
                failed = {one["Id"] for one in answer.get("Failed", [])}
                entries = [entry for entry in entries if entry["Id"] in failed]

    def _waiting(self, name: str) -> int:
        return sum(1 for _ in self._query(pauses.waiting(name)))

    def _query(self, pk: str) -> Iterator[dict[str, Any]]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
        }
        while True:
            answer = self._stack.call("dynamodb", "query", **request)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _write(self, items: Sequence[Mapping[str, Any]]) -> None:
        for some in _chunks(items, _ITEMS):
            self._stack.call("dynamodb", "transact_write_items", TransactItems=some)

    def _put(self, key: Mapping[str, Any], pause: Pause) -> dict[str, Any]:
        return {"Put": {"TableName": self._table, "Item": {**key, **pauses.attributes(pause)}}}

    def _delete(self, key: Mapping[str, Any]) -> dict[str, Any]:
        return {"Delete": {"TableName": self._table, "Key": key}}


def _chunks(items: Sequence[_One], size: int) -> Iterator[list[_One]]:
    for first in range(0, len(items), size):
        yield list(items[first : first + size])


def _key(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"pk": item["pk"], "sk": item["sk"]}


def _settle(pk: str) -> str:
    note = {"hub_responder": "settle", "pk": pk, "resumed": True}
    return msgspec.json.encode(note).decode()

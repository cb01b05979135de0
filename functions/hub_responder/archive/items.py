"""The audit table, read hour by hour."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder import aws
from hub_responder.archive.layout import Period, period_named

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline

CALL_S = 5.0
MAX_CONTENT = 32_000_000
"""Bytes that the kept texts of one item may unfold to; a hundred findings of 240 KB are less."""


class Item(msgspec.Struct, frozen=True):
    """One item of the table: records that were written together.

    Attributes:
        at: when, as its writer's clock had it (milliseconds since the epoch).
        run: whose: the invocation, or the command. seq: its number among the run's items, from 1.
        lines: the records, as JSON. prev: SHA-256 (hex) of the lines of the run's item before.
        contents: digest -> finding or text that records name by it.
    """

    at: int
    run: str
    seq: int
    lines: str
    prev: str = ""
    contents: Mapping[str, str] = {}

    @property
    def place(self) -> tuple[str, int]:
        """What is its alone."""
        return self.run, self.seq


def of_shard(
    period: Period, shard: int, table: str, deadline: Deadline, *, since: float = 0.0
) -> Iterator[Item]:
    """The items that were written in an hour in one of the table's shards, in the order of time.

    Args:
        since: only those from then on (epoch seconds).

    Raises:
        CallError: the table cannot be read, or the time is over.
    """
    request: dict[str, Any] = {
        "KeyConditionExpression": "pk = :pk AND sk >= :since",
        "ExpressionAttributeValues": {
            ":pk": {"S": f"{period.partition}#{shard:02d}"},
            ":since": {"S": str(int(max(since, period.start) * 1000))},
        },
    }
    while True:
        answer = _call("query", table, deadline, **request)
        for item in answer["Items"]:
            yield read(item)
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def first_hour(table: str, deadline: Deadline) -> Period | None:
    """The first hour of which the table holds anything; the whole table is read for it.

    Raises:
        CallError: as `of_shard`.
    """
    hours: set[str] = set()
    request: dict[str, Any] = {"ProjectionExpression": "pk"}
    while True:
        answer = _call("scan", table, deadline, **request)
        hours.update(item["pk"]["S"].partition("#")[0] for item in answer["Items"])
        if "LastEvaluatedKey" not in answer:
            return period_named(min(hours)) if hours else None
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _call(name: str, table: str, deadline: Deadline, **request: Any) -> dict[str, Any]:
    deadline.timeout(CALL_S, target=f"dynamodb.{name}")
    read_ = getattr(aws.client("dynamodb"), name)
    try:
        answer: dict[str, Any] = read_(TableName=table, ConsistentRead=True, **request)
    except aws.ERRORS as error:
        raise aws.translate(error, f"dynamodb.{name}") from error
    return answer


def read(item: Mapping[str, Any]) -> Item:
    """`Item` from the wire form."""
    at, run, seq = item["sk"]["S"].rsplit("#", 2)
    held = item.get("contents", {}).get("B", b"")
    return Item(
        at=int(at),
        run=run,
        seq=int(seq),
        lines=item["records"]["S"],
        prev=item.get("prev", {}).get("S", ""),
        contents=dict(_unfolded(held)) if held else {},
    )


def _unfolded(held: bytes) -> Iterator[tuple[str, str]]:
    """What is kept: JSON lines, in zlib streams one after the other."""
    room = MAX_CONTENT
    while held and room > 0:
        unfold = zlib.decompressobj()
        text = unfold.decompress(held, room)
        for line in text.splitlines():
            yield msgspec.json.decode(line, type=tuple[str, str])
        held, room = unfold.unused_data, room - len(text)

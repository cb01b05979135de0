"""The audit records of a deployment: of its archive, and of its table what is not sealed yet."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from hub_responder.archive.layout import DIGESTS, Period, period_at, period_of
from hub_responder.audit import SHARDS
from hub_responder.clock import iso
from hub_toolkit.archive.holdings import Bucket

if TYPE_CHECKING:
    from hub_toolkit.archive.holdings import Holdings
    from hub_toolkit.stack import Stack

Record = Mapping[str, Any]
TABLE = "AuditTable"
ARCHIVE = "ArchiveBucket"
READERS = 16
SCANNED_S = 48 * 3600.0
"""Where so much is not sealed yet, the table is read as a whole: in a new deployment."""


def read(stack: Stack, since: float, until: float, holding: Sequence[str] = ()) -> Iterator[Record]:
    """The records written from ``since`` to ``until`` (epoch seconds), in no order.

    Args:
        holding: only those in which one of these texts stands; none: all.

    Raises:
        DeploymentError: the table or the archive is not there or cannot be read.
    """
    holdings = Bucket(stack, stack.bucket(ARCHIVE))
    first, last, sealed = period_at(since), period_at(until), newest(holdings)
    if sealed is not None and first <= sealed:
        yield from archived(holdings, since, until, holding)
        first = sealed.next
    if last.start - first.start > SCANNED_S:
        yield from _scanned(stack, since, until, holding)
        return
    hours = []
    while first <= last:
        hours.append(first)
        first = first.next
    yield from live(stack, hours, since, until, holding)


def newest(holdings: Holdings) -> Period | None:
    """The last hour that is sealed."""
    periods = (period_of(held.key) for held in holdings.listed(f"{DIGESTS}/"))
    return max((one for one in periods if one is not None), default=None)


def archived(
    holdings: Holdings, since: float, until: float, holding: Sequence[str] = ()
) -> Iterator[Record]:
    """What the archive holds; see `read`."""
    from hub_toolkit.archive.tables import tables

    texts = {f"text{number}": text for number, text in enumerate(holding)}
    stands = " OR ".join(f"contains(raw_data, ${name})" for name in texts) or "true"
    with tables(holdings, period_at(since), period_at(until)) as found:
        rows = found.ask(
            "SELECT raw_data FROM events WHERE time >= $since AND time < $until"  # noqa: S608
            f" AND ({stands}) ORDER BY time",
            since=int(since * 1000),
            until=int(until * 1000) + 1,
            **texts,
        )
    for (line,) in rows:
        yield json.loads(line)


def live(
    stack: Stack, hours: list[Period], since: float, until: float, holding: Sequence[str] = ()
) -> Iterator[Record]:
    """What the table holds of some hours; see `read`."""
    table = stack.table(TABLE)

    def shard(place: tuple[Period, int]) -> list[Record]:
        partition = {":pk": {"S": f"{place[0].partition}#{place[1]:02d}"}}
        lines = _lines(
            stack,
            "query",
            TableName=table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=partition,
        )
        return list(_between(lines, since, until, holding))

    places = [(hour, number) for hour in hours for number in range(SHARDS)]
    with ThreadPoolExecutor(READERS) as pool:
        for found in pool.map(shard, places):
            yield from found


def _scanned(stack: Stack, since: float, until: float, holding: Sequence[str]) -> Iterator[Record]:
    lines = _lines(
        stack,
        "scan",
        TableName=stack.table(TABLE),
        FilterExpression="sk >= :since",
        ExpressionAttributeValues={":since": {"S": str(int(since * 1000))}},
    )
    yield from _between(lines, since, until, holding)


def _between(
    lines: Iterable[str], since: float, until: float, holding: Sequence[str]
) -> Iterator[Record]:
    first, last = iso(since), iso(until)
    for line in lines:
        if not holding or any(text in line for text in holding):
            record = json.loads(line)
            if first <= record["at"] <= last:
                yield record


def _lines(stack: Stack, operation: str, **request: Any) -> Iterator[str]:
    request |= {"ProjectionExpression": "#r", "ExpressionAttributeNames": {"#r": "records"}}
    while True:
        answer = stack.call("dynamodb", operation, **request)
        for item in answer["Items"]:
            yield from filter(None, item["records"]["S"].split("\n"))
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

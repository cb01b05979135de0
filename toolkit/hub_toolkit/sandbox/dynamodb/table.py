"""A table's items: partitions of records in the order of their range keys."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hub_toolkit.sandbox.dynamodb.keys import Key, KeySchema
from hub_toolkit.sandbox.dynamodb.streams import Stream
from hub_toolkit.sandbox.dynamodb.values import Item, Sortable, item_size, spell

_FIVE_YEARS = 5 * 365 * 86_400


@dataclass(frozen=True, slots=True)
class Record:
    """A stored item, never changed, and its size in bytes."""

    item: Item
    size: int

    @classmethod
    def of(cls, item: Item) -> Record:
        """An item, measured."""
        return cls(item, item_size(item))


@dataclass(slots=True)
class Partition:
    """The records of one hash key; ``order`` holds their positions, sorted."""

    records: dict[Sortable, Record] = field(default_factory=dict)
    order: list[Sortable] = field(default_factory=list)


_EMPTY = Partition()


class Table:
    """The items of one table and what the control plane says about it.

    Single items and ranges of a partition are found without regard to the table's size. Scans
    follow a hash of the hash key, as they do in DynamoDB, so their order tells nothing.

    Args:
        name: the table's name.
        schema: its key.
        description: its ``TableDescription``, less the counts.
    """

    def __init__(self, name: str, schema: KeySchema, description: dict[str, Any]) -> None:
        self.name = name
        self.schema = schema
        self.description = description
        self.ttl_attribute: str | None = None
        self.recovery: dict[str, Any] | None = None
        self.tags: dict[str, str] = {}
        self.stream: Stream | None = None
        self._partitions: dict[Sortable, Partition] = {}
        self._places: list[tuple[bytes, Sortable]] = []
        self._count = 0
        self._bytes = 0

    def get(self, key: Key) -> Record | None:
        """The record with the key."""
        return self.partition(key[0]).records.get(key[1])

    def partition(self, name: Sortable) -> Partition:
        """The records of a hash key, to be read."""
        return self._partitions.get(name, _EMPTY)

    def put(self, key: Key, record: Record) -> None:
        """Store an item under its key, in place of one that is there."""
        partition = self._partitions.get(key[0])
        if partition is None:
            partition = self._partitions[key[0]] = Partition()
            insort(self._places, (_digest(key[0]), key[0]))
        old = partition.records.get(key[1])
        partition.records[key[1]] = record
        if old is None:
            insort(partition.order, key[1])
            self._count += 1
        self._bytes += record.size - (old.size if old else 0)
        if self.stream is not None:
            self.stream.changed(self.schema, old, record, expired=False)

    def delete(self, key: Key, *, expired: bool = False) -> None:
        """Forget the item with the key, if there is one; ``expired``: its time to live is over."""
        partition = self._partitions.get(key[0])
        record = partition.records.pop(key[1], None) if partition else None
        if partition is None or record is None:
            return
        del partition.order[bisect_left(partition.order, key[1])]
        self._count -= 1
        self._bytes -= record.size
        if not partition.records:
            del self._partitions[key[0]]
            del self._places[bisect_left(self._places, (_digest(key[0]), key[0]))]
        if self.stream is not None:
            self.stream.changed(self.schema, record, None, expired=expired)

    def scan(self, after: Key | None, segment: int, segments: int) -> Iterator[tuple[Key, Record]]:
        """All records of a segment in the scan's order, from the first after a key."""
        first = 0 if after is None else bisect_left(self._places, (_digest(after[0]), after[0]))
        for digest, name in self._places[first:]:
            if digest[0] * segments // 256 != segment:
                continue
            partition = self._partitions[name]
            begin = 0
            if after is not None and name == after[0]:
                begin = bisect_right(partition.order, after[1])
            for position in partition.order[begin:]:
                yield (name, position), partition.records[position]

    def expire(self, now: float) -> int:
        """Delete what its time to live has passed; the number of items.

        As documented, a time that is no number, or more than five years ago, deletes nothing.
        """
        attribute = self.ttl_attribute
        if attribute is None:
            return 0
        expired = [
            key
            for key, record in self.scan(None, 0, 1)
            if (until := record.item.get(attribute, {}).get("N")) is not None
            and now - _FIVE_YEARS < Decimal(until) < now
        ]
        for key in expired:
            self.delete(key, expired=True)
        return len(expired)

    def describe(self) -> dict[str, Any]:
        """The table's ``TableDescription``; counts are exact here, six hours old in AWS."""
        return {**self.description, "ItemCount": self._count, "TableSizeBytes": self._bytes}


def _digest(name: Sortable) -> bytes:
    content = name if isinstance(name, bytes) else spell(name).encode()
    return hashlib.blake2b(content, digest_size=8).digest()

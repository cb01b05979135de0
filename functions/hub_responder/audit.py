"""The audit trail: append-only records, written in the transaction of what they tell of.

One item packs the records of one transaction, as JSON lines in one string attribute (a map of
attributes costs DynamoDB's client twice the time); more items only where one incident's records
outgrow it. Partition ``{hour}#{shard}``, sort ``{ms}#{request}#{seq}``: a day is read as 24 x 16
partitions, each in the order of time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from zlib import crc32

import msgspec

from hub_responder import clock
from hub_responder.playbook import Playbook

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Appended:
    """Items of one transaction with records, and the SHA-256 (hex) of the last one's lines."""

    items: Sequence[dict[str, Any]]
    last: str


SHARDS = 16
MAX_DETAIL = 300
MAX_LINE = 100_000
"""Bytes of one record as a line; one that names more findings is written as several."""
KEEP_S = 40 * 86_400.0
"""How long the table keeps a record; the archive has it within hours."""
MAX_ITEM = 300_000
"""Bytes of lines in one item, of the 400 KB that DynamoDB takes."""


class Audit:
    """Makes the records of one invocation.

    Args:
        table: the audit table. playbook: what acts, with its version.
        request_id: of the invocation.
    """

    def __init__(self, table: str, playbook: Playbook, request_id: str) -> None:
        self._table = table
        self._head = {"playbook": playbook.name, "version": playbook.version}
        if playbook.commit:
            self._head["commit"] = playbook.commit
        self._run = request_id
        self._shard = crc32(request_id.encode()) % SHARDS
        self._made = 0
        self._written = 0
        self._last = ""

    def record(self, kind: str, **fields: Any) -> Record:
        """A record of now; fields that are None or empty are left out, ``detail`` is bounded."""
        detail = str(fields.get("detail", "") or "")
        if len(detail) > MAX_DETAIL:
            fields["detail"] = detail[: MAX_DETAIL - 1] + "…"
        kept = {name: value for name, value in fields.items() if value or value == 0}
        self._made += 1
        named = {"id": f"{self._run}.{self._made}", "at": clock.iso(clock.now()), "kind": kind}
        return {**named, **self._head, **kept}

    def append(self, lines: Sequence[bytes]) -> Appended:
        """What appends ``lines`` (see `lines_of`) in a transaction, packed into items.

        The items of a run are numbered without holes, and each names the one before it. So they
        count once `keep` was told that they were written.
        """
        at, items, last = clock.now(), [], self._last
        partition = f"{clock.iso(at)[:13]}#{self._shard:02d}"
        for number, group in enumerate(packed(lines), self._written + 1):
            text = b"\n".join(group)
            item = {
                "pk": {"S": partition},
                "sk": {"S": f"{int(at * 1000)}#{self._run}#{number:04d}"},
                "records": {"S": text.decode()},
                "expires": {"N": str(int(at + KEEP_S))},
            }
            if last:
                item["prev"] = {"S": last}
            put = {"TableName": self._table, "Item": item}
            items.append({"Put": {**put, "ConditionExpression": "attribute_not_exists(pk)"}})
            last = sha256(text).hexdigest()
        return Appended(items, last)

    def keep(self, appended: Appended) -> None:
        """They were written."""
        self._written += len(appended.items)
        self._last = appended.last


def lines_of(record: Record) -> list[bytes]:
    """``record`` as it is written: one line of JSON, several where it names very many findings."""
    line = msgspec.json.encode(record)
    if len(line) <= MAX_LINE:
        return [line]
    result = record.get("result")
    if result and len(msgspec.json.encode(result)) > MAX_LINE // 2:
        return lines_of({**record, "result": {"left_out": "too large to keep"}})
    findings = record.get("findings", ())
    half = len(findings) // 2
    if not half:
        return [line]
    halves = enumerate((findings[:half], findings[half:]), 1)
    named = ({**record, "id": f"{record.get('id')}.{n}", "findings": part} for n, part in halves)
    return [line for part in named for line in lines_of(part)]


def packed(lines: Sequence[bytes]) -> Iterator[list[bytes]]:
    """``lines`` in groups that fit one item each."""
    group: list[bytes] = []
    size = 0
    for line in lines:
        if group and size + len(line) > MAX_ITEM:
            yield group
            group, size = [], 0
        group.append(line)
        size += len(line)
    if group:
        yield group

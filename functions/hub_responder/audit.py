"""The audit trail: append-only records, written in the transaction of what they tell of.

One item packs the records of one transaction, as JSON lines in one string attribute (a map of
attributes costs DynamoDB's client twice the time); more items only where one incident's records
outgrow it. Partition ``{hour}#{shard}``, sort ``{ms}#{request}#{seq}``: a day is read as 24 x 16
partitions, each in the order of time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from zlib import crc32

import msgspec

from hub_responder import clock
from hub_responder.playbook import Playbook

Record = Mapping[str, Any]
SHARDS = 16
MAX_DETAIL = 300
MAX_LINE = 100_000
"""Bytes of one record as a line; one that names more findings is written as several."""
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
        self._request_id = request_id
        self._shard = crc32(request_id.encode()) % SHARDS
        self._sequence = 0

    def record(self, kind: str, **fields: Any) -> Record:
        """A record of now; fields that are None or empty are left out, ``detail`` is bounded."""
        detail = str(fields.get("detail", "") or "")
        if len(detail) > MAX_DETAIL:
            fields["detail"] = detail[: MAX_DETAIL - 1] + "…"
        kept = {name: value for name, value in fields.items() if value or value == 0}
        return {"at": clock.iso(clock.now()), "kind": kind, **self._head, **kept}

    def put(self, lines: Sequence[bytes]) -> dict[str, Any]:
        """The transaction item that appends ``lines`` (see `lines_of`); its key is used once."""
        at = clock.now()
        self._sequence += 1
        hour = clock.iso(at)[:13]
        return {
            "Put": {
                "TableName": self._table,
                "Item": {
                    "pk": {"S": f"{hour}#{self._shard:02d}"},
                    "sk": {"S": f"{int(at * 1000)}#{self._request_id}#{self._sequence:04d}"},
                    "records": {"S": b"\n".join(lines).decode()},
                },
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }


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
    first, second = ({**record, "findings": part} for part in (findings[:half], findings[half:]))
    return [*lines_of(first), *lines_of(second)]


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

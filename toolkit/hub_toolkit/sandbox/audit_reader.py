"""Reads the audit trail from the audit table's items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec


def records(items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every audit record, oldest first.

    Args:
        items: the table's items in DynamoDB's JSON; ``records`` holds JSON lines.
    """
    parsed: list[tuple[str, str, int, dict[str, Any]]] = []
    for item in items:
        key = str(item.get("sk", {}).get("S", ""))
        lines = str(item.get("records", {}).get("S", "")).split("\n")
        for number, line in enumerate(filter(None, lines)):
            record = msgspec.json.decode(line)
            parsed.append((str(record.get("at", "")), key, number, record))
    parsed.sort(key=lambda entry: entry[:3])
    return [record for *_, record in parsed]

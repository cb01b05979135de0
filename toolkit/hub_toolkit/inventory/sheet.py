"""A report as CSV: a line for each day or hour and account, region or policy."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from hub_responder.actions.fleet_report import plain
from hub_toolkit.inventory.moments import iso
from hub_toolkit.inventory.said import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub_toolkit.inventory.said import Said
    from hub_toolkit.inventory.trend import Bucket, Counts, Trend

ALL = "*"
"""The line of all of them."""


def table(trend: Trend, said: Said, unit: str) -> bytes:
    """UTF-8 with a byte order mark, so that Excel reads names in Japanese; what a spreadsheet would
    take for a formula begins with an apostrophe. A bucket without a snapshot is a line without
    numbers."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow([unit, "taken_at", trend.by, *VERDICTS, "total", "percent"])
    for bucket in trend.buckets:
        begins = said.begins(bucket.start, unit)
        for name, counts in _lines(bucket):
            writer.writerow([begins, _taken(bucket), plain(name), *_numbers(counts)])
        if bucket.taken_at is None:
            writer.writerow([begins, "", ALL, *[""] * 6])
    return file.getvalue().encode("utf-8-sig")


def _lines(bucket: Bucket) -> Iterator[tuple[str, Counts]]:
    if bucket.taken_at is not None:
        yield ALL, bucket.all
        yield from bucket.groups.items()


def _taken(bucket: Bucket) -> str:
    return iso(bucket.taken_at) if bucket.taken_at is not None else ""


def _numbers(counts: Counts) -> Iterator[str]:
    for name in (*VERDICTS, "total"):
        yield str(getattr(counts, name))
    yield "" if counts.percent is None else f"{counts.percent:.1f}"

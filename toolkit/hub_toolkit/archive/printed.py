"""Verdicts for people."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from hub_toolkit.archive.verdicts import MEANINGS

if TYPE_CHECKING:
    from rich.console import Console

    from hub_toolkit.archive.verdicts import Report

SHOWN = 50
"""Rows of what is wrong; the rest is counted, and all of it is in the JSON."""


def print_report(console: Console, report: Report) -> None:
    """The archive in one sentence, and what is wrong with it."""
    keys = ", ".join(one[:12] for one in report.keys)
    console.print(f"{report.archive} ({report.deployment or 'nothing sealed'}), by key {keys}:")
    if not report.periods:
        console.print("nothing is sealed there")
        return
    wrong = report.wrong
    counts = Counter(one.verdict for one in report.periods)
    told = ", ".join(f"{number} {verdict}" for verdict, number in counts.most_common())
    span = f"{report.first[:13]}Z to {report.last[:13]}Z"
    console.print(f"{len(report.periods)} hours, {span}, {report.records:,} records: {told}")
    if not wrong:
        console.print("Every record is there, as it was sealed.", style="bold green")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("hour", "verdict", "object", "what is wrong"):
        table.add_column(column, overflow="fold")
    rows = [(one.start, finding) for one in wrong for finding in one.findings]
    for start, finding in rows[:SHOWN]:
        cells = (start[:13] or "none", finding.verdict, finding.key, finding.detail)
        table.add_row(*map(Text, cells))
    console.print(table)
    if len(rows) > SHOWN:
        console.print(f"and {len(rows) - SHOWN} more: --json has all of them")
    for verdict in sorted({finding.verdict for _, finding in rows}):
        console.print(Text(f"{verdict}: {MEANINGS[verdict]}"))

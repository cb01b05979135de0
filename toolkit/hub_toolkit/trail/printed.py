"""Reviews and observations as tables for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from rich.console import Console

    from hub_toolkit.trail.observed import Observed
    from hub_toolkit.trail.reviewed import Reviewed
    from hub_toolkit.trail.suppressions import Suppression
    from hub_toolkit.trail.timeline import Event


def print_review(console: Console, found: Sequence[Reviewed], days: int) -> None:
    """The playbooks, each with its remarks below it."""
    columns = ("playbook", "owner", "state", "since", "findings", "passed over", "rounds",
               "done", "failed", "observed", "last")  # fmt: skip
    table = _table(*columns)
    for one in found:
        counts = (one.findings, one.skipped, one.rounds, one.done, one.failed, one.observed)
        first = (one.name, one.owner or "nobody", one.state, one.since)
        table.add_row(*map(Text, (*first, *map(str, counts), one.last[:16] or "never")))
    console.print(f"The last {days} days:")
    console.print(table)
    for one in found:
        said = ([f"why: {one.why}"] if one.why else []) + one.remarks
        if said:
            console.print(Text(f"{one.name}: " + "; ".join(said)))


def print_suppressions(console: Console, found: Sequence[Suppression], today: str) -> None:
    """The suppressions, those that end first first."""
    if not found:
        console.print("\nNothing is suppressed.")
        return
    table = _table("ends", "owner", "why", "severity", "resource", "finding", "since")
    for one in found:
        ends = one.until[:10] + (" (over)" if one.until < today else "")
        about = (one.severity, one.resource.rpartition("/")[2], one.title or one.finding)
        table.add_row(*map(Text, (ends, one.owner or "nobody", one.why, *about, one.since[:10])))
    console.print(f"\n{len(found)} findings are suppressed:")
    console.print(table)


def print_observed(console: Console, found: Sequence[Observed], days: int) -> None:
    """What would have been done: sums by playbook, step and action, then each."""
    if not found:
        console.print(f"In the last {days} days nothing was only observed.")
        return
    console.print(f"In the last {days} days, had they been live:")
    sums = _table("playbook", "step", "uses", "times", "findings")
    for (playbook, step, uses), (times, findings) in _sums(found).items():
        sums.add_row(*map(Text, (playbook, step, uses, str(times), str(findings))))
    console.print(sums)
    table = _table("at", "playbook", "step", "would have")
    for one in found:
        table.add_row(*map(Text, (one.at[:19], one.playbook, one.step, one.would)))
    console.print(table)


def print_events(console: Console, found: Sequence[Event], zone: ZoneInfo) -> None:
    """A time line; times are local, and say so once."""
    table = _table(f"time ({zone.key})", "playbook", "what", "step", "detail", "by")
    for one in found:
        table.add_row(*map(Text, _cells(one, zone)))
    console.print(table)


def _cells(one: Event, zone: ZoneInfo) -> tuple[str, ...]:
    at = datetime.fromisoformat(one.at).astimezone(zone)
    what = f"{one.kind} {one.status}".strip()
    count = f" ({one.findings} findings)" if one.findings > 1 else ""
    step = one.step if one.step.startswith("_") else f"{one.step} {one.uses}".strip()
    time = f"{at:%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"
    return time, one.playbook, what + count, step, one.detail, one.who


def _sums(found: Iterable[Observed]) -> dict[tuple[str, str, str], tuple[int, int]]:
    times: Counter[tuple[str, str, str]] = Counter()
    findings: Counter[tuple[str, str, str]] = Counter()
    for one in found:
        key = (one.playbook, one.step, one.uses)
        times[key] += 1
        findings[key] += one.findings
    return {key: (times[key], findings[key]) for key in sorted(times)}


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table

"""One sandbox for all trials, and the tables at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from faults.stimuli import PROJECT
from faults.trials import Trials
from live import apart

COLUMNS = ("kind", "playbook", "step", "fault", "survived", "effects expected", "effects seen")
BY_KIND = ("kind", "faults tried", "survived", "effects expected", "effects seen")


@pytest.fixture(scope="session")
def trials() -> Iterator[Trials]:
    with apart(PROJECT) as live:
        yield Trials(live)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Every fault that was tried, in the order of playbooks."""
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        if getattr(report, "when", "") == "call"
    ]
    rows = [row for report in reports for name, row in report.user_properties if name == "tried"]
    if not rows:
        return
    table = Table(*COLUMNS)
    for row in sorted(rows, key=lambda row: (row["kind"], row["playbook"], row["fault"])):
        survived = "no" if row["wrong"] else "yes"
        numbers = (str(row["expected"]), str(row["seen"]))
        table.add_row(row["kind"], row["playbook"], row["step"], row["fault"], survived, *numbers)
    by_kind = Table(*BY_KIND)
    for kind in sorted({row["kind"] for row in rows}):
        by_kind.add_row(kind, *_sums([row for row in rows if row["kind"] == kind]))
    by_kind.add_row("all", *_sums(rows))
    terminalreporter.write_line("")
    console = Console(width=160)
    console.print(table)
    console.print(by_kind)


def _sums(rows: list[dict[str, Any]]) -> tuple[str, ...]:
    """Faults tried, survived, effects expected and seen; more are seen than expected where what is
    in doubt may come twice, or is told anew."""
    survived = sum(not row["wrong"] for row in rows)
    effects = (sum(row[name] for row in rows) for name in ("expected", "seen"))
    return str(len(rows)), str(survived), *map(str, effects)

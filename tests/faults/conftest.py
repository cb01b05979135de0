"""One sandbox for all trials, and the table at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from faults.stimuli import PROJECT
from faults.trials import Trials
from live import apart

COLUMNS = ("playbook", "step", "fault", "survived", "effects expected", "effects seen")


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
    for row in sorted(rows, key=lambda row: (row["playbook"], row["fault"])):
        survived = "no" if row["wrong"] else "yes"
        numbers = (str(row["expected"]), str(row["seen"]))
        table.add_row(row["playbook"], row["step"], row["fault"], survived, *numbers)
    terminalreporter.write_line("")
    Console(width=120).print(table)
    survived = sum(not row["wrong"] for row in rows)
    terminalreporter.write_line(f"{len(rows)} faults tried, {survived} survived")

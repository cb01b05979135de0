"""What people see of checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from rich.console import Console

    from hub_toolkit.checks.told import Checked

_SHOWN: Mapping[str, str] = {
    "good": "[green]ok[/]",
    "warning": "[yellow]warning[/]",
    "failed": "[red]failed[/]",
    "unproved": "[yellow]not proved[/]",
    "skipped": "[dim]skipped[/]",
}


def print_checks(console: Console, checked: Sequence[Checked]) -> None:
    """A row for each thing that was looked at, and what to do about it."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head in ("connection", "type", "what", "", "found"):
        table.add_column(head, overflow="fold")
    for one in checked:
        name, kind = one.name, one.type
        for told in one.told:
            said = escape(told.said)
            if told.do and told.state != "good":
                said += f"\n[bold]→[/] {escape(told.do)}"
            elif told.do:
                said += f"; {escape(told.do)}"
            table.add_row(escape(name), escape(kind), told.what, _SHOWN[told.state], said)
            name = kind = ""
    console.print(table)
    failed = [one.name for one in checked if one.failed]
    if failed:
        console.print(
            f"\n[red]{len(failed)} of {len(checked)} fail:[/] {escape(', '.join(failed))}"
        )
    else:
        console.print(f"\nNothing fails of {len(checked)}.")

"""What people see of a run of cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hub_toolkit.dry.judge import ended

if TYPE_CHECKING:
    from rich.console import Console

    from hub_toolkit.dry.judge import Failure
    from hub_toolkit.dry.trial import Result

_STYLES = {"done": "green", "failed": "red", "skipped": "dim", "deferred": "yellow"}


class Report:
    """Prints results as they come.

    Args:
        verbose: each case is told of, also those that pass, with what was done in it.
    """

    def __init__(self, console: Console, *, verbose: bool) -> None:
        self._console = console
        self._verbose = verbose
        self._playbook = ""
        self._results: list[Result] = []

    def add(self, result: Result) -> None:
        """Tell of one case."""
        self._results.append(result)
        if result.passed and not self._verbose:
            return
        case = result.case
        if case.source.name != self._playbook:
            self._playbook = case.source.name
            self._console.print(Text(self._playbook, style="bold"))
        mark = (
            Text("  ok   ", style="green") if result.passed else Text("  FAIL ", style="bold red")
        )
        self._console.print(mark.append(case.name, style="" if result.passed else "bold"))
        if not result.passed:
            self._console.print(Text(f"       {case.place}", style="dim"))
            for failure in result.failures:
                self._console.print(Padding(_failure(failure), (0, 0, 0, 7)))
        if self._verbose:
            self._console.print(Padding(_happened(result), (0, 0, 0, 7)))

    def end(self, seconds: float, without: Sequence[str]) -> None:
        """Tell how it went.

        Args:
            seconds: real ones, of the whole run. without: playbooks that have no case.
        """
        for name in without:
            self._console.print(Text(f"{name} has no test case", style="yellow"))
        failed = sum(not result.passed for result in self._results)
        playbooks = {result.case.source.name for result in self._results}
        text = f"{_count(len(self._results), 'case')} of {_count(len(playbooks), 'playbook')}: "
        text += f"{failed} failed, " if failed else ""
        text += f"{len(self._results) - failed} passed, {seconds:.2f} s"
        self._console.print(Text(text, style="bold red" if failed else "green"))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _failure(failure: Failure) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column()
    table.add_column(overflow="fold")
    rows = [("expected", failure.expected, "green"), ("got", failure.got, "red")]
    if failure.because:
        rows.append(("because", failure.because, ""))
    for number, (label, text, style) in enumerate(rows):
        name = failure.what if not number else ""
        table.add_row(Text(name), Text(label, style="dim"), Text(text, style=style))
    return table


def _happened(result: Result) -> Table:
    """Rules, steps, and what would have been sent."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    seen = result.seen
    name = result.case.source.name
    table.add_row("rules", Text(", ".join(seen.rules_of(name)) or "none"))
    for rule, mismatches in seen.mismatches_of(name).items() if not seen.rules else ():
        for mismatch in mismatches:
            table.add_row("", Text(f"{rule}: {mismatch}"))
    for line, style in _steps(result):
        table.add_row("step", Text(line, style=style))
    for record in seen.records:
        if record["kind"] == "skipped" and record.get("detail"):
            table.add_row("skipped", Text(str(record["detail"])))
    for delivery in seen.deliveries:
        table.add_row(delivery.kind, Text(f"to {delivery.connection} ({delivery.system})"))
        table.add_row("", Text(delivery.text, style="dim"))
    return table


def _steps(result: Result) -> Iterable[tuple[str, str]]:
    for step, ends in ended(result.seen.records).items():
        for one in ends:
            yield f"{step} ({one.uses}): {one.status}: {one.detail}", _STYLES.get(one.status, "")

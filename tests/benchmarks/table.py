"""The rows of the table, their limits, and how they look."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

BEGIN = "<!-- measured: written by `make bench` with --write -->"
END = "<!-- end of what was measured -->"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. ``limit`` is the most it may be, None where it only informs."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    note: str = ""

    @property
    def exceeded(self) -> bool:
        """It is over its limit."""
        return self.limit is not None and round(self.value, 2) > self.limit

    def cells(self) -> tuple[str, str, str, str, str]:
        """What, value, limit, verdict, note."""
        limit = "" if self.limit is None else f"{self.limit:g} {self.unit}"
        verdict = "" if self.limit is None else "OVER" if self.exceeded else "ok"
        return (
            self.name,
            f"{_short(self.value)} {self.unit}".strip(),
            limit.strip(),
            verdict,
            self.note,
        )


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


HEAD = ("What", "Measured", "Limit", "", "How")


def machine() -> str:
    """What it ran on."""
    cores, load = os.cpu_count(), os.getloadavg()[0]
    return (
        f"{platform.system()} {platform.machine()}, {cores} cores (load {load:.1f}),"
        f" Python {platform.python_version()}"
    )


def show(rows: Sequence[Row], heading: str) -> None:
    """Print the table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=heading, title_justify="left")
    for number, name in enumerate(HEAD):
        table.add_column(name, justify="right" if number in (1, 2) else "left")
    for row in rows:
        table.add_row(*row.cells(), style="bold red" if row.exceeded else None)
    Console().print(table)


def markdown(rows: Sequence[Row], heading: str) -> str:
    """The table for a document, between its marks."""
    lines = [HEAD, ("---", "--:", "--:", "---", "---"), *(row.cells() for row in rows)]
    table = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
    return f"{BEGIN}\n{heading}\n\n{table}\n{END}"


def write(path: Path, text: str) -> None:
    """Put ``text`` where the document holds the last table.

    Raises:
        ValueError: the document has no such place.
    """
    held = path.read_text(encoding="utf-8")
    pattern = re.escape(BEGIN) + ".*?" + re.escape(END)
    changed, count = re.subn(pattern, lambda _match: text, held, count=1, flags=re.DOTALL)
    if not count:
        raise ValueError(f"{path} has no place for the table: {BEGIN} ... {END}")
    path.write_text(changed, encoding="utf-8")

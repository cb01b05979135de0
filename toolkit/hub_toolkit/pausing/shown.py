"""What is paused, on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from hub_responder.markdown.characters import clean, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from hub_toolkit.pausing.pausing import Paused


def print_paused(console: Console, paused: Sequence[Paused]) -> None:
    """The playbooks and functions that are paused."""
    if not paused:
        console.print("Nothing is paused.")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("paused", "since", "by", "why", "waiting"):
        table.add_column(column, overflow="fold")
    for one in paused:
        why = f"{one.why} (all)" if one.all else one.why
        who = one.who.rpartition(":")[2]
        cells = (one.name, one.since[:16], who, why, str(one.waiting))
        table.add_row(*(Text(one_line(clean(cell))) for cell in cells))
    console.print(table)

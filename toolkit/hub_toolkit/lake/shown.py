"""Sources in Security Lake, on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from hub_responder.markdown.characters import clean, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from hub_toolkit.lake.delivered import Delivered
    from hub_toolkit.lake.own import Status


def print_status(console: Console, status: Status) -> None:
    """The sources that the archive is copied to."""
    if not status.sources:
        console.print("Nothing is registered.")
        return
    rows = []
    for one in status.sources:
        state = one.phase if one.there else f"{one.phase}, not in Security Lake"
        last = one.last_key.removeprefix(one.location).strip("/") or "nothing yet"
        failing = f"{one.failing_since[:16]} {one.failure}" if one.failure else ""
        rows.append((one.name, state, last, one.delivered_at[:16], one.table, failing))
    columns = ("source", "state", "last delivered", "at", "table", "failing since")
    console.print(_table(columns, rows))
    for trouble in status.troubles:
        said = f"{trouble.at} {trouble.exception} {trouble.remediation}"
        console.print(Text(one_line(clean(f"Security Lake says: {said}"))))


def print_deliveries(console: Console, deliveries: Sequence[Delivered]) -> None:
    """What Trend delivers."""
    if not deliveries:
        console.print("Nothing is registered.")
        return
    rows = [
        (
            one.event_class,
            one.source or "not of this stack",
            "yes" if one.registered else "no",
            one.location,
        )
        for one in deliveries
    ]
    console.print(_table(("event class", "source", "registered", "location"), rows))


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for cells in rows:
        table.add_row(*(Text(one_line(clean(cell))) for cell in cells))
    return table

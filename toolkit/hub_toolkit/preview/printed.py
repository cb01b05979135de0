"""What a preview says in a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from rich.markup import escape
from rich.table import Table

from hub_toolkit.preview.measures import Measure, shortened

if TYPE_CHECKING:
    from rich.console import Console

    from hub_toolkit.preview.taken import Taken


class Shown(msgspec.Struct, frozen=True):
    """One target.

    Attributes:
        target: as ``--as`` takes it. connection, type: what it was looked at through.
        invented: the project has no connection of the type.
        error: why nothing would be sent, or empty.
        sent: the requests: method, path (or AWS operation) and body, credentials masked.
        sizes: against the most that is sent. shortened: where something was left out.
    """

    target: str
    connection: str
    type: str
    invented: bool
    language: str
    title: str
    error: str
    sent: list[dict[str, Any]]
    sizes: list[Measure]
    shortened: list[str]


def shown(name: str, taken: Taken) -> Shown:
    """What is told of one target."""
    first = taken.sent[0].body if taken.sent else {}
    return Shown(
        target=name,
        connection=taken.connection,
        type=taken.target.kind,
        invented=taken.invented,
        language=taken.document.language,
        title=taken.document.title,
        error=taken.error,
        sent=[{"method": one.method, "path": one.path, "body": one.body} for one in taken.sent],
        sizes=taken.target.sizes(first) if taken.sent else [],
        shortened=shortened(taken.document, first) if taken.sent else [],
    )


def print_all(console: Console, taken: Mapping[str, Taken]) -> None:
    """Each target: the request exactly as it is sent, its sizes, what was shortened."""
    for name, one in taken.items():
        told = shown(name, one)
        what = f"{one.target.title} ({told.connection}{', invented' if told.invented else ''})"
        console.rule(escape(what), align="left")
        if told.error:
            console.print(f"[red]{escape(told.error)}[/]")
        for each in one.sent:
            console.print(f"{escape(each.method)} {escape(each.path)}")
            text = msgspec.json.format(msgspec.json.encode(each.body), indent=2).decode()
            console.print(text, markup=False, soft_wrap=True)
        if told.sizes:
            console.print(_sizes(told.sizes))
        for line in told.shortened:
            console.print(f"shortened: {line}", markup=False)


def _sizes(sizes: list[Measure]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("size")
    table.add_column("of it", justify="right")
    table.add_column("at most", justify="right")
    table.add_column("")
    for one in sizes:
        style = "red" if one.size > one.limit else None
        table.add_row(one.what, f"{one.size:,}", f"{one.limit:,}", one.unit, style=style)
    return table

"""``hub-responder inventory report``: the fleet's coverage over time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from hub_toolkit.cli.deployed import CONNECTION, ROOT, STAGE, place
from hub_toolkit.cli.options import AsJson, Endpoint, Stack

if TYPE_CHECKING:
    from hub_toolkit.inventory.periods import Period
    from hub_toolkit.inventory.place import Place
    from hub_toolkit.inventory.trend import Trend

USUAL_S = 30 * 86_400.0


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="What the history of the inventory says of the fleet.")
    group.callback()(lambda: None)  # with one command alone, typer would leave its name out
    group.command("report")(report)
    app.add_typer(group, name="inventory", no_args_is_help=True)


def report(
    *,
    start: Annotated[
        str | None,
        typer.Option("--from", help="2026-11-01, 2026-11-01T12:00Z or -90d; 30 days if left out."),
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Now if left out.")] = None,
    by: Annotated[
        Literal["account", "region", "policy"], typer.Option(help="What is told apart.")
    ] = "account",
    csv: Annotated[Path | None, typer.Option(help="Write all figures to this CSV file.")] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write a page with charts to this file.")
    ] = None,
    as_json: AsJson = False,
    connection: CONNECTION = None,
    endpoint: Endpoint = None,
    stack: Stack = None,
    stage: STAGE = "prod",
    root: ROOT = Path(),
) -> None:
    """Report how many instances were protected, by day (by hour up to two days) and account.

    The last snapshot of each day or hour is read. Exit code 1: there is none in the range.
    2: bad usage, or the deployment cannot be asked.
    """
    from hub_toolkit.inventory.trend import trend

    with place(root, stage, endpoint=endpoint, stack=stack, connection=connection) as deployed:
        period = _period(start, end, deployed)
        found = trend(deployed.history(), deployed.connection, period, by)
        if found is None:
            typer.echo(_nothing(period, deployed), err=True)
            raise typer.Exit(1)
        for line in found.damaged:
            typer.echo(f"warning: {line}", err=True)
        _write(found, period, deployed, csv, html)
        _print(found, period, deployed, as_json=as_json)


def _period(start: str | None, end: str | None, deployed: Place) -> Period:
    from hub_toolkit.inventory import moments
    from hub_toolkit.inventory.periods import Period

    now, zone = deployed.now, deployed.zone
    until = now if end is None else moments.read(end, zone, now, option="--to", ends=True)
    if start is None:
        return Period(until - USUAL_S, until, zone)
    return Period(moments.read(start, zone, now, option="--from"), until, zone)


def _nothing(period: Period, deployed: Place) -> str:
    """Where there are snapshots, if not in the range."""
    from hub_toolkit.inventory.moments import local

    zone, history = period.zone, deployed.history()
    text = (
        f"no snapshot of {deployed.connection} from {local(period.start, zone)} to "
        f"{local(period.end, zone)} can be read"
    )
    before = history.before(period.start, deployed.connection)
    after = history.after(period.end, deployed.connection)
    near = [f"the last one before is of {local(before.at, zone)}"] if before else []
    near += [f"the first one after is of {local(after.at, zone)}"] if after else []
    others = {one.connection for one in history.latest()} - {deployed.connection}
    near += [f"there are some of {', '.join(sorted(others))}: --connection"] if others else []
    return f"{text}; {'; '.join(near) or 'there is none at all: has the inventory function run?'}"


def _write(
    found: Trend, period: Period, deployed: Place, csv: Path | None, html: Path | None
) -> None:
    from hub_toolkit.inventory.said import Said

    said = Said(deployed.language, period.zone)
    if csv is not None:
        from hub_toolkit.inventory import sheet

        csv.write_bytes(sheet.table(found, said, period.unit))
    if html is not None:
        from hub_toolkit.inventory import page

        names = {"stack": deployed.stack.stack, "connection": deployed.connection}
        source = said.word("source", **names, made=said.at(deployed.now))
        html.write_text(page.render(found, period, said, source), encoding="utf-8")


def _print(found: Trend, period: Period, deployed: Place, *, as_json: bool) -> None:
    if as_json:
        import msgspec

        from hub_toolkit.inventory import documents

        print(msgspec.json.encode(documents.of_trend(found, period, deployed)).decode())
        return
    from rich.console import Console

    from hub_toolkit.inventory.printed import print_trend
    from hub_toolkit.inventory.said import Said

    said = Said(deployed.language, period.zone)
    print_trend(Console(highlight=False), found, period, said)

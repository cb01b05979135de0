"""``hub-responder coverage``: does Vision One protect these instances, now or at a past moment?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub_toolkit.cli.deployed import CONNECTION, ROOT, STAGE, place
from hub_toolkit.cli.options import AsJson, Endpoint, Stack

if TYPE_CHECKING:
    from hub_toolkit.inventory.place import Place

_ACCOUNT = re.compile(r"\d{12}", re.ASCII)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("coverage")(coverage)


def coverage(
    instance: Annotated[
        list[str], typer.Argument(help="Instance ids, or names: the tag Name or the host name.")
    ],
    *,
    at: Annotated[
        str | None,
        typer.Option(help="A past moment, as 2026-11-22T12:00, 2026-11-22T03:00Z or -2h."),
    ] = None,
    account: Annotated[str | None, typer.Option(help="Only instances of this account.")] = None,
    as_json: AsJson = False,
    connection: CONNECTION = None,
    endpoint: Endpoint = None,
    stack: Stack = None,
    stage: STAGE = "prod",
    root: ROOT = Path(),
) -> None:
    """Tell whether Vision One protects instances: now, or with --at what was known at a moment.

    Exit code 0: all is told. 1: something cannot be told. 2: bad usage, or the deployment cannot
    be asked.
    """
    from hub_toolkit.inventory.now import MOST

    asked = list(dict.fromkeys(one.strip() for one in instance if one.strip()))
    if account is not None and not _ACCOUNT.fullmatch(account):
        _unusable(f"--account {account[:40]!r} is no account: it has 12 digits")
    if not 0 < len(asked) <= MOST:
        _unusable(f"name 1 to {MOST} instances")
    with place(root, stage, endpoint=endpoint, stack=stack, connection=connection) as deployed:
        if at is None:
            told = _now(asked, account or "", deployed, as_json=as_json)
        else:
            told = _past(asked, at, account or "", deployed, as_json=as_json)
    if not told:
        raise typer.Exit(1)


def _unusable(text: str) -> None:
    typer.echo(text, err=True)
    raise typer.Exit(2)


def _now(asked: list[str], account: str, deployed: Place, *, as_json: bool) -> bool:
    """Whether all could be told."""
    from hub_toolkit.inventory import now

    answer = now.ask(deployed, asked, account)
    for note in answer.notes:
        typer.echo(f"warning: {note}", err=True)
    if as_json:
        from hub_toolkit.inventory import documents

        _print_json(documents.of_now(answer, deployed))
    else:
        from rich.console import Console

        from hub_toolkit.inventory.printed import print_now
        from hub_toolkit.inventory.said import Said

        said = Said(deployed.language, deployed.zone)
        print_now(Console(highlight=False), answer, deployed.now, said)
    return answer.whole


def _past(asked: list[str], at: str, account: str, deployed: Place, *, as_json: bool) -> bool:
    """Whether all could be told."""
    from hub_toolkit.inventory import moments, past

    moment = moments.read(at, deployed.zone, deployed.now, option="--at")
    answer = past.around(deployed.history(), deployed.connection, asked, moment, account)
    for damaged in answer.damaged:
        typer.echo(f"warning: {damaged}", err=True)
    if as_json:
        from hub_toolkit.inventory import documents

        _print_json(documents.of_past(answer, moment, deployed))
    else:
        from rich.console import Console

        from hub_toolkit.inventory.printed import print_past
        from hub_toolkit.inventory.said import Said

        said = Said(deployed.language, deployed.zone)
        print_past(Console(highlight=False), answer, moment, deployed.connection, said)
    return answer.whole


def _print_json(document: dict[str, object]) -> None:
    import msgspec

    print(msgspec.json.encode(document).decode())

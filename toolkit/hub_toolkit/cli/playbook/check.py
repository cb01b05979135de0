"""``hub-responder playbook check``: everything that is wrong, and where."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("check")(check)


def check(
    names: Annotated[
        list[str] | None, typer.Argument(help="Playbooks; none: all of them.", metavar="[NAME]...")
    ] = None,
    playbooks: Annotated[
        list[str] | None,
        typer.Option(help="Folders of playbooks, A:B or repeated; the later wins file by file."),
    ] = None,
    stage: Annotated[
        str | None, typer.Option(help="Whose settings and connections hold; none: all stages'.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
    root: Annotated[Path, typer.Option(help="The project: playbooks/ and events/.")] = Path(),
) -> None:
    """Say what is wrong with playbooks, where, what is allowed, and the nearest right spelling.

    Exit 0: nothing is wrong, there may be warnings. 1: something is wrong. 2: bad usage.
    """
    from hub_toolkit.playbooks.examine import Unusable, examine

    folders = [Path(one) for given in playbooks or () for one in given.split(":") if one]
    try:
        found = examine(root, folders, names or [], stage)
    except Unusable as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    if as_json:
        import msgspec

        print(msgspec.json.encode(found.as_data()).decode())
    else:
        for problem in found.problems:
            typer.echo(str(problem))
        typer.echo(found.summary())
    if found.errors:
        raise typer.Exit(1)

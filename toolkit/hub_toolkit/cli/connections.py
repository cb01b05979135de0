"""``hub-responder connections check``: do the connections work?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub_toolkit.cli.deployed import ROOT, STAGE
from hub_toolkit.cli.options import AsJson, Endpoint, Stack

if TYPE_CHECKING:
    from hub_toolkit.checks.told import Checked


def register(app: typer.Typer) -> None:
    """Add the group with its command."""
    group = typer.Typer(help="Places to deliver to.", no_args_is_help=True)
    group.callback()(_group)
    group.command("check")(check)
    app.add_typer(group, name="connections")


def _group() -> None:
    """Places to deliver to."""


def check(
    name: Annotated[
        list[str] | None, typer.Argument(help="Connections; all where none is named.")
    ] = None,
    *,
    send_test: Annotated[
        bool,
        typer.Option(
            "--send-test", help="Send one marked test message; open and close one test ticket."
        ),
    ] = False,
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    stack: Stack = None,
    stage: STAGE = "prod",
    root: ROOT = Path(),
) -> None:
    """Check connections: settings, secret, address, and a read that changes nothing.

    Exit code 0: nothing fails. 1: something does. 2: bad usage, or the project is wrong.
    """
    from hub_toolkit.playbooks.problems import PlaybookErrors
    from hub_toolkit.stack import DeploymentError

    try:
        checked = _checked(name or [], root, stage, stack, endpoint, send_test=send_test)
    except (PlaybookErrors, DeploymentError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    except OSError as error:
        typer.echo(f"{error.filename}: {error.strerror}", err=True)
        raise typer.Exit(2) from error
    if as_json:
        import msgspec

        print(msgspec.json.encode(checked).decode())
    else:
        from rich.console import Console

        from hub_toolkit.checks.printed import print_checks

        print_checks(Console(highlight=False), checked)
    if any(one.failed for one in checked):
        raise typer.Exit(1)


def _checked(
    names: list[str],
    root: Path,
    stage: str,
    stack: str | None,
    endpoint: str | None,
    *,
    send_test: bool,
) -> list[Checked]:
    """What is told of the connections.

    Raises:
        PlaybookErrors: the project is wrong, or there is no such connection.
        DeploymentError: AWS cannot be asked.
    """
    from hub_toolkit.checks.run import Wanted, check
    from hub_toolkit.playbooks.load import load_project
    from hub_toolkit.playbooks.problems import Place, PlaybookErrors, Problem, unknown
    from hub_toolkit.stack import name_of

    project = load_project(root.resolve(), stage)
    known = project.connections.connections
    problems = [
        Problem(Place("connections check"), unknown("connection", one, known))
        for one in names
        if one not in known
    ]
    if problems:
        raise PlaybookErrors(problems)
    chosen = list(dict.fromkeys(names)) or sorted(known)
    wanted = Wanted(chosen, stage, name_of(stack, stage), endpoint, send_test)
    return check(project, wanted)

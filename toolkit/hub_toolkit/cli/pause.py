"""``hub-responder pause`` and ``resume``: stop the effects of a playbook or of all, and go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from hub_toolkit.cli.options import AsJson, Endpoint, Stack, check_why

if TYPE_CHECKING:
    from hub_toolkit.pausing.pausing import Pausing
    from hub_toolkit.stack import Stack as Deployed

Stage = Annotated[str, typer.Option(help="Which stack is meant.")]
Name = Annotated[
    str | None, typer.Argument(metavar="[PLAYBOOK]", help="Only this one; left out: all.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("pause")(pause)
    app.command("resume")(resume)


def pause(
    playbook: Name = None,
    *,
    why: Annotated[str, typer.Option(help="For the trail, and for whoever clicks.")] = "",
    shown: Annotated[bool, typer.Option("--list", help="Only show what is paused.")] = False,
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    stack: Stack = None,
    stage: Stage = "prod",
) -> None:
    """Stop all effects at once; what comes is still decided and recorded, and waits.

    Exit code 2: bad usage, or the deployment cannot be asked.
    """
    if shown:
        _show(playbook, why, as_json=as_json, endpoint=endpoint, stack=stack, stage=stage)
        return
    _checked(why, needed=True)
    from hub_responder.ledger.pauses import EVERYTHING
    from hub_toolkit.trail.operator import Operator

    with _deployed(endpoint, stack, stage) as (deployed, pausing):
        name = _known(pausing, playbook)
        there = pausing.pause(name, why, Operator(deployed))
        paused = pausing.paused()
    if as_json:
        _print_json({"already": there is not None, "paused": paused})
        return
    what = "All" if name == EVERYTHING else name
    typer.echo(f"{what} was paused already {there.said}" if there else f"{what} is paused.")


def resume(
    playbook: Name = None,
    *,
    why: Annotated[str, typer.Option(help="For the trail.")] = "",
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    stack: Stack = None,
    stage: Stage = "prod",
) -> None:
    """End a pause; what waited goes on within a minute.

    Exit code 1: it is paused still, by another pause. 2: bad usage, or the deployment cannot be
    asked.
    """
    _checked(why, needed=False)
    from hub_toolkit.trail.operator import Operator

    with _deployed(endpoint, stack, stage) as (deployed, pausing):
        name = _known(pausing, playbook)
        resumed = pausing.resume(name, why, Operator(deployed))
    if as_json:
        _print_json(resumed)
    else:
        what = playbook or "all"
        typer.echo(f"{what}: {'resumed' if resumed.was else 'was not paused'}")
        for one, count in resumed.woken.items():
            typer.echo(f"{one}: {count} incidents go on")
        for one in resumed.still:
            typer.echo(f"{one} is paused still: `pause --list` shows why")
    if resumed.still:
        raise typer.Exit(1)


def _show(
    playbook: str | None,
    why: str,
    *,
    as_json: bool,
    endpoint: str | None,
    stack: str | None,
    stage: str,
) -> None:
    if playbook or why:
        _unusable("--list takes no playbook and no --why")
    with _deployed(endpoint, stack, stage) as (_, pausing):
        paused = pausing.paused()
    if as_json:
        _print_json({"paused": paused})
        return
    from rich.console import Console

    from hub_toolkit.pausing.shown import print_paused

    print_paused(Console(highlight=False), paused)


@contextmanager
def _deployed(
    endpoint: str | None, stack: str | None, stage: str
) -> Iterator[tuple[Deployed, Pausing]]:
    """The deployment and its pauses.

    Raises:
        typer.Exit: with code 2; why it cannot be asked was said.
    """
    from hub_toolkit.pausing.pausing import Pausing
    from hub_toolkit.stack import DeploymentError, name_of
    from hub_toolkit.stack import Stack as Deployed

    try:
        with closing(Deployed(endpoint, name_of(stack, stage))) as deployed:
            yield deployed, Pausing(deployed)
    except DeploymentError as error:
        _unusable(str(error))


def _known(pausing: Pausing, playbook: str | None) -> str:
    from hub_responder.ledger.pauses import EVERYTHING
    from hub_toolkit.playbooks.problems import unknown

    if playbook is None:
        return EVERYTHING
    names = pausing.names()
    if playbook not in names and playbook not in pausing.listed():
        _unusable(unknown("playbook", playbook, names))
    return playbook


def _checked(why: str, *, needed: bool) -> None:
    if needed and not why.strip():
        _unusable("--why is missing: say why, for the trail and for whoever clicks meanwhile")
    check_why(why, needed=False)


def _unusable(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(2)


def _print_json(value: Any) -> None:
    import msgspec

    print(msgspec.json.encode(value).decode())

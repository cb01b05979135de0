"""``hub-responder playbook list``: all playbooks of a stage."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from hub_toolkit.cli.options import Endpoint, Stack
from hub_toolkit.cli.playbook import loading

if TYPE_CHECKING:
    from hub_toolkit.pausing.pausing import Paused


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("list")(list_playbooks)


def list_playbooks(
    playbooks: loading.PLAYBOOKS = None,
    stage: loading.STAGE = "prod",
    *,
    as_json: loading.JSON = False,
    endpoint: Endpoint = None,
    stack: Stack = None,
    root: loading.ROOT = Path(),
) -> None:
    """List the playbooks: what starts them, what they do, whom they reach, who answers for them.

    With --stack or --endpoint also which of them that deployment has paused.
    Exit code 2: a playbook is wrong, or the deployment cannot be asked.
    """
    from hub_toolkit.about import facts

    with loading.project(root, playbooks, stage) as project:
        found = [facts.of(source, project, stage) for source in project.sources]
    asked = endpoint is not None or stack is not None
    paused = {one.name: one for one in _paused(endpoint, stack, stage)} if asked else {}
    if as_json:
        import msgspec

        told = [msgspec.to_builtins(one) for one in found]
        if asked:
            told = [one | {"paused": paused.get(one["name"])} for one in told]
        print(msgspec.json.encode(told).decode())
        return
    from rich.console import Console

    from hub_toolkit.about.printed import print_list

    print_list(Console(highlight=False), found, paused)


def _paused(endpoint: str | None, stack: str | None, stage: str) -> list[Paused]:
    """What the deployment has paused.

    Raises:
        typer.Exit: with code 2, where it cannot be asked.
    """
    from hub_toolkit.pausing.pausing import Pausing
    from hub_toolkit.stack import DeploymentError, name_of
    from hub_toolkit.stack import Stack as Deployed

    try:
        with closing(Deployed(endpoint, name_of(stack, stage))) as deployed:
            return Pausing(deployed).paused()
    except DeploymentError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error

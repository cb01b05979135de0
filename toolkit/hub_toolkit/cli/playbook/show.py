"""``hub-responder playbook show``: one playbook as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub_toolkit.cli.playbook import loading


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("show")(show)


def show(
    name: Annotated[str, typer.Argument(help="The playbook: its folder's name.")],
    playbooks: loading.PLAYBOOKS = None,
    stage: loading.STAGE = "prod",
    as_json: loading.JSON = False,
    root: loading.ROOT = Path(),
) -> None:
    """Show a playbook: its flow, rules, role, connections and secrets, limits and resources."""
    from hub_toolkit.about import facts
    from hub_toolkit.playbooks.problems import unknown

    with loading.project(root, playbooks, stage) as project:
        by_name = {source.name: source for source in project.sources}
        if name not in by_name:
            typer.echo(unknown("playbook", name, by_name), err=True)
            raise typer.Exit(2)
        found = facts.of(by_name[name], project, stage)
    if as_json:
        import msgspec

        print(msgspec.json.encode(found).decode())
        return
    from rich.console import Console

    from hub_toolkit.about.printed import print_one

    print_one(Console(highlight=False), found)

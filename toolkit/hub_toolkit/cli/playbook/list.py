"""``hub-responder playbook list``: all playbooks of a stage."""

from __future__ import annotations

from pathlib import Path

import typer

from hub_toolkit.cli.playbook import loading


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("list")(list_playbooks)


def list_playbooks(
    playbooks: loading.PLAYBOOKS = None,
    stage: loading.STAGE = "prod",
    as_json: loading.JSON = False,
    root: loading.ROOT = Path(),
) -> None:
    """List the playbooks: what starts them, what they do, whom they reach, who answers for them."""
    from hub_toolkit.about import facts

    with loading.project(root, playbooks, stage) as project:
        found = [facts.of(source, project, stage) for source in project.sources]
    if as_json:
        import msgspec

        print(msgspec.json.encode(found).decode())
        return
    from rich.console import Console

    from hub_toolkit.about.printed import print_list

    print_list(Console(highlight=False), found)

"""``hub-responder playbook list``: all playbooks of a stage."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("list")(list_playbooks)


def list_playbooks(
    stage: Annotated[str, typer.Option(help="Whose settings and connections hold.")] = "prod",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
    root: Annotated[Path, typer.Option(help="The project: playbooks/.")] = Path(),
) -> None:
    """List the playbooks: what starts them, what they do, whom they reach, who answers for them."""
    from hub_toolkit.about import facts
    from hub_toolkit.playbooks.load import load_project
    from hub_toolkit.playbooks.problems import PlaybookErrors

    try:
        project = load_project(root.resolve(), stage)
    except PlaybookErrors as errors:
        typer.echo(str(errors), err=True)
        raise typer.Exit(2) from errors
    found = [facts.of(source, project, stage) for source in project.sources]
    if as_json:
        import msgspec

        print(msgspec.json.encode(found).decode())
        return
    from rich.console import Console

    from hub_toolkit.about.printed import print_list

    print_list(Console(highlight=False), found)

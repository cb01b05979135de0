"""``hub-responder build``: makes build/, which is what ships."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub_toolkit.cli.playbook.loading import PLAYBOOKS, laid_over

_STAGE = Annotated[str, typer.Option(help="Whose connections and settings are compiled in.")]
_ROOT = Annotated[Path, typer.Option(help="The project: playbooks/ and functions/.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("build")(build)


def build(stage: _STAGE = "prod", playbooks: PLAYBOOKS = None, root: _ROOT = Path()) -> None:
    """Make build/: the functions with what they need, and what they have as layers."""
    from hub_toolkit import build as builder

    try:
        with laid_over(root, playbooks) as laid:
            built = builder.build(root.resolve(), stage, laid.root)
    except builder.BuildError as error:
        typer.echo(f"build: {error}", err=True)
        raise typer.Exit(1) from error
    made = built.dependencies or built.code
    state = "made" if made else "unchanged"
    whole = f"; {built.largest / 1e6:.1f} MB with the largest layers"
    typer.echo(f"build/functions {state}, {built.size / 1e6:.1f} MB unzipped{whole}")
    for name, version in built.playbooks.items():
        typer.echo(f"build/playbooks/{name} version {version}")

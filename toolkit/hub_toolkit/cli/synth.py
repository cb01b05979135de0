"""``hub-responder synth``: writes template.yaml and functions/requirements.txt."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated

import typer

from hub_toolkit.cli.playbook.loading import PLAYBOOKS, laid_over

_CHECK = Annotated[bool, typer.Option("--check", help="Write nothing; fail where they differ.")]
_ROOT = Annotated[Path, typer.Option(help="The project: playbooks/ and functions/.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("synth")(synth)


def synth(check: _CHECK = False, playbooks: PLAYBOOKS = None, root: _ROOT = Path()) -> None:
    """Write template.yaml from playbooks/, and functions/requirements.txt from the lock.

    With folders of playbooks laid over each other, only these two: other files are about ours.
    """
    from hub_toolkit.requirements import RequirementsError
    from hub_toolkit.synth import SynthError, generated

    root = root.resolve()
    try:
        with (
            laid_over(root, playbooks) as laid,
            warnings.catch_warnings(record=True) as told,
        ):
            warnings.simplefilter("always", UserWarning)
            difference = generated.drift(root, laid.root) if check else ""
            changed = [] if check else generated.write(root, laid.root)
    except (SynthError, RequirementsError, OSError) as error:
        typer.echo(f"synth: {error}", err=True)
        raise typer.Exit(1) from error
    for warning in told:
        typer.echo(f"warning: {warning.message}", err=True)
    if difference:
        typer.echo(difference)
        typer.echo("generated files are out of date: run `hub-responder synth`", err=True)
        raise typer.Exit(1)
    typer.echo("written: " + ", ".join(changed) if changed else "up to date")

"""``hub-responder observed``: what playbooks in observe mode would have done."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from hub_toolkit.cli.options import AsJson, Endpoint, Stack

DAYS = 14


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("observed")(observed)


def observed(
    playbook: Annotated[str | None, typer.Argument(help="Only this playbook.")] = None,
    *,
    days: Annotated[int, typer.Option(min=1, max=400, help="How far back.")] = DAYS,
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    stack: Stack = None,
    stage: Annotated[str, typer.Option(help="Which stack is meant.")] = "prod",
) -> None:
    """Report what playbooks with `mode: observe` would have done, had they been live.

    Exit code 2: the deployment cannot be asked.
    """
    from hub_toolkit.acting import time_of
    from hub_toolkit.stack import DeploymentError, name_of
    from hub_toolkit.stack import Stack as Deployed
    from hub_toolkit.trail import observed as observations
    from hub_toolkit.trail import records

    try:
        now = time_of(endpoint)
        with closing(Deployed(endpoint, name_of(stack, stage))) as deployed:
            since = now - days * 86_400
            found = observations.of(records.read(deployed, since, now), playbook)
    except DeploymentError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    if as_json:
        import msgspec

        print(msgspec.json.encode(found).decode())
        return
    from rich.console import Console

    from hub_toolkit.trail.printed import print_observed

    print_observed(Console(highlight=False), found, days)

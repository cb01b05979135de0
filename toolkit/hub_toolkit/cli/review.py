"""``hub-responder review``: who answers for what, what it did, and what never matched."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from hub_toolkit.cli.options import AsJson, Endpoint, Stack

QUARTER_DAYS = 92


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("review")(review)


def review(
    *,
    days: Annotated[int, typer.Option(min=1, max=400, help="How far back.")] = QUARTER_DAYS,
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    stack: Stack = None,
    stage: Annotated[str, typer.Option(help="Whose settings hold.")] = "prod",
    root: Annotated[Path, typer.Option(help="The project: playbooks/.")] = Path(),
) -> None:
    """List every playbook and suppression: owner, why, age, what it did, what never matched.

    Reads the deployment's audit trail, and Security Hub's suppressed findings.
    Exit code 2: a playbook is wrong, or the deployment cannot be asked.
    """
    from hub_toolkit.acting import time_of
    from hub_toolkit.playbooks.load import load_project
    from hub_toolkit.playbooks.problems import PlaybookErrors
    from hub_toolkit.stack import DeploymentError, name_of
    from hub_toolkit.stack import Stack as Deployed
    from hub_toolkit.trail import activity, records, reviewed, suppressions

    now = time_of(endpoint)
    try:
        project = load_project(root.resolve(), stage)
        with closing(Deployed(endpoint, name_of(stack, stage))) as deployed:
            did = activity.by_playbook(records.read(deployed, now - days * 86_400, now))
            suppressed = suppressions.read(deployed)
    except (PlaybookErrors, DeploymentError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    found, gone = reviewed.review(project, did), reviewed.gone(project, did)
    if as_json:
        import msgspec

        answer = {"days": days, "playbooks": found, "gone": gone, "suppressions": suppressed}
        print(msgspec.json.encode(answer).decode())
        return
    from rich.console import Console

    from hub_responder.clock import iso
    from hub_toolkit.trail.printed import print_review, print_suppressions

    console = Console(highlight=False)
    print_review(console, found, days)
    if gone:
        console.print(f"Did something, but are not here any more: {', '.join(gone)}", markup=False)
    print_suppressions(console, suppressed, iso(now))

"""``hub-responder run``: event files through the whole responder, and what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub_toolkit.cli.playbook.loading import PLAYBOOKS, deployable

if TYPE_CHECKING:
    from hub_toolkit.trip.client import SandboxClient
    from hub_toolkit.trip.inputs import EventFile
    from hub_toolkit.trip.outcome import Result
    from hub_toolkit.trip.proof import Proof

SPEED = 600.0
"""Of the sandbox's clock while nothing runs: the first wait of 15 s passes in 25 ms."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(run)


def run(
    event: Annotated[
        list[Path], typer.Argument(help="Event files, or folders whose *.json are taken.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
    endpoint: Annotated[
        str | None, typer.Option(help="Use the sandbox that is up at this address.")
    ] = None,
    playbooks: PLAYBOOKS = None,
    root: Annotated[Path, typer.Option(help="The project: template.yaml and playbooks/.")] = Path(),
) -> None:
    """Send events through the responder in a sandbox and show what it did.

    Exit code 0: all handled. 1: something failed. 2: bad usage or a file that cannot be read.
    """
    from hub_toolkit.trip.client import SandboxClient, SandboxError
    from hub_toolkit.trip.inputs import read_all
    from hub_toolkit.trip.outcome import FAILED

    files, rejected = read_all(event)
    for one in rejected:
        typer.echo(f"{one.path}: {one.reason}", err=True)
    proof: Proof | None = None
    try:
        if endpoint is not None:
            with SandboxClient(endpoint) as client:
                results = _send(files, client)
        else:
            results, proof = _run(files, root, playbooks, proves=not as_json)
    except SandboxError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    _print(results, endpoint, proof, as_json=as_json)
    if rejected:
        raise typer.Exit(2)
    failed = any(result.entry.status == FAILED for result in results)
    if failed or (proof is not None and proof.report.wrong):
        raise typer.Exit(1)


def _run(
    files: Sequence[EventFile], root: Path, playbooks: Sequence[str] | None, *, proves: bool
) -> tuple[list[Result], Proof | None]:
    """In a sandbox of its own; where people look, its audit trail is sealed and verified too."""
    from hub_toolkit.sandbox.server import CannotStart, Sandbox
    from hub_toolkit.trip.client import SandboxClient, SandboxError
    from hub_toolkit.trip.proof import proven

    if not files:
        return [], None
    try:
        with (
            deployable(root, playbooks) as project,
            Sandbox.start(root=project, speed=SPEED) as sandbox,
            SandboxClient(sandbox.endpoint) as client,
        ):
            return _send(files, client), proven(client, root) if proves else None
    except CannotStart as error:
        raise SandboxError(f"the sandbox cannot start: {error}") from error


def _send(files: Sequence[EventFile], client: SandboxClient) -> list[Result]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from hub_toolkit.trip.events import Trips

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    console = Console(stderr=True)
    results: list[Result] = []
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task("", total=len(files))
        trips = Trips(client)
        for file in files:
            progress.update(task, description=file.name)
            results += trips.run(file)
            progress.advance(task)
    return results


def _print(
    results: Sequence[Result], endpoint: str | None, proof: Proof | None, *, as_json: bool
) -> None:
    if as_json:
        import msgspec

        print(msgspec.json.encode([result.entry for result in results]).decode())
        return
    if not results:
        return
    from rich.console import Console

    from hub_toolkit.trip.report import print_next, print_proof, print_results

    console = Console(highlight=False)
    print_results(console, results)
    if proof is not None:
        print_proof(console, proof)
    print_next(console, endpoint)

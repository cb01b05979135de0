"""``hub-responder replay``: an event against the playbooks, dry or once more for real."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from hub_toolkit.cli.options import AsJson, Endpoint, Stack

if TYPE_CHECKING:
    from hub_toolkit.dry.cases import Given
    from hub_toolkit.dry.replay import Replayed
    from hub_toolkit.dry.sending import Arrived
    from hub_toolkit.playbooks.format import Source
    from hub_toolkit.playbooks.load import Project
    from hub_toolkit.sandbox.identifiers import Place

MAX_BYTES = 1024 * 1024


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replay")(replay)


def replay(
    event: Annotated[
        str, typer.Argument(help="A file, - for stdin, or the id of a message in the DLQ.")
    ],
    *,
    playbook: Annotated[str | None, typer.Option(help="Only this playbook.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Send nothing: show what would be done.")
    ] = False,
    as_json: AsJson = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show payloads exactly as sent.")
    ] = False,
    verdict: Annotated[
        str | None,
        typer.Option(
            help="What Vision One answers in a dry run, as UNPROTECTED or "
            "'DEGRADED module_off:firewall'; left out: the sandbox's invented estate."
        ),
    ] = None,
    endpoint: Endpoint = None,
    stack: Stack = None,
    stage: Annotated[str, typer.Option(help="Whose settings and connections hold.")] = "sandbox",
    playbooks: Annotated[
        list[str] | None,
        typer.Option(help="Folders of playbooks, A:B or repeated; the later wins file by file."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Send without asking.")] = False,
    root: Annotated[Path, typer.Option(help="The project: playbooks/.")] = Path(),
) -> None:
    """Replay an event: what would be done with it, or (without --dry-run) let it be done again.

    Exit code 0: well. 1: a step fails, or nothing was sent. 2: bad usage, or no such event.
    """
    from hub_toolkit.playbooks.load import load_project
    from hub_toolkit.playbooks.problems import PlaybookErrors
    from hub_toolkit.playbooks.roots import laid
    from hub_toolkit.stack import DeploymentError, name_of

    folders = [Path(one) for given in playbooks or () for one in given.split(":") if one]
    named = name_of(stack, stage)
    try:
        with laid(root.resolve(), folders) as project_root:
            project = load_project(project_root.root, stage)
            sources = _chosen(project, playbook)
            arrived = _arrived(event, endpoint, named)
            if not dry_run:
                _send(arrived, sources, endpoint, named, yes=yes, all_playbooks=playbook is None)
                return
            replayed = _dry(arrived, sources, project, stage, verdict)
    except (PlaybookErrors, DeploymentError) as error:
        _unusable(str(error))
    except OSError as error:
        _unusable(f"{error.filename}: {error.strerror}")
    _print(replayed, arrived, verdict, as_json=as_json, verbose=verbose)
    if any(one.failed for one in replayed):
        raise typer.Exit(1)


def _unusable(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(2)


def _chosen(project: Project, playbook: str | None) -> list[Source]:
    from hub_toolkit.playbooks.problems import unknown

    by_name = {source.name: source for source in project.sources}
    if playbook is None:
        return project.sources
    if playbook not in by_name:
        _unusable(unknown("playbook", playbook, by_name))
    return [by_name[playbook]]


def _arrived(event: str, endpoint: str | None, stack: str) -> Arrived:
    """What the argument names: stdin, a file, or a dead letter of the deployment.

    Raises:
        DeploymentError: there is no such dead letter, or it stands for no event.
    """
    from hub_toolkit.dry.deployment import MESSAGE_ID, Deployment
    from hub_toolkit.dry.sending import Arrived

    if event == "-":
        found = _event(sys.stdin.buffer.read(MAX_BYTES + 1), "stdin")
        return Arrived("stdin", [found], _home(found))
    path = Path(event)
    if path.is_file():
        found = event_in(path)
        return Arrived(path.name, [found], _home(found))
    if not MESSAGE_ID.fullmatch(event.lower()):
        _unusable(f"{event}: there is no such file, and it is not the id of a message in the DLQ")
    with closing(Deployment(endpoint, stack)) as deployment:
        letter = deployment.dead_letter(event.lower())
        return Arrived(event, letter.events, deployment.place(), letter)


def event_in(path: Path) -> dict[str, Any]:
    """The event of a file.

    Raises:
        typer.Exit: with code 2, where it holds none.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return _event(file.read(MAX_BYTES + 1), str(path))


def _event(body: bytes, name: str) -> dict[str, Any]:
    import msgspec

    if len(body) > MAX_BYTES:
        _unusable(f"{name}: over {MAX_BYTES:,} bytes; no event is so large")
    try:
        event = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        _unusable(f"{name}: not JSON: {error}")
    if not isinstance(event, dict) or not isinstance(event.get("detail"), dict):
        _unusable(f"{name}: no EventBridge event: an object with `detail`, an object")
    return event


# Dry


def _dry(
    arrived: Arrived, sources: Sequence[Source], project: Project, stage: str, verdict: str | None
) -> list[Replayed]:
    from hub_toolkit.dry.replay import replay as play
    from hub_toolkit.dry.trial import bench
    from hub_toolkit.dry.world import Restless
    from hub_toolkit.sandbox.errors import AwsError

    given = given_verdict(verdict) if verdict is not None else None
    with bench(project, stage, arrived.place) as where:
        try:
            return [play(event, sources, where, given) for event in arrived.events]
        except (Restless, AwsError) as error:
            _unusable(f"{arrived.name}: {error}")


def given_verdict(text: str) -> Given:
    """What ``--verdict`` gives.

    Raises:
        typer.Exit: with code 2, where it is no verdict.
    """
    from hub_toolkit.dry.cases import Coverage, Given
    from hub_toolkit.dry.coverages import REASONS
    from hub_toolkit.playbooks.problems import Place, unknown

    verdict, *reasons = text.split()
    if verdict not in REASONS:
        _unusable(unknown("verdict", verdict, REASONS))
    for reason in reasons:
        if reason.partition(":")[0] not in REASONS[verdict]:
            _unusable(unknown(f"reason for {verdict}:", reason, REASONS[verdict]))
    return Given(coverage={"": Coverage(verdict, tuple(reasons), Place("--verdict"))})


def _home(event: dict[str, Any]) -> Place:
    """The account and region that sent the event: it is taken to be at home there."""
    from hub_responder.identifiers import ACCOUNT, REGION
    from hub_toolkit.dry.trial import HOME

    account, region = str(event.get("account", "")), str(event.get("region", ""))
    return type(HOME)(
        HOME.stack,
        account if ACCOUNT.fullmatch(account) else HOME.account,
        region if REGION.fullmatch(region) else HOME.region,
        HOME.endpoint,
    )


def _print(
    replayed: Sequence[Replayed],
    arrived: Arrived,
    verdict: str | None,
    *,
    as_json: bool,
    verbose: bool,
) -> None:
    if as_json:
        import msgspec

        print(msgspec.json.encode(list(replayed)).decode())
        return
    from rich.console import Console

    from hub_toolkit.dry.shown import print_replayed

    console = Console(highlight=False)
    if arrived.letter is not None:
        why = f": {arrived.letter.reason}" if arrived.letter.reason else ""
        source = f" from {arrived.letter.source}" if arrived.letter.source else ""
        typer.echo(f"Message {arrived.letter.message_id} of the DLQ{source}{why}; it stays there.")
    answers = f"Vision One answers {verdict}." if verdict else (
        "Vision One's answers are the sandbox's invented estate; --verdict gives others."
    )  # fmt: skip
    for number, one in enumerate(replayed):
        if number:
            console.rule()
        print_replayed(console, one, answers, verbose=verbose)


# For real


def _send(
    arrived: Arrived,
    sources: Sequence[Source],
    endpoint: str | None,
    stack: str,
    *,
    yes: bool,
    all_playbooks: bool,
) -> None:
    """Send the events to the deployment, once.

    Raises:
        DeploymentError: it cannot be reached, or has no such queue.
    """
    from hub_toolkit.dry import sending
    from hub_toolkit.dry.deployment import Deployment

    if arrived.letter is None and all_playbooks and endpoint:
        lines = sending.to_sandbox(arrived, endpoint)
        if lines is not None:
            typer.echo("\n".join(lines))
            return
    queues = sending.queues(arrived, sources, stack)
    if not queues:
        typer.echo("no rule of a playbook matches: nothing is sent; --dry-run shows why", err=True)
        raise typer.Exit(1)
    times = "once" if len(arrived.events) == 1 else f"as {len(arrived.events)} events"
    if not yes:
        typer.confirm(f"Send {arrived.name} {times} to {' and '.join(queues)}?", abort=True)
    with closing(Deployment(endpoint, stack)) as deployment:
        typer.echo("\n".join(sending.to_queues(arrived, queues, deployment)))
    if arrived.letter is not None:
        typer.echo(f"message {arrived.letter.message_id} stays in {stack}-dlq")

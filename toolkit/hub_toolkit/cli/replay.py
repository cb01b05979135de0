"""``hub-responder replay``: an event against the playbooks, dry or once more for real."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from hub_toolkit.dry.cases import Given
    from hub_toolkit.dry.deployment import DeadLetter, Deployment
    from hub_toolkit.dry.replay import Replayed
    from hub_toolkit.playbooks.format import Source
    from hub_toolkit.playbooks.load import Project
    from hub_toolkit.sandbox.identifiers import Place

MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Given:
    """What is to be replayed: events, the dead letter that they come from, the home."""

    events: Sequence[dict[str, Any]]
    letter: DeadLetter | None = None
    place: Place | None = None
    name: str = ""


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
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
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
    endpoint: Annotated[
        str | None, typer.Option(help="The deployment's AWS endpoint, or a sandbox's address.")
    ] = None,
    stack: Annotated[
        str | None, typer.Option(help="The deployment's stack; hub-responder-STAGE if left out.")
    ] = None,
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

    folders = [Path(one) for given in playbooks or () for one in given.split(":") if one]
    named = stack or ("hub-responder" if stage == "sandbox" else f"hub-responder-{stage}")
    try:
        with laid(root.resolve(), folders) as project_root:
            project = load_project(project_root.root, stage)
            sources = _chosen(project, playbook)
            with _deployment(endpoint, named, event, dry_run=dry_run) as deployment:
                what = _given(event, deployment)
                if not dry_run:
                    _send(what, sources, playbook, deployment, endpoint, yes=yes)
                    return
            replayed = _dry(what, sources, project, stage, verdict)
    except PlaybookErrors as errors:
        _unusable(str(errors))
    except OSError as error:
        _unusable(f"{error.filename}: {error.strerror}")
    _print(replayed, what, verdict, as_json=as_json, verbose=verbose)
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


def _is_message(event: str) -> bool:
    from hub_toolkit.dry.deployment import MESSAGE_ID

    return not Path(event).exists() and MESSAGE_ID.fullmatch(event.lower()) is not None


@contextmanager
def _deployment(
    endpoint: str | None, stack: str, event: str, *, dry_run: bool
) -> Iterator[Deployment | None]:
    """The deployment, where one is needed: to send to it, or for a dead letter."""
    from hub_toolkit.dry.deployment import Deployment, DeploymentError

    if dry_run and not _is_message(event):
        yield None
        return
    try:
        with closing(Deployment(endpoint, stack)) as deployment:
            yield deployment
    except DeploymentError as error:
        _unusable(str(error))


def _given(event: str, deployment: Deployment | None) -> _Given:
    if deployment is not None and _is_message(event):
        letter = deployment.dead_letter(event.lower())
        return _Given(letter.events, letter, deployment.place(), event)
    if event == "-":
        return _Given([_event(sys.stdin.buffer.read(MAX_BYTES + 1), "stdin")], name="stdin")
    path = Path(event)
    if not path.is_file():
        _unusable(f"{event}: there is no such file, and it is not the id of a message in the DLQ")
    with path.open("rb") as file:
        return _Given([_event(file.read(MAX_BYTES + 1), event)], name=path.name)


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
    what: _Given, sources: Sequence[Source], project: Project, stage: str, verdict: str | None
) -> list[Replayed]:
    from hub_toolkit.dry.replay import replay as play
    from hub_toolkit.dry.trial import HOME, bench
    from hub_toolkit.dry.world import Restless
    from hub_toolkit.sandbox.errors import AwsError

    given = _given_verdict(verdict) if verdict is not None else None
    place = what.place or _home(what.events[0])
    home = type(HOME)(HOME.stack, place.account, place.region, HOME.endpoint)
    with bench(project, stage, home) as where:
        try:
            return [play(event, sources, where, given) for event in what.events]
        except (Restless, AwsError) as error:
            _unusable(f"{what.name}: {error}")


def _given_verdict(text: str) -> Given:
    from hub_toolkit.dry.cases import Coverage, Given
    from hub_toolkit.dry.givens import REASONS
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
    what: _Given,
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
    if what.letter is not None:
        why = f": {what.letter.reason}" if what.letter.reason else ""
        source = f" from {what.letter.source}" if what.letter.source else ""
        typer.echo(f"Message {what.letter.message_id} of the DLQ{source}{why}; it stays there.")
    answers = f"Vision One answers {verdict}." if verdict else (
        "Vision One's answers are the sandbox's invented estate; --verdict gives others."
    )  # fmt: skip
    for number, one in enumerate(replayed):
        if number:
            console.rule()
        print_replayed(console, one, answers, verbose=verbose)


# For real


def _send(
    what: _Given,
    sources: Sequence[Source],
    playbook: str | None,
    deployment: Deployment | None,
    endpoint: str | None,
    *,
    yes: bool,
) -> None:
    """Send the events to the deployment, once."""
    assert deployment is not None  # noqa: S101 - without --dry-run there is one
    if what.letter is None and playbook is None and endpoint and _send_to_sandbox(what, endpoint):
        return
    queues = _queues(what, sources, deployment.stack)
    if not queues:
        typer.echo("no rule of a playbook matches: nothing to send; --dry-run shows why", err=True)
        raise typer.Exit(1)
    times = "once" if len(what.events) == 1 else f"as {len(what.events)} events"
    where = " and ".join(queues)
    if not yes:
        typer.confirm(f"Send {what.name} {times} to {where}?", abort=True)
    for queue in queues:
        for one in what.events:
            message_id = deployment.send(queue, one)
            typer.echo(f"sent once to {queue}, message {message_id}")
    if what.letter is not None:
        typer.echo(f"message {what.letter.message_id} stays in {deployment.stack}-dlq")


def _send_to_sandbox(what: _Given, endpoint: str) -> bool:
    """Let a sandbox have the event as from EventBridge; False: this is no sandbox."""
    from hub_toolkit.trip.client import SandboxClient, SandboxError

    try:
        with SandboxClient(endpoint) as client:
            client.inbox()
            for one in what.events:
                rules = ", ".join(client.send_event(one)["rules"]) or "no rule"
                typer.echo(f"sent once to the sandbox at {endpoint}: matched {rules}")
    except SandboxError:
        return False
    return True


def _queues(what: _Given, sources: Sequence[Source], stack: str) -> list[str]:
    """The queue that a dead letter came from, or those of the playbooks whose rules match."""
    if what.letter is not None and what.letter.source.startswith(f"{stack}-"):
        return [what.letter.source]
    if what.letter is not None and what.letter.playbook:
        return [f"{stack}-{what.letter.playbook}-imports"]
    from hub_toolkit.dry.replay import matching
    from hub_toolkit.dry.trial import HOME

    place = what.place or _home(what.events[0])
    home = type(HOME)(stack, place.account, place.region, HOME.endpoint)
    found: dict[str, None] = {}
    for event in what.events:
        for source in sources:
            for rule in matching(source, event, home):
                which = "clicks" if rule == "action" else "imports"
                found[f"{stack}-{source.name}-{which}"] = None
    return list(found)

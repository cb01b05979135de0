"""``hub-responder dlq``: what is in the dead-letter queue, once more or away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, NoReturn

import typer

from hub_toolkit.cli.options import AsJson, Endpoint, Stack, check_why

if TYPE_CHECKING:
    from hub_toolkit.letters.acting import Acted, Acting
    from hub_toolkit.letters.letter import Letter
    from hub_toolkit.letters.looking import Looking
    from hub_toolkit.stack import Stack as Deployed

MIN_ID = 4
Stage = Annotated[str, typer.Option(help="Which stack is meant.")]
Ids = Annotated[list[str], typer.Argument(help="Ids of letters, or how they begin.")]
Found = list[tuple["Letter", dict[str, Any]]]


class Where(NamedTuple):
    """The deployment that is meant."""

    endpoint: str | None
    stack: str | None
    stage: str


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="The dead-letter queue: what could not be handled, and why.")
    group.command("list")(list_letters)
    group.command("show")(show)
    group.command("redrive")(redrive)
    group.command("discard")(discard)
    app.add_typer(group, name="dlq", no_args_is_help=True)


def list_letters(
    *,
    only: Annotated[str | None, typer.Option(help="Only reasons with this text in them.")] = None,
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    stack: Stack = None,
    stage: Stage = "prod",
) -> None:
    """List the letters; they stay, and are hidden from others only while this looks at them.

    Exit code 2: the deployment cannot be asked.
    """
    with _look(Where(endpoint, stack, stage)) as (_, found, looking):
        letters = [letter for letter, _ in _only(found, only)]
        unseen = looking.unseen
    if as_json:
        _print_json({"letters": letters, "unseen": unseen})
        return
    from hub_toolkit.letters.printed import print_list

    print_list(_console(), letters, unseen)


def show(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="Its id, or how it begins.")],
    *,
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    stack: Stack = None,
    stage: Stage = "prod",
) -> None:
    """Show all that is known of one letter, with its body.

    Exit code 2: there is none, or the deployment cannot be asked.
    """
    with _look(Where(endpoint, stack, stage)) as (_, found, looking):
        ((letter, raw),) = _named(found, [letter_id], looking)
    attributes = {
        name: one.get("StringValue", "") for name, one in raw.get("MessageAttributes", {}).items()
    }
    if as_json:
        _print_json({"letter": letter, "attributes": attributes, "body": raw["Body"]})
        return
    from hub_toolkit.letters.printed import print_one

    print_one(_console(), letter, raw["Body"], attributes)


def redrive(
    ids: Annotated[
        list[str] | None, typer.Argument(help="Ids of letters, or how they begin.")
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All letters.")] = False,
    only: Annotated[str | None, typer.Option(help="Only reasons with this text in them.")] = None,
    why: Annotated[str, typer.Option(help="For the audit trail.")] = "",
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    stack: Stack = None,
    stage: Stage = "prod",
) -> None:
    """Send letters to the queues that they came from; the ledger knows what was done already.

    Exit code 0: all of them. 1: some stay. 2: bad usage, or the deployment cannot be asked.
    """
    if bool(ids) == (everything or only is not None):
        _unusable("say which letters: their ids, --all or --only REASON")

    def act(acting: Acting, letter: Letter, body: str) -> Acted:
        return acting.redrive(letter, body, why)

    _act(Where(endpoint, stack, stage), act, why, ids=ids, only=only, as_json=as_json)


def discard(
    ids: Ids,
    *,
    why: Annotated[str, typer.Option(help="For the audit trail: why nothing is lost by it.")],
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    stack: Stack = None,
    stage: Stage = "prod",
) -> None:
    """Throw letters away; the trail keeps which findings they named, by whom and why.

    Exit code 0: all of them. 2: bad usage, no such letter, or the deployment cannot be asked.
    """
    if not why.strip():
        _unusable("--why is empty: say why nothing is lost by it")

    def act(acting: Acting, letter: Letter, _body: str) -> Acted:
        return acting.discard(letter, why)

    _act(Where(endpoint, stack, stage), act, why, ids=ids, only=None, as_json=as_json)


def _act(
    where: Where,
    act: Callable[[Acting, Letter, str], Acted],
    why: str,
    *,
    ids: Sequence[str] | None,
    only: str | None,
    as_json: bool,
) -> None:
    from hub_toolkit.letters.acting import Acting
    from hub_toolkit.letters.printed import print_acted, print_unseen
    from hub_toolkit.trail.operator import Operator

    check_why(why, needed=False)
    acted: list[Acted] = []
    console = _console()
    with _look(where) as (deployed, found, looking):
        chosen = _named(found, ids, looking) if ids else _only(found, only)
        acting = Acting(deployed, looking, Operator(deployed))
        for letter, raw in chosen:
            acted.append(act(acting, letter, raw["Body"]))
            if not as_json:
                print_acted(console, acted[-1])
        unseen = looking.unseen
    if as_json:
        _print_json({"letters": acted, "unseen": unseen})
    else:
        gone = sum(1 for one in acted if one.status != "left")
        console.print(f"{gone} of {len(acted)} letters are gone from here.")
        print_unseen(console, unseen)
    if any(one.status == "left" for one in acted):
        raise typer.Exit(1)


@contextmanager
def _look(where: Where) -> Iterator[tuple[Deployed, Found, Looking]]:
    """All letters that can be seen, the oldest first.

    Raises:
        typer.Exit: with code 2; why the deployment cannot be asked was said.
    """
    from hub_toolkit.letters.letter import read
    from hub_toolkit.letters.looking import look
    from hub_toolkit.stack import DeploymentError, name_of
    from hub_toolkit.stack import Stack as Deployed

    name = name_of(where.stack, where.stage)
    try:
        with closing(Deployed(where.endpoint, name)) as deployed:
            url = deployed.call("sqs", "get_queue_url", QueueName=f"{name}-dlq")["QueueUrl"]
            with look(deployed, url) as looking:
                now = time.time()
                found = [(read(raw, name, now), dict(raw)) for raw in looking.messages()]
                found.sort(key=lambda one: (one[0].sent_at, one[0].id))
                yield deployed, found, looking
    except DeploymentError as error:
        _unusable(str(error))


def _only(found: Found, reason: str | None) -> Found:
    wanted = (reason or "").casefold()
    return [one for one in found if wanted in one[0].reason.casefold()]


def _named(found: Found, ids: Sequence[str], looking: Looking) -> Found:
    """The letters with these ids, each once.

    Raises:
        typer.Exit: with code 2, where one names none, or several.
    """
    chosen: dict[str, tuple[Letter, dict[str, Any]]] = {}
    for wanted in ids:
        fits = [one for one in found if one[0].id.startswith(wanted.lower())]
        if len(wanted) < MIN_ID or len(fits) > 1:
            _unusable(f"{wanted!r} names {len(fits)} letters: give more of the id")
        if not fits:
            unseen = f", about {looking.unseen} cannot be seen now" if looking.unseen else ""
            _unusable(f"there is no letter {wanted} ({looking.seen} looked at{unseen})")
        chosen[fits[0][0].id] = fits[0]
    return list(chosen.values())


def _unusable(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(2)


def _print_json(value: Any) -> None:
    import msgspec

    print(msgspec.json.encode(value).decode())


def _console() -> Any:
    from rich.console import Console

    return Console(highlight=False)

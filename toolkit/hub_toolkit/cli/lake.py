"""``hub-responder security-lake`` and ``trend-lake``: sources in Amazon Security Lake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub_toolkit.cli.options import AsJson, Endpoint, Stack, check_why

if TYPE_CHECKING:
    from hub_toolkit.lake.delivered import Deliveries
    from hub_toolkit.stack import Stack as Deployed


class EventClass(StrEnum):
    """What Trend can deliver."""

    FILE = "file-activity"
    PROCESS = "process-activity"
    NETWORK = "network-activity"
    REGISTRY = "registry-value-activity"
    DNS = "dns-activity"
    ACCOUNT = "account-change-audit"


Stage = Annotated[str, typer.Option(help="Which stack is meant.")]
Why = Annotated[str, typer.Option(help="For the trail.")]
Crawler = Annotated[str, typer.Option(help="The ARN of the role of the Glue crawler.")]
Secret = Annotated[str, typer.Option(help="The secret with the API key: its name, or ARN.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    own = typer.Typer(help="Copy the archived audit trail to Amazon Security Lake.")
    own.command("register")(own_register)
    own.command("status")(own_status)
    own.command("unregister")(own_unregister)
    app.add_typer(own, name="security-lake", no_args_is_help=True)
    trend = typer.Typer(help="Let Trend deliver endpoint activity to Amazon Security Lake.")
    trend.command("register")(trend_register)
    trend.command("list")(trend_list)
    trend.command("unregister")(trend_unregister)
    app.add_typer(trend, name="trend-lake", no_args_is_help=True)


def own_register(
    *,
    crawler_role: Crawler,
    why: Why,
    name: Annotated[
        str, typer.Option(help="How the sources' names begin; -7001 and so on follows.")
    ] = "hub-responder",
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    stack: Stack = None,
    stage: Stage = "prod",
) -> None:
    """Make a custom source for each class of events; each hour that is sealed is copied to it.

    It can be given again. Exit code 2: bad usage, or it cannot be done.
    """
    from hub_toolkit.lake.own import Own
    from hub_toolkit.trail.operator import Operator

    check_why(why)
    with _deployed(endpoint, stack, stage) as deployed:
        made = Own(deployed).register(name, crawler_role, why, Operator(deployed))
    if as_json:
        _print_json(made)
        return
    for one in made:
        typer.echo(f"{one.name}: {'registered' if one.new else 'was registered'}, {one.location}")


def own_status(
    *,
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    stack: Stack = None,
    stage: Stage = "prod",
) -> None:
    """Show the sources, the last object that each got, and what Security Lake says is wrong.

    Exit code 1: deliveries fail, a source is not there or only begun. 2: it cannot be asked.
    """
    from hub_toolkit.lake.own import Own

    with _deployed(endpoint, stack, stage) as deployed:
        status = Own(deployed).status()
    if as_json:
        _print_json(status)
    else:
        from rich.console import Console

        from hub_toolkit.lake.shown import print_status

        print_status(Console(highlight=False), status)
    if any(one.wrong for one in status.sources):
        raise typer.Exit(1)


def own_unregister(
    *,
    why: Why,
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    stack: Stack = None,
    stage: Stage = "prod",
) -> None:
    """Stop the copies and delete the sources; what was delivered stays in the lake.

    It can be given again. Exit code 2: bad usage, or it cannot be done.
    """
    from hub_toolkit.lake.own import Own
    from hub_toolkit.trail.operator import Operator

    check_why(why)
    with _deployed(endpoint, stack, stage) as deployed:
        names = Own(deployed).unregister(why, Operator(deployed))
    _say_ended(names, as_json=as_json)


def trend_register(
    event_class: Annotated[list[EventClass], typer.Argument(help="What Trend is to deliver.")],
    *,
    tenant: Annotated[str, typer.Option(help="The id of the tenant at Trend.")],
    secret: Secret,
    crawler_role: Crawler,
    why: Why,
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    stack: Stack = None,
    stage: Stage = "prod",
) -> None:
    """Make the custom source of each event class, and tell Trend to deliver to it.

    It can be given again, and goes on where it failed. Exit code 2: bad usage, or it cannot be
    done.
    """
    from hub_toolkit.trail.operator import Operator

    check_why(why)
    with _trend(endpoint, stack, stage, secret) as (deployed, deliveries):
        names = [one.value for one in event_class]
        made = deliveries.register(names, tenant, crawler_role, why, Operator(deployed))
    if as_json:
        _print_json(made)
        return
    for one in made:
        typer.echo(f"{one.event_class}: delivered to {one.location}")


def trend_list(
    *,
    secret: Secret,
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    stack: Stack = None,
    stage: Stage = "prod",
) -> None:
    """List what Trend delivers, and the sources that were made for it.

    Exit code 1: a source was made that Trend does not know of. 2: it cannot be asked.
    """
    with _trend(endpoint, stack, stage, secret) as (_, deliveries):
        listed = deliveries.listed()
    if as_json:
        _print_json(listed)
    else:
        from rich.console import Console

        from hub_toolkit.lake.shown import print_deliveries

        print_deliveries(Console(highlight=False), listed)
    if not all(one.registered for one in listed):
        raise typer.Exit(1)


def trend_unregister(
    event_class: Annotated[
        list[EventClass] | None, typer.Argument(help="Only these; left out: all.")
    ] = None,
    *,
    secret: Secret,
    why: Why,
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    stack: Stack = None,
    stage: Stage = "prod",
) -> None:
    """End Trend's deliveries and delete their sources; what was delivered stays in the lake.

    It can be given again. Exit code 2: bad usage, or it cannot be done.
    """
    from hub_toolkit.trail.operator import Operator

    check_why(why)
    with _trend(endpoint, stack, stage, secret) as (deployed, deliveries):
        names = [one.value for one in event_class or ()]
        ended = deliveries.unregister(names, why, Operator(deployed))
    _say_ended(ended, as_json=as_json)


def _say_ended(names: list[str], *, as_json: bool) -> None:
    if as_json:
        _print_json({"unregistered": names})
        return
    for name in names:
        typer.echo(f"{name}: unregistered")
    if not names:
        typer.echo("Nothing was registered.")


def _print_json(value: Any) -> None:
    import msgspec

    print(msgspec.json.encode(value).decode())


@contextmanager
def _deployed(endpoint: str | None, stack: str | None, stage: str) -> Iterator[Deployed]:
    """The stack that is meant; what goes wrong while it is asked is said.

    Raises:
        typer.Exit: with code 2.
    """
    from hub_toolkit.stack import DeploymentError, name_of
    from hub_toolkit.stack import Stack as Deployed

    try:
        with closing(Deployed(endpoint, name_of(stack, stage))) as deployed:
            yield deployed
    except DeploymentError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


@contextmanager
def _trend(
    endpoint: str | None, stack: str | None, stage: str, secret: str
) -> Iterator[tuple[Deployed, Deliveries]]:
    """The stack, and Trend's deliveries to its lake."""
    from hub_toolkit.lake.delivered import Deliveries
    from hub_toolkit.lake.trend import Registrations, key_in

    with _deployed(endpoint, stack, stage) as deployed:
        registrations = Registrations(deployed, key_in(deployed, secret))
        yield deployed, Deliveries(deployed, registrations)

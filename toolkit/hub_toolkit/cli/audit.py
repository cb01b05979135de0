"""``hub-responder audit``: the archived audit trail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from hub_toolkit.cli.options import AsJson, Endpoint, Stack, check_why

if TYPE_CHECKING:
    from hub_toolkit.archive.reached import Reached

PublicKey = Annotated[
    list[Path] | None,
    typer.Option(help="A public key that signed it, PEM or DER; several where it was changed."),
]
Stage = Annotated[str, typer.Option(help="Which stack is meant.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="The audit trail: read it, and verify that it is what was written.")
    group.command("verify")(verify)
    group.command("public-key")(public_key)
    group.command("show")(show)
    group.command("report")(report)
    group.command("hold")(hold)
    app.add_typer(group, name="audit", no_args_is_help=True)


def verify(
    *,
    start: Annotated[
        str | None,
        typer.Option("--from", help="2026-11-01, 2026-11-01T12:00Z or -90d; all if left out."),
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Now if left out.")] = None,
    public_key: PublicKey = None,
    offline: Annotated[
        Path | None,
        typer.Option(help="A folder that is a copy of the bucket; needs --public-key."),
    ] = None,
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    stack: Stack = None,
    stage: Stage = "prod",
) -> None:
    """Verify hour by hour that the archived trail is what was sealed.

    Without --public-key the deployment's own key is asked of KMS: that proves less, for whoever
    owns the account could have made another. Exit code 1: something is not as it was sealed. 2:
    bad usage, or the archive cannot be read.
    """
    from hub_toolkit.archive.hours import hours_of
    from hub_toolkit.archive.verify import verify as verified

    with _reached(offline, public_key or (), endpoint, stack, stage) as found:
        hours = hours_of(start, end, found.now)
        due = found.due_until(hours.last)
        report = verified(
            found.holdings, found.keys, found.name, start=hours.first, end=hours.last, due=due
        )
    if as_json:
        import msgspec

        print(msgspec.json.encode(report).decode())
    else:
        from rich.console import Console

        from hub_toolkit.archive.printed import print_report

        print_report(Console(highlight=False), report)
    if report.wrong or not report.periods:
        raise typer.Exit(1)


def public_key(*, endpoint: Endpoint = None, stack: Stack = None, stage: Stage = "prod") -> None:
    """Print the public key that verifies the trail, in PEM: keep it where nobody changes it.

    Exit code 2: the deployment cannot be asked.
    """
    from hub_toolkit.archive.keys import pem

    with _reached(None, (), endpoint, stack, stage) as found:
        typer.echo(pem(found.keys), nl=False)


def show(
    subject: Annotated[
        str, typer.Argument(help="A finding, incident, instance, ticket or run; all if left out.")
    ] = "",
    *,
    start: Annotated[
        str | None,
        typer.Option("--from", help="2026-11-01, 2026-11-01T12:00Z or -90d; -30d if left out."),
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Now if left out.")] = None,
    follow: Annotated[bool, typer.Option(help="Go on with what is written from now on.")] = False,
    timezone: Annotated[str, typer.Option(help="Of the times, as Asia/Tokyo.")] = "UTC",
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    stack: Stack = None,
    stage: Stage = "prod",
) -> None:
    """Show what happened, in the order of time, from the archive and what is not sealed yet.

    Exit code 1: nothing is known of it in that time. 2: bad usage, or the trail cannot be read.
    """
    from contextlib import closing

    from hub_toolkit.inventory.moments import MomentError
    from hub_toolkit.stack import DeploymentError, name_of
    from hub_toolkit.stack import Stack as Deployed
    from hub_toolkit.trail.showing import Asked, shown

    try:
        asked = Asked(subject, start, end, timezone)
        with closing(Deployed(endpoint, name_of(stack, stage))) as deployed:
            known = shown(deployed, asked, as_json=as_json, follow=follow)
    except (DeploymentError, MomentError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    except KeyboardInterrupt:
        return
    if not known:
        typer.echo("nothing is known of it in that time", err=True)
        raise typer.Exit(1)


def report(
    *,
    start: Annotated[
        str, typer.Option("--from", help="2026-11-01, 2026-11-01T12:00Z or -90d.")
    ] = "-30d",
    end: Annotated[str | None, typer.Option("--to", help="Now if left out.")] = None,
    account: Annotated[
        list[str] | None, typer.Option(help="Only findings of this account; may be given again.")
    ] = None,
    framework: Annotated[
        Literal["pci", "iso27001", "nist", "gdpr", "lgpd"] | None,
        typer.Option(help="Name the fields that answer its controls."),
    ] = None,
    baseline: Annotated[
        str, typer.Option(help="Within which time an answer is expected, as 15m or 4h.")
    ] = "15m",
    language: Annotated[Literal["en", "ja"], typer.Option(help="Of the page.")] = "en",
    timezone: Annotated[str, typer.Option(help="Of days and times, as Asia/Tokyo.")] = "UTC",
    out: Annotated[
        Path, typer.Option(help="The folder for audit-report.html, .csv and .json.")
    ] = Path(),
    public_key: PublicKey = None,
    offline: Annotated[
        Path | None,
        typer.Option(help="A folder that is a copy of the bucket; needs --public-key."),
    ] = None,
    endpoint: Endpoint = None,
    stack: Stack = None,
    stage: Stage = "prod",
) -> None:
    """Report what was done in a time, and whether the trail that says so is what was sealed.

    Exit code 1: the trail is not, or has nothing of that time. 2: bad usage, or it cannot be read.
    """
    from hub_toolkit.report.making import Wanted, make

    with _reached(offline, public_key or (), endpoint, stack, stage) as found:
        wanted = Wanted(
            start=start,
            end=end,
            accounts=tuple(account or ()),
            framework=framework,
            baseline=baseline,
            language=language,
            timezone=timezone,
        )
        made = make(found, wanted, out, given=bool(public_key))
    for path in made.files:
        typer.echo(str(path))
    for line in made.said:
        typer.echo(line, err=True)
    if made.said:
        raise typer.Exit(1)


def hold(
    *,
    start: Annotated[str, typer.Option("--from", help="2026-11-01 or 2026-11-01T12:00Z.")],
    end: Annotated[str, typer.Option("--to", help="As --from.")],
    why: Annotated[str, typer.Option(help="For the trail: the case it is for.")],
    release: Annotated[bool, typer.Option("--release", help="Take the hold off.")] = False,
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    stack: Stack = None,
    stage: Stage = "prod",
) -> None:
    """Put a legal hold on the trail of some hours: nobody removes it until you --release it.

    Needs s3:PutObjectLegalHold on the archive's bucket. It is recorded before it is done, and can
    be given again. Exit code 2: bad usage, or it cannot be done.
    """
    from contextlib import closing

    from hub_toolkit.archive import hold as holding
    from hub_toolkit.archive.hours import hours_of
    from hub_toolkit.pausing.pausing import RECORDED
    from hub_toolkit.stack import Stack as Deployed
    from hub_toolkit.stack import name_of
    from hub_toolkit.trail.operator import Operator

    check_why(why)
    with (
        _reached(None, (), endpoint, stack, stage) as found,
        closing(Deployed(endpoint, name_of(stack, stage))) as deployed,
    ):
        keys = holding.objects_of(found.holdings, hours_of(start, end, found.now))
        detail = f"{len(keys)} objects of {start} to {end}"
        operator = Operator(deployed)
        operator.record(RECORDED, "released" if release else "held", detail=detail, why=why)
        holding.hold(deployed, str(found.holdings.bucket), keys, on=not release)
    if as_json:
        import msgspec

        print(msgspec.json.encode({"held": not release, "objects": keys}).decode())
    else:
        typer.echo(f"{detail}: {'released' if release else 'held'}")


@contextmanager
def _reached(
    offline: Path | None,
    public_keys: Sequence[Path],
    endpoint: str | None,
    stack: str | None,
    stage: str,
) -> Iterator[Reached]:
    """The archive that is meant; what goes wrong while it is read is said.

    Raises:
        typer.Exit: with code 2.
    """
    from hub_toolkit.archive.reached import copied, deployed
    from hub_toolkit.inventory.moments import MomentError
    from hub_toolkit.stack import DeploymentError, name_of

    try:
        if offline is None:
            with deployed(endpoint, name_of(stack, stage), public_keys) as found:
                yield found
        else:
            yield copied(offline, public_keys)
    except (DeploymentError, MomentError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error

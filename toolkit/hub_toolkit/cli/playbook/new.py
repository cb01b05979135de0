"""``hub-responder playbook new``: asks what a playbook is about and writes its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_LISTED = "; several: with commas, or the option again."


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("new")(new)


def new(
    name: Annotated[str, typer.Argument(help="The playbook: a to z, 0 to 9, hyphens.")],
    *,
    trigger: Annotated[
        list[str] | None, typer.Option(help=f"imported, imported_v2, click or schedule{_LISTED}")
    ] = None,
    product: Annotated[
        list[str] | None, typer.Option(help=f"Whose findings, as Inspector{_LISTED}")
    ] = None,
    severity: Annotated[str | None, typer.Option(help="The least severe, as HIGH.")] = None,
    resource_type: Annotated[
        list[str] | None, typer.Option(help=f"As AwsEc2Instance or AWS::EC2::Instance{_LISTED}")
    ] = None,
    steps: Annotated[
        list[str] | None, typer.Option(help=f"coverage, ticket, notify, update{_LISTED}")
    ] = None,
    to: Annotated[str | None, typer.Option(help="Connection or route of the message.")] = None,
    in_: Annotated[
        str | None, typer.Option("--in", help="Connection or route of the ticket.")
    ] = None,
    vision_one: Annotated[str | None, typer.Option(help="Connection that coverage asks.")] = None,
    button: Annotated[str | None, typer.Option(help="The custom action's name.")] = None,
    cron: Annotated[str | None, typer.Option(help='Of a schedule: "0 9 ? * MON *".')] = None,
    insight: Annotated[
        str | None, typer.Option(help="ARN of the insight whose findings a scheduled run gets.")
    ] = None,
    owner: Annotated[str | None, typer.Option(help="Who answers for it.")] = None,
    summary: Annotated[str | None, typer.Option(help="One line about it.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    root: Annotated[Path, typer.Option(help="The project: playbooks/.")] = Path(),
) -> None:
    """Write a new playbook that works: steps, messages in two languages, cases, README.

    It asks for what it is about, unless an option says something of it or --yes is given.
    """
    from hub_toolkit.playbooks.problems import PlaybookErrors
    from hub_toolkit.scaffold import asking, choices, surroundings, write

    root = root.resolve()
    given = {
        "triggers": _split(trigger),
        "products": _split(product),
        "severity": severity.upper() if severity else severity,
        "resource_types": _split(resource_type),
        "steps": _split(steps),
        "to": to,
        "in_": in_,
        "vision_one": vision_one,
        "button": button,
        "cron": cron,
        "insight": insight,
        "owner": owner,
        "summary": summary,
    }
    said = {key: value for key, value in given.items() if value is not None}
    try:
        around = surroundings.look(root)
    except PlaybookErrors as errors:
        typer.echo(str(errors), err=True)
        raise typer.Exit(2) from errors
    refused = list(surroundings.name_problems(name, around))
    chosen = choices.filled(name, said)
    if not refused:
        chosen = chosen if said or yes else asking.ask(chosen, around)
        refused = list(choices.problems(chosen))
    if not refused:
        chosen = surroundings.completed(chosen, around)
        refused = list(surroundings.problems(chosen, around))
    if refused:
        typer.echo("\n".join(refused), err=True)
        raise typer.Exit(2)
    try:
        written = write.write(chosen, root)
    except OSError as error:
        typer.echo(f"playbook new: {error}", err=True)
        raise typer.Exit(1) from error
    for path in written:
        typer.echo(f"written: {path.relative_to(root).as_posix()}")
    event = next(path for path in written if path.suffix == ".json").relative_to(root)
    typer.echo(f"\nNext: hub-responder playbook test {name}")
    typer.echo("      hub-responder synth")
    typer.echo(f"      hub-responder run {event.as_posix()}")


def _split(given: list[str] | None) -> tuple[str, ...] | None:
    """Each word once; None where the option was not given."""
    if given is None:
        return None
    words = (word.strip() for text in given for word in text.split(","))
    return tuple(dict.fromkeys(word for word in words if word))

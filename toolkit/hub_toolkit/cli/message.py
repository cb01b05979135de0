"""``hub-responder message preview``: what a message becomes in each target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from hub_toolkit.cli.deployed import ROOT
from hub_toolkit.cli.options import AsJson
from hub_toolkit.cli.replay import event_in, given_verdict

if TYPE_CHECKING:
    from hub_toolkit.playbooks.format import Source
    from hub_toolkit.playbooks.load import Project
    from hub_toolkit.preview.arrival import Arrival
    from hub_toolkit.preview.taken import Taken
    from hub_toolkit.preview.targets import Target


def register(app: typer.Typer) -> None:
    """Add the group with its command."""
    group = typer.Typer(help="What messages look like.", no_args_is_help=True)
    group.callback()(_group)
    group.command("preview")(preview)
    app.add_typer(group, name="message")


def _group() -> None:
    """What messages look like."""


def preview(
    playbook: Annotated[str, typer.Argument(help="The playbook whose step tells.")],
    event: Annotated[
        str, typer.Argument(help="An event file, a file of events/, or the name of a case.")
    ],
    *,
    targets: Annotated[
        list[str] | None,
        typer.Option("--as", help="A target, as slack or jira; several make one page."),
    ] = None,
    step: Annotated[
        str, typer.Option(help="The step whose message is shown, where there are several.")
    ] = "",
    language: Annotated[str, typer.Option("--lang", help="en or ja, in place of its own.")] = "",
    verdict: Annotated[
        str | None,
        typer.Option(
            help="What Vision One answers, as UNPROTECTED or 'DEGRADED module_off:firewall'; left "
            "out: what the case gives, else the sandbox's invented estate."
        ),
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="Write one HTML file that shows what it looks like.")
    ] = None,
    as_json: AsJson = False,
    stage: Annotated[str, typer.Option(help="Whose settings and connections hold.")] = "sandbox",
    root: ROOT = Path(),
) -> None:
    """Show what a step's message becomes in Slack, Teams, Jira and others; nothing is sent.

    Exit code 0: shown. 1: a target refuses it, or the step sends nothing. 2: bad usage.
    """
    from hub_toolkit.dry.stimuli import CannotMake
    from hub_toolkit.dry.world import Restless
    from hub_toolkit.playbooks.load import load_project
    from hub_toolkit.playbooks.problems import PlaybookErrors
    from hub_toolkit.preview.taken import NothingToShow, take
    from hub_toolkit.sandbox.vendors.estate import EstateError

    wanted = _targets(targets or ["slack"])
    if language not in ("", "en", "ja"):
        _unusable(f"--lang {language[:20]!r} is no language of messages: en or ja")
    try:
        project = load_project(root.resolve(), stage)
        source = _source(project, playbook)
        arrival = _arrival(event, source, project, root.resolve(), verdict)
        taken = take(
            source,
            project,
            arrival,
            wanted,
            step=step,
            stage=stage,
            language=language or arrival.language,
        )
    except (PlaybookErrors, CannotMake, EstateError) as error:
        _unusable(str(error))
    except OSError as error:
        _unusable(f"{error.filename}: {error.strerror}")
    except (NothingToShow, Restless) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if page is not None:
        _write(page, taken, f"{playbook}, {event}")
    _print(taken, as_json=as_json, quiet=page is not None)
    if any(one.error for one in taken.values()):
        raise typer.Exit(1)


def _unusable(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(2)


def _targets(names: Sequence[str]) -> dict[str, Target]:
    from hub_toolkit.playbooks.problems import unknown
    from hub_toolkit.preview.targets import TARGETS

    for name in names:
        if name not in TARGETS:
            _unusable(unknown("target", name, TARGETS))
    return {name: TARGETS[name] for name in names}


def _source(project: Project, name: str) -> Source:
    from hub_toolkit.playbooks.problems import unknown

    by_name = {source.name: source for source in project.sources}
    if name not in by_name:
        _unusable(unknown("playbook", name, by_name))
    return by_name[name]


def _arrival(
    event: str, source: Source, project: Project, root: Path, verdict: str | None
) -> Arrival:
    """What the argument names: a file, one of events/, or a case of the playbook.

    Raises:
        PlaybookErrors: a case of the playbook is wrong.
        CannotMake: the case's trigger does not fit.
    """
    from dataclasses import replace

    from hub_toolkit.dry.cases import load
    from hub_toolkit.playbooks.problems import unknown
    from hub_toolkit.preview.arrival import of_case, of_event

    given = given_verdict(verdict) if verdict is not None else None
    for path in (Path(event), root / "events" / event, root / "events" / f"{event}.json"):
        if path.is_file():
            return of_event(event_in(path), given)
    cases = {case.name: case for case in load(source, root, project.settings)}
    if event not in cases:
        _unusable(f"there is no such file, and {unknown('case', event, cases)}")
    arrival = of_case(cases[event])
    return arrival if given is None else replace(arrival, given=given)


def _write(page: Path, taken: Mapping[str, Taken], title: str) -> None:
    from hub_toolkit.preview.page import render

    try:
        page.write_text(render(taken, title, "Nothing was sent."), encoding="utf-8")
    except OSError as error:
        _unusable(f"{page} cannot be written: {error.strerror}")


def _print(taken: Mapping[str, Taken], *, as_json: bool, quiet: bool) -> None:
    from hub_toolkit.preview.printed import print_all, shown

    if as_json:
        import msgspec

        print(msgspec.json.encode([shown(name, one) for name, one in taken.items()]).decode())
    elif quiet:
        for one in taken.values():
            if one.error:
                typer.echo(f"{one.target.title}: {one.error}", err=True)
    else:
        from rich.console import Console

        print_all(Console(highlight=False), taken)

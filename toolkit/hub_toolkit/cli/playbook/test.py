"""``hub-responder playbook test``: the cases of playbooks, run dry."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hub_toolkit.dry.cases import Case
    from hub_toolkit.dry.trial import Result
    from hub_toolkit.playbooks.load import Project


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("test")(run_cases)


def run_cases(
    name: Annotated[
        list[str] | None, typer.Argument(help="Playbooks; all where none is named.")
    ] = None,
    *,
    junit: Annotated[
        Path | None, typer.Option(help="Write the results as JUnit XML to this file.")
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show what was done in every case.")
    ] = False,
    playbooks: Annotated[
        list[str] | None,
        typer.Option(help="Folders of playbooks, A:B or repeated; the later wins file by file."),
    ] = None,
    stage: Annotated[str, typer.Option(help="Whose settings and connections hold.")] = "sandbox",
    root: Annotated[Path, typer.Option(help="The project: playbooks/ and events/.")] = Path(),
) -> None:
    """Run the cases of playbooks: everything as in AWS, but nothing is sent.

    Exit code 0: all pass. 1: a case fails. 2: a playbook or a case is wrong, or there is none.
    """
    folders = [Path(one) for given in playbooks or () for one in given.split(":") if one]
    with _few_collections():
        results = _run(name or [], folders, root.resolve(), stage, verbose=verbose)
    if junit is not None:
        from hub_toolkit.dry.junit import write

        try:
            write(junit, results)
        except OSError as error:
            typer.echo(f"{junit} cannot be written: {error.strerror}", err=True)
            raise typer.Exit(2) from error
    if not results:
        raise typer.Exit(2)
    if not all(result.passed for result in results):
        raise typer.Exit(1)


@contextmanager
def _few_collections() -> Iterator[None]:
    """A short run keeps most of what it makes: looking for garbage is a fifth of its time."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _run(
    names: Sequence[str], folders: Sequence[Path], root: Path, stage: str, *, verbose: bool
) -> list[Result]:
    """Run and report the cases."""
    import time

    from rich.console import Console

    from hub_toolkit.dry.report import Report
    from hub_toolkit.dry.trial import bench, run
    from hub_toolkit.playbooks.load import load_project
    from hub_toolkit.playbooks.problems import PlaybookErrors
    from hub_toolkit.playbooks.roots import laid

    began = time.perf_counter()
    report = Report(Console(highlight=False), verbose=verbose)
    results = []
    try:
        with laid(root, folders) as found:
            project = load_project(found.root, stage)
            cases, without = _cases(project, names, found.root)
            with bench(project, stage) as where:
                for case in cases:
                    results.append(run(case, where))
                    report.add(results[-1])
    except PlaybookErrors as errors:
        for problem in errors.problems:
            typer.echo(str(found.told(problem)), err=True)
        raise typer.Exit(2) from errors
    except OSError as error:
        typer.echo(f"{error.filename}: {error.strerror}", err=True)
        raise typer.Exit(2) from error
    report.end(time.perf_counter() - began, without)
    return results


def _cases(project: Project, names: Sequence[str], root: Path) -> tuple[list[Case], list[str]]:
    """The cases of the named playbooks, and the playbooks that have none.

    Raises:
        PlaybookErrors: there is no such playbook, or a case is wrong.
    """
    from hub_toolkit.dry.cases import load
    from hub_toolkit.playbooks.problems import Place, PlaybookErrors, Problem, unknown

    by_name = {source.name: source for source in project.sources}
    problems = [
        Problem(Place("playbook test"), unknown("playbook", name, by_name))
        for name in names
        if name not in by_name
    ]
    cases: list[Case] = []
    without: list[str] = []
    for source in project.sources:
        if names and source.name not in names:
            continue
        try:
            found = load(source, root, project.settings)
        except PlaybookErrors as errors:
            problems += errors.problems
            continue
        cases += found
        if not found:
            without.append(source.name)
    if problems:
        raise PlaybookErrors(problems)
    return cases, without

"""The playbooks that a command is about, or exit code 2 with all that is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from hub_toolkit.playbooks.load import Project
    from hub_toolkit.playbooks.roots import Laid

PLAYBOOKS = Annotated[
    list[str] | None,
    typer.Option(help="Folders of playbooks, A:B or repeated; the later wins file by file."),
]
STAGE = Annotated[str, typer.Option(help="Whose settings and connections hold.")]
JSON = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
ROOT = Annotated[Path, typer.Option(help="The project: playbooks/.")]


@contextmanager
def project(root: Path, playbooks: Sequence[str] | None, stage: str) -> Iterator[Project]:
    """The project of ``root`` for ``stage``, with these folders of playbooks laid over each other.

    Raises:
        typer.Exit: with code 2; what is wrong was said.
    """
    from hub_toolkit.playbooks.load import load_project

    with laid_over(root, playbooks) as found:
        try:
            loaded = load_project(found.root, stage)
        except OSError as error:
            _unreadable(error)
        yield loaded


@contextmanager
def laid_over(root: Path, playbooks: Sequence[str] | None) -> Iterator[Laid]:
    """``root`` with these folders of playbooks laid over each other; none: with its own.

    Raises:
        typer.Exit: with code 2; what is wrong, in the playbooks too, was said.
    """
    from hub_toolkit.playbooks.problems import PlaybookErrors
    from hub_toolkit.playbooks.roots import laid

    folders = [Path(one) for given in playbooks or () for one in given.split(":") if one]
    for folder in folders:
        if not folder.is_dir():
            typer.echo(f"there is no folder {folder}", err=True)
            raise typer.Exit(2)
    with ExitStack() as closing:
        try:
            found = closing.enter_context(laid(root.resolve(), folders))
        except OSError as error:
            _unreadable(error)
        try:
            yield found
        except PlaybookErrors as errors:
            typer.echo("\n".join(str(found.told(one)) for one in errors.problems), err=True)
            raise typer.Exit(2) from errors


@contextmanager
def deployable(root: Path, playbooks: Sequence[str] | None) -> Iterator[Path]:
    """The project with the template of these folders of playbooks; none: as it is.

    Raises:
        typer.Exit: with code 2; what is wrong, in the playbooks too, was said.
    """
    from hub_toolkit.synth import TEMPLATE, SynthError, render

    with laid_over(root, playbooks) as found:
        if found.root != root.resolve():
            try:
                (found.root / TEMPLATE).write_text(render(found.root), encoding="utf-8")
            except SynthError as error:
                typer.echo(str(error), err=True)
                raise typer.Exit(2) from error
        yield found.root


def _unreadable(error: OSError) -> NoReturn:
    typer.echo(f"the playbooks cannot be read: {error}", err=True)
    raise typer.Exit(2) from error

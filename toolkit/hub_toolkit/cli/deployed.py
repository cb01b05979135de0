"""The deployment whose inventory a command asks, or exit code 2 with what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hub_toolkit.inventory.place import Place

CONNECTION = Annotated[str | None, typer.Option(help="Which Vision One, where there are several.")]
STAGE = Annotated[str, typer.Option(help="Whose settings and connections hold.")]
ROOT = Annotated[Path, typer.Option(help="The project: playbooks/.")]


@contextmanager
def place(
    root: Path, stage: str, *, endpoint: str | None, stack: str | None, connection: str | None
) -> Iterator[Place]:
    """The deployment; what goes wrong while it is asked is said.

    Raises:
        typer.Exit: with code 2.
    """
    from hub_toolkit.inventory.moments import MomentError
    from hub_toolkit.inventory.place import reached
    from hub_toolkit.playbooks.problems import PlaybookErrors
    from hub_toolkit.stack import DeploymentError, name_of

    try:
        named = name_of(stack, stage)
        with reached(root, stage, endpoint=endpoint, stack=named, connection=connection) as found:
            yield found
    except (PlaybookErrors, DeploymentError, MomentError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    except OSError as error:
        typer.echo(f"{error.filename}: {error.strerror}", err=True)
        raise typer.Exit(2) from error

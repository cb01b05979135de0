"""Options that several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
Endpoint = Annotated[
    str | None, typer.Option(help="The deployment's AWS endpoint, or a sandbox's address.")
]
Stack = Annotated[
    str | None, typer.Option(help="The deployment's stack; hub-responder-STAGE if left out.")
]


def check_why(why: str, *, needed: bool = True) -> None:
    """Refuse a ``--why`` that the trail cannot take.

    Raises:
        typer.Exit: with code 2; what is wrong was said.
    """
    from hub_toolkit.trail.operator import MAX_WHY

    if needed and not why.strip():
        typer.echo(f"--why has 0 characters; it takes 1 to {MAX_WHY}", err=True)
    elif len(why) > MAX_WHY:
        typer.echo(f"--why has {len(why)} characters; the trail takes {MAX_WHY}", err=True)
    else:
        return
    raise typer.Exit(2)

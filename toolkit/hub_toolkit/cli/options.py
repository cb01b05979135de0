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

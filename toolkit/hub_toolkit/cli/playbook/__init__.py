"""``hub-responder playbook``: write, check, try and look at playbooks.

One module for each subcommand, with ``register(group)``; as with all commands, what it needs is
imported when it runs.
"""

from __future__ import annotations

import typer

from hub_toolkit.cli.playbook import actions, check, new, show, test
from hub_toolkit.cli.playbook import list as list_

_MODULES = (new, list_, show, actions, check, test)


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(no_args_is_help=True, help="Write, check, try and look at playbooks.")
    for module in _MODULES:
        module.register(group)
    app.add_typer(group, name="playbook")

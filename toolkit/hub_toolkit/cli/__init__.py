"""The command line: ``hub-responder COMMAND``.

Each command lives in a module of its own with ``register(app)``, which imports nothing slow: what a
command needs is imported when it runs, so that ``--help`` answers at once. Exit codes: 0 all well,
1 something failed, 2 bad usage or unreadable input.
"""

from __future__ import annotations

import functools
import gc

import typer

from hub_toolkit.cli import (
    audit,
    build,
    connections,
    coverage,
    dlq,
    inventory,
    lake,
    message,
    observed,
    pause,
    playbook,
    replay,
    review,
    run,
    sandbox,
    synth,
)


@functools.cache
def application() -> typer.Typer:
    """The typer application with every command."""
    app = typer.Typer(
        name="hub-responder",
        help="Acts on AWS Security Hub findings, and shows on your machine what it would do.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    for module in (
        run,
        replay,
        message,
        connections,
        sandbox,
        playbook,
        observed,
        review,
        coverage,
        dlq,
        pause,
        inventory,
        audit,
        lake,
        synth,
        build,
    ):
        module.register(app)
    return app


def main() -> None:
    """The entry point of the ``hub-responder`` script."""
    try:
        application()()
    finally:
        gc.freeze()  # the process ends: looking through what is left would take a while

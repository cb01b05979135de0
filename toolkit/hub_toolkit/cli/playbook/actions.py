"""``hub-responder playbook actions``: what a step can use, from the actions' own declarations."""

from __future__ import annotations

from typing import Annotated

import typer


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("actions")(actions)


def actions(
    name: Annotated[str, typer.Argument(help="One action, as `notify`; all where absent.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Print each action's parameters, results, permissions and an example.

    The text is that of docs/actions.md.
    """
    from hub_responder import actions as registry
    from hub_toolkit.playbooks.problems import unknown
    from hub_toolkit.synth import actions_doc

    if name and name not in registry.names():
        typer.echo(unknown("action", name, registry.names()), err=True)
        raise typer.Exit(2)
    if as_json:
        import msgspec

        chosen = [name] if name else sorted(registry.names())
        told = [actions_doc.declared(registry.get(one)) for one in chosen]
        print(msgspec.json.encode(told).decode())
    else:
        text = actions_doc.section(registry.get(name)) if name else actions_doc.page()
        print(text, end="")

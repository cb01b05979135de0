"""Whose tickets a stage follows, from its playbooks and connections."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hub_responder.sync.plan import FILE, Plan
from hub_responder.tickets.registry import FOLLOWED
from hub_toolkit.playbooks import plans

if TYPE_CHECKING:
    from pathlib import Path

    from hub_toolkit.playbooks.format import Source
    from hub_toolkit.playbooks.load import Project

Rewrite = Callable[[str, dict[str, Any]], dict[str, Any]]
OPENS = "ticket.open"


def connections(source: Source, project: Project) -> list[str]:
    """The connections in which the playbook opens tickets that are followed."""
    if not any(step.uses == OPENS for step in source.steps):
        return []
    known = project.connections.connections
    return sorted(name for name in source.reached if known[name].get("type") in FOLLOWED)


def plan(project: Project, rewrite: Rewrite | None = None) -> Plan:
    """The plan; empty where no playbook that is enabled opens such tickets.

    Args:
        rewrite: changes the settings of connections, as of playbooks (see `compile_playbook`).
    """
    known = project.connections.connections
    reached = {
        source.name: (source, connections(source, project))
        for source in project.sources
        if source.enabled
    }
    names = sorted({name for _, names in reached.values() for name in names})
    chosen = {name: dict(known[name]) for name in names}
    if rewrite is not None:
        chosen = {name: rewrite(name, held) for name, held in chosen.items()}
    return Plan(
        playbooks={
            name: project.settings.language for name, (_, names) in sorted(reached.items()) if names
        },
        connections=chosen,
    )


def write(planned: Plan, directory: Path) -> None:
    """Write the plan to ``directory``, which is made anew."""
    plans.write(planned, directory, FILE)

"""The playbooks and the scheduled functions' plans, compiled for the sandbox.

All is as in AWS but for addresses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub_toolkit.playbooks import followed, inventory, reconciled
from hub_toolkit.playbooks.compile import compile_playbook, write
from hub_toolkit.playbooks.load import Project

Rewrite = Callable[[str, dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Compiled:
    """Folders: of the playbooks, by name, and of the plans: the inventory's, followed tickets', and
    what the rules select."""

    playbooks: dict[str, Path]
    inventory: Path
    sync: Path
    reconcile: Path


def compile_all(project: Project, target: Path, rewrite: Rewrite) -> Compiled:
    """Compile every playbook of a project into a folder below ``target``.

    Args:
        rewrite: (connection name, type and settings) -> settings; called for every connection of
            the stage, also for those that no playbook uses.

    Raises:
        PlaybookErrors: something in it is wrong.
    """
    for name, settings in project.connections.connections.items():
        rewrite(name, dict(settings))
    folders: dict[str, Path] = {}
    for source in project.sources:
        playbook = compile_playbook(source, project, "", rewrite)
        folders[source.name] = target / source.name
        write(playbook, source, folders[source.name])
    planned = target / "inventory-plan"
    inventory.write(inventory.plan(project, rewrite), planned)
    tickets = target / "sync-plan"
    followed.write(followed.plan(project, rewrite), tickets)
    selected = target / "reconcile-plan"
    reconciled.write(reconciled.plan(project), selected)
    return Compiled(folders, planned, tickets, selected)

"""What the scheduled walk of a stage looks at, from its playbooks, connections and settings."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder.inventory.plan import FILE, Plan

if TYPE_CHECKING:
    from pathlib import Path

    from hub_toolkit.playbooks.format import Source
    from hub_toolkit.playbooks.load import Project

Rewrite = Callable[[str, dict[str, Any]], dict[str, Any]]
KINDS = ("vision_one", "workload_security")


def takes(source: Source) -> bool:
    """Some step of the playbook reads what the scheduled walk found."""
    return any(source.action(step.uses).inventory for step in source.steps)


def plan(project: Project, rewrite: Rewrite | None = None) -> Plan:
    """The plan; without connections where no playbook that is enabled asks for any.

    Args:
        rewrite: changes the settings of connections, as of playbooks (see `compile_playbook`).
    """
    asking = [source for source in project.sources if source.enabled and takes(source)]
    known, settings = project.connections.connections, project.settings
    names = sorted({name for source in asking for name in source.reached})
    chosen = {name: dict(known[name]) for name in names if known[name].get("type") in KINDS}
    if rewrite is not None:
        chosen = {name: rewrite(name, held) for name, held in chosen.items()}
    return Plan(
        connections=chosen,
        accounts=settings.accounts,
        regions=settings.regions,
        member_role=settings.member_role,
    )


def write(planned: Plan, directory: Path) -> None:
    """Write the plan to ``directory``, which is made anew."""
    if directory.exists():
        shutil.rmtree(directory)
    directory.mkdir(parents=True)
    encoded = msgspec.json.format(msgspec.json.encode(planned, order="deterministic"), indent=1)
    (directory / FILE).write_bytes(encoded + b"\n")

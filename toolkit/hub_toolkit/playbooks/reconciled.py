"""What a stage's rules select, for the function that names findings which no rule saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub_responder.playbook import Triggers
from hub_responder.reconcile import FILE, Plan
from hub_toolkit.playbooks import plans, rules

if TYPE_CHECKING:
    from pathlib import Path

    from hub_toolkit.playbooks.load import Project


def plan(project: Project) -> Plan:
    """The patterns over ASFF of the playbooks that are enabled, as their rules have them."""
    patterns = {
        source.name: rules.imported(Triggers(imported=source.on.imported))
        for source in project.sources
        if source.enabled
    }
    return Plan({name: held for name, held in sorted(patterns.items()) if held is not None})


def write(planned: Plan, directory: Path) -> None:
    """Write the plan to ``directory``, which is made anew."""
    plans.write(planned, directory, FILE)

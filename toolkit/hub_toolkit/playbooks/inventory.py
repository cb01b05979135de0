"""What the scheduled walk of a stage looks at, from its playbooks, connections and settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder.actions.check_coverage import ACTION, Params
from hub_responder.errors import ExpressionError
from hub_responder.expressions import fill
from hub_responder.inventory.plan import FILE, Plan, Watch
from hub_toolkit.playbooks import plans

if TYPE_CHECKING:
    from pathlib import Path

    from hub_toolkit.playbooks.format import Source
    from hub_toolkit.playbooks.load import Project

Rewrite = Callable[[str, dict[str, Any]], dict[str, Any]]
KINDS = ("vision_one", "workload_security")
CHECK = ACTION.name


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
        watches=tuple(one for source in asking for one in _watches(source)),
        connections=chosen,
        accounts=settings.accounts,
        regions=settings.regions,
        member_role=settings.member_role,
    )


def _watches(source: Source) -> Iterator[Watch]:
    """What the playbook demands of an instance; not where it has no findings of its own."""
    if source.on.imported is None and source.on.imported_v2 is None:
        return
    for step in source.steps:
        if step.uses != CHECK or step.uses in source.own:
            continue
        try:
            filled = fill(step.with_, {"params": source.params})
            params = msgspec.convert(filled, Params)
        except (ExpressionError, msgspec.ValidationError):
            continue  # it demands something else of each finding
        yield Watch(
            playbook=source.name,
            connection=params.connection,
            group_by=source.group_by,
            mode=source.mode,
            stale_after=params.stale_after,
            modules=tuple(params.modules),
        )


def write(planned: Plan, directory: Path) -> None:
    """Write the plan to ``directory``, which is made anew."""
    plans.write(planned, directory, FILE)

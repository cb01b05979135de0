"""The connection that a target is looked at through: the project's own, or an invented one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hub_toolkit.playbooks.connections import Connections

if TYPE_CHECKING:
    from hub_toolkit.playbooks.load import Project
    from hub_toolkit.preview.targets import Target

_PREFIX = "preview-"


def name(project: Project, target: Target, near: str) -> str:
    """The connection that a target is looked at through; the project may have none of its type.

    Args:
        near: the connection or route that the step itself names; what it can mean comes first.
    """
    held = project.connections.connections
    meant = project.connections.chosen(near) if near in project.connections.names() else ()
    known = (*meant, *sorted(held))
    fitting = (one for kind in target.kinds for one in known if held[one].get("type") == kind)
    return next(fitting, _PREFIX + target.kind.replace("_", "-"))


def with_examples(
    project: Project, targets: Mapping[str, Target], chosen: Mapping[str, str]
) -> Project:
    """The project with an invented connection for each target that it has none for."""
    held = dict(project.connections.connections)
    for name, target in targets.items():
        held.setdefault(chosen[name], {"type": target.kind, **target.example})
    connections = Connections(
        held, project.connections.routes, project.connections.places, project.connections.used
    )
    return replace(project, connections=connections)


def language(settings: Mapping[str, Any], fallback: str) -> str:
    """The language that a connection's messages are in."""
    return str(settings.get("language") or fallback)

"""A loaded playbook -> what its Lambda reads: ``playbook.json``, ``templates/``, ``actions.py``."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder.actions.own import FILE
from hub_responder.playbook import Playbook
from hub_toolkit.playbooks import patterns
from hub_toolkit.playbooks.scope import FUNCTIONS

if TYPE_CHECKING:
    from pathlib import Path

    from hub_toolkit.playbooks.format import Source
    from hub_toolkit.playbooks.load import Project

Rewrite = Callable[[str, dict[str, Any]], dict[str, Any]]
"""(connection name, type and settings) -> type and settings; the sandbox points them elsewhere."""

VERSION_DIGITS = 12


def compile_playbook(
    source: Source, project: Project, commit: str, rewrite: Rewrite | None = None
) -> Playbook:
    """The compiled playbook, equal for equal input.

    Args:
        source: the playbook. project: what it shares with others in its stage.
        commit: the git commit that it was built from, or an empty string.
        rewrite: changes the settings of connections; the version does not depend on it.
    """
    settings, connections = project.settings, project.connections
    playbook = Playbook(
        name=source.name,
        summary=source.summary,
        steps=source.steps,
        on=source.on,
        version="",
        owner=source.owner or settings.owner,
        why=source.why,
        runbook=source.runbook,
        language=settings.language,
        timezone=settings.timezone,
        params=source.params,
        group_by=source.group_by,
        wait=source.wait,
        quiet=source.quiet,
        resource_types=_resource_types(source),
        connections={name: dict(connections.connections[name]) for name in source.reached},
        routes={name: connections.routes[name] for name in source.used_routes},
        give_up_after=source.give_up_after,
        only_if=source.only_if,
        always_if=source.always_if,
        mode=source.mode,
        enabled=source.enabled,
        accounts=settings.accounts,
        regions=settings.regions,
        home_only=settings.home_only,
        member_role=settings.member_role,
        calendars=dict(settings.calendars) if "open" in source.used else {},
        functions=tuple(sorted(source.used & FUNCTIONS)),
        tables=project.tables if "table" in source.used else {},
    )
    version = _version(playbook, source)
    used = playbook.connections
    if rewrite is not None:
        used = {name: rewrite(name, dict(values)) for name, values in used.items()}
    return msgspec.structs.replace(playbook, version=version, commit=commit, connections=used)


def _resource_types(source: Source) -> tuple[str, ...]:
    """Which of a finding's resources count: what the match names, else what the steps are about.

    A match that names no type means any resource.
    """
    if source.on.imported is not None or source.on.imported_v2 is not None:
        return patterns.resource_types(source.on.imported, source.on.imported_v2)
    return tuple(sorted({name for step in source.steps for name in source.action(step.uses).about}))


def write(playbook: Playbook, source: Source, directory: Path) -> None:
    """Write the playbook's files to ``directory``, which is made anew."""
    if directory.exists():
        shutil.rmtree(directory)
    (directory / "templates").mkdir(parents=True)
    encoded = msgspec.json.format(msgspec.json.encode(playbook, order="deterministic"), indent=1)
    (directory / "playbook.json").write_bytes(encoded + b"\n")
    for name, text in source.templates.items():
        (directory / "templates" / name).write_text(text, encoding="utf-8", newline="")
    if source.code:
        (directory / FILE).write_bytes(source.code)


def _version(playbook: Playbook, source: Source) -> str:
    """The content hash of the playbook, its connections, templates and own actions."""
    parts = [playbook, source.templates, *([source.code] if source.code else [])]
    content = msgspec.json.encode(parts, order="deterministic")
    return hashlib.sha256(content).hexdigest()[:VERSION_DIGITS]

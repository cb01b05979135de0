"""The playbooks, compiled for the sandbox: as in AWS but for the connections' addresses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hub_toolkit.playbooks.compile import compile_playbook, write
from hub_toolkit.playbooks.load import load_project

Rewrite = Callable[[str, dict[str, Any]], dict[str, Any]]


def compile_all(root: Path, stage: str, target: Path, rewrite: Rewrite) -> dict[str, Path]:
    """Compile every playbook below ``root/playbooks`` into a folder below ``target``.

    Args:
        rewrite: (connection name, type and settings) -> settings; called for every connection of
            the stage, also for those that no playbook uses.

    Returns:
        The folders by the playbooks' names.

    Raises:
        PlaybookErrors: something below ``root/playbooks`` is wrong.
    """
    project = load_project(root, stage)
    for name, settings in project.connections.connections.items():
        rewrite(name, dict(settings))
    folders: dict[str, Path] = {}
    for source in project.sources:
        playbook = compile_playbook(source, project, "", rewrite)
        folders[source.name] = target / source.name
        write(playbook, source, folders[source.name])
    return folders

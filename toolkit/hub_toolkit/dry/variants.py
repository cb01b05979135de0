"""Playbooks compiled for a dry run: once for each language and set of params."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hub_toolkit.dry.world import rewritten
from hub_toolkit.playbooks.compile import compile_playbook, write

if TYPE_CHECKING:
    from hub_toolkit.playbooks.format import Source
    from hub_toolkit.playbooks.load import Project


class Variants:
    """The compiled playbooks of a stage.

    Args:
        project: the stage. folder: where they are written to.
    """

    def __init__(self, project: Project, folder: Path) -> None:
        self._project = project
        self._folder = folder
        self._made: dict[bytes, Path] = {}

    def folder(
        self, source: Source, *, language: str = "", params: dict[str, Any] | None = None
    ) -> Path:
        """The folder of a playbook.

        Args:
            language: of its messages; empty: the stage's. params: values in place of its own.
        """
        key = msgspec.json.encode([source.name, language, params or {}], order="deterministic")
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self._folder / f"{len(self._made)}-{source.name}"
            playbook = compile_playbook(source, self._project, "", rewritten)
            changes: dict[str, Any] = {"params": {**playbook.params, **(params or {})}}
            if language:
                changes["language"] = language
            write(msgspec.structs.replace(playbook, **changes), source, made)
        return made

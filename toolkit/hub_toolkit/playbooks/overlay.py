"""A file for all stages with one stage's laid over it: ``connections.yaml``, ``settings.yaml``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hub_toolkit.playbooks.document import Mapping, Node, read
from hub_toolkit.playbooks.fields import kind
from hub_toolkit.playbooks.problems import Place, PlaybookErrors, Problem

if TYPE_CHECKING:
    from pathlib import Path

STAGE = re.compile(r"[a-z][a-z0-9-]{0,15}")
SANDBOX = "sandbox"
"""The stage of the sandbox; it is never deployed."""


def layers(
    folder: Path, name: str, stage: str, root: Path, problems: list[Problem]
) -> list[Mapping]:
    """The documents of ``NAME.yaml`` and, laid over it, ``NAME.STAGE.yaml``, where they exist.

    What is wrong with them is added to ``problems``.

    Raises:
        PlaybookErrors: one of them is not YAML, or is not a mapping.
    """
    found = []
    for path in (folder / f"{name}.yaml", folder / f"{name}.{stage}.yaml"):
        if path.is_file():
            shown = path.relative_to(root).as_posix()
            node: Node = read(path, shown, problems)
            if not isinstance(node, Mapping):
                raise PlaybookErrors(
                    [Problem(Place(shown), f"must be a mapping, not {kind(node)}")]
                )
            found.append(node)
    return found


def stages(folder: Path) -> tuple[str, ...]:
    """The stages that have files of their own and can be deployed, sorted."""
    named = {
        path.name.split(".")[1]
        for stem in ("connections", "settings")
        for path in folder.glob(f"{stem}.*.yaml")
    }
    return tuple(sorted(named - {SANDBOX}))

"""The committed files that are written from others, and whether they still say the same."""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING

from hub_toolkit import requirements
from hub_toolkit.about import readme
from hub_toolkit.playbooks import json_schema, json_schema_connections
from hub_toolkit.synth import actions_doc
from hub_toolkit.synth.document import TEMPLATE, render

if TYPE_CHECKING:
    from pathlib import Path


def texts(root: Path, laid: Path | None = None) -> dict[str, str]:
    """What each file must hold, by its path in the project.

    Args:
        root: the project. laid: the same with the playbooks that are to be deployed, where
            they are not its own; what documents its own is not written for others.

    Raises:
        PlaybookErrors, SynthError, RequirementsError: it cannot be made.
    """
    deployed = {
        TEMPLATE: render(laid or root),
        **{name: requirements.render(root, extra) for name, extra in requirements.FILES.items()},
    }
    if laid not in (None, root):
        return deployed
    return {
        **deployed,
        "docs/actions.md": actions_doc.render(),
        **readme.texts(root),
        json_schema.PATH: json_schema.render(),
        json_schema_connections.PATH: json_schema_connections.render(),
    }


def write(root: Path, laid: Path | None = None) -> list[str]:
    """Write the files (see `texts`); those that changed."""
    changed = []
    for name, text in texts(root, laid).items():
        if _held(root / name) != text:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8", newline="\n")
            changed.append(name)
    return changed


def drift(root: Path, laid: Path | None = None) -> str:
    """The difference between the files and what they must hold, as a diff; empty where none."""
    found: list[str] = []
    for name, text in texts(root, laid).items():
        held = _held(root / name)
        found += unified_diff(
            (held or "").splitlines(keepends=True),
            text.splitlines(keepends=True),
            f"{name} (as it is)",
            f"{name} (as it must be)",
        )
    return "".join(found)


def _held(path: Path) -> str | None:
    return path.read_bytes().decode("utf-8", "replace") if path.is_file() else None

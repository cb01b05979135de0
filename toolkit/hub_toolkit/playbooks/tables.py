"""``playbooks/tables/*.yaml``: look-up tables, as owners by account, that expressions read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hub_toolkit.playbooks.document import plain, read
from hub_toolkit.playbooks.problems import Place, PlaybookErrors, Problem
from hub_toolkit.playbooks.values import PARAM

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "tables"
MAX_BYTES = 262_144
"""Of all tables as JSON: each playbook that reads any carries them in its layer."""


def load(folder: Path, root: Path, problems: list[Problem]) -> dict[str, Any]:
    """The tables below ``folder``, by file name without ``.yaml``."""
    found: dict[str, Any] = {}
    for path in sorted((folder / FOLDER).glob("*.yaml")):
        shown = path.relative_to(root).as_posix()
        if not PARAM.fullmatch(path.stem):
            text = f"`{path.stem[:80]}` is no name of a table: a to z, 0 to 9 and _, at most 40"
            problems.append(Problem(Place(shown), text))
            continue
        try:
            found[path.stem] = plain(read(path, shown, problems))
        except PlaybookErrors as errors:
            problems += errors.problems
    size = len(json.dumps(found, ensure_ascii=False).encode())
    if size > MAX_BYTES:
        where = Place((folder / FOLDER).relative_to(root).as_posix())
        problems.append(Problem(where, f"has {size:,} bytes as JSON; at most {MAX_BYTES:,}"))
    return found

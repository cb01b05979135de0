"""Folders of playbooks laid over each other, as a team's own beside those that came with us.

The later folder wins file by file, so that one message can be replaced alone. A file that replaces
another says in its first lines which version of it: ``overrides: 0123456789ab``, the first twelve
digits of its SHA-256; `check` then tells when the original changes.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hub_toolkit.playbooks.load import FOLDER
from hub_toolkit.playbooks.problems import Place, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_NOTED = re.compile(r"\boverrides: ([0-9a-f]{12})\b")
_NOTED_WITHIN = 5
_DIGITS = 12
BESIDE = ("events", "functions")
"""What a project has besides its playbooks, for those that try them."""
_SHARED = (f"{FOLDER}/connections", f"{FOLDER}/settings")


@dataclass(frozen=True, slots=True)
class Laid:
    """Folders as one project.

    Attributes:
        root: the project that has them as its ``playbooks/``.
        origins: file in it -> the file that it is, as people name it.
        stale: warnings about files that replace one that has changed since, or say not which.
    """

    root: Path
    origins: Mapping[str, str] = field(default_factory=dict)
    stale: tuple[Problem, ...] = ()

    def told(self, problem: Problem) -> Problem:
        """``problem`` at the file that people know."""
        file = self.origins.get(problem.place.file, problem.place.file)
        return replace(problem, place=replace(problem.place, file=file))


@contextmanager
def laid(root: Path, folders: Sequence[Path]) -> Iterator[Laid]:
    """``folders``, the first at the bottom, as the playbooks of ``root``; none: its own.

    Raises:
        OSError: a folder cannot be read.
    """
    if not folders or [folder.resolve() for folder in folders] == [(root / FOLDER).resolve()]:
        yield Laid(root)
        return
    with tempfile.TemporaryDirectory(prefix="hub-responder-") as made:
        project = Path(made)
        origins: dict[str, str] = {}
        stale: list[Problem] = []
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                name = f"{FOLDER}/{path.relative_to(folder).as_posix()}"
                if not path.is_file() or "/." in f"/{name}":
                    continue
                shown = path.as_posix()
                if name in origins and not name.startswith(_SHARED):
                    stale += _stale(project / name, origins[name], path, shown)
                origins[name] = shown
                (project / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, project / name)
        (project / FOLDER).mkdir(exist_ok=True)
        for beside in BESIDE:
            if (root / beside).is_dir():
                (project / beside).symlink_to((root / beside).resolve())
        yield Laid(project, origins, tuple(stale))


def _stale(original: Path, name: str, path: Path, shown: str) -> list[Problem]:
    """What to say of ``path``, which replaces ``original``."""
    now = hashlib.sha256(original.read_bytes()).hexdigest()[:_DIGITS]
    head = path.read_text(encoding="utf-8", errors="replace").splitlines()[:_NOTED_WITHIN]
    noted = next((found[1] for line in head if (found := _NOTED.search(line))), "")
    if noted == now:
        return []
    text = f"replaces {name}, which has changed since {noted}: compare them"
    if not noted:
        text = f"replaces {name} and does not say which version of it"
    comment = f"{{# overrides: {now} #}}" if path.suffix == ".j2" else f"# overrides: {now}"
    return [Problem(Place(shown, 1, 1), f"{text}; note `{comment}` in its first lines", True)]

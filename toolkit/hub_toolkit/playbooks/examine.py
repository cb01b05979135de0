"""What `hub-responder playbook check` says: errors and warnings of all stages, each once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub_toolkit.playbooks import advice, load
from hub_toolkit.playbooks.load import FOLDER
from hub_toolkit.playbooks.overlay import SANDBOX, STAGE, stages
from hub_toolkit.playbooks.problems import Problem, unknown
from hub_toolkit.playbooks.roots import laid

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from hub_toolkit.playbooks.roots import Laid


class Unusable(Exception):  # noqa: N818 - said to the user as it is
    """Nothing can be examined: no folder, no such stage or playbook."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found.

    Attributes:
        playbooks: how many were looked at.
        problems: in the order of files and lines.
    """

    playbooks: int
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> int:
        """How many are wrong."""
        return sum(not problem.warning for problem in self.problems)

    def summary(self) -> str:
        """One line for people."""
        warnings = len(self.problems) - self.errors
        parts = [_count(self.errors, "error"), _count(warnings, "warning")]
        return f"{_count(self.playbooks, 'playbook')}: {', '.join(parts)}"

    def as_data(self) -> dict[str, Any]:
        """For programs."""
        return {
            "playbooks": self.playbooks,
            "errors": self.errors,
            "warnings": len(self.problems) - self.errors,
            "problems": [
                {
                    "file": problem.place.file,
                    "line": problem.place.line,
                    "column": problem.place.column,
                    "severity": "warning" if problem.warning else "error",
                    "text": problem.text,
                }
                for problem in self.problems
            ],
        }


def examine(
    root: Path, folders: Sequence[Path], names: Collection[str], stage: str | None
) -> Examined:
    """Everything that is wrong or unwise.

    Args:
        root: the project.
        folders: of playbooks, the later over the earlier; none: the project's.
        names: only these playbooks, and what they share; none: all.
        stage: only this; None: all that have files of their own, and none.

    Raises:
        Unusable: there is no such folder, stage or playbook.
    """
    for folder in folders or [root / FOLDER]:
        if not folder.is_dir():
            raise Unusable(f"there is no folder {folder}")
    if stage and not STAGE.fullmatch(stage):
        raise Unusable(f"--stage: `{stage[:40]}` is no stage's name")
    with laid(root.resolve(), folders) as project:
        known = [path.parent.name for path in project.root.glob(f"{FOLDER}/*/playbook.yaml")]
        for name in names:
            if name not in known:
                raise Unusable(unknown("playbook", name, known))
        found = {project.told(problem) for problem in _found(project, stage)}
        shared = [name for name in known if names and name not in names]
        hidden = tuple(
            {project.origins.get(f"{FOLDER}/{name}/playbook.yaml", f"{FOLDER}/{name}/playbook.yaml")
             .removesuffix("playbook.yaml") for name in shared}
        )  # fmt: skip
        shown = (p for p in found if not p.place.file.startswith(hidden)) if hidden else found
        return Examined(len(names or known), tuple(sorted(shown)))


def _found(project: Laid, stage: str | None) -> list[Problem]:
    folder = project.root / FOLDER
    sandbox = [SANDBOX] if any(folder.glob(f"*.{SANDBOX}.yaml")) else []
    every = ("", *stages(folder), *sandbox)
    found = list(project.stale)
    for one in every if stage is None else (stage,):
        read, problems = load.examine(project.root, one)
        found += problems
        if one == (stage or ""):
            found += advice.of(read, project.root)
    return found


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"

"""Everything below ``playbooks/``: all of it is read, and all that is wrong is said at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from hub_toolkit.playbooks import connections as connections_file
from hub_toolkit.playbooks import format as playbook_file
from hub_toolkit.playbooks import settings as settings_file
from hub_toolkit.playbooks import tables as tables_files
from hub_toolkit.playbooks.connections import Connections
from hub_toolkit.playbooks.overlay import STAGE
from hub_toolkit.playbooks.problems import Place, PlaybookErrors, Problem
from hub_toolkit.playbooks.scope import Around
from hub_toolkit.playbooks.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from hub_toolkit.playbooks.format import Source

FOLDER = "playbooks"
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Project:
    """The playbooks of one stage with what they share."""

    sources: list[Source]
    connections: Connections
    settings: Settings
    tables: dict[str, Any]


def load_project(root: Path, stage: str) -> Project:
    """Read and check everything below ``root/playbooks`` for ``stage``; "": no stage's own files.

    Raises:
        PlaybookErrors: with every problem of every file.
    """
    project, problems = examine(root, stage)
    if not all(problem.warning for problem in problems):
        raise PlaybookErrors(problem for problem in problems if not problem.warning)
    return project


def examine(root: Path, stage: str) -> tuple[Project, list[Problem]]:
    """What can be read for ``stage``, and everything that is wrong or unwise about it."""
    folder = root / FOLDER
    problems: list[Problem] = []
    if stage and not STAGE.fullmatch(stage):
        problems.append(Problem(Place("--stage"), f"`{stage[:40]}` is no stage's name"))
        return Project([], Connections(), Settings(), {}), problems
    settings = _collect(lambda: settings_file.load(folder, stage, root, problems), problems)
    tables = tables_files.load(folder, root, problems)
    around = Around(calendars=settings.calendars if settings else None, tables=tables)
    connections = _collect(
        lambda: connections_file.load(folder, stage, root, problems, around), problems
    )
    project = Project([], connections or Connections(), settings or Settings(), tables)
    found = sorted(path.parent for path in folder.glob("*/playbook.yaml"))
    if not found:
        problems.append(Problem(Place(FOLDER), "holds no playbook: NAME/playbook.yaml"))
    for directory in found:
        source = _collect(_reader(directory, root, project, problems), problems)
        if source is not None:
            project.sources.append(source)
    problems += project.settings.unknown([directory.name for directory in found])
    problems += _shared_action_ids(project.sources)
    return project, problems


def load_all(root: Path, stage: str) -> list[Source]:
    """The playbooks of `load_project`, by name."""
    return load_project(root, stage).sources


def _reader(
    directory: Path, root: Path, project: Project, problems: list[Problem]
) -> Callable[[], Source]:
    return lambda: playbook_file.load(
        directory,
        root,
        project.connections,
        project.settings,
        problems,
        tables=project.tables,
    )


def _collect(read: Callable[[], Read], problems: list[Problem]) -> Read | None:
    try:
        return read()
    except PlaybookErrors as errors:
        problems += errors.problems
        return None


def _shared_action_ids(sources: Iterable[Source]) -> list[Problem]:
    """A custom action belongs to one playbook: its id is unique in an account."""
    first: dict[str, str] = {}
    problems = []
    for source in sources:
        action = source.on.custom_action
        if action is None or not action.id:
            continue
        if action.id in first:
            text = f"custom action {action.id} is {first[action.id]}'s already: choose another id"
            problems.append(Problem(source.button or source.place, text))
        first.setdefault(action.id, source.name)
    return problems

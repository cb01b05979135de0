"""What is allowed but unwise: warnings about playbooks that can be read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hub_toolkit.dry import cases
from hub_toolkit.playbooks.problems import Place, PlaybookErrors, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hub_toolkit.playbooks.format import Source
    from hub_toolkit.playbooks.load import Project

SCHEMA_LINE = "# yaml-language-server: $schema=../playbook.schema.json"
_OTHER = {"en": "ja", "ja": "en"}
_VARIANT = re.compile(r"(?P<stem>.+)\.(?P<language>en|ja)\.md\.j2")


def of(project: Project, root: Path) -> Iterator[Problem]:
    """Warnings about the playbooks of ``project``, and what is wrong with their cases."""
    for source in project.sources:
        yield from _cases(source, root, project)
        yield from _header(source)
        yield from _languages(source, root)
        yield from _unused(source, root)
    yield from _routes(project)


def _warning(file: str, text: str, line: int = 0, column: int = 0) -> Problem:
    return Problem(Place(file, line, column), text, warning=True)


def _cases(source: Source, root: Path, project: Project) -> Iterator[Problem]:
    """One case that acts and one that does not: else nobody knows what it does, or spares."""
    try:
        found = cases.load(source, root, project.settings)
    except PlaybookErrors as errors:
        yield from errors.problems
        return
    for acts, what in ((True, "acts"), (False, "does not act")):
        if not any(case.expect.acts is acts for case in found):
            text = f"no case shows that it {what}: add one to `tests`"
            yield _warning(source.place.file, text)


def _header(source: Source) -> Iterator[Problem]:
    """Editors complete and explain a playbook's keys where it names its schema."""
    text = (source.directory / "playbook.yaml").read_text(encoding="utf-8")
    if SCHEMA_LINE not in text.splitlines()[:5]:
        yield _warning(source.place.file, f"begin the file with `{SCHEMA_LINE}`", 1, 1)


def _languages(source: Source, root: Path) -> Iterator[Problem]:
    for name in source.templates:
        found = _VARIANT.fullmatch(name)
        if found is None:
            continue
        other = f"{found['stem']}.{_OTHER[found['language']]}.md.j2"
        if other not in source.templates:
            yield _warning(_shown(source, root, name), f"has no twin {other}")


def _unused(source: Source, root: Path) -> Iterator[Problem]:
    """Templates that no step names, params that nothing reads."""
    for path in sorted((source.directory / "templates").glob("*.md.j2")):
        if path.name not in source.templates:
            yield _warning(_shown(source, root, path.name), "no step uses this template")
    playbook = (source.directory / "playbook.yaml").read_text(encoding="utf-8")
    texts = "\n".join([playbook, *source.templates.values()])
    for name in source.params:
        if not re.search(rf"\bparams(\.|\[['\"]){name}\b", texts):
            line = next(
                (n for n, one in enumerate(playbook.splitlines(), 1) if f"{name}:" in one), 0
            )
            yield _warning(source.place.file, f"nothing reads param `{name}`", line, 1)


def _routes(project: Project) -> Iterator[Problem]:
    used = {name for source in project.sources for name in source.used_routes}
    for name, place in project.connections.places.items():
        if name in project.connections.routes and name not in used:
            yield Problem(place, f"no playbook uses route `{name}`", warning=True)


def _shown(source: Source, root: Path, template: str) -> str:
    return (source.directory / "templates" / template).relative_to(root).as_posix()

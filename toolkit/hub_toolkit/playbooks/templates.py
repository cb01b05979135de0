"""The message templates of a playbook: which files a name means, and what they read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hub_responder.errors import ConfigurationError
from hub_responder.markdown.template import path_of
from hub_toolkit.playbooks.problems import Place, Problem, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from hub_toolkit.playbooks.scope import Scope

LANGUAGES = ("en", "ja")
MAX_BYTES = 65_536


@dataclass(slots=True)
class Templates:
    """The templates of one playbook folder.

    Attributes:
        used: file name -> content of all variants of the templates that steps name.
    """

    directory: Path
    root: Path
    used: dict[str, str] = field(default_factory=dict)

    def names_in(self, name: str, scope: Scope, place: Place, problems: list[Problem]) -> set[str]:
        """The variables that template ``name`` reads, in any language."""
        try:
            paths = {path_of(self.directory, name, language) for language in LANGUAGES}
        except ConfigurationError:
            files = sorted(path.name for path in self.directory.glob("templates/*.md.j2"))
            # a step names a template without its language
            there_is = [
                re.sub(rf"\.({'|'.join(LANGUAGES)})(?=\.md\.j2$)", "", one) for one in files
            ]
            near = nearest(name, there_is)
            hint = f"; did you mean `{near}`?" if near else ""
            folder = (self.directory / "templates").relative_to(self.root).as_posix()
            problems.append(Problem(place, f"there is no template `{name}` in {folder}{hint}"))
            return set()
        read: set[str] = set()
        for path in sorted(paths):
            read |= self._read(path, scope, problems)
        return read

    def _read(self, path: Path, scope: Scope, problems: list[Problem]) -> set[str]:
        place = Place(path.relative_to(self.root).as_posix())
        try:
            raw = path.read_bytes()
            if len(raw) > MAX_BYTES:
                problems.append(Problem(place, f"has over {MAX_BYTES:,} bytes"))
                return set()
            text = raw.decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(Problem(place, f"cannot be read: {error}"))
            return set()
        self.used[path.name] = text
        found: list[Problem] = []
        names = scope.message(text, place.file, found)
        # Several steps may use it: what is wrong at a place is said for the first of them.
        said = {problem.place for problem in problems}
        problems += [problem for problem in found if problem.place not in said]
        return names

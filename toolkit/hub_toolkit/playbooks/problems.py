"""What is wrong in a file: where, what, what is allowed, and the nearest right spelling."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a file; line and column count from 1. Line 0: the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong, or with ``warning`` only unwise."""

    place: Place
    text: str
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.place}: {'warning: ' if self.warning else ''}{self.text}"


class PlaybookErrors(Exception):  # noqa: N818 - it carries all of them
    """Everything that is wrong below ``playbooks/``, in the order of files and lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def nearest(word: str, allowed: Collection[str]) -> str:
    """The one of ``allowed`` that looks like ``word``, or an empty string."""
    found = get_close_matches(word, sorted(allowed), n=1, cutoff=0.6)
    return found[0] if found else ""


def unknown(what: str, word: str, allowed: Collection[str]) -> str:
    """What to say about a word that is not one of ``allowed``."""
    near = nearest(word, allowed)
    hint = f"; did you mean `{near}`?" if near else "."
    return f"unknown {what} `{word[:80]}`{hint} There is: {', '.join(sorted(allowed)) or 'none'}"

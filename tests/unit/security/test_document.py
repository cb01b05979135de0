"""The tests that docs/security.md and docs/reliability.md name are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
FIGURES = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


@cache
def _tests(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}


def test_each_test_that_the_documents_name_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", TEXT + FIGURES)
    assert len(named) > 50
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or (name and name not in _tests(path))
    ]
    assert missing == []


def test_each_attempt_names_what_stops_it_and_a_test_or_says_nothing_does() -> None:
    tables = re.findall(r"\| tries \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", TEXT)
    assert len(tables) == len(re.findall(r"^### ", TEXT, re.MULTILINE))
    for row in "".join(tables).splitlines():
        _, tries, stops, shown, _ = re.split(r"\s*\|\s*", row)
        assert tries
        assert stops
        assert "tests/" in shown or stops.startswith("nothing"), tries

"""Playbooks are data: the code knows none of them by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
NAMES = sorted(path.parent.name for path in REPOSITORY.glob("playbooks/*/playbook.yaml"))
CODE = [
    path
    for folder in ("functions", "toolkit")
    for path in sorted((REPOSITORY / folder).rglob("*"))
    if path.is_file() and "__pycache__" not in path.parts
]


@pytest.mark.parametrize("name", NAMES)
def test_no_code_names_a_playbook(name: str) -> None:
    written = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    naming = [
        path.relative_to(REPOSITORY).as_posix()
        for path in CODE
        if written.search(path.read_bytes().decode("utf-8", "replace"))
    ]
    assert naming == []

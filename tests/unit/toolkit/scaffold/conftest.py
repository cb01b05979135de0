"""A project as a user has it: the shipped playbooks and their connections."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[4]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(REPOSITORY / "playbooks", tmp_path / "playbooks")
    (tmp_path / "events").mkdir()
    return tmp_path

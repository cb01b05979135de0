"""A copy of this project's playbooks that tests can change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[4]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with the shipped playbooks, pyproject and lock."""
    shutil.copytree(REPOSITORY / "playbooks", tmp_path / "playbooks")
    (tmp_path / "functions").mkdir()
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copyfile(REPOSITORY / name, tmp_path / name)
    return tmp_path

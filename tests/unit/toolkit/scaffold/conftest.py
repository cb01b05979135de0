from __future__ import annotations

from pathlib import Path

import pytest

import plain_project


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project without playbooks."""
    return plain_project.make(tmp_path)

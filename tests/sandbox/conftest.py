"""One sandbox for all end-to-end tests: starting it costs more than any of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from live import Live, apart

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def shared() -> Iterator[Live]:
    with apart(PROJECT) as live:
        yield live


@pytest.fixture
def live(shared: Live) -> Iterator[Live]:
    """The sandbox as a test is to find it."""
    shared.reset()
    yield shared
    shared.control("DELETE", "faults", [])

"""One sandbox for all end-to-end tests: starting it costs more than any of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub_toolkit.sandbox.server import Sandbox
from live import Live

PROJECT = Path(__file__).parents[2]
SPEED = 600.0
"""Of the clock while nothing runs: ten simulated minutes in a second."""


@pytest.fixture(scope="session")
def shared() -> Iterator[Live]:
    with Sandbox.start(root=PROJECT, speed=SPEED) as sandbox:
        live = Live(sandbox)
        yield live
        live.close()


@pytest.fixture
def live(shared: Live) -> Iterator[Live]:
    """The sandbox as a test is to find it."""
    shared.reset()
    yield shared
    shared.control("DELETE", "faults", [])

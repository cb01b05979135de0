"""What tests of the engine share."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hub_responder import clock
from world import World


@pytest.fixture
def make_world(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a world and puts the wall clock on its time."""

    def make(seed: int = 0, **options: Any) -> World:
        world = World(seed, **options)
        monkeypatch.setattr(clock, "time", SimpleNamespace(time=world.wall))
        return world

    return make

"""A ledger and its audit table in the sandbox's DynamoDB."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hub_responder import clock
from world import World


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: made.gate.now))
    return made

"""A tenant, a client of it, and the clock that both go by."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from estates import TOKEN, Tenant
from factories import NOW
from hub_responder import clock
from hub_responder.deadline import Deadline
from hub_responder.vision_one import inventory
from hub_responder.vision_one.client import Client
from loopback import Loopback


@pytest.fixture(autouse=True)
def _no_memory() -> Iterator[None]:
    inventory.forget()
    yield
    inventory.forget()


@pytest.fixture
def tenant(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    made = Tenant(server, NOW)
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: made.now))
    return made


@pytest.fixture
def client(tenant: Tenant) -> Client:
    return Client("vision-one", tenant.server.url, lambda call: call(TOKEN), Deadline.after(60))

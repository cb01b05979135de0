"""A tenant, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from estates import TOKEN, Tenant
from factories import NOW
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
def tenant(server: Loopback) -> Tenant:
    return Tenant(server, NOW)


@pytest.fixture
def client(tenant: Tenant) -> Client:
    return Client("vision-one", tenant.server.url, lambda call: call(TOKEN), Deadline.after(60))

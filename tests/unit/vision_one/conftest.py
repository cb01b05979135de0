"""A tenant, a client of it, and the clock that both go by."""

from __future__ import annotations

import pytest

from estates import TOKEN, Tenant
from hub_responder.deadline import Deadline
from hub_responder.vision_one.client import Client


@pytest.fixture
def client(tenant: Tenant) -> Client:
    return Client("vision-one", tenant.server.url, lambda call: call(TOKEN), Deadline.after(60))

"""A tenant's client, and one of the Server & Workload Protection that it is linked to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from estates import TOKEN, Tenant
from hub_responder.deadline import Deadline
from hub_responder.vision_one.client import Client
from hub_responder.workload_security.client import Client as SecurityClient
from loopback import Loopback
from workload import KEY, Workload


@pytest.fixture
def client(tenant: Tenant) -> Client:
    return Client("vision-one", tenant.server.url, lambda call: call(TOKEN), Deadline.after(60))


@pytest.fixture
def workload() -> Iterator[Workload]:
    """A tenant of Server & Workload Protection."""
    server = Loopback()
    yield Workload(server)
    server.close()


@pytest.fixture
def security(workload: Workload) -> SecurityClient:
    headers = {"Authorization": f"ApiKey {KEY}"}
    url = workload.server.url
    return SecurityClient("workload", url, lambda call: call(headers), Deadline.after(60))

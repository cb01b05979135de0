"""A tenant and a client of it; nothing is kept of earlier tests."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from factories import NOW
from hub_responder import clock
from hub_responder.deadline import Deadline
from hub_responder.workload_security import shields
from hub_responder.workload_security.client import Client
from loopback import Loopback
from workload import KEY, Workload


@pytest.fixture
def workload(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workload]:
    """A tenant, and its time."""
    shields.forget()
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: NOW))
    yield Workload(server)
    shields.forget()


@pytest.fixture
def client(workload: Workload) -> Client:
    headers = {"Authorization": f"ApiKey {KEY}"}
    url = workload.server.url
    return Client("workload", url, lambda call: call(headers), Deadline.after(60))

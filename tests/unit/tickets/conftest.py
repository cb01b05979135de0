"""Ticket systems behind a loopback address, with the vendor's simulator there."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import Client

from factories import playbook, runtime
from hub_responder import clock
from hub_responder.connections.resolve import named
from hub_responder.runtime import Runtime
from hub_responder.tickets import registry
from hub_responder.tickets.ticket import TicketSystem
from hub_toolkit.sandbox.vendors.github import GitHub
from hub_toolkit.sandbox.vendors.servicenow import ServiceNow
from loopback import Cloud, Loopback, simulated


@pytest.fixture
def github() -> GitHub:
    return GitHub(clock.now, token="t0ken", repository="acme/findings", people=["Octocat"])


@pytest.fixture
def run_time(server: Loopback, cloud: Cloud, github: GitHub) -> Runtime:
    """A run whose connection leads to the simulator of GitHub."""
    server.answer = simulated(Client(github.app))
    cloud.secrets["hub-responder/test/gh"] = {"token": "t0ken"}
    settings = {
        "type": "github",
        "repository": "acme/findings",
        "base_url": f"{server.url}/api/v3/",
        "private": True,
    }
    return runtime(playbook=playbook(connections={"gh": settings}))


class Instance:
    """A simulated ServiceNow, and the ticket systems of connections that lead there."""

    def __init__(self, server: Loopback, cloud: Cloud) -> None:
        self.server, self._cloud = server, cloud
        self.now: ServiceNow

    def system(
        self, *, table: str = "incident", auth: Any = "basic", at: Any = clock.now, **more: Any
    ) -> TicketSystem:
        """The ticket system of a connection, with a simulator of its own."""
        settings = {key: more.pop(key) for key in list(more) if key in _SETTINGS}
        secret = SECRETS[auth]
        self.now = ServiceNow(at, auth=auth, secret=secret, **more)
        self.server.answer = simulated(Client(self.now.app))
        self._cloud.secrets["hub-responder/test/snow"] = secret
        connection = {
            "type": "servicenow",
            "url": f"{self.server.url}/",
            "table": table,
            "auth": auth,
            "private": True,
            **settings,
        }
        run_time = runtime(playbook=playbook(connections={"snow": connection}))
        return registry.find(named(run_time.playbook, "snow"), run_time)

    def ticket(self) -> dict[str, Any]:
        """The only ticket."""
        (one,) = self.now.tickets()
        return one

    def values(self, index: int = 0) -> dict[str, str]:
        """What the database has of a record."""
        return self.now._records[index].values


_SETTINGS = frozenset(
    {"priorities", "close_code", "declined", "assignment_group", "category", "fields", "assignee"}
)
SECRETS = {
    "basic": {"username": "bot", "password": "pa:ss word"},
    "oauth": {"client_id": "c1", "client_secret": "s&cret"},
    "api_key": {"api_key": "k3y"},
}


@pytest.fixture
def instance(server: Loopback, cloud: Cloud) -> Instance:
    return Instance(server, cloud)

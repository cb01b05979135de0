"""Ticket systems behind a loopback address, with the vendor's simulator there."""

from __future__ import annotations

import pytest
from werkzeug.test import Client

from factories import playbook, runtime
from hub_responder import clock
from hub_responder.runtime import Runtime
from hub_toolkit.sandbox.vendors.github import GitHub
from loopback import Cloud, Loopback, simulated


@pytest.fixture
def github() -> GitHub:
    return GitHub(clock.now, token="t0ken", repository="acme/findings")


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

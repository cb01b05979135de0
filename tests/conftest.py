"""What several tests need: servers on loopback that stand for other systems."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from types import SimpleNamespace

import botocore.session
import pytest
import typer.testing

from estates import Tenant
from factories import NOW
from hub_responder import aws, clock, http, lookup, member, pace, retry, secrets
from hub_responder.connections import turns
from hub_responder.vision_one import asking, inventory, snapshot
from loopback import Cloud, Loopback
from member_cloud import MemberCloud

# Each test has clients and commands of its own. To read AWS's models again for each client, and to
# look through all commands again for each, would be half of what the suite costs: botocore's
# sessions share the loader that keeps what it has read, and typer makes the application once.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)
typer.testing._get_command = functools.cache(typer.testing._get_command)


@pytest.fixture
def server() -> Iterator[Loopback]:
    """Another system, whose answers the test scripts."""
    made = Loopback()
    yield made
    http.session().close()
    http.public_session().close()
    made.close()


@pytest.fixture
def tenant(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tenant]:
    """A Vision One on ``server``, of which nothing is remembered; the wall clock is its clock."""
    inventory.forget()
    asking.forget()
    made = Tenant(server, NOW)
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: made.now))
    yield made
    inventory.forget()
    asking.forget()


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses before second tries, which are not made."""
    pauses: list[float] = []
    monkeypatch.setattr(retry, "time", SimpleNamespace(sleep=pauses.append))
    return pauses


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """An AWS endpoint that all clients of the test use."""
    made = Cloud()
    _point_to(made.url, monkeypatch)
    yield made
    _forget_clients()
    made.close()


@pytest.fixture
def members(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemberCloud]:
    """AWS with several accounts, which all clients of the test use."""
    made = MemberCloud()
    _point_to(made.url, monkeypatch)
    yield made
    _forget_clients()
    made.close()


def _point_to(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    _forget_clients()


def _forget_clients() -> None:
    lookup.forget()
    member.forget()
    aws.forget_clients()
    secrets.forget_all()
    snapshot.forget()
    pace.forget()
    turns.forget()

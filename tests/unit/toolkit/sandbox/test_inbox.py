"""What left the responder."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import Client

from hub_toolkit.sandbox import inbox as module
from hub_toolkit.sandbox.faults import Faults, faulty
from hub_toolkit.sandbox.inbox import Inbox, record
from hub_toolkit.sandbox.vendors.jira import Jira
from hub_toolkit.sandbox.vendors.slack import Slack

NOW = 1_795_000_000.0
CHANNEL = "C0SANDBOX01"
WEBHOOK = "T0SANDBOX/B0SANDBOX/s3cret"
BEARER = {"Authorization": "Bearer xoxb-test"}


def now() -> float:
    return NOW


class World:
    """A Slack workspace behind faults and an inbox."""

    def __init__(self) -> None:
        self.inbox, self.faults = Inbox(now), Faults()
        slack = Slack(now, token="xoxb-test", webhook=WEBHOOK)
        app = faulty(slack.app, self.faults, "slack", "slack-bot")
        self.client = Client(record(app, self.inbox, "slack", "slack-bot"))

    def post(self, **body: Any) -> None:
        message = {"channel": CHANNEL, "text": "hello", **body}
        self.client.post("/api/chat.postMessage", json=message, headers=BEARER)


@pytest.fixture
def world() -> World:
    return World()


def test_a_delivery_is_kept_as_the_contract_says(world: World) -> None:
    world.post()
    assert world.inbox.deliveries() == [
        {
            "system": "slack",
            "connection": "slack-bot",
            "at": "2026-11-18T11:06:40.000Z",
            "method": "POST",
            "path": "/api/chat.postMessage",
            "body": {"channel": CHANNEL, "text": "hello"},
        }
    ]
    assert world.inbox.refused() == []


def test_what_slack_refuses_with_200_is_no_delivery(world: World) -> None:
    world.post(channel="nowhere")
    assert world.inbox.deliveries() == []
    (refused,) = world.inbox.refused()
    assert (refused["status"], refused["reason"]) == (200, "channel_not_found")


def test_what_a_fault_kept_from_the_system_is_no_delivery(world: World) -> None:
    entries = [
        {"target": "slack", "status": 503},
        {"target": "slack-bot", "status": 200, "body": "<html>fine</html>"},
        {"target": "slack", "truncate": True},
    ]
    world.faults.add(entries)
    for number in range(3):
        world.post(text=str(number))
    assert [entry["body"]["text"] for entry in world.inbox.deliveries()] == ["2"]
    assert [entry["status"] for entry in world.inbox.refused()] == [503, 200]


def test_reads_are_no_deliveries(world: World) -> None:
    world.client.get("/api/auth.test", headers=BEARER)
    world.client.post("/api/auth.test", json={}, headers=BEARER)
    inbox = Inbox(now)
    jira = Jira(now, email="e", api_token="t")
    client = Client(record(jira.app, inbox, "jira", "jira-sec"))
    for jql in ("project = SEC", "nonsense"):
        body = {"jql": jql}
        client.post("/rest/api/3/search/jql", json=body, headers={"Authorization": "Basic ZTp0"})
    for box in (world.inbox, inbox):
        assert box.deliveries() == []
        assert box.refused() == []


def test_secrets_are_not_kept(world: World) -> None:
    world.client.post(f"/services/{WEBHOOK}?sig=s1gn", json={"text": "hello"})
    form = {"token": "xoxb-test", "channel": CHANNEL, "text": "by form"}
    world.client.post("/api/chat.postMessage", data=form)
    world.post()
    hook, by_form, _ = world.inbox.deliveries()
    assert hook["path"] == "/services/***"
    assert by_form["body"] == {"token": "***", "channel": CHANNEL, "text": "by form"}
    everything = str(world.inbox.deliveries())
    assert not any(secret in everything for secret in ("s3cret", "s1gn", "xoxb-test"))


def test_credentials_in_nested_bodies_are_masked() -> None:
    inbox = Inbox(now)
    body = b'{"events": [{"routing_key": "r", "summary": "s", "Password": ""}]}'
    add(inbox, body=body)
    (entry,) = inbox.deliveries()
    assert entry["body"] == {"events": [{"routing_key": "***", "summary": "s", "Password": ""}]}


def add(inbox: Inbox, *, body: bytes) -> None:
    inbox.add(system="webhook", connection="w", method="POST", path="/", body=body)


@pytest.mark.parametrize("body", [b"plain", b"{", b"\xff", b"[" * 2000 + b"]" * 2000, b""])
def test_a_body_that_is_no_json_is_kept_as_text(body: bytes) -> None:
    inbox = Inbox(now)
    add(inbox, body=body)
    (entry,) = inbox.deliveries()
    assert entry["body"] == body.decode(errors="replace")


def test_the_newest_stay_where_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ENTRIES", 3)
    monkeypatch.setattr(module, "MAX_BYTES", 10)
    inbox = Inbox(now)
    for number in range(5):
        add(inbox, body=str(number).encode())
    assert [entry["body"] for entry in inbox.deliveries()] == [2, 3, 4]
    add(inbox, body=b'"12345678"')
    assert [entry["body"] for entry in inbox.deliveries()] == ["12345678"]

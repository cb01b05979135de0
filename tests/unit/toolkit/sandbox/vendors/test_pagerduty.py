"""The simulated Events API v2: what it takes, what it refuses, and the alerts that follow."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import Client

from hub_toolkit.sandbox.vendors.base import REASON_KEY, VERDICT_KEY, Verdict
from hub_toolkit.sandbox.vendors.pagerduty import PagerDuty

KEY = "0" * 32
PAYLOAD = {"summary": "s", "source": "web-01", "severity": "error"}
TRIGGER = {"routing_key": KEY, "event_action": "trigger", "dedup_key": "k", "payload": PAYLOAD}


class Service:
    def __init__(self) -> None:
        self.now = 1_795_000_000.0
        self.vendor = PagerDuty(lambda: self.now, routing_key=KEY)
        self.seen: dict[str, Any] = {}
        self.client = Client(self._looked_at)

    def _looked_at(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.seen = environ
        return self.vendor.app(environ, start_response)

    def post(self, event: Any) -> Any:
        return self.client.post("/v2/enqueue", json=event)

    def act(self, action: str, key: str = "k") -> Any:
        return self.post({"routing_key": KEY, "event_action": action, "dedup_key": key})

    def statuses(self) -> list[str]:
        return [alert.status for alert in self.vendor.alerts()]


def test_an_alerts_life() -> None:
    service = Service()
    answer = service.post(TRIGGER)
    assert answer.status_code == 202
    assert answer.get_json() == {
        "status": "success",
        "message": "Event processed",
        "dedup_key": "k",
    }
    service.now += 60
    service.post({**TRIGGER, "payload": {**PAYLOAD, "severity": "critical"}})
    (alert,) = service.vendor.alerts()
    assert (alert.triggers, alert.payload["severity"]) == (2, "critical")
    assert alert.changed - alert.opened == 60
    service.act("acknowledge")
    assert service.statuses() == ["acknowledged"]
    service.post(TRIGGER)
    assert service.statuses() == ["acknowledged"]
    service.act("resolve")
    assert service.statuses() == ["resolved"]
    service.post(TRIGGER)
    assert service.statuses() == ["resolved", "triggered"]


def test_without_a_key_each_trigger_is_an_alert() -> None:
    service = Service()
    event = {name: value for name, value in TRIGGER.items() if name != "dedup_key"}
    keys = {service.post(event).get_json()["dedup_key"] for _ in range(2)}
    assert {alert.dedup_key for alert in service.vendor.alerts()} == keys
    assert len(keys) == 2


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_what_finds_no_open_alert_is_accepted_and_dropped(action: str) -> None:
    service = Service()
    answer = service.act(action)
    assert answer.status_code == 202
    assert service.seen[VERDICT_KEY] == Verdict.REFUSED
    assert "no open alert" in service.seen[REASON_KEY]
    assert service.statuses() == []


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"routing_key": ""}, "'routing_key' is missing or blank"),
        ({"routing_key": "x" * 31}, "Length of 'routing_key' is incorrect"),
        ({"routing_key": "-" * 32}, "non-alphanumeric"),
        ({"event_action": "open"}, "'event_action'"),
        ({"dedup_key": "k" * 256}, "'dedup_key'"),
        ({"dedup_key": None, "event_action": "resolve"}, "'dedup_key'"),
        ({"payload": None}, "'payload' is missing"),
        ({"payload": {**PAYLOAD, "summary": " "}}, "'payload.summary' is missing or blank"),
        ({"payload": {**PAYLOAD, "summary": "s" * 1025}}, "at most 1024"),
        ({"payload": {**PAYLOAD, "source": 1}}, "'payload.source'"),
        ({"payload": {**PAYLOAD, "severity": "high"}}, "'payload.severity' must be one of"),
        ({"payload": {**PAYLOAD, "timestamp": "yesterday"}}, "'payload.timestamp'"),
        ({"payload": {**PAYLOAD, "group": []}}, "'payload.group'"),
        ({"payload": {**PAYLOAD, "custom_details": "x"}}, "'payload.custom_details'"),
        ({"links": {}}, "'links' must be a list"),
        ({"links": [{"text": "x"}]}, "'links' need 'href'"),
        ({"links": [{"href": "javascript:x"}]}, "'links' need 'href'"),
        ({"links": [{"href": "https://x", "text": 1}]}, "texts only"),
        ({"images": [{"src": "http://x.example/i.png"}]}, "'images' need 'src'"),
        ({"client": 1}, "'client'"),
    ],
)
def test_an_event_that_is_wrong_is_told_why(changed: dict[str, Any], part: str) -> None:
    service = Service()
    answer = service.post({**TRIGGER, **changed})
    assert answer.status_code == 400
    body = answer.get_json()
    assert body["status"] == "invalid event"
    assert any(part in error for error in body["errors"])
    assert service.statuses() == []


def test_what_is_no_event_is_refused() -> None:
    service = Service()
    assert service.client.post("/v2/enqueue", data=b"{").status_code == 400
    answer = service.post({**TRIGGER, "routing_key": "f" * 32})
    assert (answer.status_code, answer.get_data()) == (400, b"Invalid routing key")
    large = {**TRIGGER, "payload": {**PAYLOAD, "custom_details": {"x": "y" * 524_288}}}
    assert service.post(large).status_code == 413
    assert service.client.get("/v2/enqueue").status_code == 405
    assert service.statuses() == []

"""PagerDuty: one alert for each life of an incident, events as documented, and refused ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from werkzeug.test import Client

from factories import NOW, finding, incident, playbook, resource, runtime, vulnerability, work
from hostile import HOSTILE, message
from hub_responder import values
from hub_responder.actions import notify
from hub_responder.actions.base import Outcome
from hub_responder.connections import channels, pagerduty
from hub_responder.connections.resolve import Connection
from hub_responder.errors import ConfigurationError
from hub_responder.markdown.characters import clean, one_line
from hub_responder.markdown.document import Document, Heading, Link, Paragraph, Text
from hub_responder.markdown.template import compile_template, render_template
from hub_responder.runtime import Runtime
from hub_responder.severity import Severity
from hub_toolkit.sandbox.vendors.pagerduty import PagerDuty, events
from loopback import Cloud, Loopback, Reply, Request

KEY = "0123456789abcdefABCDEF0123456789"
SECRET = "hub-responder/test/on-call"
SCHEMA = Draft202012Validator(
    json.loads(
        (Path(__file__).parents[2] / "schemas" / "pagerduty" / "event.json").read_text("utf-8")
    )
)
END = Document((Paragraph((Text("It is over."),)),), "en")


@pytest.fixture
def service() -> PagerDuty:
    return PagerDuty(lambda: NOW, routing_key=KEY)


@pytest.fixture
def run_time(server: Loopback, cloud: Cloud, service: PagerDuty) -> Runtime:
    """A run whose connection leads to the simulated service."""
    client = Client(service.app)

    def answer(request: Request) -> Reply:
        told = client.post(request.path, data=request.body)
        return Reply(told.status_code, told.data)

    server.answer = answer
    cloud.secrets[SECRET] = {"routing_key": KEY}
    held = {"type": "pagerduty", "base_url": server.url + "/", "private": True}
    return runtime(playbook=playbook(connections={"on-call": held}))


def tell(run_time: Runtime, **more: Any) -> Outcome:
    (outcome,) = notify.run([work(notify.Params("on-call", "message.md.j2"), **more)], run_time)
    return outcome


def connection(run_time: Runtime) -> Connection:
    return Connection("on-call", "pagerduty", run_time.playbook.connections["on-call"])


def test_a_message_is_an_alert_of_the_incident(
    run_time: Runtime, server: Loopback, service: PagerDuty
) -> None:
    outcome = tell(run_time)
    assert (outcome.status, outcome.detail) == ("done", "accepted by on-call")
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v2/enqueue")
    assert request.headers["content-type"].startswith("application/json")
    event = request.json
    assert not list(SCHEMA.iter_errors(event))
    assert event["routing_key"] == KEY
    payload = event["payload"]
    assert payload["summary"] == "UNPROTECTED: CRITICAL on web-01"
    assert (payload["source"], payload["severity"]) == ("i-0abc1234def567890", "critical")
    assert payload["custom_details"]["Account"] == "111122223333, eu-central-1"
    assert payload["custom_details"]["data"]["incident"]["severity"] == "CRITICAL"
    assert [link["text"] for link in event["links"]] == ["Finding", "Remediation", "Runbook"]
    assert event["client"] == "hub-responder"
    assert event["client_url"].startswith("https://")
    (alert,) = service.alerts()
    assert (alert.status, alert.dedup_key) == ("triggered", event["dedup_key"])


@pytest.mark.parametrize(
    ("severity", "told"),
    [
        ("CRITICAL", "critical"),
        ("HIGH", "error"),
        ("MEDIUM", "warning"),
        ("LOW", "info"),
        ("INFORMATIONAL", "info"),
    ],
)
def test_severities_are_pagerdutys(
    run_time: Runtime, service: PagerDuty, severity: str, told: str
) -> None:
    tell(run_time, of=incident(severity=Severity(severity)))
    assert service.alerts()[0].payload["severity"] == told


def test_a_life_of_an_incident_is_one_alert_that_ends_with_it(
    run_time: Runtime, service: PagerDuty
) -> None:
    channel = channels.resolving(connection(run_time))
    assert channel is not None
    assert channels.updating(connection(run_time)) is not None
    tell(run_time, of=incident(severity=Severity("HIGH")))
    tell(run_time, of=incident(round=2))
    (alert,) = service.alerts()
    assert (alert.triggers, alert.payload["severity"]) == (2, "critical")
    params = notify.Params("on-call", "message.md.j2")
    ended = work(params, of=incident(round=3))
    kept = channel.resolve(connection(run_time), END, ended, run_time, {})
    assert kept == {"alert": alert.dedup_key}
    assert [one.status for one in service.alerts()] == ["resolved"]
    tell(run_time, of=incident(gen=2))
    tell(run_time, of=incident(key="inspector-coverage#" + "6" * 64))
    assert [one.status for one in service.alerts()] == ["resolved", "triggered", "triggered"]
    assert len({one.dedup_key for one in service.alerts()}) == 3


def test_the_step_that_told_resolves_what_it_opened(run_time: Runtime, service: PagerDuty) -> None:
    kept = tell(run_time).refs
    assert kept
    over = incident(refs=kept, round=2, change="closed")
    params = {"to": "on-call", "template": "message.md.j2"}
    outcome = notify.closes(work(params, over), run_time)
    assert (outcome.status, outcome.detail) == ("done", "resolved in on-call")
    assert [alert.status for alert in service.alerts()] == ["resolved"]


def test_an_update_joins_the_alert(run_time: Runtime, service: PagerDuty) -> None:
    tell(run_time)
    channel = channels.updating(connection(run_time))
    assert channel is not None
    document = Document((Heading(1, (Text("Two findings now"),)),), "en")
    channel.update(connection(run_time), document, work(None), run_time, {})
    (alert,) = service.alerts()
    assert (alert.triggers, alert.payload["summary"]) == (2, "Two findings now")


def test_keys_are_bounded_and_stay_apart() -> None:
    long = [work(None, of=incident(key="p#" + "x" * 300 + end)) for end in "ab"]
    keys = [pagerduty.dedup_key(one, runtime()) for one in [*long, work(None)]]
    assert all(0 < len(key) <= 255 for key in keys)
    assert len(set(keys)) == 3
    prod = pagerduty.dedup_key(work(None), runtime(stage="prod"))
    assert prod != keys[2]


@pytest.mark.parametrize(
    ("reply", "status", "doubt", "wait"),
    [
        (Reply(429), "deferred", False, 180.0),
        (Reply(429, None, {"Retry-After": "45"}), "deferred", False, 45.0),
        (Reply(500), "deferred", True, 180.0),
        (Reply(503), "deferred", True, 180.0),
        (Reply(hang_up=True), "deferred", True, None),
        (Reply(413, b"Request Entity Too Large"), "failed", False, None),
        (Reply(404), "failed", False, None),
        (Reply(302, None, {"Location": "https://x.example"}), "failed", False, None),
    ],
)
def test_each_answer_means_what_follows(  # noqa: PLR0917 - cases
    run_time: Runtime, server: Loopback, reply: Reply, status: str, doubt: bool, wait: float | None
) -> None:
    server.replies(reply)
    outcome = tell(run_time)
    assert (outcome.status, outcome.in_doubt, outcome.retry_after) == (status, doubt, wait)
    assert KEY not in outcome.detail


def test_what_is_wrong_with_an_event_is_said(run_time: Runtime, server: Loopback) -> None:
    said = {
        "status": "invalid event",
        "message": "Event object is invalid",
        "errors": ["'payload.source' is missing or blank", f"and {KEY} is shown"],
    }
    server.replies(Reply(400, said))
    outcome = tell(run_time)
    assert outcome.status == "failed"
    assert "'payload.source' is missing or blank" in outcome.detail
    assert KEY not in outcome.detail
    assert len(server.requests) == 1


def test_a_new_routing_key_is_read_from_the_secret(
    run_time: Runtime, cloud: Cloud, service: PagerDuty
) -> None:
    cloud.secrets[SECRET] = {"routing_key": "f" * 32}
    outcome = tell(run_time)
    assert outcome.status == "failed"
    assert "Invalid routing key" in outcome.detail
    cloud.secrets[SECRET] = {"routing_key": KEY}
    assert tell(run_time).status == "done"
    assert len(service.alerts()) == 1


@pytest.mark.parametrize("secret", [{"routing_key": "short"}, {"token": KEY}, {"routing_key": ""}])
def test_what_is_no_routing_key_is_never_sent(
    run_time: Runtime, server: Loopback, cloud: Cloud, secret: dict[str, str]
) -> None:
    cloud.secrets[SECRET] = secret
    with pytest.raises(ConfigurationError, match="routing_key"):
        pagerduty.send(connection(run_time), END, work(None), run_time, {})
    assert not server.requests


@pytest.mark.parametrize(
    ("region", "address"),
    [("us", "https://events.pagerduty.com"), ("eu", "https://events.eu.pagerduty.com")],
)
def test_a_region_has_its_address(region: str, address: str) -> None:
    assert pagerduty.base_url(region) == address


def test_what_is_too_large_is_sent_without_what_programs_read(
    run_time: Runtime, service: PagerDuty
) -> None:
    cves = tuple(f"CVE-{number}-" + "9" * 2000 for number in range(20))
    weak = (vulnerability(id=cves[0], cve_ids=cves),)
    found = tuple(finding(id=str(number), vulnerabilities=weak) for number in range(20))
    assert tell(run_time, of=incident(findings=found)).status == "done"
    (alert,) = service.alerts()
    assert "data" not in alert.payload["custom_details"]
    assert alert.payload["custom_details"]["Account"] == "111122223333, eu-central-1"


@given(HOSTILE)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_no_value_makes_an_event_that_is_refused_or_hides_text(value: str) -> None:
    read = values.clean(value, 2000)  # as findings are read
    there = resource(id=read or "x", instance_id="", tags={"Name": read, read: read})
    found = finding(title=read, resources=(there,), types=(read,))
    event = pagerduty.trigger(message(value), work(None, of=incident(findings=(found,))), runtime())
    event = {**event, "routing_key": KEY}
    assert not list(SCHEMA.iter_errors(event))
    assert not events.problems(event)
    encoded = msgspec.json.encode(event)
    assert len(encoded) < events.MAX_BYTES
    for text in _texts(event["payload"]):
        assert clean(text) == text


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=200))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_a_value_is_shown_as_it_is_written(value: str) -> None:
    shown = one_line(clean(value)).strip()
    document = render_template(
        compile_template("# T\n\n| A | B |\n|---|---|\n| Fact | {{ x }} |"), {"x": value}
    )
    event = pagerduty.trigger(document, work(None), runtime())
    told = event["payload"]["custom_details"].get("Fact", "")
    assert " ".join(told.split()) == (" ".join(shown.split()) or "—")


def test_long_links_are_left_out() -> None:
    links = (Link("https://a.example/" + "a" * 2000, (Text("Long"),)), Text(" · "))
    bar = Paragraph((*links, Link("https://b.example/", (Text("Short"),))))
    event = pagerduty.trigger(Document((bar,), "en"), work(None), runtime())
    assert event["links"] == [{"href": "https://b.example/", "text": "Short"}]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, held in value.items():
            yield name
            yield from _texts(held)
    elif isinstance(value, list):
        for held in value:
            yield from _texts(held)

"""A message to a program of one's own: the facts and the text, signed, within bounds."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from factories import finding, incident, playbook, runtime, work
from hub_responder import clock
from hub_responder.actions import notify
from hub_responder.actions.base import Outcome
from hub_responder.connections import webhook
from hub_responder.markdown.document import Document, Heading, Paragraph, Value
from hub_responder.payload import MAX_BYTES, described, payload
from hub_responder.runtime import Runtime
from hub_toolkit.sandbox.vendors.webhook import Webhook
from loopback import Cloud, Loopback, Reply, Request

KEY = "k3y-of-sixteen-characters"


@pytest.fixture
def run_time(server: Loopback, cloud: Cloud) -> Runtime:
    """A run whose connection leads to the simulated receiver."""
    cloud.secrets["hub-responder/test/soar"] = {"signing_key": KEY}
    receiver = Client(Webhook(clock.now, signing_key=KEY).app)

    def answer(request: Request) -> Reply:
        names = ("idempotency-key", "x-hub-responder-timestamp", "x-hub-responder-signature")
        headers = {name: request.headers[name] for name in names}
        told = receiver.post("/", data=request.body, headers=headers)
        return Reply(told.status_code, told.json)

    server.answer = answer
    soar = {"type": "webhook", "url": server.url + "/hook", "private": True}
    return runtime(playbook=playbook(connections={"soar": soar}))


def tell(run_time: Runtime, **more: Any) -> Outcome:
    (outcome,) = notify.run([work(notify.Params("soar", "message.md.j2"), **more)], run_time)
    return outcome


def test_a_program_gets_the_facts_and_the_text_and_can_check_the_signature(
    run_time: Runtime, server: Loopback
) -> None:
    outcome = tell(run_time)
    assert (outcome.status, outcome.refs) == ("done", {}), outcome.detail
    body = server.requests[0].json
    assert body["idempotencyKey"] == "ab" * 20
    assert body["incident"]["key"] == incident().key + "#1"
    assert body["resource"]["instanceId"] == incident().resource.instance_id
    assert body["message"]["title"] == "UNPROTECTED: CRITICAL on web-01"
    assert body["message"]["text"].startswith("UNPROTECTED: CRITICAL on web-01\n")
    assert "**Account:** 111122223333" in body["message"]["markdown"]


def test_a_wrong_key_is_refused_and_nothing_is_said_of_it(run_time: Runtime, cloud: Cloud) -> None:
    cloud.secrets["hub-responder/test/soar"] = {"signing_key": "another-of-sixteen-characters"}
    outcome = tell(run_time)
    assert outcome.status == "failed"
    assert "another" not in outcome.detail


@given(st.text(st.characters(exclude_categories=()), min_size=1, max_size=20), st.integers(1, 2000))
@settings(max_examples=30, deadline=None)
def test_whatever_findings_say_it_stays_within_what_is_sent(part: str, times: int) -> None:
    text = part * times
    many = tuple(finding(id=f"f-{n}", title=text) for n in range(30))
    document = Document((Heading(1, (Value(text),)), Paragraph((Value(text),))))
    one = work(None, incident(findings=many))
    content = {**described(one, runtime()), "message": webhook.rendered(document)}
    assert len(msgspec.json.encode(payload(one, runtime(), content, "soar"))) <= MAX_BYTES

"""``call``: what is signed, what is sent where, and what an answer may be."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from factories import playbook, resource, runtime, work
from hub_responder import clock
from hub_responder.actions import call_webhook
from hub_responder.actions.base import Outcome
from hub_responder.actions.call_webhook import Params
from hub_responder.runtime import Runtime
from hub_toolkit.sandbox.vendors.webhook import Webhook
from loopback import Cloud, Loopback, Reply, Request

SECRET = {"signing_key": "k3y-of-sixteen-characters"}
NAME = "hub-responder/test/cmdb"


@pytest.fixture
def run_time(server: Loopback, cloud: Cloud) -> Runtime:
    cloud.secrets[NAME] = SECRET
    server.replies(Reply(200, {"owner": "pay", "priority": 2, "tags": ["a"], "more": "x"}))
    return at({"type": "webhook", "url": server.url + "/v1", "private": True})


def at(settings_: dict[str, Any]) -> Runtime:
    return runtime(playbook=playbook(connections={"cmdb": settings_, "chat": {"type": "sns"}}))


def call(run_time: Runtime, to: str = "cmdb", **given_: Any) -> Outcome:
    params = msgspec.convert({"to": to, **given_}, Params)
    (outcome,) = call_webhook.run([work(params)], run_time)
    return outcome


def test_the_receiver_can_check_who_calls(run_time: Runtime, server: Loopback) -> None:
    outcome = call(run_time, payload={"instance": "i-1"})
    assert outcome.status == "done"
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1")
    assert request.json == {"idempotencyKey": "ab" * 20, "instance": "i-1"}
    assert request.headers["idempotency-key"] == "ab" * 20
    timestamp = request.headers["x-hub-responder-timestamp"]
    signed = hmac.new(SECRET["signing_key"].encode(), digestmod=hashlib.sha256)
    signed.update(f"{timestamp}.".encode() + request.body)
    assert request.headers["x-hub-responder-signature"] == f"v1={signed.hexdigest()}"
    assert abs(int(timestamp) - clock.now()) < 60


def test_the_simulated_receiver_takes_it_and_takes_it_once(
    run_time: Runtime, server: Loopback
) -> None:
    receiver = Client(Webhook(clock.now, signing_key=SECRET["signing_key"]).app)

    def answer(request: Request) -> Reply:
        names = ("idempotency-key", "x-hub-responder-timestamp", "x-hub-responder-signature")
        headers = {name: request.headers[name] for name in names}
        told = receiver.post("/", data=request.body, headers=headers)
        return Reply(told.status_code, told.json)

    server.answer = answer
    for _ in range(2):
        outcome = call(run_time, answer={"received": "boolean"})
        assert outcome.result == {"status": 200, "answer": {"received": True}}
    wrong = receiver.post("/", data=b"{}", headers={"X-Hub-Responder-Timestamp": "1"})
    assert wrong.status_code == 401
    server.replies(Reply(200, {}))
    call(run_time)
    told = receiver.post(
        "/",
        data=server.requests[-1].body + b" ",
        headers={
            "Idempotency-Key": "x",
            "X-Hub-Responder-Timestamp": server.requests[-1].headers["x-hub-responder-timestamp"],
            "X-Hub-Responder-Signature": server.requests[-1].headers["x-hub-responder-signature"],
        },
    )
    assert told.json == {"error": "the signature is wrong"}


def test_only_what_the_step_names_is_kept(run_time: Runtime) -> None:
    shapes = {"owner": "text", "priority": "number", "tags": "list", "none": "text?"}
    outcome = call(run_time, answer=shapes)
    kept = {"owner": "pay", "priority": 2, "tags": ["a"], "none": None}
    assert outcome.result == {"status": 200, "answer": kept}
    assert call(run_time).result == {"status": 200, "answer": {}}


@pytest.mark.parametrize(
    ("body", "shapes", "reason"),
    [
        ({"owner": 1}, {"owner": "text"}, "owner is a number, not text"),
        ({}, {"owner": "text"}, "owner is missing, not text"),
        ({"n": True}, {"n": "number"}, "n is true or false, not number"),
        ({"n": 1}, {"n": "boolean?"}, "n is a number, not boolean"),
        ({"n": {}}, {"n": "list"}, "n is an object, not list"),
        ({"n": ["x" * 9000]}, {"n": "list"}, "n has more than 8,192 bytes"),
        ([], {"n": "list"}, "no JSON object"),
        (b"<html>s3cret</html>", {"n": "list"}, "no JSON object"),
        (b"x" * 70_000, {}, "more than 65,536 bytes"),
    ],
)
def test_an_answer_that_is_not_as_declared_fails_and_is_not_repeated(
    run_time: Runtime, server: Loopback, body: Any, shapes: dict[str, str], reason: str
) -> None:
    server.replies(Reply(200, body))
    outcome = call(run_time, answer=shapes)
    assert outcome.status == "failed"
    assert reason in outcome.detail
    assert "s3cret" not in outcome.detail
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (Reply(500), "deferred"),
        (Reply(429, None, {"Retry-After": "7"}), "deferred"),
        (Reply(400), "failed"),
        (Reply(302, None, {"Location": "http://127.0.0.1/"}), "failed"),
        (Reply(hang_up=True), "deferred"),
    ],
)
def test_what_goes_wrong_is_told_and_never_sent_twice_nor_elsewhere(
    run_time: Runtime, server: Loopback, reply: Reply, status: str
) -> None:
    server.replies(reply)
    outcome = call(run_time)
    assert outcome.status == status
    assert len(server.requests) == 1
    assert server.url not in outcome.detail


def test_a_refused_signature_is_tried_again_with_a_new_secret_only(
    run_time: Runtime, server: Loopback, cloud: Cloud
) -> None:
    server.replies(Reply(401))
    assert call(run_time).status == "failed"
    assert len(server.requests) == 1
    cloud.secrets[NAME] = {"signing_key": "another-key-of-enough-length"}
    server.replies(Reply(401), Reply(200, {}))
    assert call(run_time).status == "done"


def test_a_loopback_address_is_refused_unless_the_connection_is_private(
    run_time: Runtime, server: Loopback
) -> None:
    outcome = call(at({"type": "webhook", "url": server.url}))
    assert outcome.status == "failed"
    assert "private" in outcome.detail
    assert server.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "https://169.254.169.254/latest",
        "http://example.com/",
        "https://user:pw@example.com/",
        "https://metadata.google.internal/",
    ],
)
def test_what_is_never_called_is_refused_also_where_private(run_time: Runtime, url: str) -> None:
    outcome = call(at({"type": "webhook", "url": url, "private": True}))
    assert outcome.status == "failed"
    assert url not in outcome.detail


def test_the_address_may_stand_in_the_secret_and_is_not_told(
    run_time: Runtime, server: Loopback, cloud: Cloud
) -> None:
    cloud.secrets[NAME] = SECRET | {"url": server.url + "/s3cret"}
    server.replies(Reply(404))
    outcome = call(at({"type": "webhook", "private": True}))
    assert server.requests[0].path == "/s3cret"
    assert (outcome.status, outcome.detail) == ("failed", "cmdb answered 404")


@pytest.mark.parametrize("secret", [{}, {"signing_key": "short"}, {"signing_key": " "}])
def test_without_a_key_worth_its_name_nothing_is_sent(
    run_time: Runtime, server: Loopback, cloud: Cloud, secret: dict[str, str]
) -> None:
    cloud.secrets[NAME] = secret
    outcome = call(run_time)
    assert outcome.status == "failed"
    assert "signing_key" in outcome.detail
    assert "short'" not in outcome.detail
    assert server.requests == []


def test_a_connection_of_another_type_is_refused(run_time: Runtime) -> None:
    assert "of type sns" in call(run_time, to="chat").detail


def test_the_role_may_read_the_secret_and_move_the_meter_and_nothing_else() -> None:
    statement, meter = call_webhook.ACTION.permissions({}, {"cmdb": {"type": "webhook"}})
    assert statement["Action"] == ["secretsmanager:GetSecretValue"]
    assert "hub-responder/${Stage}/cmdb-??????" in json.dumps(statement["Resource"])
    assert meter["Action"] == ["dynamodb:UpdateItem"]
    assert "pace#cmdb'" in str(meter["Condition"])


def test_a_plan_calls_nobody(run_time: Runtime, server: Loopback, cloud: Cloud) -> None:
    assert call_webhook.ACTION.plan is not None
    params = Params("cmdb", {"instance": "i-1"})
    told = call_webhook.ACTION.plan(work(params), run_time)
    assert told == f"would call cmdb about {resource().id} with instance"
    assert server.requests == []
    assert cloud.calls == []


@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.dictionaries(
        st.sampled_from(["owner", "n"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text() | st.floats(),
            st.lists,
            max_leaves=5,
        ),
    )
)
def test_whatever_is_answered_is_kept_as_declared_or_refused(
    run_time: Runtime, server: Loopback, told: dict[str, Any]
) -> None:
    server.replies(Reply(200, told))
    outcome = call(run_time, answer={"owner": "text?", "n": "number?"})
    if outcome.status == "done":
        answer = outcome.result["answer"]
        assert set(answer) == {"owner", "n"}
        assert answer["owner"] is None or isinstance(answer["owner"], str)
    else:
        assert outcome.status == "failed"

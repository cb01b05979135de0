"""``notify`` over Slack, incoming webhooks and SNS: what is sent, and what each answer means."""

from __future__ import annotations

import json
from typing import Any

import pytest

from factories import ACCOUNT, incident, playbook, runtime, scope, work
from hub_responder.actions import notify
from hub_responder.actions.base import Outcome
from hub_responder.connections import sns
from hub_responder.expressions import StepView
from hub_responder.incident import Incident
from hub_responder.runtime import Runtime
from hub_responder.severity import Severity
from loopback import Cloud, Loopback, Reply, Request

POSTED = Reply(200, {"ok": True, "ts": "1700000000.000100", "channel": "C1"})
REFUSED = Reply(
    403,
    b"<ErrorResponse><Error><Type>Sender</Type><Code>AuthorizationError</Code>"
    b"<Message>no</Message></Error></ErrorResponse>",
)
"""SNS's answer without the permission."""
TOKEN = {"token": "xoxb-test"}


@pytest.fixture
def run_time(server: Loopback, cloud: Cloud) -> Runtime:
    cloud.secrets |= {
        "hub-responder/test/chat": TOKEN,
        "hub-responder/test/hook": {"webhook_url": server.url + "/services/T/B/s3cret"},
    }
    server.replies(POSTED)
    chat = {"type": "slack", "channel": "C1", "base_url": server.url + "/api/", "private": True}
    own = {"chat": chat, "hook": {"type": "slack_webhook", "private": True}}
    return runtime(playbook=playbook(connections=playbook().connections | own))


def tell(run_time: Runtime, to: str = "chat", of: Incident | None = None, **more: Any) -> Outcome:
    params = notify.Params(to, "message.md.j2")
    (outcome,) = notify.run([work(params, of, **more)], run_time)
    return outcome


def failing(error: str, **headers: str) -> Reply:
    return Reply(200, {"ok": False, "error": error}, headers)


def test_slack_gets_the_message_and_the_thread_is_kept(run_time: Runtime, server: Loopback) -> None:
    outcome = tell(run_time)
    assert outcome.status == "done"
    thread = "1700000000.000100"
    told = {"sent": True, "updated": False, "connection": "chat", "thread": thread, "channel": "C1"}
    assert outcome.result == told
    assert outcome.refs == {"chat": {"thread": "1700000000.000100", "channel": "C1"}}
    assert outcome.sent["chat"].startswith("UNPROTECTED: CRITICAL on web-01\n")
    (request,) = server.requests
    assert request.path == "/api/chat.postMessage"
    assert request.headers["authorization"] == "Bearer xoxb-test"
    body = request.json
    assert body["channel"] == "C1"
    assert "thread_ts" not in body
    assert body["unfurl_links"] is False
    assert body["blocks"][0]["text"]["text"] == "UNPROTECTED: CRITICAL on web-01"
    assert body["text"].startswith("UNPROTECTED: CRITICAL on web-01")


def test_a_later_message_goes_into_the_incidents_thread(
    run_time: Runtime, server: Loopback
) -> None:
    of = incident(refs={"chat": {"thread": "1.5", "channel": "C9"}})
    outcome = tell(run_time, of=of)
    body = server.requests[0].json
    assert (body["thread_ts"], body["channel"]) == ("1.5", "C9")
    assert outcome.refs["chat"]["thread"] == "1.5"
    assert "thread" in outcome.detail


QUIET = 1_795_000_000.0


def test_in_quiet_time_the_incidents_message_is_brought_up_to_date(
    run_time: Runtime, server: Loopback
) -> None:
    of = incident(refs={"chat": {"thread": "1.5", "channel": "C9"}})
    outcome = tell(run_time, of=of, quiet_until=QUIET)
    (request,) = server.requests
    assert request.path == "/api/chat.update"
    assert list(outcome.sent) == ["chat"]
    assert (request.json["ts"], request.json["channel"]) == ("1.5", "C9")
    assert request.json["blocks"][0]["text"]["text"] == "UNPROTECTED: CRITICAL on web-01"
    assert (outcome.status, outcome.result["sent"], outcome.result["updated"]) == (
        "done",
        False,
        True,
    )
    assert outcome.refs == {"chat": {"thread": "1.5", "channel": "C9"}}
    assert "quiet until" in outcome.detail


@pytest.mark.parametrize(
    "error", ["message_not_found", "edit_window_closed", "cant_update_message"]
)
def test_what_cannot_be_edited_any_more_stays_as_it_is(
    run_time: Runtime, server: Loopback, error: str
) -> None:
    server.replies(failing(error))
    of = incident(refs={"chat": {"thread": "1.5", "channel": "C9"}})
    outcome = tell(run_time, of=of, quiet_until=QUIET)
    assert outcome.status == "skipped"
    assert error in outcome.detail


def test_an_update_that_is_throttled_waits(run_time: Runtime, server: Loopback) -> None:
    server.replies(Reply(429, None, {"Retry-After": "7"}))
    of = incident(refs={"chat": {"thread": "1.5", "channel": "C9"}})
    outcome = tell(run_time, of=of, quiet_until=QUIET)
    assert (outcome.status, outcome.retry_after) == ("deferred", 7.0)


@pytest.mark.parametrize("refs", [{}, {"hook": {"thread": "1"}}, {"topic": {"thread": "hr-1"}}])
def test_in_quiet_time_nothing_is_sent_where_nothing_can_be_edited(
    run_time: Runtime, server: Loopback, refs: dict[str, Any]
) -> None:
    outcome = tell(run_time, of=incident(refs=refs), quiet_until=QUIET)
    assert (outcome.status, server.requests) == ("skipped", [])


def test_a_message_whose_thread_was_deleted_is_sent_on_its_own(
    run_time: Runtime, server: Loopback
) -> None:
    server.replies(failing("thread_not_found"), POSTED)
    outcome = tell(run_time, of=incident(refs={"chat": {"thread": "1.5", "channel": "C9"}}))
    assert outcome.status == "done"
    again = server.requests[1].json
    assert "thread_ts" not in again
    assert again["channel"] == "C1"


def test_blocks_that_slack_refuses_are_sent_as_text(run_time: Runtime, server: Loopback) -> None:
    server.replies(failing("msg_blocks_too_long"), POSTED)
    assert tell(run_time).status == "done"
    again = server.requests[1].json
    assert "blocks" not in again
    assert "UNPROTECTED" in again["text"]


@pytest.mark.parametrize(
    ("reply", "status", "doubt", "wait"),
    [
        (Reply(429, None, {"Retry-After": "7"}), "deferred", False, 7.0),
        (failing("ratelimited", **{"Retry-After": "9"}), "deferred", False, 9.0),
        (failing("internal_error"), "deferred", True, None),
        (Reply(500, b"oops"), "deferred", True, None),
        (Reply(hang_up=True), "deferred", True, None),
        (failing("channel_not_found"), "failed", False, None),
        (failing("not_in_channel"), "failed", False, None),
        (Reply(200, b"<html>proxy</html>"), "failed", False, None),
        (Reply(200, ["ok"]), "failed", False, None),
        (Reply(302, None, {"Location": "https://x.example"}), "failed", False, None),
    ],
)
def test_each_answer_of_slack_means_what_follows(  # noqa: PLR0917 - cases
    run_time: Runtime, server: Loopback, reply: Reply, status: str, doubt: bool, wait: float | None
) -> None:
    server.replies(reply)
    outcome = tell(run_time)
    assert (outcome.status, outcome.in_doubt, outcome.retry_after) == (status, doubt, wait)
    assert len(server.requests) == 1
    assert "xoxb" not in outcome.detail


@pytest.mark.parametrize("refusal", [failing("invalid_auth"), Reply(401)])
def test_a_rotated_token_is_read_again_and_used_once(
    run_time: Runtime, server: Loopback, cloud: Cloud, refusal: Reply
) -> None:
    tell(run_time)
    cloud.secrets["hub-responder/test/chat"] = {"token": "xoxb-new"}
    server.answer = lambda request: (
        POSTED if request.headers["authorization"].endswith("new") else refusal
    )
    assert tell(run_time).status == "done"


def test_a_wrong_token_fails_after_one_fresh_read(
    run_time: Runtime, server: Loopback, cloud: Cloud
) -> None:
    server.replies(failing("invalid_auth"))
    assert tell(run_time).status == "failed"
    assert len(server.requests) == 1
    assert len(cloud.called("GetSecretValue")) == 2


def test_a_webhook_gets_the_message_and_its_address_stays_secret(
    run_time: Runtime, server: Loopback
) -> None:
    server.replies(Reply(200, b"ok"))
    outcome = tell(run_time, to="hook")
    assert (outcome.status, outcome.refs, outcome.result["thread"]) == ("done", {}, "")
    assert server.requests[0].path == "/services/T/B/s3cret"
    assert "channel" not in server.requests[0].json
    for reply in (Reply(404, b"no_service"), Reply(403), Reply(400, b"invalid_payload")):
        server.replies(reply)
        failed = tell(run_time, to="hook")
        assert failed.status == "failed"
        assert "s3cret" not in failed.detail


def test_a_webhook_must_be_https_or_loopback(run_time: Runtime, cloud: Cloud) -> None:
    cloud.secrets["hub-responder/test/hook"] = {"webhook_url": "http://hooks.example/s3cret"}
    outcome = tell(run_time, to="hook")
    assert outcome.status == "failed"
    assert "https" in outcome.detail
    assert "s3cret" not in outcome.detail


def test_sns_gets_a_custom_notification(run_time: Runtime, cloud: Cloud) -> None:
    outcome = tell(run_time, to="topic")
    assert outcome.status == "done"
    (call,) = cloud.called("Publish")
    assert call["TopicArn"] == "arn:aws:sns:eu-central-1:111122223333:t"
    sent = json.loads(call["Message"])
    assert (sent["version"], sent["source"], sent["id"]) == ("1.0", "custom", "ab" * 20)
    assert sent["content"]["textType"] == "client-markdown"
    assert sent["content"]["title"] == "UNPROTECTED: CRITICAL on web-01"
    assert "*Account:* 111122223333, eu-central-1" in sent["content"]["description"]
    assert sent["metadata"]["threadId"] == incident().key + "#1"
    assert sent["metadata"]["relatedResources"] == [incident().resource.id]


def test_the_deployments_topic_is_the_default(
    run_time: Runtime, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = runtime(playbook=playbook(connections={"topic": {"type": "sns"}}))
    monkeypatch.delenv("NOTIFICATIONS_TOPIC_ARN", raising=False)
    assert "NOTIFICATIONS_TOPIC_ARN" in tell(bare, to="topic").detail
    monkeypatch.setenv("NOTIFICATIONS_TOPIC_ARN", "arn:aws:sns:eu-central-1:1:default")
    tell(bare, to="topic")
    assert cloud.called("Publish")[0]["TopicArn"] == "arn:aws:sns:eu-central-1:1:default"


def test_lines_without_a_template_are_values(run_time: Runtime, cloud: Cloud) -> None:
    sns.publish_lines("arn:aws:sns:eu-central-1:1:t", "a <b>", ["*x*", "ok"], run_time)
    content = json.loads(cloud.called("Publish")[0]["Message"])["content"]
    assert content["title"] == "`a &lt;b&gt;`"
    assert content["description"] == "- `*x*`\n- ok"


def test_a_template_that_reads_a_skipped_steps_result_skips_the_message(
    run_time: Runtime, server: Loopback, tmp_path: Any
) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "message.md.j2").write_text("{{ ticket.id }}")
    here = runtime(playbook=run_time.playbook, directory=tmp_path)
    outcome = tell(here, scope=scope(ticket=StepView("ticket", "skipped", {})))
    assert outcome.status == "skipped"
    assert not server.requests


def test_one_incidents_trouble_stays_its_own(run_time: Runtime, server: Loopback) -> None:
    bad = work(notify.Params("missing", "message.md.j2"))
    good = work(notify.Params("chat", "message.md.j2"))
    wrong_type = work(notify.Params("ops", "message.md.j2"))
    outcomes = notify.run([bad, good, wrong_type], run_time)
    assert [outcome.status for outcome in outcomes] == ["failed", "done", "failed"]
    assert "opscenter" in outcomes[2].detail


def with_fallback(run_time: Runtime, **settings: Any) -> Runtime:
    """The chat's fallback is the topic, in Japanese."""
    connections = dict(run_time.playbook.connections)
    connections["chat"] = {**connections["chat"], "fallback": "topic"}
    connections["topic"] = {**connections["topic"], "language": "ja", **settings}
    return runtime(playbook=playbook(connections=connections))


def chosen_by_severity(run_time: Runtime, **settings: Any) -> Runtime:
    """The chat's channel is the one of the incident's severity."""
    connections = dict(run_time.playbook.connections)
    place = {"channel": "{{ 'C2' if incident.severity == 'CRITICAL' else 'C3' }}"}
    connections["chat"] = {**connections["chat"], **place, "allow": ["C2", "C5"], **settings}
    return runtime(playbook=playbook(connections=connections))


def test_a_channel_from_a_template_is_used_and_told(run_time: Runtime, server: Loopback) -> None:
    outcome = tell(chosen_by_severity(run_time))
    assert server.requests[0].json["channel"] == "C2"
    assert outcome.detail == "sent to chat (C2)"
    planned = notify.plan(
        work(notify.Params("chat", "message.md.j2")), chosen_by_severity(run_time)
    )
    assert planned.startswith("would send to chat (C2): UNPROTECTED")


@pytest.mark.parametrize("severity", ["CRITICAL", "LOW"])
def test_a_thread_goes_on_where_it_began_whatever_the_template_gives_by_now(
    run_time: Runtime, server: Loopback, severity: str
) -> None:
    kept = {"chat": {"thread": "1.5", "channel": "C5"}}
    of = incident(refs=kept, severity=Severity(severity))
    outcome = tell(chosen_by_severity(run_time), of=of, scope=scope(of))
    body = server.requests[0].json
    assert (body["channel"], body["thread_ts"]) == ("C5", "1.5")
    assert outcome.detail == "sent to chat (C5) in its thread"


def test_a_thread_in_a_channel_that_is_allowed_no_more_is_left(
    run_time: Runtime, server: Loopback
) -> None:
    of = incident(refs={"chat": {"thread": "1.5", "channel": "C9"}})
    outcome = tell(chosen_by_severity(run_time), of=of)
    body = server.requests[0].json
    assert body["channel"] == "C2"
    assert "thread_ts" not in body
    assert outcome.detail == "sent to chat (C2)"


def test_a_channel_that_is_not_allowed_gets_nothing(run_time: Runtime, server: Loopback) -> None:
    outcome = tell(chosen_by_severity(run_time, allow=["C5"]))
    assert outcome.status == "failed"
    assert outcome.detail == "connection chat: `channel` gives 'C2', which is not in `allow`"
    assert not server.requests


def test_what_is_not_allowed_goes_to_the_fallback(
    run_time: Runtime, server: Loopback, cloud: Cloud
) -> None:
    refusing = chosen_by_severity(run_time, allow=["C5"], fallback="topic")
    outcome = tell(refusing)
    assert (outcome.status, outcome.result["connection"]) == ("done", "topic")
    assert "which is not in `allow`" in outcome.detail
    assert len(cloud.called("Publish")) == 1
    assert not server.requests


def test_a_fallback_can_have_its_channel_from_a_template(
    run_time: Runtime, server: Loopback
) -> None:
    refusing = chosen_by_severity(run_time)
    connections = {
        **refusing.playbook.connections,
        "wrong": {"type": "sns", "topic_arn": "", "fallback": "chat"},
    }
    outcome = tell(runtime(playbook=playbook(connections=connections)), to="wrong")
    assert outcome.status == "done"
    assert server.requests[0].json["channel"] == "C2"


@pytest.mark.parametrize("reply", [failing("channel_not_found"), failing("invalid_auth")])
def test_what_a_channel_refuses_goes_to_its_fallback_in_its_language(
    run_time: Runtime, server: Loopback, cloud: Cloud, reply: Reply
) -> None:
    server.replies(reply)
    outcome = tell(with_fallback(run_time))
    assert outcome.status == "done"
    thread = f"{incident().key}#1"
    told = {
        "sent": True,
        "updated": False,
        "connection": "topic",
        "thread": thread,
        "channel": "",
    }
    assert outcome.result == told
    assert outcome.detail.startswith("sent to topic, the fallback: chat refused the message")
    sent = json.loads(cloud.called("Publish")[0]["Message"])
    assert sent["content"]["title"] == "【未保護】CRITICAL: web-01"


def test_a_secret_that_is_missing_leads_to_the_fallback(run_time: Runtime, cloud: Cloud) -> None:
    del cloud.secrets["hub-responder/test/chat"]
    outcome = tell(with_fallback(run_time))
    assert (outcome.status, len(cloud.called("Publish"))) == ("done", 1)


def test_what_may_pass_waits_and_goes_to_the_fallback_only_at_the_end(
    run_time: Runtime, server: Loopback, cloud: Cloud
) -> None:
    server.replies(Reply(503))
    first = tell(with_fallback(run_time))
    assert (first.status, first.in_doubt) == ("deferred", True)
    assert not cloud.called("Publish")
    last = tell(with_fallback(run_time), last=True)
    assert (last.status, last.result["connection"]) == ("done", "topic")
    assert "chat answered 503" in last.detail
    assert tell(run_time, last=True).status == "deferred"  # nobody stands in: the engine gives up


def test_a_fallback_that_fails_fails_the_step_and_both_reasons_are_told(
    run_time: Runtime, server: Loopback, cloud: Cloud
) -> None:
    server.replies(failing("channel_not_found"))
    cloud.script["Publish"] = [REFUSED]
    outcome = tell(with_fallback(run_time))
    assert outcome.status == "failed"
    assert "channel_not_found" in outcome.detail
    assert "the fallback topic: " in outcome.detail
    assert "AuthorizationError" in outcome.detail


def test_a_fallback_has_no_fallback_of_its_own(
    run_time: Runtime, server: Loopback, cloud: Cloud
) -> None:
    server.replies(failing("channel_not_found"))
    cloud.script["Publish"] = [REFUSED]
    ring = with_fallback(run_time, fallback="chat")
    assert tell(ring).status == "failed"
    assert len(server.requests) == 1


def test_a_private_address_needs_the_connections_leave(run_time: Runtime, server: Loopback) -> None:
    connections = dict(run_time.playbook.connections)
    connections["chat"] = {**connections["chat"], "private": False}
    outcome = tell(runtime(playbook=playbook(connections=connections)))
    assert outcome.status == "failed"
    assert "not allowed" in outcome.detail
    assert not server.requests


def test_permissions_are_those_of_the_connections_in_use() -> None:
    everything = notify.ACTION.permissions({}, playbook().connections)
    assert [statement["Action"] for statement in everything] == [
        ["sns:Publish"],
        ["secretsmanager:GetSecretValue"],
        ["dynamodb:UpdateItem"],
    ]
    assert everything[0]["Resource"] == ["arn:aws:sns:eu-central-1:111122223333:t"]
    default, meter = notify.ACTION.permissions({}, {"t": {"type": "sns"}})
    assert default["Resource"] == [{"Ref": "NotificationsTopic"}]
    assert "'pace#t'" in str(meter["Condition"])


def test_the_account_is_told(run_time: Runtime, server: Loopback) -> None:
    seen: list[Request] = server.requests
    tell(run_time)
    assert ACCOUNT in seen[0].body.decode()

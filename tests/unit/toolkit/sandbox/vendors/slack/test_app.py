"""The Slack simulator over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from hub_toolkit.sandbox.vendors.slack import Slack

TOKEN = "xoxb-test"
CHANNEL = "C0SANDBOX01"
WEBHOOK = "T0SANDBOX/B0SANDBOX/s3cret"


class Clock:
    """A clock that stands until it is moved."""

    now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


class Workspace:
    """A client of one simulator that sends the token unless told otherwise."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        self.slack = Slack(self.clock, token=TOKEN, webhook=WEBHOOK, **options)
        self.client = Client(self.slack.app)

    def call(self, method: str, *, token: str = TOKEN, **body: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {token}"}
        return self.client.post(f"/api/{method}", json=body, headers=headers)

    def post(self, **body: Any) -> dict[str, Any]:
        answer = self.call("chat.postMessage", **{"channel": CHANNEL, "text": "hello", **body})
        assert answer.status_code == 200
        return dict(answer.get_json())

    def hook(self, path: str = WEBHOOK, **body: Any) -> tuple[int, str]:
        answer = self.client.post(f"/services/{path}", json=body)
        return answer.status_code, answer.text


@pytest.fixture
def workspace() -> Workspace:
    return Workspace()


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def test_a_message_is_posted_and_kept(workspace: Workspace) -> None:
    answer = workspace.post(blocks=[section("hello *you*")])
    assert answer["ok"]
    assert (answer["channel"], answer["ts"]) == (CHANNEL, "1795000000.000000")
    (message,) = workspace.slack.messages(CHANNEL)
    assert message["text"] == "hello"
    assert message["blocks"] == [section("hello *you*")]


def test_ts_is_unique_and_ordered_also_when_the_clock_stands_or_goes_back(
    workspace: Workspace,
) -> None:
    first = [workspace.post()["ts"] for _ in range(3)]
    workspace.clock.now -= 100
    found = [*first, workspace.post()["ts"]]
    assert found == sorted(set(found))


@pytest.mark.parametrize(
    ("token", "error"), [("", "not_authed"), ("wrong", "invalid_auth"), ("日本", "invalid_auth")]
)
def test_a_refusal_is_200_with_ok_false(workspace: Workspace, token: str, error: str) -> None:
    header = f"Bearer {token}".encode().decode("latin-1")
    answer = workspace.client.post(
        "/api/chat.postMessage",
        json={"channel": CHANNEL, "text": "hello"},
        environ_overrides={"HTTP_AUTHORIZATION": header},
    )
    assert (answer.status_code, answer.get_json()) == (200, {"ok": False, "error": error})


def test_a_token_in_a_json_body_does_not_count(workspace: Workspace) -> None:
    body = {"channel": CHANNEL, "text": "hello", "token": TOKEN}
    answer = workspace.client.post("/api/chat.postMessage", json=body)
    assert answer.get_json()["error"] == "not_authed"
    form = workspace.client.post("/api/chat.postMessage", data=body)
    assert form.get_json()["ok"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"channel": None}, "channel_not_found"),
        ({"channel": "general"}, "channel_not_found"),
        ({"channel": 7}, "channel_not_found"),
        ({"text": ""}, "no_text"),
        ({"text": "", "blocks": []}, "no_text"),
        ({"text": 7}, "invalid_arguments"),
        ({"text": "t" * 40_001}, "msg_too_long"),
        ({"blocks": "[]"}, "invalid_blocks_format"),
        ({"blocks": {}}, "invalid_blocks_format"),
        ({"blocks": [{"type": "chart"}]}, "invalid_blocks"),
        ({"blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        ({"blocks": [section("t" * 2900)] * 5}, "msg_blocks_too_long"),
        ({"thread_ts": "1.000001"}, "thread_not_found"),
    ],
)
def test_messages_that_slack_refuses(
    workspace: Workspace, body: dict[str, Any], error: str
) -> None:
    answer = workspace.post(**body)
    assert (answer["ok"], answer["error"]) == (False, error)
    assert workspace.slack.messages() == []


def test_invalid_blocks_say_where(workspace: Workspace) -> None:
    said = "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    answer = workspace.post(blocks=[section("t" * 3001)])
    assert answer["errors"] == [said]
    assert answer["response_metadata"] == {"messages": [f"[ERROR] {said}"]}


def test_texts_at_the_limit_are_taken(workspace: Workspace) -> None:
    assert workspace.post(text="t" * 40_000)["ok"]
    assert workspace.post(blocks=[section("t" * 2640)] * 5)["ok"]


@pytest.mark.parametrize(
    ("data", "error"),
    [(b"{", "invalid_json"), (b"[]", "json_not_object"), (b'{"a":' * 99, "invalid_json")],
)
def test_bodies_that_are_no_json_object(workspace: Workspace, data: bytes, error: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    answer = workspace.client.post("/api/chat.postMessage", data=data, headers=headers)
    assert answer.get_json()["error"] == error


def test_only_known_channels_exist_where_they_are_given() -> None:
    workspace = Workspace(channels={CHANNEL})
    assert workspace.post()["ok"]
    assert workspace.post(channel="C0OTHER0001")["error"] == "channel_not_found"


def test_replies_join_the_thread_of_the_parent(workspace: Workspace) -> None:
    parent = workspace.post()["ts"]
    reply = workspace.post(thread_ts=parent)
    second = workspace.post(thread_ts=reply["ts"])
    assert second["message"]["thread_ts"] == parent
    workspace.post(text="elsewhere")
    answer = workspace.call("conversations.replies", channel=CHANNEL, ts=parent).get_json()
    assert [message["ts"] for message in answer["messages"]] == [
        parent,
        reply["ts"],
        second["ts"],
    ]


def test_an_update_replaces_the_content_and_keeps_ts(workspace: Workspace) -> None:
    ts = workspace.post(blocks=[section("old")])["ts"]
    answer = workspace.call("chat.update", channel=CHANNEL, ts=ts, text="new").get_json()
    assert (answer["ok"], answer["ts"], answer["text"]) == (True, ts, "new")
    (message,) = workspace.slack.messages()
    assert message["text"] == "new"
    assert "blocks" not in message
    unknown = workspace.call("chat.update", channel=CHANNEL, ts="1.0", text="new").get_json()
    assert unknown["error"] == "message_not_found"


def test_unknown_methods_are_named(workspace: Workspace) -> None:
    assert workspace.call("chat.sing").get_json() == {"ok": False, "error": "unknown_method"}
    assert workspace.call("auth.test").get_json()["ok"]


def test_beyond_the_burst_a_channel_takes_one_message_per_second() -> None:
    workspace = Workspace(burst=2)
    answers = [workspace.call("chat.postMessage", channel=CHANNEL, text="hello") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["Retry-After"] == "1"
    assert answers[2].get_json() == {"ok": False, "error": "ratelimited"}
    assert workspace.post(channel="C0OTHER0001")["ok"]
    workspace.clock.now += 1
    assert workspace.post()["ok"]


def test_a_webhook_answers_ok_and_no_ts(workspace: Workspace) -> None:
    assert workspace.hook(text="hello") == (200, "ok")
    assert workspace.slack.messages("webhook")[0]["text"] == "hello"


@pytest.mark.parametrize(
    ("path", "body", "answer"),
    [
        ("T0SANDBOX/B0SANDBOX/wrong", {"text": "hello"}, (403, "invalid_token")),
        ("T0OTHER/B0SANDBOX/s3cret", {"text": "hello"}, (404, "no_service")),
        (WEBHOOK, {}, (400, "no_text")),
        (WEBHOOK, {"blocks": [{"type": "chart"}]}, (400, "invalid_blocks")),
    ],
)
def test_a_webhook_refuses_with_a_status_and_a_word(
    workspace: Workspace, path: str, body: dict[str, Any], answer: tuple[int, str]
) -> None:
    assert workspace.hook(path, **body) == answer
    assert workspace.slack.messages() == []


def test_a_webhook_refuses_what_is_no_json(workspace: Workspace) -> None:
    answer = workspace.client.post(f"/services/{WEBHOOK}", data=b"text=hello")
    assert (answer.status_code, answer.text) == (400, "invalid_payload")

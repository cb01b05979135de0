"""Webhooks of ticket systems: who is believed, how much, and what is answered."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from factories import NOW
from hub_responder import aws, clock, observability
from hub_responder.errors import UnreadableEvent
from hub_responder.handlers import ticket_webhook
from hub_responder.ledger.operations import Operations
from hub_responder.sync import plan
from hub_responder.sync.genuine import genuine
from hub_responder.sync.mentioned import mentioned
from hub_responder.sync.request import read
from hub_responder.sync.webhook import MAX_BODY, RATE
from hub_toolkit.sandbox import dynamodb
from hub_toolkit.sandbox.dynamodb.store import ItemStore
from hub_toolkit.sandbox.vendors.github import GitHub
from hub_toolkit.sandbox.vendors.hook import Hook
from hub_toolkit.sandbox.vendors.jira import Jira
from hub_toolkit.sandbox.vendors.servicenow import ServiceNow
from loopback import Cloud, Loopback, Reply, Request, simulated

KEY = "0123456789abcdef-webhook"
ACCOUNTS: dict[str, dict[str, str]] = {
    "github": {"token": "t0ken"},
    "jira": {"email": "bot@x.example", "api_token": "t0ken"},
    "servicenow": {"username": "bot", "password": "t0ken"},
}
KINDS = sorted(ACCOUNTS)
Sent = tuple[dict[str, str], bytes]


class Desk:
    """Three ticket systems with a ticket of ours each, the ledger, and the function."""

    def __init__(self, cloud: Cloud, server: Loopback) -> None:
        self.now = NOW
        self.cloud, self.server = cloud, server
        self.store = ItemStore(lambda: self.now)
        for table in ("ledger", "audit"):
            names = ("pk", "HASH"), ("sk", "RANGE")
            keys = [{"AttributeName": name, "KeyType": kind} for name, kind in names]
            defined = [{"AttributeName": name, "AttributeType": "S"} for name, _ in names]
            given = {"TableName": table, "BillingMode": "PAY_PER_REQUEST"}
            self.store.handle(
                "CreateTable", {**given, "KeySchema": keys, "AttributeDefinitions": defined}
            )
        scripted, ledger = cloud.answer, simulated(Client(dynamodb.app(self.store)))

        def answer(request: Request) -> Reply:
            ours = request.headers.get("x-amz-target", "").startswith("DynamoDB")
            return ledger(request) if ours else scripted(request)

        cloud.answer = answer
        self.sent: list[Sent] = []
        hook = Hook(KEY, lambda headers, body: self.sent.append((dict(headers), body)))

        def at() -> float:
            return self.now

        account = ACCOUNTS["jira"]
        self.systems: dict[str, Any] = {
            "github": GitHub(at, token="t0ken", repository="acme/findings", hook=hook),
            "jira": Jira(at, email=account["email"], api_token="t0ken", hook=hook),
            "servicenow": ServiceNow(at, auth="basic", secret=ACCOUNTS["servicenow"], hook=hook),
        }
        apps = {name: simulated(Client(one.app)) for name, one in self.systems.items()}
        self.down = False
        self._apps = apps
        server.answer = self._vendor
        self.tickets = {name: self._opened(name) for name in apps}
        for name, account in ACCOUNTS.items():
            self.secret(name, **account, webhook_secret=KEY)

    def _vendor(self, request: Request) -> Reply:
        name = request.path.split("/")[1]
        if self.down:
            return Reply(503)
        path = request.path.removeprefix(f"/{name}")
        return self._apps[name](Request(request.method, path, request.headers, request.body))

    def _opened(self, name: str) -> str:
        """A ticket of an incident that the ledger has forgotten: only the pointer is written."""
        path, body = {
            "github": ("/api/v3/repos/acme/findings/issues", {"title": "t"}),
            "jira": (
                "/rest/api/3/issue",
                {
                    "fields": {
                        "project": {"key": "SEC"},
                        "issuetype": {"name": "Task"},
                        "summary": "t",
                    }
                },
            ),
            "servicenow": ("/api/now/table/incident", {"short_description": "t"}),
        }[name]
        basic = ":".join(ACCOUNTS[name].values()).encode()
        token = f"Basic {base64.b64encode(basic).decode()}"
        headers = {"content-type": "application/json", "user-agent": "t"}
        headers["authorization"] = "Bearer t0ken" if name == "github" else token
        assert (
            self._apps[name](Request("POST", path, headers, json.dumps(body).encode())).status
            == 201
        )
        ticket = str(self.systems[name].tickets()[0]["id"])
        made = Operations("ledger", "me", NOW + 60, NOW)
        items = made.point(f"p#{name}", {name: {"ticket": ticket}}, ())
        aws.client("dynamodb").transact_write_items(TransactItems=items)
        return ticket

    def secret(self, name: str, **held: str) -> None:
        self.cloud.secrets[f"hub-responder/test/{name}"] = held

    def decided(self, name: str, state: str = "done") -> Sent:
        """A person decides; the webhook that the system sends."""
        self.systems[name].decide(self.tickets[name], state)
        return self.sent.pop()

    def post(self, name: str, sent: Sent, *, method: str = "POST", encoded: bool = False) -> int:
        """The status that the function answers."""
        headers, body = sent
        text = base64.b64encode(body).decode() if encoded else body.decode("utf-8", "replace")
        event = {
            "version": "2.0",
            "rawPath": f"/{name}",
            "headers": {key.lower(): value for key, value in headers.items()},
            "requestContext": {"http": {"method": method}},
            "body": text,
            "isBase64Encoded": encoded,
        }
        context = SimpleNamespace(
            aws_request_id="run-1", get_remaining_time_in_millis=lambda: 30_000
        )
        return ticket_webhook.handler(event, context)["statusCode"]

    def handled(self, name: str) -> str:
        """What the ledger says was decided in the ticket and is done."""
        key = {"pk": {"S": "p#tickets"}, "sk": {"S": f"{name}#{self.tickets[name]}"}}
        item = self.store.handle("GetItem", {"TableName": "ledger", "Key": key})["Item"]
        return str(item.get("handled", {}).get("S", ""))

    def asked(self) -> int:
        return len(self.server.requests)


@pytest.fixture
def desk(
    cloud: Cloud, server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    made = Desk(cloud, server)
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: made.now))
    connections: dict[str, dict[str, Any]] = {
        "github": {
            "type": "github",
            "repository": "acme/findings",
            "base_url": f"{server.url}/github/api/v3",
            "private": True,
        },
        "jira": {"type": "jira", "url": f"{server.url}/jira", "project": "SEC"},
        "servicenow": {"type": "servicenow", "url": f"{server.url}/servicenow", "private": True},
    }
    hooked = {name: {**one, "webhook": True} for name, one in connections.items()}
    planned = plan.Plan({"p": "en"}, {**hooked, "quiet": connections["jira"]})
    (tmp_path / plan.FILE).write_bytes(msgspec.json.encode(planned))
    for name, value in {
        "SYNC_DIR": str(tmp_path),
        "STAGE": "test",
        "LEDGER_TABLE": "ledger",
        "AUDIT_TABLE": "audit",
    }.items():
        monkeypatch.setenv(name, value)
    ticket_webhook._receiver.cache_clear()
    yield made
    ticket_webhook._receiver.cache_clear()


def signed(body: bytes, key: str = KEY) -> Sent:
    made = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={made}", "X-GitHub-Event": "issues"}, body


def about(number: int) -> bytes:
    told = {"issue": {"number": number}, "repository": {"full_name": "Acme/Findings"}}
    return json.dumps({"action": "closed", **told}).encode()


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize("name", KINDS)
def test_what_each_system_sends_is_taken_and_looked_up(
    desk: Desk, name: str, encoded: bool
) -> None:
    sent = desk.decided(name)
    assert desk.post(name, sent, encoded=encoded) == 204
    assert desk.handled(name).startswith("done@")


@pytest.mark.parametrize("name", KINDS)
def test_a_body_or_signature_that_was_changed_is_refused_and_nothing_is_asked(
    desk: Desk, name: str
) -> None:
    headers, body = desk.decided(name)
    header = {"jira": "X-Hub-Signature", "github": "X-Hub-Signature-256"}.get(
        name, "X-Hub-Responder-Signature"
    )
    unsigned = {key: value for key, value in headers.items() if key != header}
    for forged in (
        (headers, body + b" "),
        (headers, b""),
        (unsigned, body),
        ({**headers, header: ""}, body),
        ({**headers, header: headers[header].partition("=")[2]}, body),
        ({**headers, header: headers[header].upper()}, body),
        ({**headers, header: headers[header][:-1] + "é"}, body),
    ):
        assert desk.post(name, forged) == 401
    for other in {"github", "jira", "servicenow", "quiet", "nobody", "", f"{name}/x"} - {name}:
        assert desk.post(other, (headers, body)) == 401
    assert (desk.asked(), desk.handled(name)) == (0, "")


def test_a_body_is_never_believed(desk: Desk) -> None:
    headers, body = desk.decided("jira")
    desk.decided("jira", "open")
    assert b'"key":"done"' in body
    assert desk.post("jira", (headers, body)) == 204
    assert (desk.asked() > 0, desk.handled("jira")) == (True, "")


@pytest.mark.parametrize("late", [-301, 301])
def test_what_servicenow_sent_is_of_no_use_five_minutes_later(desk: Desk, late: int) -> None:
    sent = desk.decided("servicenow")
    desk.now += late
    assert desk.post("servicenow", sent) == 401
    desk.now -= late
    assert desk.post("servicenow", sent) == 204


def test_a_flood_of_one_genuine_request_asks_few_times(desk: Desk) -> None:
    sent = desk.decided("github")
    answers = [desk.post("github", sent) for _ in range(30)]
    assert set(answers) == {204, 503}
    assert desk.asked() == answers.count(204) == RATE.burst
    desk.now += 60
    assert desk.post("github", sent) == 204


def test_a_changed_key_is_used_at_once_and_a_wrong_one_brings_few_look_ups(desk: Desk) -> None:
    old = desk.decided("github")
    assert desk.post("github", old) == 204
    desk.secret("github", token="t0ken", webhook_secret=KEY[::-1])
    new = signed(old[1], KEY[::-1])
    desk.now += 61
    assert desk.post("github", new) == 204
    assert desk.post("github", old) == 401
    read_so_far = len(desk.cloud.called("GetSecretValue"))
    assert {desk.post("github", signed(b"{}", "x" * 20)) for _ in range(50)} == {401}
    assert len(desk.cloud.called("GetSecretValue")) == read_so_far
    desk.now += 61
    assert {desk.post("github", signed(b"{}", "x" * 20)) for _ in range(50)} == {401}
    assert len(desk.cloud.called("GetSecretValue")) == read_so_far + 1


@pytest.mark.parametrize("held", [{}, {"webhook_secret": ""}, {"webhook_secret": "short"}])
def test_without_a_key_nobody_is_believed_and_that_is_looked_up_seldom(
    desk: Desk, held: dict[str, str]
) -> None:
    desk.secret("github", token="t0ken", **held)
    sent = signed(about(1), held.get("webhook_secret", ""))
    assert {desk.post("github", sent) for _ in range(20)} == {401}
    assert len(desk.cloud.called("GetSecretValue")) == 1
    desk.secret("github", token="t0ken", webhook_secret=KEY)
    desk.now += 61
    assert desk.post("github", signed(about(1))) == 204


def test_what_is_no_news_of_ours_is_answered_204_without_asking(desk: Desk) -> None:
    headers, body = signed(b'{"zen": "Keep it logically awesome.", "hook_id": 1}')
    assert desk.post("github", ({**headers, "X-GitHub-Event": "ping"}, body)) == 204
    headers, body = signed(about(1))
    assert desk.post("github", ({**headers, "X-GitHub-Event": "issue_comment"}, body)) == 204
    for other in (about(9), b"{}", b"[]", b"null", b'{"issue": {"number": "1"}}'):
        assert desk.post("github", signed(other)) == 204
    assert desk.asked() == 0


def test_what_cannot_be_read_or_is_too_large_is_told(desk: Desk) -> None:
    assert desk.post("github", signed(b"payload=%7B%7D")) == 400
    assert desk.post("github", signed(b"[" * 100_000)) == 400
    assert desk.post("github", ({}, b"payload=%7B%7D")) == 401
    assert desk.post("github", signed(b" " * (MAX_BODY - 2) + b"{}")) == 204
    assert desk.post("github", signed(b" " * (MAX_BODY - 1) + b"{}")) == 413
    assert desk.post("github", signed(about(1)), method="GET") == 405
    assert desk.asked() == 0


def test_a_system_that_does_not_answer_lets_the_sender_try_again(desk: Desk) -> None:
    sent = desk.decided("jira")
    desk.down = True
    assert desk.post("jira", sent) == 503
    desk.down = False
    desk.now += 60
    assert desk.post("jira", sent) == 204
    assert desk.handled("jira").startswith("done@")


def test_nothing_of_a_request_is_logged(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    for handler in observability.logger().handlers:
        monkeypatch.setattr(handler, "stream", log)
    told = json.loads(desk.decided("github")[1])
    told["issue"]["title"] = told["note"] = "MARKER-in-the-body"
    sent = signed(json.dumps(told).encode())
    assert desk.post("github", sent) == 204
    assert desk.post("github", ({"X-Hub-Signature-256": "MARKER-in-a-header"}, sent[1])) == 401
    assert desk.post("github", signed(b"MARKER-no-json")) == 400
    desk.down = True
    desk.now += 60
    assert desk.post("github", sent) == 503
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert "a webhook is not followed" in [line["message"] for line in lines]
    assert "MARKER" not in log.getvalue()
    assert KEY not in log.getvalue()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "x-hub-signature",
            "x-hub-signature-256",
            "x-hub-responder-signature",
            "x-hub-responder-timestamp",
            "x-github-event",
        ]
    ),
    st.text() | st.just(str(int(NOW))) | st.sampled_from(["sha256=", "v1=", "٣٤", "²", "-0"]),
)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.sampled_from([*KINDS, "opscenter", ""]), _HEADERS, st.binary(max_size=200))
def test_hostile_headers_are_never_genuine(kind: str, headers: dict[str, str], body: bytes) -> None:
    assert not genuine(kind, KEY, headers, body)
    assert not genuine(kind, "", headers, body)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    st.sampled_from(KINDS),
    st.binary(max_size=100)
    | _JSON.map(lambda one: json.dumps(one).encode())
    | st.fixed_dictionaries(
        {}, optional={"issue": _JSON, "repository": _JSON, "number": _JSON, "key": _JSON}
    ).map(lambda one: json.dumps(one).encode()),
)
def test_hostile_bodies_name_a_bounded_ticket_or_none(kind: str, body: bytes) -> None:
    told = {"type": kind, "repository": "a/b"}
    try:
        ticket = mentioned(told, {"x-github-event": "issues"}, body)
    except UnreadableEvent:
        return
    assert len(ticket.encode("utf-8", "replace")) <= 512


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "requestContext": _JSON,
            "headers": _JSON,
            "rawPath": _JSON,
            "body": _JSON,
            "isBase64Encoded": _JSON,
        },
    )
)
def test_any_event_is_a_request(event: dict[str, Any]) -> None:
    request = read(event)
    assert isinstance(request.body, bytes)
    assert all(isinstance(one, str) for one in [*request.headers, *request.headers.values()])

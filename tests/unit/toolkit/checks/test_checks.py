"""``hub-responder connections check``: what is told of connections, and what to do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub_toolkit.sandbox.certificates import authority
from loopback import Reply

from .conftest import Checks

TOKEN = "xoxb-0123456789-secret"
SCREEN = [
    {"fieldId": name, "name": name, "required": name == "summary", "hasDefaultValue": False}
    for name in ("summary", "description", "labels", "priority")
]


def slack(checks: Checks, **settings: Any) -> None:
    """A Slack bot that all is well with."""
    checks.connections(
        chat={
            "type": "slack",
            "channel": "C0123456789",
            "base_url": f"{checks.vendor.url}/api",
            "private": True,
            **settings,
        }
    )
    checks.secret("chat", {"token": TOKEN})
    channel = {"name": "soc", "is_member": True, "is_archived": False}
    checks.answers |= {
        "/api/auth.test": Reply(200, {"ok": True, "team": "Example"}),
        "/api/conversations.info?channel=C0123456789": Reply(200, {"ok": True, "channel": channel}),
    }


def refused(error: str) -> Reply:
    return Reply(200, {"ok": False, "error": error})


def jira(checks: Checks, **settings: Any) -> None:
    """A Jira project that all is well with."""
    url = checks.vendor.url
    checks.connections(board={"type": "jira", "url": url, "project": "SEC", **settings})
    checks.secret("board", {"email": "a@example.com", "api_token": "t0ken"})
    kinds = [{"id": "10001", "name": "Task"}, {"id": "10002", "name": "Bug"}]
    meta = "/rest/api/3/issue/createmeta/SEC/issuetypes"
    checks.answers |= {
        "/rest/api/3/myself": Reply(200, {"displayName": "Responder"}),
        "/rest/api/3/project/SEC": Reply(200, {"key": "SEC"}),
        meta: Reply(200, {"issueTypes": kinds}),
        f"{meta}/10001": Reply(200, {"fields": SCREEN}),
    }


def test_all_that_can_be_read_is_proved_without_a_change(checks: Checks) -> None:
    slack(checks)
    told = checks.told()["chat"]
    assert [(what, state) for what, state, _ in told] == [
        ("settings", "good"),
        ("secret", "good"),
        ("address", "good"),
        ("access", "good"),
        ("place", "good"),
    ]
    assert "#soc" in told[-1][2]
    assert {request.method for request in checks.vendor.requests} == {"GET"}
    assert all(r.headers["authorization"] == f"Bearer {TOKEN}" for r in checks.vendor.requests)


def test_a_table_says_what_fails_and_what_to_do(checks: Checks) -> None:
    slack(checks)
    checks.answers["/api/auth.test"] = refused("token_revoked")
    code, said, _ = checks.run()
    assert code == 1
    assert "Slack refuses the token: token_revoked" in said
    assert "→ make a new token and put it into the secret" in said
    assert "1 of 1 fail: chat" in said
    assert TOKEN not in said


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        (None, "there is none"),
        ("no json", "is not JSON"),
        ({"token": "xoxp-0000"}, "`token` is not a bot's token, which begins with xoxb-"),
        ({"Token": TOKEN}, "there is no `token`"),
        ({"token": 5}, "is not a JSON object of texts"),
    ],
)
def test_a_secret_of_the_wrong_shape_is_told_without_its_value(
    checks: Checks, secret: Any, said: str
) -> None:
    slack(checks)
    checks.cloud.secrets.clear()
    if secret is not None:
        checks.secret("chat", secret)
    code, printed, _ = checks.run("--json")
    assert code == 1
    told = json.loads(printed)[0]["told"]
    assert told[1]["state"] == "failed"
    assert said in told[1]["said"]
    assert told[2]["state"] == "skipped"
    assert "xoxp" not in printed
    assert TOKEN not in printed
    assert not checks.vendor.requests


@pytest.mark.parametrize(
    ("held", "hooked", "state", "said"),
    [
        ({"webhook_secret": "0123456789abcdef"}, True, "good", "token, webhook_secret"),
        ({}, True, "failed", "there is no `webhook_secret`"),
        ({"webhook_secret": "short-one"}, True, "failed", "`webhook_secret` is not 16 characters"),
        ({"webhook_secret": "0123456789abcdef"}, False, "warning", "and 1 that nothing reads"),
    ],
)
def test_a_connection_that_takes_webhooks_needs_their_secret(
    checks: Checks, held: dict[str, str], hooked: bool, state: str, said: str
) -> None:
    settings = {"type": "github", "repository": "acme/findings", "webhook": hooked}
    checks.connections(code={**settings, "base_url": checks.vendor.url, "private": True})
    checks.secret("code", {"token": "github_pat_0123", **held})
    _, printed, _ = checks.run("--json")
    told = json.loads(printed)[0]["told"][1]
    assert (told["what"], told["state"]) == ("secret", state)
    assert said in told["said"]
    assert "short-one" not in printed


def test_a_key_that_nothing_reads_is_told_but_not_named(checks: Checks) -> None:
    slack(checks)
    checks.secret("chat", {"token": TOKEN, TOKEN[::-1]: "x"})
    code, printed, _ = checks.run("--json")
    assert code == 0
    assert "and 1 that nothing reads" in printed
    assert TOKEN[::-1] not in printed


@pytest.mark.parametrize(
    ("answer", "state", "said"),
    [
        (refused("channel_not_found"), "failed", "take the channel's id from its details"),
        (refused("missing_scope"), "unproved", "can only be proved by --send-test"),
        (Reply(200, {"ok": True, "channel": {"is_member": False}}), "failed", "/invite the bot"),
        (Reply(200, {"ok": True, "channel": {"is_archived": True}}), "failed", "is archived"),
    ],
)
def test_slacks_channel_is_looked_at_where_the_token_may(
    checks: Checks, answer: Reply, state: str, said: str
) -> None:
    slack(checks)
    checks.answers["/api/conversations.info?channel=C0123456789"] = answer
    what, found, text = checks.last("chat")
    assert (what, found) == ("place", state)
    assert said in text


def test_a_slack_token_without_the_scope_to_write_fails(checks: Checks) -> None:
    slack(checks)
    scopes = {"x-oauth-scopes": "channels:read"}
    checks.answers["/api/auth.test"] = Reply(200, {"ok": True}, scopes)
    assert checks.last("chat")[:2] == ("access", "failed")


def test_each_place_that_a_template_may_give_is_looked_at(checks: Checks) -> None:
    slack(checks, channel="{{ tag('Channel') }}", allow=["C0123456789", "C0000000000"])
    checks.answers["/api/conversations.info?channel=C0000000000"] = refused("channel_not_found")
    told = checks.told()["chat"]
    assert [state for what, state, _ in told if what == "place"] == ["good", "failed"]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_vendor_that_is_down_fails_and_is_said_to_pass(checks: Checks, status: int) -> None:
    slack(checks)
    checks.answers["/api/auth.test"] = Reply(status, {"ok": False})
    what, state, text = checks.last("chat")
    assert (what, state) == ("access", "failed")
    assert f"answered {status} → try again" in text


def test_an_address_where_nobody_listens_fails(checks: Checks) -> None:
    slack(checks)
    checks.vendor.close()
    what, state, text = checks.last("chat")
    assert (what, state) == ("address", "failed")
    assert "cannot be reached" in text


def test_an_address_in_a_private_network_needs_to_be_allowed(checks: Checks) -> None:
    slack(checks, private=False)
    what, state, text = checks.last("chat")
    assert (what, state) == ("address", "failed")
    assert "which is a private address → say `private: true`" in text
    assert not checks.vendor.requests


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest", "http://example.com/", "https://[fd00:ec2::254]/"]
)
def test_an_address_that_is_never_called_is_refused(checks: Checks, url: str) -> None:
    slack(checks, base_url=url)
    what, state, text = checks.last("chat")
    assert (what, state) == ("address", "failed")
    assert "is refused" in text


def test_a_certificate_is_trusted_only_by_its_authority(checks: Checks) -> None:
    own = authority()
    checks.vendor.speak_tls(own.server)
    slack(checks)
    what, state, text = checks.last("chat")
    assert (what, state) == ("address", "failed")
    assert "no trusted TLS connection" in text
    slack(checks, ca=own.ca)
    told = checks.told()["chat"]
    assert told[2][1] == "good"
    assert "more days" in told[2][2]
    assert told[-1][1] == "good"


def test_jiras_account_project_and_issue_type_are_proved(checks: Checks) -> None:
    jira(checks)
    told = checks.told()["board"]
    assert [state for _, state, _ in told] == ["good"] * 5
    assert "project SEC, Task" in told[-1][2]


@pytest.mark.parametrize(
    ("settings", "fields", "said"),
    [
        ({"issue_type": "Incident"}, SCREEN, "it has Bug, Task → put one of them"),
        ({}, [*SCREEN, {"fieldId": "customfield_1", "name": "Team", "required": True}],
         "fields that must be set: Team (customfield_1)"),
        ({}, SCREEN[:2], "not on its create screen: labels"),
    ],
)  # fmt: skip
def test_what_jira_would_refuse_an_issue_for_is_told_before(
    checks: Checks, settings: Any, fields: Any, said: str
) -> None:
    jira(checks, **settings)
    path = "/rest/api/3/issue/createmeta/SEC/issuetypes/10001"
    checks.answers[path] = Reply(200, {"fields": fields})
    what, state, text = checks.last("board")
    assert (what, state) == ("place", "failed")
    assert said in text


def test_jiras_refusals_are_told_apart(checks: Checks) -> None:
    jira(checks)
    checks.answers["/rest/api/3/project/SEC"] = Reply(404, {})
    assert "there is no project SEC" in checks.last("board")[2]
    checks.answers["/rest/api/3/myself"] = Reply(401, {})
    assert "is the secret right" in checks.last("board")[2]
    checks.answers["/rest/api/3/myself"] = Reply(200, b"<html>", {"content-type": "text/html"})
    assert "not JSON (text/html)" in checks.last("board")[2]


@pytest.mark.parametrize(
    ("repository", "issues", "expected"),
    [
        (Reply(200, {"has_issues": True}), Reply(200, []), ("place", "unproved")),
        (Reply(200, {"has_issues": False}), Reply(200, []), ("place", "failed")),
        (Reply(200, {"archived": True}), Reply(200, []), ("place", "failed")),
        (Reply(200, {"has_issues": True}), Reply(403, {}), ("place", "failed")),
        (Reply(404, {}), Reply(404, {}), ("access", "failed")),
        (Reply(401, {}), Reply(401, {}), ("access", "failed")),
    ],
)
def test_githubs_repository_is_seen_with_its_issues(
    checks: Checks, repository: Reply, issues: Reply, expected: tuple[str, str]
) -> None:
    checks.connections(
        code={
            "type": "github",
            "repository": "example/findings",
            "base_url": f"{checks.vendor.url}/api/v3",
            "private": True,
        }
    )
    checks.secret("code", {"token": "github_pat_0123"})
    base = "/api/v3/repos/example/findings"
    checks.answers |= {base: repository, f"{base}/issues?per_page=1": issues}
    assert checks.last("code")[:2] == expected


@pytest.mark.parametrize(
    ("reply", "state", "said"),
    [
        (Reply(204), "good", "octocat can be assigned"),
        (Reply(404, {}), "failed", "octocat cannot be assigned"),
    ],
)
def test_githubs_assignee_is_one_who_can_be(
    checks: Checks, reply: Reply, state: str, said: str
) -> None:
    checks.connections(
        code={
            "type": "github",
            "repository": "example/findings",
            "base_url": checks.vendor.url,
            "private": True,
            "assignee": "octocat",
        }
    )
    checks.secret("code", {"token": "github_pat_0123"})
    base = "/repos/example/findings"
    checks.answers |= {base: Reply(200, {"has_issues": True})}
    checks.answers |= {f"{base}/issues?per_page=1": Reply(200, [])}
    checks.answers |= {f"{base}/assignees/octocat": reply}
    what, told, text = checks.last("code")
    assert (what, told) == ("place", state)
    assert said in text


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(200, {"result": []}), ("place", "unproved")),
        (Reply(200, {"result": [{"number": "INC0010001"}]}), ("place", "failed")),
        (Reply(401, {"error": {"message": "User Not Authenticated"}}), ("access", "failed")),
        (Reply(200, b"<html>", {"content-type": "text/html"}), ("access", "failed")),
    ],
)
def test_servicenows_table_is_read_by_the_column_that_finds_tickets(
    checks: Checks, reply: Reply, expected: tuple[str, str]
) -> None:
    checks.connections(
        snow={"type": "servicenow", "url": checks.vendor.url, "auth": "api_key", "private": True}
    )
    checks.secret("snow", {"api_key": "k3y"})
    checks.vendor.answer = lambda _request: reply
    assert checks.last("snow")[:2] == expected
    assert {one.headers["x-sn-apikey"] for one in checks.vendor.requests} == {"k3y"}
    assert {one.method for one in checks.vendor.requests} == {"GET"}


@pytest.mark.parametrize("kind", ["teams", "slack_webhook", "webhook"])
def test_what_knows_no_read_is_only_proved_by_a_test(checks: Checks, kind: str) -> None:
    checks.connections(hook={"type": kind, "private": True})
    url = f"{checks.vendor.url}/services/T/B/x?sig=y"
    checks.secret("hook", {"webhook_url": url} if kind != "webhook" else
                  {"url": url, "signing_key": "k" * 16})  # fmt: skip
    what, state, text = checks.last("hook")
    assert (what, state) == ("access", "unproved")
    assert "it can only be proved by --send-test" in text
    assert not checks.vendor.requests
    checks.answers["/services/T/B/x?sig=y"] = Reply(200, b"ok")
    what, state, text = checks.last("hook", "--send-test")
    assert (what, state) == ("test", "good")
    assert text.startswith("accepted; whether" if kind == "teams" else "delivered")
    (sent,) = checks.vendor.requests
    assert b"TEST of hub-responder: please ignore" in sent.body


def test_a_test_alert_is_resolved_again(checks: Checks) -> None:
    checks.connections(duty={"type": "pagerduty", "private": True, "base_url": checks.vendor.url})
    checks.secret("duty", {"routing_key": "0123456789abcdef0123456789abcde"})
    assert checks.last("duty")[:2] == ("secret", "failed")
    checks.secret("duty", {"routing_key": "0123456789abcdef0123456789abcdef"})
    assert checks.last("duty")[:2] == ("access", "unproved")
    assert not checks.vendor.requests
    checks.answers["/v2/enqueue"] = Reply(202, {"status": "success"})
    assert checks.last("duty", "--send-test") == ("test", "good", "resolved → ")
    trigger, resolve = (one.json for one in checks.vendor.requests)
    assert trigger["payload"]["summary"] == "TEST of hub-responder: please ignore"
    assert (trigger["event_action"], resolve["event_action"]) == ("trigger", "resolve")
    assert trigger["dedup_key"] == resolve["dedup_key"]


def test_a_test_message_is_in_the_connections_language(checks: Checks) -> None:
    slack(checks, language="ja")
    sent = Reply(200, {"ok": True, "ts": "1.2", "channel": "C0123456789"})
    checks.answers["/api/chat.postMessage"] = sent
    assert checks.last("chat", "--send-test")[:2] == ("test", "good")
    body = checks.vendor.requests[-1].json
    assert body["blocks"][0]["text"]["text"].startswith("【テスト】")


def test_a_test_that_is_refused_fails(checks: Checks) -> None:
    slack(checks)
    checks.answers["/api/chat.postMessage"] = refused("not_in_channel")
    what, state, text = checks.last("chat", "--send-test")
    assert (what, state) == ("test", "failed")
    assert "not_in_channel" in text


def test_nothing_is_sent_where_a_check_fails(checks: Checks) -> None:
    slack(checks)
    checks.answers["/api/auth.test"] = refused("invalid_auth")
    checks.told("chat", "--send-test")
    assert [request.path for request in checks.vendor.requests] == ["/api/auth.test"]


def test_only_the_named_are_checked_and_a_slip_is_told(checks: Checks) -> None:
    checks.connections(
        one={"type": "slack_webhook"}, two={"type": "slack_webhook", "fallback": "one"}
    )
    assert set(checks.told("two")) == {"two"}
    code, said, errors = checks.run("twoo")
    assert (code, said) == (2, "")
    assert "twoo" in errors


def test_a_project_that_is_wrong_is_bad_usage(checks: Checks) -> None:
    checks.connections(one={"type": "slack"})
    code, _, errors = checks.run()
    assert code == 2
    assert "channel" in errors

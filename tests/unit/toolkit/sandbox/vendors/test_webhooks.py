"""The webhooks of simulated ticket systems: signed, shaped and sent as the vendors document."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
from werkzeug.test import Client

from hub_toolkit.sandbox.vendors.github import GitHub
from hub_toolkit.sandbox.vendors.hook import Hook
from hub_toolkit.sandbox.vendors.jira import Jira
from hub_toolkit.sandbox.vendors.servicenow import ServiceNow

KEY = "It's a Secret to Everybody"
AT = 1_795_305_600.0
Sent = tuple[dict[str, str], Any]


class Systems:
    """Three systems with a ticket each."""

    def __init__(self) -> None:
        self.sent: list[tuple[dict[str, str], bytes]] = []
        hook = Hook(KEY, lambda headers, body: self.sent.append((dict(headers), body)))
        self.github = GitHub(lambda: AT, token="t", repository="acme/app", hook=hook)
        self.jira = Jira(lambda: AT, email="e", api_token="t", hook=hook)
        secret = {"username": "u", "password": "p"}
        self.now = ServiceNow(lambda: AT, auth="basic", secret=secret, hook=hook)
        self.post("github", "/repos/acme/app/issues", {"title": "t"})
        fields = {"project": {"key": "SEC"}, "issuetype": {"name": "Task"}, "summary": "t"}
        self.post("jira", "/rest/api/3/issue", {"fields": fields})
        self.post("now", "/api/now/table/incident", {"short_description": "t"})

    def post(self, name: str, path: str, body: Any, method: str = "POST") -> Any:
        auth = {"github": None, "jira": ("e", "t"), "now": ("u", "p")}[name]
        headers = {"User-Agent": "t"} | ({"Authorization": "Bearer t"} if auth is None else {})
        client = Client(getattr(self, name).app)
        told = client.open(path, method=method, json=body, headers=headers, auth=auth)
        assert told.status_code < 300, told.text
        return told.json if told.data else None

    def told(self) -> Sent:
        """The only webhook since the last look."""
        ((headers, body),) = self.sent
        self.sent.clear()
        return headers, json.loads(body)


@pytest.fixture
def systems() -> Systems:
    return Systems()


def digest(body: bytes) -> str:
    return hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()


def test_the_signature_is_that_of_githubs_example() -> None:
    """docs.github.com, "Validating webhook deliveries": testing the validation."""
    wanted = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    hook = Hook(KEY, lambda _headers, _body: None)
    assert hook.of_body(b"Hello, World!") == f"sha256={wanted}"


def test_opening_a_ticket_is_no_news(systems: Systems) -> None:
    assert systems.sent == []


def test_github_tells_issues_that_are_closed_and_reopened(systems: Systems) -> None:
    systems.github.decide("acme/app#1", "declined")
    assert systems.sent[0][0]["X-Hub-Signature-256"] == f"sha256={digest(systems.sent[0][1])}"
    headers, body = systems.told()
    assert headers["X-GitHub-Event"] == "issues"
    assert (body["action"], body["issue"]["number"]) == ("closed", 1)
    assert body["issue"]["state_reason"] == "not_planned"
    assert body["repository"]["full_name"] == "acme/app"
    assert body["sender"]["login"] == "analyst"
    systems.github.decide("acme/app#1", "open")
    assert systems.told()[1]["action"] == "reopened"
    systems.post("github", "/repos/acme/app/issues/1", {"title": "other"}, "PATCH")
    assert systems.sent == []
    systems.post("github", "/repos/acme/app/issues/1", {"state": "closed"}, "PATCH")
    assert systems.told()[1]["sender"]["login"] == "hub-responder"


def test_jira_tells_changes_with_what_changed_and_by_whom(systems: Systems) -> None:
    systems.jira.decide("SEC-1", "done")
    assert systems.sent[0][0]["X-Hub-Signature"] == f"sha256={digest(systems.sent[0][1])}"
    _, body = systems.told()
    assert (body["webhookEvent"], body["issue"]["key"]) == ("jira:issue_updated", "SEC-1")
    assert body["timestamp"] == AT * 1000
    assert body["user"]["displayName"] == "analyst"
    changed = {one["field"]: one["toString"] for one in body["changelog"]["items"]}
    assert changed == {"status": "Resolved", "resolution": "Done"}
    change = {"transition": {"id": "11"}}
    systems.post("jira", "/rest/api/3/issue/SEC-1/transitions", change)
    assert systems.told()[1]["user"]["displayName"] == "hub-responder"
    systems.post("jira", "/rest/api/3/issue/SEC-1", {"fields": {"summary": "x"}}, "PUT")
    assert systems.told()[1]["changelog"]["items"] == []
    systems.post("jira", "/rest/api/3/issue/SEC-1", None, "DELETE")
    assert systems.told()[1]["webhookEvent"] == "jira:issue_deleted"


def test_servicenows_rule_tells_states_that_change(systems: Systems) -> None:
    number = systems.now.tickets()[0]["id"]
    systems.now.decide(number, "done")
    headers, raw = systems.sent[0]
    signed = headers["X-Hub-Responder-Timestamp"].encode() + b"." + raw
    assert headers["X-Hub-Responder-Signature"] == f"v1={digest(signed)}"
    assert systems.told()[1] == {"number": number}
    (row,) = systems.post("now", "/api/now/table/incident", None, "GET")["result"]
    path = f"/api/now/table/incident/{row['sys_id']}"
    systems.post("now", path, {"work_notes": "seen"}, "PATCH")
    assert systems.sent == []
    systems.post("now", path, {"state": "2"}, "PATCH")
    assert systems.told()[1] == {"number": number}

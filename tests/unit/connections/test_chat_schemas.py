"""What Slack and Teams are sent is what their documentation says they take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from factories import REPOSITORY, finding, incident, playbook, runtime, work
from hub_responder.actions import notify
from hub_responder.incident import Incident
from hub_responder.runtime import Runtime
from loopback import Cloud, Loopback, Reply, Request

SCHEMAS = Path(__file__).parents[2] / "schemas"
HOSTILE = '<!channel> <@U1> {{ 7*7 }} "}] *b* [x](https://evil.example) \u202e\x07 日本語 😀 ' * 200
TS = "1700000000.000100"
MAX_TEAMS = 28 * 1024


def schema(name: str, part: str = "") -> Draft202012Validator:
    text = (SCHEMAS / name).read_text(encoding="utf-8")
    held = json.loads(text)
    return Draft202012Validator({**held, "$ref": f"#/$defs/{part}"} if part else held)


def told(**more: Any) -> list[Incident]:
    """A plain incident, one with 400 findings, and one of hostile text."""
    findings = tuple(
        finding(id=f"arn:aws:inspector2:eu-central-1:111122223333:finding/{number:04d}")
        for number in range(400)
    )
    hostile = tuple(finding(id=str(number), title=HOSTILE) for number in range(60))
    return [
        incident(**more),
        incident(findings=findings, **more),
        incident(findings=hostile, **more),
    ]


@pytest.fixture(params=["inspector-coverage", "check-coverage", "notify-team"])
def run_time(request: pytest.FixtureRequest, server: Loopback, cloud: Cloud) -> Runtime:
    cloud.secrets |= {
        "hub-responder/test/chat": {"token": "xoxb-test"},
        "hub-responder/test/flow": {"webhook_url": f"{server.url}/flow?sig=s3cret"},
    }
    slack = {"type": "slack", "channel": "C1", "base_url": f"{server.url}/api", "private": True}
    own = {"chat": slack, "flow": {"type": "teams", "private": True}}
    languages = {
        f"{name}-{language}": {**held, "language": language}
        for name, held in own.items()
        for language in ("en", "ja")
    }
    for name in languages:
        cloud.secrets[f"hub-responder/test/{name}"] = cloud.secrets[
            f"hub-responder/test/{name[:4]}"
        ]

    def answer(request: Request) -> Reply:
        if request.path.startswith("/flow"):
            return Reply(202)
        return Reply(200, {"ok": True, "ts": TS, "channel": "C1"})

    server.answer = answer
    folder = REPOSITORY / "playbooks" / str(request.param)
    return runtime(playbook=playbook(connections=languages), directory=folder)


def tell(run_time: Runtime, to: str, of: Incident, **more: Any) -> str:
    (outcome,) = notify.run([work(notify.Params(to, "message.md.j2"), of, **more)], run_time)
    return outcome.status


@pytest.mark.parametrize("language", ["en", "ja"])
def test_slack_is_sent_what_it_takes(run_time: Runtime, server: Loopback, language: str) -> None:
    to = f"chat-{language}"
    refs = {to: {"thread": TS, "channel": "C1"}}
    for of in [*told(), *told(refs=refs)]:
        assert tell(run_time, to, of) == "done"
    for of in told(refs=refs):
        assert tell(run_time, to, of, quiet_until=1e10) == "done"
    methods = [request.path.rpartition("/")[2] for request in server.requests]
    assert methods == ["chat.postMessage"] * 6 + ["chat.update"] * 3
    for method, request in zip(methods, server.requests, strict=True):
        schema("slack/messages.json", method).validate(request.json)
        assert request.method == "POST"
        assert request.headers["content-type"] == "application/json; charset=utf-8"
        assert request.headers["authorization"] == "Bearer xoxb-test"
    assert [("thread_ts" in request.json) for request in server.requests[:6]] == [False] * 3 + [
        True
    ] * 3


@pytest.mark.parametrize("language", ["en", "ja"])
def test_teams_is_sent_what_it_takes(run_time: Runtime, server: Loopback, language: str) -> None:
    for of in told():
        assert tell(run_time, f"flow-{language}", of) == "done"
    assert len(server.requests) == 3
    for request in server.requests:
        schema("teams/message.json").validate(request.json)
        assert len(request.body) <= MAX_TEAMS
        assert request.method == "POST"
        assert request.headers["content-type"] == "application/json; charset=utf-8"

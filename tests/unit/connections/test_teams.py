"""Teams: what the Workflow is sent, what each of its answers means, and what is said of a 202."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.test import Client

from factories import incident, playbook, runtime, work
from hub_responder.actions import notify
from hub_responder.actions.base import Outcome
from hub_responder.runtime import Runtime
from hub_responder.severity import Severity
from hub_toolkit.sandbox.vendors.teams import Teams, cards
from loopback import Cloud, Loopback, Reply, Request

PATH = "/workflows/0123abcd/triggers/manual/paths/invoke?api-version=2016-06-01&sig=s3cret"
SECRET = "hub-responder/test/soc"


@pytest.fixture
def run_time(server: Loopback, cloud: Cloud) -> Runtime:
    """A run whose connection leads to the simulated Workflow."""
    workflow = Client(Teams(workflow="0123abcd", signature="s3cret").app)

    def answer(request: Request) -> Reply:
        told = workflow.post(request.path, data=request.body)
        return Reply(told.status_code, told.data)

    server.answer = answer
    cloud.secrets[SECRET] = {"webhook_url": server.url + PATH}
    return runtime(playbook=playbook(connections={"soc": {"type": "teams", "private": True}}))


def tell(run_time: Runtime, **more: Any) -> Outcome:
    (outcome,) = notify.run([work(notify.Params("soc", "message.md.j2"), **more)], run_time)
    return outcome


def test_a_card_is_accepted_and_more_is_not_claimed(run_time: Runtime, server: Loopback) -> None:
    outcome = tell(run_time, of=incident(severity=Severity("MEDIUM")))
    assert (outcome.status, outcome.detail) == ("done", "accepted by soc")
    told = {"sent": True, "updated": False, "connection": "soc", "thread": "", "channel": ""}
    assert outcome.result == told
    (request,) = server.requests
    assert cards.problem(request.json) == ""
    (attachment,) = request.json["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert card["body"][0]["style"] == "warning"
    assert [button["title"] for button in card["actions"]] == ["Finding", "Remediation", "Runbook"]
    read = "\n".join(cards.texts(request.json))
    assert "UNPROTECTED: MEDIUM on web-01" in read
    assert "Account: 111122223333, eu-central-1" in read


@pytest.mark.parametrize(
    ("reply", "status", "doubt", "wait"),
    [
        (Reply(200), "done", False, None),
        (Reply(429, None, {"Retry-After": "30"}), "deferred", False, 30.0),
        (Reply(502), "deferred", True, None),
        (Reply(hang_up=True), "deferred", True, None),
        (Reply(400, {"error": {"code": "WorkflowTriggerIsNotEnabled"}}), "failed", False, None),
        (Reply(401), "failed", False, None),
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
    assert "s3cret" not in outcome.detail


def test_a_workflow_made_anew_is_found_through_its_secret(
    run_time: Runtime, server: Loopback, cloud: Cloud
) -> None:
    assert tell(run_time).status == "done"
    cloud.secrets[SECRET] = {"webhook_url": server.url + "/new?sig=n3w"}
    server.answer = lambda request: Reply(202 if request.path == "/new?sig=n3w" else 404)
    assert tell(run_time).status == "done"


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        (PATH, 202, None),
        (PATH.replace("s3cret", "other"), 401, "DirectApiAuthorizationRequired"),
        (PATH.partition("?")[0], 401, "DirectApiAuthorizationRequired"),
        (PATH.replace("0123abcd", "else"), 404, "WorkflowNotFound"),
        ("/", 404, "NotFound"),
    ],
)
def test_the_simulated_trigger_answers_as_its_address_says(
    url: str, status: int, code: str | None
) -> None:
    workflow = Client(Teams(workflow="0123abcd", signature="s3cret").app)
    told = workflow.post(url, json={})
    assert told.status_code == status
    assert code is None or told.get_json()["error"]["code"] == code
    assert workflow.post(PATH, data=b"{").status_code == 400
    assert urlsplit(url).path.startswith("/")


def card(**changed: Any) -> dict[str, Any]:
    content = {"type": "AdaptiveCard", "version": "1.4", "body": [], **changed}
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "content": content}]}


@pytest.mark.parametrize(
    ("message", "part"),
    [
        ({"text": "hello"}, "unknown field `text`"),
        ({"type": "message", "attachments": []}, "length >= 1"),
        (card(version="1.5"), "Invalid enum value '1.5'"),
        (card(body=[{"type": "Table", "rows": []}]), "Invalid value 'Table'"),
        (card(body=[{"type": "FactSet", "facts": [{"title": "a"}]}]), "`value`"),
        (card(body=[{"type": "TextBlock", "text": "a", "bold": True}]), "unknown field `bold`"),
        (card(body=[{"type": "Container", "items": [], "style": "red"}]), "'red'"),
        (card(actions=[{"type": "Action.OpenUrl", "title": "x", "url": "javascript:x"}]), "regex"),
        (card(body=[{"type": "TextBlock", "text": "x" * 29_000}]), "too large"),
        (card(body=[{"type": "TextBlock", "text": "x", "weight": "BOLDER"}]), ""),
    ],
)
def test_the_schema_knows_what_teams_would_not_show(message: dict[str, Any], part: str) -> None:
    problem = cards.problem(message)
    assert part in problem
    assert bool(problem) == bool(part)

"""``ticket.open`` in Jira and OpsCenter: one ticket, found again after a doubt."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from factories import finding, incident, playbook, runtime, work
from hub_responder import clock
from hub_responder.actions import open_ticket
from hub_responder.actions.base import Outcome
from hub_responder.incident import Incident
from hub_responder.runtime import Runtime
from hub_toolkit.sandbox.vendors.jira import adf as jira_adf
from loopback import Cloud, Loopback, Reply, error

CREATED = Reply(201, {"id": "10001", "key": "SEC-1", "self": "https://x.example"})
LABEL = "hr-" + "ab" * 16
SEARCH = "/rest/api/3/search/jql"
FETCH = "/rest/api/3/issue/bulkfetch"


def standing(key: str) -> Reply:
    """An issue that is open."""
    status = {"name": "Backlog", "statusCategory": {"key": "new"}}
    return Reply(200, {"issues": [{"id": "1", "key": key, "fields": {"status": status}}]})


@pytest.fixture
def run_time(server: Loopback, cloud: Cloud) -> Runtime:
    cloud.secrets["hub-responder/test/jira"] = {"email": "bot@x.example", "api_token": "t0ken"}
    server.replies(CREATED)
    jira = {"type": "jira", "url": server.url + "/", "project": "SEC"}
    return runtime(playbook=playbook(connections=playbook().connections | {"jira": jira}))


def open_in(
    run_time: Runtime,
    connection: str = "jira",
    of: Incident | None = None,
    params: dict[str, Any] | None = None,
    **more: Any,
) -> Outcome:
    wanted = open_ticket.Params(connection, "ticket.md.j2", **(params or {}))
    (outcome,) = open_ticket.run([work(wanted, of, **more)], run_time)
    return outcome


def test_jira_gets_an_issue_with_the_keys_label(run_time: Runtime, server: Loopback) -> None:
    outcome = open_in(run_time, params={"priority": "High", "labels": ("team a", "x")})
    assert outcome.status == "done"
    url = server.url + "/browse/SEC-1"
    assert outcome.result == {
        "id": "SEC-1",
        "url": url,
        "opened": True,
        "reopened": False,
        "declined": False,
    }
    assert outcome.refs == {"jira": {"ticket": "SEC-1", "url": url}}
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/rest/api/3/issue")
    basic = base64.b64encode(b"bot@x.example:t0ken").decode()
    assert request.headers["authorization"] == f"Basic {basic}"
    fields = request.json["fields"]
    assert fields["project"] == {"key": "SEC"}
    assert fields["issuetype"] == {"name": "Task"}
    assert fields["summary"].startswith("UNPROTECTED: CRITICAL vulnerabilities on web-01")
    assert fields["labels"] == [LABEL, "hub-responder", "team-a", "x"]
    assert fields["priority"] == {"name": "High"}
    jira_adf.validate(fields["description"])
    assert "CVE-2026-1111" in jira_adf.plain(fields["description"])
    assert "CVE-2026-1111" in outcome.sent["jira"]


def chosen(run_time: Runtime, project: str) -> Runtime:
    """The ticket's project comes from a template."""
    connections = dict(run_time.playbook.connections)
    place = {"project": f"{{{{ '{project}' }}}}", "allow": ["PAY", "OPS"]}
    connections["jira"] = {**connections["jira"], **place}
    return runtime(playbook=playbook(connections=connections))


def test_a_project_from_a_template_gets_the_ticket(run_time: Runtime, server: Loopback) -> None:
    server.replies(Reply(201, {"id": "1", "key": "PAY-3"}))
    outcome = open_in(chosen(run_time, "PAY"))
    assert server.requests[0].json["fields"]["project"] == {"key": "PAY"}
    assert outcome.detail == "opened PAY-3 in jira (PAY)"


def test_a_project_that_is_not_allowed_gets_nothing(run_time: Runtime, server: Loopback) -> None:
    outcome = open_in(chosen(run_time, "SEC"))
    assert outcome.status == "failed"
    assert outcome.detail == "connection jira: `project` gives 'SEC', which is not in `allow`"
    assert not server.requests


@pytest.mark.parametrize("project", ["OPS", "SEC"])
def test_a_ticket_is_commented_on_in_its_project_whatever_the_template_gives_by_now(
    run_time: Runtime, server: Loopback, project: str
) -> None:
    server.replies(standing("PAY-3"), Reply(201, {"id": "7"}))
    of = incident(refs={"jira": {"ticket": "PAY-3", "url": "u"}})
    outcome = open_in(chosen(run_time, project), of=of)
    assert outcome.status == "done"
    assert outcome.result == {
        "id": "PAY-3",
        "url": "u",
        "opened": False,
        "reopened": False,
        "declined": False,
    }
    looked, request = server.requests
    assert looked.json["issueIdsOrKeys"] == ["PAY-3"]
    assert request.path == "/rest/api/3/issue/PAY-3/comment"


def test_in_doubt_a_ticket_is_found_in_whichever_project_it_was_opened(
    run_time: Runtime, server: Loopback
) -> None:
    server.replies(Reply(200, {"issues": [{"id": "1", "key": "PAY-3"}]}))
    outcome = open_in(chosen(run_time, "OPS"), in_doubt=True, attempted_at=clock.now())
    assert outcome.result["id"] == "PAY-3"
    (request,) = server.requests
    assert request.json["jql"] == f'labels = "{LABEL}"'


def test_a_hostile_title_makes_a_summary_of_one_short_line(
    run_time: Runtime, server: Loopback
) -> None:
    name = 'x"\n\\u202e' + "\u202ey" * 2000
    resource = finding().resource
    hostile = finding(resources=(type(resource)("AwsEc2Instance", "i-1", tags={"Name": name}),))
    open_in(run_time, of=incident(findings=(hostile,)))
    summary = server.requests[0].json["fields"]["summary"]
    assert len(summary) <= 255
    assert "\n" not in summary
    assert "\u202e" not in summary
    assert "priority" not in server.requests[0].json["fields"]


def test_in_doubt_the_issue_is_looked_up_first(run_time: Runtime, server: Loopback) -> None:
    server.replies(Reply(200, {"issues": [{"id": "1", "key": "SEC-7"}]}))
    outcome = open_in(run_time, in_doubt=True, attempted_at=clock.now())
    assert outcome.result["id"] == "SEC-7"
    assert outcome.result["opened"] is True
    (request,) = server.requests
    assert request.path == SEARCH
    body = request.json
    assert body["jql"] == f'project = "SEC" AND labels = "{LABEL}"'
    assert body["maxResults"] == 1
    assert body["fields"]


def test_not_found_soon_after_the_attempt_is_still_in_doubt(
    run_time: Runtime, server: Loopback
) -> None:
    server.replies(Reply(200, {"issues": []}))
    outcome = open_in(run_time, in_doubt=True, attempted_at=clock.now() - 60)
    assert outcome.status == "deferred"
    assert outcome.in_doubt
    assert outcome.retry_after == 120
    assert [request.path for request in server.requests] == [SEARCH]


def test_not_found_after_two_minutes_the_issue_is_opened(
    run_time: Runtime, server: Loopback
) -> None:
    server.replies(Reply(200, {"issues": []}), CREATED)
    outcome = open_in(run_time, in_doubt=True, attempted_at=clock.now() - 121)
    assert outcome.result["id"] == "SEC-1"
    assert [request.path for request in server.requests] == [SEARCH, "/rest/api/3/issue"]


def test_a_lookup_is_tried_twice_and_a_creation_once(run_time: Runtime, server: Loopback) -> None:
    server.replies(Reply(503), Reply(200, {"issues": [{"key": "SEC-7"}]}))
    assert open_in(run_time, in_doubt=True).status == "done"
    server.requests.clear()
    server.replies(Reply(503))
    outcome = open_in(run_time)
    assert (outcome.status, outcome.in_doubt) == ("deferred", True)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("reply", "status", "wait"),
    [
        (Reply(429, None, {"Retry-After": "5"}), "deferred", 5.0),
        (Reply(401), "failed", None),
        (Reply(403), "failed", None),
        (Reply(200, {"no": "key"}), "failed", None),
        (Reply(200, {"key": "../../x"}), "failed", None),
        (Reply(200, b"<html>"), "failed", None),
    ],
)
def test_each_answer_of_jira_means_what_follows(
    run_time: Runtime, server: Loopback, reply: Reply, status: str, wait: float | None
) -> None:
    server.replies(reply)
    outcome = open_in(run_time)
    assert (outcome.status, outcome.retry_after) == (status, wait)
    assert "t0ken" not in outcome.detail


def test_what_jira_complains_about_is_told_bounded(run_time: Runtime, server: Loopback) -> None:
    complaint = {"errorMessages": [], "errors": {"priority": "cannot be\nset" + "!" * 5000}}
    server.replies(Reply(400, complaint))
    outcome = open_in(run_time)
    assert "priority: cannot be set" in outcome.detail
    assert len(outcome.detail) <= 300


def known(connection: str = "jira", **more: Any) -> Incident:
    ref = {"ticket": "SEC-1", "url": "https://j.example/browse/SEC-1"}
    return incident(refs={connection: ref}, round=2, **more)


def test_an_open_ticket_gets_a_comment_about_new_findings(
    run_time: Runtime, server: Loopback
) -> None:
    server.replies(standing("SEC-1"), Reply(201, {"id": "5"}))
    outcome = open_in(run_time, of=known(new=3))
    assert outcome.status == "done"
    assert outcome.result["opened"] is False
    assert outcome.result["id"] == "SEC-1"
    assert "3 new findings" in outcome.detail
    looked, request = server.requests
    assert looked.path == FETCH
    assert request.path == "/rest/api/3/issue/SEC-1/comment"
    jira_adf.validate(request.json["body"])
    assert LABEL + "-1-2" in jira_adf.plain(request.json["body"])


def test_in_doubt_a_comment_is_not_added_twice(run_time: Runtime, server: Loopback) -> None:
    there = {"type": "text", "text": LABEL + "-1-2"}
    server.replies(standing("SEC-1"), Reply(200, {"comments": [{"body": {"content": [there]}}]}))
    outcome = open_in(run_time, of=known(new=3), in_doubt=True)
    assert outcome.status == "done"
    assert [request.method for request in server.requests] == ["POST", "GET"]
    server.requests.clear()
    server.replies(standing("SEC-1"), Reply(200, {"comments": []}), Reply(201, {"id": "5"}))
    open_in(run_time, of=known(new=3), in_doubt=True)
    assert [request.method for request in server.requests] == ["POST", "GET", "POST"]


def test_nothing_new_calls_nobody(run_time: Runtime, server: Loopback, cloud: Cloud) -> None:
    assert open_in(run_time, of=known(new=0)).status == "done"
    assert not server.requests
    assert not cloud.called("CreateOpsItem")


def test_a_ticket_elsewhere_is_the_incidents_only_one(run_time: Runtime, cloud: Cloud) -> None:
    outcome = open_in(run_time, "ops", of=known("gone", new=3))
    assert outcome.result == {
        "id": "SEC-1",
        "url": "https://j.example/browse/SEC-1",
        "opened": False,
        "reopened": False,
        "declined": False,
    }
    assert "gone" in outcome.detail
    assert not cloud.called("CreateOpsItem")


def test_opscenter_gets_an_item_with_the_keys_dedup_string(run_time: Runtime, cloud: Cloud) -> None:
    cloud.script["CreateOpsItem"] = [Reply(200, {"OpsItemId": "oi-1"})]
    outcome = open_in(run_time, "ops", params={"priority": "2", "labels": ("a",)})
    assert outcome.result["id"] == "oi-1"
    assert outcome.result["opened"] is True
    assert outcome.result["url"] == (
        "https://eu-central-1.console.aws.amazon.com/systems-manager/opsitems/oi-1/details"
        "?region=eu-central-1"
    )
    (call,) = cloud.called("CreateOpsItem")
    data = call["OperationalData"]
    assert data["/aws/dedup"] == {
        "Type": "SearchableString",
        "Value": f'{{"dedupString":"{LABEL}"}}',
    }
    assert data["/aws/resources"]["Value"] == f'[{{"arn":"{incident().resource.id}"}}]'
    assert data["labels"]["Value"] == "a"
    assert (call["Priority"], call["Category"], call["Source"]) == (2, "Security", "hub-responder")
    assert call["Title"].startswith("UNPROTECTED")
    assert 0 < len(call["Description"]) <= 2048


@pytest.mark.parametrize("in_doubt", [True, False])
def test_an_item_that_exists_is_the_incidents_ticket(
    run_time: Runtime, cloud: Cloud, in_doubt: bool
) -> None:
    cloud.script["CreateOpsItem"] = [
        error("OpsItemAlreadyExistsException", "exists", OpsItemId="oi-7")
    ]
    outcome = open_in(run_time, "ops", in_doubt=in_doubt)
    assert outcome.status == "done"
    assert (outcome.result["id"], outcome.result["opened"]) == ("oi-7", in_doubt)


def test_opscenters_refusals_mean_what_follows(run_time: Runtime, cloud: Cloud) -> None:
    for reply, status in (
        (error("AccessDeniedException"), "failed"),
        (error("OpsItemLimitExceededException"), "failed"),
        (Reply(200, {}), "failed"),
    ):
        cloud.script["CreateOpsItem"] = [reply]
        assert open_in(run_time, "ops").status == status
    assert "1 to 5" in open_in(run_time, "ops", params={"priority": "High"}).detail
    assert open_in(run_time, "chat").status == "failed"


def test_permissions_are_those_of_the_connections_in_use() -> None:
    statements = open_ticket.ACTION.permissions({}, playbook().connections)
    granted = [action for one in statements[:2] for action in one["Action"]]
    assert granted == ["ssm:CreateOpsItem", "ssm:GetOpsItem", "ssm:UpdateOpsItem"]
    *_, meter = open_ticket.ACTION.permissions({}, {"ops": {"type": "opscenter"}})
    assert (meter["Action"], "'pace#ops'" in str(meter)) == (["dynamodb:UpdateItem"], True)

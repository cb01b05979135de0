"""What becomes of an incident's ticket, with a simulated GitHub behind it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import Client

from factories import finding, incident, playbook, runtime, work
from hub_responder import clock
from hub_responder.actions import open_ticket, ticket_life
from hub_responder.actions.base import Outcome, Work
from hub_responder.finding import Note
from hub_responder.incident import Incident
from hub_responder.runtime import Runtime
from hub_responder.severity import Severity
from hub_toolkit.sandbox.vendors.github import GitHub
from loopback import Cloud, Loopback, Reply, Request, simulated

FIRST, SECOND = "acme/findings#1", "acme/findings#2"


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which a test may move on."""
    at = [1_795_000_000.0]
    monkeypatch.setattr(clock.time, "time", lambda: at[0])
    return at


@pytest.fixture
def github(now: list[float]) -> GitHub:
    return GitHub(lambda: now[0], token="t0ken", repository="acme/findings")


@pytest.fixture
def run_time(server: Loopback, cloud: Cloud, github: GitHub) -> Runtime:
    server.answer = simulated(Client(github.app))
    cloud.secrets["hub-responder/test/gh"] = {"token": "t0ken"}
    settings = {
        "type": "github",
        "repository": "acme/findings",
        "base_url": f"{server.url}/api/v3/",
        "private": True,
        "priorities": {"CRITICAL": "urgent"},
    }
    made = runtime(playbook=playbook(connections={"gh": settings}))
    (outcome,) = open_ticket.run([of(incident(severity=Severity("HIGH")))], made)
    assert outcome.result.get("id") == FIRST, outcome
    server.requests.clear()
    return made


def of(about: Incident, priority: str = "", **more: Any) -> Work:
    return work(open_ticket.Params("gh", "ticket.md.j2", priority), about, **more)


def later(**more: Any) -> Incident:
    """The incident in its second round."""
    refs = {"gh": {"ticket": FIRST, "url": "u"}}
    return incident(**{"refs": refs, "round": 2, "change": "grew"} | more)


def follow(run_time: Runtime, about: Incident, **more: Any) -> Outcome:
    (outcome,) = open_ticket.run([of(about, **more)], run_time)
    return outcome


def state(github: GitHub) -> list[str]:
    return [ticket["state"] for ticket in github.tickets()]


def test_what_joins_is_told_in_a_comment_of_an_open_ticket(
    run_time: Runtime, github: GitHub
) -> None:
    outcome = follow(run_time, later())
    assert outcome.status == "done"
    assert "1 new findings told in a comment" in outcome.detail
    assert (state(github), len(github.tickets()[0]["comments"])) == (["open"], 1)


def test_nothing_is_asked_where_there_is_nothing_to_tell(
    run_time: Runtime, server: Loopback
) -> None:
    assert follow(run_time, later(new=0)).status == "done"
    assert server.requests == []


def test_a_ticket_that_was_closed_lately_is_reopened(run_time: Runtime, github: GitHub) -> None:
    github.decide(FIRST, "done")
    outcome = follow(run_time, later())
    assert (outcome.result["reopened"], state(github)) == (True, ["open"])
    assert len(github.tickets()[0]["comments"]) == 1


def test_a_ticket_that_was_closed_long_ago_is_followed_by_another(
    run_time: Runtime, github: GitHub, now: list[float]
) -> None:
    github.decide(FIRST, "done")
    now[0] += 14 * 86_400 + 60
    about = later()
    outcome = follow(run_time, about)
    assert (outcome.result["id"], outcome.result["opened"]) == (SECOND, True)
    assert outcome.refs == {"gh": {"ticket": SECOND, "url": outcome.result["url"]}}
    assert state(github) == ["done", "open"]
    told = str(github.tickets()[1])
    assert "#1" in told
    again = follow(run_time, about, in_doubt=True, attempted_at=now[0])
    assert again.result["id"] == SECOND  # who died after opening it finds that one
    assert len(github.tickets()) == 2


def test_a_ticket_that_is_closed_for_good_is_followed_by_another(
    run_time: Runtime, github: GitHub, server: Loopback
) -> None:
    github.decide(FIRST, "done")
    usual = server.answer

    def locked(request: Request) -> Reply:
        refused = request.method == "PATCH"
        return Reply(422, {"message": "locked"}) if refused else usual(request)

    server.answer = locked
    outcome = follow(run_time, later())
    assert (outcome.result["id"], outcome.result["opened"]) == (SECOND, True)


def test_a_higher_severity_raises_the_priority(run_time: Runtime, github: GitHub) -> None:
    outcome = follow(run_time, later(change="raised"))
    assert "priority urgent" in outcome.detail
    assert "priority: urgent" in github.tickets()[0]["labels"]
    again = follow(run_time, later(change="raised", round=3))
    assert "priority" not in again.detail


def test_what_was_declined_stays_closed_and_its_findings_are_suppressed(
    run_time: Runtime, github: GitHub, cloud: Cloud
) -> None:
    github.decide(FIRST, "declined")
    resolved = finding(id="arn:2", workflow="RESOLVED")
    outcome = follow(run_time, later(findings=(finding(), resolved)))
    assert (outcome.status, outcome.result["declined"]) == ("done", True)
    assert "1 findings suppressed, 1 left as they were" in outcome.detail
    (update,) = cloud.called("BatchUpdateFindings")
    assert update["Workflow"] == {"Status": "SUPPRESSED"}
    assert [one["Id"] for one in update["FindingIdentifiers"]] == [finding().id]
    assert FIRST in update["Note"]["Text"]
    assert "not planned by analyst" in update["Note"]["Text"]
    assert state(github) == ["declined"]
    assert github.tickets()[0]["comments"] == []


def test_a_persons_note_is_quoted_where_a_finding_is_suppressed(
    run_time: Runtime, github: GitHub, cloud: Cloud
) -> None:
    github.decide(FIRST, "declined")
    noted = finding(note=Note("ask Yamada-san first", "sato"))
    follow(run_time, later(findings=(noted,)))
    (update,) = cloud.called("BatchUpdateFindings")
    assert "ask Yamada-san first" in update["Note"]["Text"]


def test_a_finding_that_was_opened_again_after_it_was_suppressed_stays_open(
    run_time: Runtime, github: GitHub, cloud: Cloud
) -> None:
    github.decide(FIRST, "declined")
    theirs = {"owner": "platform"}
    follow(run_time, later(findings=(finding(user_fields=theirs),)))
    (update,) = cloud.called("BatchUpdateFindings")
    assert update["UserDefinedFields"].items() > theirs.items()
    again = finding(user_fields=update["UserDefinedFields"])
    outcome = follow(run_time, later(findings=(again,), round=3))
    assert "0 findings suppressed, 1 left as they were" in outcome.detail
    assert len(cloud.called("BatchUpdateFindings")) == 1


def test_a_finding_whose_fields_are_not_all_known_is_suppressed_and_keeps_them(
    run_time: Runtime, github: GitHub, cloud: Cloud
) -> None:
    github.decide(FIRST, "declined")
    follow(run_time, later(findings=(finding(user_fields_whole=False),)))
    (update,) = cloud.called("BatchUpdateFindings")
    assert update["Workflow"] == {"Status": "SUPPRESSED"}
    assert "UserDefinedFields" not in update


def test_what_a_run_suppressed_that_died_before_it_said_so_is_not_written_again(
    run_time: Runtime, github: GitHub, cloud: Cloud
) -> None:
    github.decide(FIRST, "declined")
    about = later(findings=(finding(),))
    follow(run_time, about)
    (update,) = cloud.called("BatchUpdateFindings")
    held = finding(workflow="SUPPRESSED", user_fields=update["UserDefinedFields"])
    outcome = follow(run_time, replace(about, findings=(held,)), in_doubt=True)
    assert (outcome.status, outcome.result["declined"]) == ("done", True)
    assert len(cloud.called("BatchUpdateFindings")) == 1


def test_an_analyst_who_clicks_is_told_and_nothing_is_suppressed(
    run_time: Runtime, github: GitHub, cloud: Cloud
) -> None:
    github.decide(FIRST, "declined")
    outcome = follow(run_time, later(clicked=True, change="clicked"))
    assert "stays closed" in outcome.detail
    assert cloud.called("BatchUpdateFindings") == []


def test_findings_that_cannot_be_suppressed_now_are_tried_again(
    run_time: Runtime, github: GitHub, cloud: Cloud
) -> None:
    github.decide(FIRST, "declined")
    cloud.script["BatchUpdateFindings"] = [Reply(500)]
    outcome = follow(run_time, later())
    assert outcome.status == "deferred"


def ending(**more: Any) -> Incident:
    return later(change="closed", new=0, left={"RESOLVED": 2, "ARCHIVED": 1}, count=3, **more)


def closed(run_time: Runtime, about: Incident, **more: Any) -> Outcome:
    params = {"in": "gh", "template": "ticket.md.j2"}
    return ticket_life.closes(work(params, about, **more), run_time)


def test_the_ticket_is_closed_with_how_its_findings_left(run_time: Runtime, github: GitHub) -> None:
    outcome = closed(run_time, ending())
    assert (outcome.status, outcome.detail) == ("done", f"{FIRST} in gh closed")
    (ticket,) = github.tickets()
    assert ticket["state"] == "done"
    assert "RESOLVED 2, ARCHIVED 1" in str(ticket["comments"])
    assert closed(run_time, ending(), in_doubt=True).detail == f"{FIRST} in gh is closed"
    assert len(github.tickets()[0]["comments"]) == 1


def test_what_is_closed_already_is_left_as_it_is(run_time: Runtime, github: GitHub) -> None:
    github.decide(FIRST, "declined")
    assert closed(run_time, ending()).detail == f"{FIRST} in gh is closed"
    (ticket,) = github.tickets()
    assert (ticket["state"], ticket["comments"]) == ("declined", [])


def test_a_ticket_of_another_step_is_not_closed_by_this_one(
    run_time: Runtime, server: Loopback
) -> None:
    elsewhere = {"ops": {"ticket": "oi-1", "url": "u"}}
    outcome = closed(run_time, ending(refs=elsewhere))
    assert (outcome.status, server.requests) == ("skipped", [])

"""GitHub Issues: what the repository gets, what each answer means, and what hostile text can do."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from werkzeug.test import Client

from factories import finding, incident, playbook, runtime, work
from hostile import HOSTILE, message
from hub_responder import clock
from hub_responder.actions import open_ticket
from hub_responder.actions.base import Outcome
from hub_responder.incident import Incident
from hub_responder.runtime import Runtime
from hub_responder.tickets import registry
from hub_responder.tickets.ticket import Draft
from hub_toolkit.sandbox.vendors.github import GitHub
from loopback import Loopback, Reply, simulated

LABEL = "hr-" + "ab" * 16
MARK = f"{LABEL}-1-1"
ISSUES = "/api/v3/repos/acme/findings/issues"


def open_in(
    run_time: Runtime, of: Incident | None = None, params: dict[str, Any] | None = None, **more: Any
) -> Outcome:
    wanted = open_ticket.Params("gh", "ticket.md.j2", **(params or {}))
    (outcome,) = open_ticket.run([work(wanted, of, **more)], run_time)
    return outcome


def joined(number: int = 1) -> Incident:
    return incident(refs={"gh": {"ticket": f"acme/findings#{number}", "url": "u"}})


def test_an_issue_is_opened_with_the_keys_label(
    run_time: Runtime, server: Loopback, github: GitHub
) -> None:
    outcome = open_in(run_time, params={"priority": "P1", "labels": ("team, a", "PRIORITY: p1")})
    url = f"{server.url}/acme/findings/issues/1"
    assert (outcome.status, outcome.detail) == ("done", "opened acme/findings#1 in gh")
    assert outcome.result == {
        "id": "acme/findings#1",
        "url": url,
        "opened": True,
        "reopened": False,
        "declined": False,
    }
    assert outcome.refs == {"gh": {"ticket": "acme/findings#1", "url": url}}
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", ISSUES)
    assert request.headers["authorization"] == "Bearer t0ken"
    assert request.headers["accept"] == "application/vnd.github+json"
    assert request.headers["x-github-api-version"] == "2022-11-28"
    assert request.headers["user-agent"] == "hub-responder"
    assert set(request.json) == {"title", "body", "labels"}
    (ticket,) = github.tickets()
    assert ticket["summary"].startswith("UNPROTECTED: CRITICAL vulnerabilities on web-01")
    assert ticket["labels"] == [LABEL, "hub-responder", "priority: P1", "team  a"]
    assert "CVE-2026-1111" in ticket["body"]


def planned(run_time: Runtime, **settings: Any) -> Runtime:
    """The run with more settings of its connection, at a place east of Greenwich."""
    held = {**run_time.playbook.connections["gh"], **settings}
    return runtime(playbook=playbook(connections={"gh": held}, timezone="Asia/Tokyo"))


@pytest.mark.parametrize(("language", "said"), [("en", "Due"), ("ja", "期限")])
def test_the_due_day_is_the_first_line_of_the_text(
    run_time: Runtime, github: GitHub, language: str, said: str
) -> None:
    seen = 1_700_000_000.0  # 2023-11-15 07:13 in Tokyo, the day before in Greenwich
    of = incident(findings=(finding(first_seen=seen),))
    due = {"CRITICAL": 86_400.0}
    open_in(planned(run_time, due=due, language=language), of)
    open_in(planned(run_time, due={"LOW": 60.0}), of, key="cd" * 20)
    first, second = github.tickets()
    assert first["body"].startswith(f"**{said}: 2023-11-16**\n\n")
    assert "CVE-2026-1111" in first["body"]
    assert said not in second["body"]


def test_an_issue_is_assigned_whatever_the_case_of_the_login(
    run_time: Runtime, server: Loopback, github: GitHub
) -> None:
    outcome = open_in(planned(run_time, assignee="octoCat"))
    assert outcome.detail == "opened acme/findings#1 in gh"
    assert [one["assignees"] for one in github.tickets()] == [["Octocat"]]
    assert len(server.requests) == 1
    outcome = open_in(planned(run_time, assignee="octoCat"), in_doubt=True)
    assert outcome.detail == "opened acme/findings#1 in gh (by an earlier attempt)"


def test_who_cannot_be_assigned_keeps_no_issue_from_being_opened(
    run_time: Runtime, server: Loopback, github: GitHub
) -> None:
    outcome = open_in(planned(run_time, assignee="gone"))
    assert outcome.status == "done"
    assert outcome.detail == (
        "opened acme/findings#1 in gh; not assigned to gone, who cannot be, or the token may not"
        " assign"
    )
    assert [one.method for one in server.requests] == ["POST", "GET", "POST"]
    assert [one["assignees"] for one in github.tickets()] == [[]]


def test_an_assignee_that_is_dropped_silently_is_told(run_time: Runtime, server: Loopback) -> None:
    weak = GitHub(
        clock.now, token="t0ken", repository="acme/findings", push=False, people=["Octocat"]
    )
    server.answer = simulated(Client(weak.app))
    outcome = open_in(planned(run_time, assignee="Octocat"))
    assert "; not assigned to Octocat" in outcome.detail
    assert len(weak.tickets()) == 1


def test_another_refusal_is_not_blamed_on_the_assignee(
    run_time: Runtime, server: Loopback, github: GitHub
) -> None:
    served = simulated(Client(github.app))
    refused = Reply(422, {"message": "Validation Failed", "errors": [{"field": "title"}]})
    server.answer = lambda one: refused if one.method == "POST" else served(one)
    outcome = open_in(planned(run_time, assignee="Octocat"))
    assert (outcome.status, outcome.detail) == (
        "failed",
        "gh answered 422: Validation Failed; title: ",
    )
    assert [one.method for one in server.requests] == ["POST", "GET"]


def test_only_an_invalid_request_is_asked_about_and_sent_again(
    run_time: Runtime, server: Loopback
) -> None:
    server.answer = lambda _request: Reply(404, {"message": "Not Found"})
    outcome = open_in(planned(run_time, assignee="gone"))
    assert (outcome.status, outcome.detail) == ("failed", "gh answered 404: Not Found")
    assert [one.method for one in server.requests] == ["POST"]


@pytest.mark.parametrize("login", ["../../user", "a b", "-a", "@a", "a\n", "a" * 65])
def test_what_is_no_login_is_refused(run_time: Runtime, login: str) -> None:
    outcome = open_in(planned(run_time, assignee=login))
    assert outcome.status == "failed"
    assert "assignee" in outcome.detail


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://api.github.com", "https://github.com/a/b/issues/7"),
        ("https://github.example.com/api/v3", "https://github.example.com/a/b/issues/7"),
        ("https://api.acme.ghe.com/", "https://acme.ghe.com/a/b/issues/7"),
    ],
)
def test_the_address_for_people_follows_from_the_apis(base: str, url: str) -> None:
    from hub_responder.connections.resolve import Connection
    from hub_responder.tickets.github import GitHubIssues

    settings = {"type": "github", "repository": "a/b", "base_url": base}
    issues = GitHubIssues(Connection("gh", "github", settings), runtime())
    assert issues._ticket("a/b", {"number": 7}, opened=True).url == url


def test_in_doubt_the_issue_is_found_by_its_label_also_when_it_was_closed(
    run_time: Runtime, server: Loopback, github: GitHub
) -> None:
    open_in(run_time)
    open_in(run_time, key="cd" * 20)
    auth = {"Authorization": "Bearer t0ken", "User-Agent": "people"}
    closed = Client(github.app).patch(f"{ISSUES}/1", json={"state": "closed"}, headers=auth)
    assert closed.status_code == 200
    server.requests.clear()
    outcome = open_in(run_time, in_doubt=True, attempted_at=clock.now())
    assert outcome.result["id"] == "acme/findings#1"
    assert outcome.detail == "opened acme/findings#1 in gh (by an earlier attempt)"
    assert [request.method for request in server.requests] == ["GET"]
    assert len(github.tickets()) == 2


def test_a_pull_request_that_carries_the_label_is_not_the_ticket(
    run_time: Runtime, server: Loopback
) -> None:
    listed = [{"number": 3, "pull_request": {}}, {"number": 4}]
    server.replies(Reply(200, listed))
    assert open_in(run_time, in_doubt=True).result["id"] == "acme/findings#4"


def test_not_found_right_after_the_attempt_is_still_in_doubt(
    run_time: Runtime, github: GitHub
) -> None:
    outcome = open_in(run_time, in_doubt=True, attempted_at=clock.now() - 5)
    assert (outcome.status, outcome.in_doubt, outcome.retry_after) == ("deferred", True, 30.0)
    assert not github.tickets()
    outcome = open_in(run_time, in_doubt=True, attempted_at=clock.now() - 31)
    assert outcome.status == "done"
    assert len(github.tickets()) == 1


def test_new_findings_become_a_comment_once(
    run_time: Runtime, server: Loopback, github: GitHub
) -> None:
    open_in(run_time)
    outcome = open_in(run_time, of=joined())
    assert outcome.detail.endswith("1 new findings told in a comment")
    outcome = open_in(run_time, of=joined(), in_doubt=True)
    assert outcome.detail.endswith("1 new findings told in a comment before")
    (ticket,) = github.tickets()
    (comment,) = ticket["comments"]
    assert comment.endswith(f"\n\n`{MARK}`")
    assert "CVE-2026-1111" in comment


@pytest.mark.parametrize(("earlier", "later"), [(0, 0), (70, 30), (170, 0), (170, 99)])
def test_a_comment_is_found_among_the_last_hundred(
    run_time: Runtime, github: GitHub, earlier: int, later: int
) -> None:
    open_in(run_time)
    held = github._issues[0].comments
    held += [{"body": "by people"}] * earlier
    held += [{"body": f"x\n\n`{MARK}`"}, *[{"body": "later"}] * later]
    outcome = open_in(run_time, of=joined(), in_doubt=True)
    assert outcome.detail.endswith("told in a comment before")
    assert len(held) == earlier + 1 + later


def test_a_tickets_id_that_is_none_of_githubs_leads_nowhere(
    run_time: Runtime, server: Loopback
) -> None:
    of = incident(refs={"gh": {"ticket": "../../user#1", "url": "u"}})
    outcome = open_in(run_time, of=of)
    assert (outcome.status, outcome.detail) == (
        "deferred",
        "what has become of ../../user#1 cannot be told yet",
    )
    assert not server.requests


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(403, None, {"Retry-After": "40"}), ("deferred", False, 40.0)),
        (Reply(429, None, {"Retry-After": "41"}), ("deferred", False, 41.0)),
        (Reply(429, None), ("deferred", False, 60.0)),
        (Reply(403, {"message": "a secondary rate limit"}), ("deferred", False, 60.0)),
        (Reply(403, {"message": "Resource not accessible"}), ("failed", False, None)),
        (Reply(401, {"message": "Bad credentials"}), ("failed", False, None)),
        (Reply(404, {"message": "Not Found"}), ("failed", False, None)),
        (Reply(410, {"message": "Issues are disabled"}), ("failed", False, None)),
        (Reply(301, None, {"Location": "https://x.example"}), ("failed", False, None)),
        (Reply(502), ("deferred", True, None)),
        (Reply(hang_up=True), ("deferred", True, None)),
    ],
)
def test_each_answer_means_what_follows(
    run_time: Runtime,
    server: Loopback,
    reply: Reply,
    expected: tuple[str, bool, float | None],
) -> None:
    server.answer = lambda _request: reply
    outcome = open_in(run_time)
    assert (outcome.status, outcome.in_doubt, outcome.retry_after) == expected
    posts = [request for request in server.requests if request.method == "POST"]
    assert len(posts) == 1


def test_a_budget_that_is_used_up_is_waited_for(run_time: Runtime, server: Loopback) -> None:
    reset = str(int(clock.now()) + 900)
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
    server.answer = lambda _request: Reply(403, {"message": "API rate limit exceeded"}, headers)
    outcome = open_in(run_time)
    assert outcome.status == "deferred"
    assert 800 < (outcome.retry_after or 0) <= 900


def test_the_limit_for_content_defers_the_next_issue(run_time: Runtime, github: GitHub) -> None:
    outcomes = [open_in(run_time, key=f"{number:040x}") for number in range(81)]
    assert [one.status for one in outcomes] == ["done"] * 80 + ["deferred"]
    assert 0 < (outcomes[-1].retry_after or 0) <= 60
    assert len(github.tickets()) == 80


def test_what_github_complains_about_is_told_bounded(run_time: Runtime, server: Loopback) -> None:
    errors = [{"resource": "Issue", "field": "title", "code": "x" * 500}]
    server.answer = lambda _request: Reply(422, {"message": "Validation Failed", "errors": errors})
    detail = open_in(run_time).detail
    assert detail.startswith("gh answered 422: Validation Failed; title: xxx")
    assert len(detail) < 300


def test_a_token_that_may_not_set_labels_still_opens_the_ticket(
    run_time: Runtime, server: Loopback, caplog: pytest.LogCaptureFixture
) -> None:
    weak = GitHub(clock.now, token="t0ken", repository="acme/findings", push=False)
    server.answer = simulated(Client(weak.app))
    assert open_in(run_time).status == "done"
    assert "the token may not set labels" in caplog.text


def test_a_repository_that_cannot_be_seen_fails_for_good(run_time: Runtime) -> None:
    settings = {**run_time.playbook.connections["gh"], "repository": "acme/other"}
    elsewhere = runtime(playbook=playbook(connections={"gh": settings}))
    outcome = open_in(elsewhere)
    assert (outcome.status, outcome.detail) == ("failed", "gh answered 404: Not Found")


def test_a_hostile_name_makes_a_title_of_one_short_line(run_time: Runtime, github: GitHub) -> None:
    name = 'x"\n' + "\u202ey" * 2000
    resource = type(finding().resource)("AwsEc2Instance", "i-1", tags={"Name": name})
    open_in(run_time, of=incident(findings=(finding(resources=(resource,)),)))
    (ticket,) = github.tickets()
    assert len(ticket["summary"]) <= 256
    assert "\n" not in ticket["summary"]


@settings(deadline=None)  # a slow machine is no fault
@given(HOSTILE)
def test_github_takes_whatever_a_message_holds(x: str) -> None:
    from hub_responder.markdown.characters import shorten
    from hub_responder.markdown.github import to_github
    from hub_responder.tickets.github import MAX_BODY, _labels
    from hub_toolkit.sandbox.vendors.github import issues

    document = message(x)
    issues.body(to_github(document.body, MAX_BODY), required=True)
    issues.title(shorten(document.title, 255))
    names = _labels(Draft(document, "ab" * 20, priority=x, labels=(x, x.upper(), "a, b")))
    assert issues.labels(names, {}) == names
    assert names[0] == LABEL
    assert not any("," in name or re.search(r"[\n\x00]", name) for name in names)


def test_comments_are_taken() -> None:
    assert registry.takes_comments("github")

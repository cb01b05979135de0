"""The life of an issue on GitHub after it was opened: what became of it, closing, reopening."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from werkzeug.test import Client

from hostile import HOSTILE, message
from hub_responder import clock
from hub_responder.connections.resolve import named
from hub_responder.errors import PermanentError, TransientError
from hub_responder.markdown.document import Document, Heading, Paragraph, Text
from hub_responder.runtime import Runtime
from hub_responder.tickets import registry
from hub_responder.tickets.github import MAX_BODY, _label
from hub_responder.tickets.ticket import Draft, Standing, TicketSystem
from hub_toolkit.sandbox.vendors.github import GitHub
from loopback import Loopback, Reply, Request, simulated
from request_schema import keep_to

WHY = Document((Heading(1, (Text("Settled"),)), Paragraph((Text("Nothing is open."),))))
FIRST = "acme/findings#1"


@pytest.fixture
def system(run_time: Runtime) -> TicketSystem:
    return registry.find(named(run_time.playbook, "gh"), run_time)


@pytest.fixture
def opened(system: TicketSystem, server: Loopback) -> TicketSystem:
    """With one issue, of priority high."""
    assert system.open(Draft(WHY, "ab" * 20, priority="high")).id == FIRST
    server.requests.clear()
    return system


def held(github: GitHub) -> dict[str, Any]:
    return github.tickets()[0]


def sent(server: Loopback, *methods: str) -> list[tuple[str, str]]:
    return [(one.method, one.path) for one in server.requests if one.method in methods]


@pytest.mark.parametrize(
    ("decision", "state", "told"),
    [("done", "done", "completed"), ("declined", "declined", "not planned")],
)
def test_what_people_decided_is_told_with_who_and_when(
    opened: TicketSystem, github: GitHub, decision: str, state: str, told: str
) -> None:
    assert opened.standings([FIRST]) == {FIRST: Standing("open", "open", priority="high")}
    before = clock.now()
    github.decide(FIRST, decision)
    (one,) = opened.standings([FIRST]).values()
    assert (one.state, one.label, one.by, one.priority) == (state, told, "analyst", "high")
    assert one.closed_at is not None
    assert abs(one.closed_at - before) < 60
    assert held(github)["state"] == decision


def test_a_duplicate_is_declined_and_a_reopened_issue_is_open(
    opened: TicketSystem, github: GitHub
) -> None:
    github._issues[0].turn("closed", "duplicate", "analyst", clock.now())
    assert opened.standings([FIRST])[FIRST].state == "declined"
    github.decide(FIRST, "open")
    assert opened.standings([FIRST])[FIRST].state == "open"


def test_an_older_server_is_asked_without_duplicates(
    opened: TicketSystem, server: Loopback
) -> None:
    older = GitHub(clock.now, token="t0ken", repository="acme/findings", duplicates=False)
    server.answer = simulated(Client(older.app))
    opened.open(Draft(WHY, "cd" * 20))
    older.decide(FIRST, "declined")
    assert opened.standings([FIRST])[FIRST].state == "declined"


def test_many_are_asked_about_at_once_and_those_that_are_gone_are_told(
    opened: TicketSystem, server: Loopback
) -> None:
    asked = [f"acme/findings#{number}" for number in range(1, 151)]
    found = opened.standings([*asked, "no issue at all", "SEC-1"])
    assert list(found) == asked
    assert found[FIRST].state == "open"
    assert {found[ticket].state for ticket in asked[1:]} == {"gone"}
    assert sent(server, "POST") == [("POST", "/api/graphql")] * 2
    assert opened.standings([]) == {}


def test_a_repository_that_cannot_be_seen_does_not_make_its_tickets_gone(
    opened: TicketSystem,
) -> None:
    with pytest.raises(PermanentError, match="Could not resolve to a Repository"):
        opened.standings(["acme/other#1"])


@pytest.mark.parametrize("errors", [[{"type": "FORBIDDEN", "path": ["repository", "i1"]}], []])
def test_what_cannot_be_told_is_left_out(
    opened: TicketSystem, server: Loopback, errors: list[dict[str, Any]]
) -> None:
    server.replies(Reply(200, {"data": {"repository": {"i1": None}}, "errors": errors}))
    assert opened.standings([FIRST]) == {}


def test_a_used_up_budget_of_points_is_waited_for(opened: TicketSystem, server: Loopback) -> None:
    reset = str(int(clock.now()) + 900)
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
    server.replies(Reply(200, {"errors": [{"type": "RATE_LIMITED", "message": "no"}]}, headers))
    with pytest.raises(TransientError) as limited:
        opened.standings([FIRST])
    assert 800 < (limited.value.retry_after or 0) <= 900


def test_an_issue_is_closed_once_saying_why(
    opened: TicketSystem, github: GitHub, server: Loopback
) -> None:
    assert opened.close(FIRST, WHY, "mark-1", in_doubt=False)
    assert held(github)["state"] == "done"
    (comment,) = held(github)["comments"]
    assert comment.startswith("**Settled**")
    assert comment.endswith("`mark-1`")
    assert not opened.close(FIRST, WHY, "mark-1", in_doubt=True)
    assert not opened.close(FIRST, WHY, "mark-2", in_doubt=False)
    assert len(held(github)["comments"]) == 1
    assert len(sent(server, "PATCH")) == 1


def test_after_a_death_between_comment_and_closing_only_the_closing_follows(
    opened: TicketSystem, github: GitHub
) -> None:
    opened.comment(FIRST, WHY, "mark-1", in_doubt=False)
    assert opened.close(FIRST, WHY, "mark-1", in_doubt=True)
    assert held(github)["state"] == "done"
    assert len(held(github)["comments"]) == 1


def test_what_was_declined_stays_declined(opened: TicketSystem, github: GitHub) -> None:
    github.decide(FIRST, "declined")
    assert not opened.close(FIRST, WHY, "mark-1", in_doubt=False)
    assert held(github)["state"] == "declined"
    assert not held(github)["comments"]


def test_an_issue_is_opened_again_once_saying_why(opened: TicketSystem, github: GitHub) -> None:
    assert not opened.reopen(FIRST, WHY, "mark-1", in_doubt=False)
    github.decide(FIRST, "done")
    assert opened.reopen(FIRST, WHY, "mark-1", in_doubt=False)
    assert held(github)["state"] == "open"
    assert github._issues[0].state_reason == "reopened"
    assert not opened.reopen(FIRST, WHY, "mark-1", in_doubt=True)
    assert len(held(github)["comments"]) == 1


def test_a_new_priority_takes_the_place_of_the_old_and_no_other_label(
    opened: TicketSystem, github: GitHub, server: Loopback
) -> None:
    github._issues[0].labels += ["team-a", "Priority: a/b c?"]
    assert opened.prioritise(FIRST, "critical")
    labels = held(github)["labels"]
    assert [name for name in labels if not name.startswith("hr-")] == [
        "hub-responder",
        "team-a",
        "priority: critical",
    ]
    assert ("DELETE", "/api/v3/repos/acme/findings/issues/1/labels/priority%3A%20high") in sent(
        server, "DELETE"
    )
    server.requests.clear()
    assert not opened.prioritise(FIRST, "CRITICAL")
    assert not sent(server, "POST", "DELETE", "PATCH")


def test_a_label_that_somebody_took_away_meanwhile_is_no_trouble(
    opened: TicketSystem, server: Loopback
) -> None:
    real = server.answer
    server.answer = lambda one: Reply(404, {}) if one.method == "DELETE" else real(one)
    assert opened.prioritise(FIRST, "critical")


def test_a_follower_refers_to_the_earlier_once(opened: TicketSystem, github: GitHub) -> None:
    opened.link(FIRST, "acme/findings#12")
    opened.link(FIRST, "acme/findings#1")
    opened.link(FIRST, "acme/findings#1")
    assert held(github)["comments"] == ["Follows acme/findings#12.", "Follows acme/findings#1."]
    with pytest.raises(PermanentError, match="no issue"):
        opened.link(FIRST, "@everybody")


@pytest.mark.parametrize("ticket", ["", "../../user#1", "a/b#0", "a/b#1\n", "a/b#" + "9" * 20])
def test_what_is_no_issue_is_never_asked_for(
    opened: TicketSystem, server: Loopback, ticket: str
) -> None:
    for call in (opened.close, opened.reopen, opened.comment):
        with pytest.raises(PermanentError, match="no issue"):
            call(ticket, WHY, "mark", in_doubt=True)
    assert not server.requests


def test_requests_keep_to_githubs_schema(
    opened: TicketSystem, github: GitHub, server: Loopback
) -> None:
    opened.open(Draft(message("<!channel> @team #1"), "cd" * 20, priority="p1", labels=("a",)))
    opened.comment(FIRST, message("x"), "m", in_doubt=False)
    opened.close(FIRST, WHY, "m2", in_doubt=False)
    opened.reopen(FIRST, WHY, "m3", in_doubt=False)
    opened.prioritise(FIRST, "low")
    opened.standings([FIRST])
    keep_to("github", server.requests, named_in_schema)
    for one in (request for request in server.requests if request.body):
        assert one.headers["x-github-api-version"] == "2022-11-28"
        assert one.headers["accept"] == "application/vnd.github+json"


def named_in_schema(request: Request) -> str:
    kind = re.search(r"/(graphql|comments|labels)$", request.path)
    return f"{request.method} {kind[0]}" if kind else request.method


@settings(deadline=None)
@given(HOSTILE)
def test_no_text_makes_a_label_that_github_refuses(x: str) -> None:
    from hub_toolkit.sandbox.vendors.github import issues

    name = _label("priority: " + x)
    assert issues.labels([name], {}) == [name]
    assert "," not in name


@settings(deadline=None)
@given(HOSTILE)
def test_a_comment_ends_with_its_mark_whatever_it_holds(x: str) -> None:
    from hub_responder.markdown.github import to_github

    ending = "\n\n`mark`"
    body = to_github(message(x), MAX_BODY - len(ending)) + ending
    assert len(body) <= MAX_BODY
    assert body.endswith(ending)

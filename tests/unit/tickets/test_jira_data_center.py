"""Jira Data Center: the same life of an issue, by what it spells differently."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import Client

from factories import playbook, runtime
from hub_responder import clock
from hub_responder.connections.resolve import named
from hub_responder.errors import ConfigurationError, DeniedError
from hub_responder.markdown.document import Document, Heading, Paragraph, Text
from hub_responder.tickets import registry
from hub_responder.tickets.ticket import Draft, TicketSystem
from hub_toolkit.sandbox.vendors.jira import DataCenter
from loopback import Cloud, Loopback, Reply, simulated

from .jira_requests import ask_everything, keep_to_schema

WHY = Document((Heading(1, (Text("Settled"),)), Paragraph((Text("*Nothing* is [open]."),))))
FIRST, SECOND = "SEC-1", "SEC-2"
API = "/rest/api/2"


@pytest.fixture
def jira() -> DataCenter:
    return DataCenter(clock.now, token="t0ken", components=("Cloud",))


@pytest.fixture
def connect(server: Loopback, cloud: Cloud, jira: DataCenter) -> Callable[..., TicketSystem]:
    """A connection, with these settings, to the simulator."""
    server.answer = simulated(Client(jira.app))
    cloud.secrets["hub-responder/test/own"] = {"token": "t0ken"}

    def connect(**held: Any) -> TicketSystem:
        site = {
            "type": "jira_data_center",
            "url": server.url,
            "project": "SEC",
            "private": True,
            **held,
        }
        run_time = runtime(playbook=playbook(connections={"own": site}, timezone="Asia/Tokyo"))
        return registry.find(named(run_time.playbook, "own"), run_time)

    return connect


@pytest.fixture
def opened(connect: Callable[..., TicketSystem]) -> TicketSystem:
    """With one issue, of priority High."""
    system = connect()
    assert system.open(Draft(WHY, "ab" * 20, priority="High")).id == FIRST
    return system


def held(jira: DataCenter) -> dict[str, Any]:
    return jira.tickets()[0]


def test_an_issue_has_what_the_draft_says(
    connect: Callable[..., TicketSystem], jira: DataCenter, server: Loopback
) -> None:
    draft = Draft(WHY, "ab" * 20, due=1_795_017_600.0, components=("Cloud",), assignee="s.tanaka")
    ticket = connect().open(draft)
    assert (ticket.id, ticket.url) == (FIRST, f"{server.url}/browse/{FIRST}")
    fields = jira._issues[FIRST].fields
    assert fields["description"] == "&#42;Nothing&#42; is &#91;open&#93;."
    assert fields["assignee"] == {"name": "s.tanaka"}
    assert fields["duedate"] == "2026-11-19"
    assert server.requests[-1].headers["authorization"] == "Bearer t0ken"


def test_in_doubt_the_issue_is_found_instead_of_opened_again(
    opened: TicketSystem, jira: DataCenter
) -> None:
    again = opened.open(Draft(WHY, "ab" * 20, in_doubt=True, attempted_at=clock.now()))
    assert again.id == FIRST
    assert len(jira.tickets()) == 1


def test_its_whole_life(opened: TicketSystem, jira: DataCenter) -> None:
    assert opened.comment(FIRST, WHY, "mark-0", in_doubt=False)
    assert not opened.comment(FIRST, WHY, "mark-0", in_doubt=True)
    assert opened.prioritise(FIRST, "Highest")
    assert opened.close(FIRST, WHY, "mark-1", in_doubt=False)
    assert not opened.close(FIRST, WHY, "mark-1", in_doubt=True)
    assert held(jira)["state"] == "done"
    assert opened.reopen(FIRST, WHY, "mark-2", in_doubt=False)
    assert held(jira)["state"] == "open"
    endings = [one.rpartition("\n")[2] for one in held(jira)["comments"]]
    assert endings == ["{{mark-0}}", "{{mark-1}}", "{{mark-2}}"]
    assert opened.open(Draft(WHY, "cd" * 20)).id == SECOND
    opened.link(SECOND, FIRST)
    opened.link(SECOND, FIRST)
    assert len(jira._issues[FIRST].links) == 1


def test_what_people_decided_is_told_by_one_search_and_deleted_ones_are_gone(
    opened: TicketSystem, jira: DataCenter, server: Loopback
) -> None:
    opened.open(Draft(WHY, "cd" * 20))
    opened.open(Draft(WHY, "ef" * 20))
    jira.decide(FIRST, "declined")
    server.requests.clear()
    found = opened.standings([FIRST, SECOND])
    assert [(one.state, one.label) for one in found.values()] == [
        ("declined", "Won't Do"),
        ("open", "Backlog"),
    ]
    assert [(one.method, one.path) for one in server.requests] == [("POST", f"{API}/search")]
    headers = {"Authorization": "Bearer t0ken"}
    assert Client(jira.app).delete(f"{API}/issue/{SECOND}", headers=headers).status_code == 204
    found = opened.standings([FIRST, SECOND, "SEC-3"])
    assert {key: one.state for key, one in found.items()} == {
        FIRST: "declined",
        SECOND: "gone",
        "SEC-3": "open",
    }


def test_what_it_refuses_is_told_by_the_setting(connect: Callable[..., TicketSystem]) -> None:
    with pytest.raises(ConfigurationError, match="`components`"):
        connect().open(Draft(WHY, "ab" * 20, components=("Nothing",)))
    with pytest.raises(ConfigurationError, match="`project`"):
        connect(project="NONE").open(Draft(WHY, "ab" * 20))


def test_a_wrong_token_is_told(connect: Callable[..., TicketSystem], cloud: Cloud) -> None:
    cloud.secrets["hub-responder/test/own"] = {"token": "old"}
    with pytest.raises(DeniedError):
        connect().open(Draft(WHY, "ab" * 20))


def test_a_private_address_must_be_allowed(connect: Callable[..., TicketSystem]) -> None:
    with pytest.raises(Exception, match="private"):
        connect(private=False).open(Draft(WHY, "ab" * 20))


def test_an_answer_as_to_anybody_proves_nothing(
    connect: Callable[..., TicketSystem], cloud: Cloud, server: Loopback
) -> None:
    public = DataCenter(clock.now, token="t0ken", public=True)
    server.answer = simulated(Client(public.app))
    system = connect()
    cloud.secrets["hub-responder/test/own"] = {"token": "expired"}
    with pytest.raises(DeniedError, match="as to anybody"):
        system.open(Draft(WHY, "ab" * 20, in_doubt=True, attempted_at=0.0))
    with pytest.raises(DeniedError, match="as to anybody"):
        system.standings([FIRST])
    assert {one.path for one in server.requests} == {f"{API}/search"}


def test_what_was_opened_as_anybody_is_opened_all_the_same(
    connect: Callable[..., TicketSystem], server: Loopback
) -> None:
    system = connect()
    headers = {"X-AUSERNAME": "anonymous"}
    server.replies(Reply(201, {"id": "1", "key": "SEC-9"}, headers))
    assert system.open(Draft(WHY, "ab" * 20)).id == "SEC-9"
    assert len(server.requests) == 1


def test_short_pages_are_read_to_the_end(
    connect: Callable[..., TicketSystem], server: Loopback
) -> None:
    server.answer = simulated(Client(DataCenter(clock.now, token="t0ken", page=40).app))
    system = connect()
    keys = [system.open(Draft(WHY, f"{number:040}")).id for number in range(90)]
    server.requests.clear()
    assert {one.state for one in system.standings(keys).values()} == {"open"}
    assert [one.json["startAt"] for one in server.requests] == [0, 40, 80]


@pytest.mark.parametrize("total", [5, 10**9, "many", None])
def test_pages_that_never_end_are_left(
    connect: Callable[..., TicketSystem], server: Loopback, total: Any
) -> None:
    server.answer = lambda request: (
        Reply(200, {"issues": [], "total": total})
        if request.path.endswith("/search")
        else Reply(404, {})
    )
    assert connect().standings([FIRST, SECOND]) == {}
    assert len([one for one in server.requests if one.path.endswith("/search")]) == 1


def test_requests_keep_to_its_schema(
    connect: Callable[..., TicketSystem], cloud: Cloud, server: Loopback
) -> None:
    strict = DataCenter(
        clock.now,
        token="t0ken",
        components=("Cloud",),
        further=("customfield_10010",),
        demands_resolution=True,
    )
    server.answer = simulated(Client(strict.app))
    ask_everything(connect(), "s.tanaka")
    keep_to_schema("jira_data_center", server.requests, API)

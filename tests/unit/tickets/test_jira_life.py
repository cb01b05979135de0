"""The life of an issue in Jira: what opens it, what became of it, closing, reopening, linking."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from werkzeug.test import Client

from factories import playbook, runtime
from hostile import HOSTILE, message
from hub_responder import clock
from hub_responder.connections.resolve import named
from hub_responder.connections.settings import DECLINED
from hub_responder.errors import ConfigurationError, PermanentError
from hub_responder.markdown.adf import to_adf
from hub_responder.markdown.document import Document, Heading, Paragraph, Text
from hub_responder.tickets import jira_standings, registry
from hub_responder.tickets.jira_workflow import Chosen, closing, opening
from hub_responder.tickets.ticket import Draft, Standing, TicketSystem
from hub_toolkit.sandbox.vendors.jira import Jira, adf
from loopback import Cloud, Loopback, Reply, simulated

from .jira_requests import ask_everything, keep_to_schema

WHY = Document((Heading(1, (Text("Settled"),)), Paragraph((Text("Nothing is open."),))))
FIRST, SECOND = "SEC-1", "SEC-2"
API = "/rest/api/3"
PARTS = {"components": ("Cloud",), "further": ("customfield_10010",)}


@pytest.fixture
def jira() -> Jira:
    return Jira(clock.now, email="bot@x.example", api_token="t0ken", **PARTS)


@pytest.fixture
def connect(server: Loopback, cloud: Cloud, jira: Jira) -> Callable[..., TicketSystem]:
    """A connection, with these settings, to the simulator."""
    server.answer = simulated(Client(jira.app))
    cloud.secrets["hub-responder/test/jira"] = {"email": "bot@x.example", "api_token": "t0ken"}

    def connect(**held: Any) -> TicketSystem:
        site = {"type": "jira", "url": server.url, "project": "SEC", **held}
        run_time = runtime(playbook=playbook(connections={"jira": site}, timezone="Asia/Tokyo"))
        return registry.find(named(run_time.playbook, "jira"), run_time)

    return connect


@pytest.fixture
def opened(connect: Callable[..., TicketSystem], server: Loopback) -> TicketSystem:
    """With one issue, of priority High."""
    system = connect()
    assert system.open(Draft(WHY, "ab" * 20, priority="High")).id == FIRST
    server.requests.clear()
    return system


def held(jira: Jira) -> dict[str, Any]:
    return jira.tickets()[0]


def sent(server: Loopback, *methods: str) -> list[tuple[str, str]]:
    return [
        (one.method, one.path.removeprefix(API)) for one in server.requests if one.method in methods
    ]


def test_an_issue_has_what_the_draft_says(
    connect: Callable[..., TicketSystem], jira: Jira, server: Loopback
) -> None:
    draft = Draft(
        WHY,
        "ab" * 20,
        priority="Highest",
        due=1_795_017_600.0,  # 2026-11-18T16:00Z, which is the next day in Tokyo
        components=("Cloud",),
        assignee="5b10a2844c20165700ede21g",
        fields={"customfield_10010": {"value": "x"}, "summary": "never"},
    )
    connect().open(draft)
    fields = jira._issues[FIRST].fields
    assert fields["priority"]["name"] == "Highest"
    assert fields["duedate"] == "2026-11-19"
    assert [one["name"] for one in fields["components"]] == ["Cloud"]
    assert fields["assignee"] == {"accountId": "5b10a2844c20165700ede21g"}
    assert fields["customfield_10010"] == {"value": "x"}
    assert fields["summary"] == "Settled"


@pytest.mark.parametrize(
    ("draft", "setting"),
    [
        ({"priority": "Urgent"}, "`priorities`, or the step's `priority`"),
        ({"components": ("Nothing",)}, "`components`"),
        ({"fields": {"customfield_7": 1}}, "`fields.customfield_7`"),
        ({"fields": {"customfield_10010": "x" * 256}}, "`fields.customfield_10010`"),
    ],
)
def test_what_jira_refuses_is_told_by_the_name_of_its_setting(
    connect: Callable[..., TicketSystem], draft: dict[str, Any], setting: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        connect().open(Draft(WHY, "ab" * 20, **draft))
    assert str(refused.value).startswith(f"connection jira: Jira refuses what {setting} gives: ")


def test_a_wrong_type_or_project_is_told_by_its_setting(
    connect: Callable[..., TicketSystem],
) -> None:
    with pytest.raises(ConfigurationError, match="`issue_type`"):
        connect(issue_type="Epic").open(Draft(WHY, "ab" * 20))
    with pytest.raises(ConfigurationError, match="`project`"):
        connect(project="NONE").open(Draft(WHY, "ab" * 20))


@pytest.mark.parametrize(("decision", "told"), [("done", "Done"), ("declined", "Won't Do")])
def test_what_people_decided_is_told_with_when(
    opened: TicketSystem, jira: Jira, decision: str, told: str
) -> None:
    assert opened.standings([FIRST]) == {FIRST: Standing("open", "Backlog", priority="High")}
    before = clock.now()
    jira.decide(FIRST, decision)
    (one,) = opened.standings([FIRST]).values()
    assert (one.state, one.label, one.priority) == (decision, told, "High")
    assert one.closed_at is not None
    assert abs(one.closed_at - before) < 60
    assert held(jira)["state"] == decision
    jira.decide(FIRST, "open")
    assert opened.standings([FIRST])[FIRST].state == "open"


def test_the_connection_says_which_resolutions_decline(
    opened: TicketSystem, connect: Callable[..., TicketSystem], jira: Jira
) -> None:
    jira.decide(FIRST, "declined")
    assert connect(declined=["cannot reproduce"]).standings([FIRST])[FIRST].state == "done"
    assert connect(declined=["WON'T DO"]).standings([FIRST])[FIRST].state == "declined"


@pytest.mark.parametrize(
    "name", ["対応しない", "リスク受容", "誤検知", "Won't Fix", "risk accepted"]
)
def test_japanese_and_english_names_decline(name: str) -> None:
    issue = {
        "fields": {
            "status": {"name": "終了", "statusCategory": {"key": "done"}},
            "resolution": {"name": name},
        }
    }
    declined = {one.casefold() for one in DECLINED}
    standing = jira_standings.of(issue, declined)
    assert standing is not None
    assert standing.state == "declined"


def test_without_a_resolution_the_category_tells_and_when_it_changed() -> None:
    status = {"name": "Declined", "statusCategory": {"key": "done"}}
    fields = {"status": status, "statuscategorychangedate": "2026-11-18T16:00:00.000+0000"}
    assert jira_standings.of({"fields": fields}, {"declined"}) == Standing(
        "done", "Declined", closed_at=1_795_017_600.0
    )
    assert jira_standings.of({"fields": {"status": {"name": "Done"}}}, set()) is None


def test_many_are_asked_about_at_once_and_deleted_ones_are_gone(
    opened: TicketSystem, jira: Jira, server: Loopback
) -> None:
    for _ in range(119):
        opened.open(Draft(WHY, "cd" * 20))
    keys = [f"SEC-{number}" for number in range(1, 121)]
    server.requests.clear()
    assert {one.state for one in opened.standings([*keys, "no key", *keys]).values()} == {"open"}
    assert sent(server, "POST", "GET") == [("POST", "/issue/bulkfetch")] * 2
    for key in ("SEC-7", "SEC-120"):
        headers = {"Authorization": server.requests[0].headers["authorization"]}
        gone = Client(jira.app).delete(f"{API}/issue/{key}", headers=headers)
        assert gone.status_code == 204
    found = opened.standings(keys)
    assert sorted(key for key, one in found.items() if one.state == "gone") == [
        "SEC-120",
        "SEC-7",
    ]
    assert len(found) == 120
    assert opened.standings([]) == {}


def test_a_project_that_cannot_be_seen_does_not_make_its_tickets_gone(
    opened: TicketSystem,
) -> None:
    assert opened.standings(["PAY-1", FIRST, "PAY-2"]).keys() == {FIRST}


def test_an_issue_that_moved_is_found_by_its_old_key(
    opened: TicketSystem, server: Loopback
) -> None:
    status = {"name": "x", "statusCategory": {"key": "indeterminate"}}
    moved = {"key": "OPS-3", "fields": {"status": status}}
    server.replies(Reply(200, {"issues": [moved]}), Reply(200, {}), Reply(200, moved))
    assert opened.standings([FIRST]) == {FIRST: Standing("open", "x")}


def test_an_issue_is_closed_once_saying_why(
    opened: TicketSystem, jira: Jira, server: Loopback
) -> None:
    assert opened.close(FIRST, WHY, "mark-1", in_doubt=False)
    assert held(jira)["state"] == "done"
    (comment,) = held(jira)["comments"]
    assert "Settled" in comment
    assert comment.rstrip().endswith("mark-1")
    assert not opened.close(FIRST, WHY, "mark-1", in_doubt=True)
    assert not opened.close(FIRST, WHY, "mark-2", in_doubt=False)
    assert len(held(jira)["comments"]) == 1
    assert sent(server, "POST").count(("POST", f"/issue/{FIRST}/transitions")) == 1


def test_after_a_death_between_comment_and_closing_only_the_closing_follows(
    opened: TicketSystem, jira: Jira
) -> None:
    opened.comment(FIRST, WHY, "mark-1", in_doubt=False)
    assert opened.close(FIRST, WHY, "mark-1", in_doubt=True)
    assert held(jira)["state"] == "done"
    assert len(held(jira)["comments"]) == 1


def test_a_workflow_that_demands_a_resolution_gets_one_that_does_not_decline(
    connect: Callable[..., TicketSystem], server: Loopback
) -> None:
    strict = Jira(clock.now, email="bot@x.example", api_token="t0ken", demands_resolution=True)
    server.answer = simulated(Client(strict.app))
    system = connect()
    system.open(Draft(WHY, "ab" * 20))
    assert system.close(FIRST, WHY, "mark-1", in_doubt=False)
    assert (held(strict)["state"], strict._issues[FIRST].resolution) == ("done", "Done")
    assert system.reopen(FIRST, WHY, "mark-2", in_doubt=False)
    every = ["Done", "Won't Do", "Duplicate", "Cannot Reproduce"]
    with pytest.raises(ConfigurationError, match="no transition to a status of the category"):
        connect(declined=every).close(FIRST, WHY, "mark-3", in_doubt=False)
    assert held(strict)["state"] == "open"


def test_what_was_declined_stays_declined(opened: TicketSystem, jira: Jira) -> None:
    jira.decide(FIRST, "declined")
    assert not opened.close(FIRST, WHY, "mark-1", in_doubt=False)
    assert held(jira)["state"] == "declined"
    assert not held(jira)["comments"]


def test_an_issue_is_opened_again_once_saying_why(opened: TicketSystem, jira: Jira) -> None:
    assert not opened.reopen(FIRST, WHY, "mark-1", in_doubt=False)
    jira.decide(FIRST, "done")
    assert opened.reopen(FIRST, WHY, "mark-1", in_doubt=False)
    assert (held(jira)["state"], held(jira)["status"]) == ("open", "Backlog")
    assert not opened.reopen(FIRST, WHY, "mark-1", in_doubt=True)
    assert len(held(jira)["comments"]) == 1


def test_a_priority_is_set_once(opened: TicketSystem, jira: Jira, server: Loopback) -> None:
    assert opened.prioritise(FIRST, "Highest")
    assert jira._issues[FIRST].fields["priority"]["name"] == "Highest"
    assert not opened.prioritise(FIRST, "highest")
    assert len(sent(server, "PUT")) == 1
    with pytest.raises(ConfigurationError, match="`priorities`"):
        opened.prioritise(FIRST, "Urgent")


def test_a_follower_is_linked_to_the_earlier_once(opened: TicketSystem, jira: Jira) -> None:
    opened.open(Draft(WHY, "cd" * 20))
    opened.link(SECOND, FIRST)
    opened.link(SECOND, FIRST)
    (link,) = jira._issues[SECOND].links
    assert link["outwardIssue"]["key"] == FIRST
    assert len(jira._issues[FIRST].links) == 1
    assert not any(ticket["comments"] for ticket in jira.tickets())


def test_what_cannot_be_linked_is_told_in_a_comment_once(opened: TicketSystem, jira: Jira) -> None:
    opened.link(FIRST, "SEC-99")
    opened.link(FIRST, "SEC-99")
    assert [one.strip() for one in held(jira)["comments"]] == ["Follows SEC-99."]


@pytest.mark.parametrize("ticket", ["", "../../user", "SEC", "SEC-1\n", "SEC-1?x=1", "a/b#1"])
def test_what_is_no_key_is_never_asked_for(
    opened: TicketSystem, server: Loopback, ticket: str
) -> None:
    for call in (opened.close, opened.reopen, opened.comment):
        with pytest.raises(PermanentError, match="key of an issue"):
            call(ticket, WHY, "mark", in_doubt=True)
    assert opened.standings([ticket]) == {}
    assert not server.requests


def way(id_: str, category: str, name: str = "x", **fields: Any) -> dict[str, Any]:
    to = {"name": name, "statusCategory": {"key": category}}
    return {"id": id_, "name": name, "to": to, "fields": fields}


def test_the_way_that_says_what_we_mean_and_demands_nothing_else_is_taken() -> None:
    values = [{"id": "1", "name": "Won't Do"}, {"id": "2", "name": "Tested"}]
    fixed = {"id": "3", "name": "完了"}
    demanding = way("9", "done", reason={"required": True})
    declining = way("1", "done", "Won't Do")
    begun, new = way("3", "indeterminate"), way("4", "new")
    declined = {"won't do"}
    assert closing([begun, demanding, declining, way("2", "done")], declined) == Chosen("2", {})
    assert closing([begun, demanding, declining], declined) == Chosen("1", {})
    assert closing([begun, demanding], declined) is None
    screen = {"required": True, "allowedValues": [*values, fixed]}
    chosen = closing([way("2", "done", resolution=screen)], declined)
    assert chosen == Chosen("2", {"resolution": {"id": "3"}})
    screen = {"required": False, "allowedValues": values}
    chosen = closing([way("2", "done", resolution=screen)], declined)
    assert chosen == Chosen("2", {"resolution": {"id": "2"}})
    assert opening([begun, new]) == Chosen("4", {})
    assert opening([declining, begun]) == Chosen("3", {})
    assert opening([declining, {"id": 5, "to": None}]) is None


def test_requests_keep_to_jiras_schema(
    connect: Callable[..., TicketSystem], jira: Jira, server: Loopback
) -> None:
    strict = Jira(
        clock.now, email="bot@x.example", api_token="t0ken", demands_resolution=True, **PARTS
    )
    server.answer = simulated(Client(strict.app))
    ask_everything(connect(), "5b10a2844c20165700ede21g")
    keep_to_schema("jira", server.requests, API)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(HOSTILE)
def test_no_text_makes_a_document_that_jira_refuses(x: str) -> None:
    document = to_adf(message(x))
    adf.validate(document)
    assert len(adf.plain(document)) <= 32_767

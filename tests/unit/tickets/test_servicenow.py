"""ServiceNow: what the table gets, what each answer means, and what hostile text can do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from hostile import HOSTILE, message
from hub_responder import clock
from hub_responder.errors import (
    ConfigurationError,
    DeniedError,
    PermanentError,
    TransientError,
)
from hub_responder.markdown.document import Document, Heading, Paragraph, Text
from hub_responder.markdown.servicenow import harmless, to_servicenow
from hub_responder.tickets.ticket import Draft, Standing, TicketSystem
from hub_toolkit.sandbox.vendors.servicenow import records
from loopback import Reply, Request

WHY = Document((Heading(1, (Text("Settled"),)), Paragraph((Text("Nothing is open."),))))
KEY = "ab" * 20
FIRST = "INC0010001"
SCHEMA = json.loads(
    (Path(__file__).parents[2] / "schemas" / "servicenow" / "requests.json").read_text("utf-8")
)
GROUP = "0123456789abcdef" * 2


def opened(instance: Any, **more: Any) -> TicketSystem:
    """With one record, of severity HIGH; no request counts yet."""
    system: TicketSystem = instance.system(**more)
    system.open(Draft(WHY, KEY, priority="1/2"))
    instance.server.requests.clear()
    return system


def sent(instance: Any, method: str) -> list[Request]:
    return [one for one in instance.server.requests if one.method == method]


def query_of(request: Request) -> dict[str, str]:
    return {name: held[0] for name, held in parse_qs(urlsplit(request.path).query).items()}


def test_an_incident_is_opened_under_its_key_and_never_with_a_priority(instance: Any) -> None:
    system = instance.system(assignment_group=GROUP, category="security", assignee=GROUP)
    drafted = Draft(
        WHY,
        KEY,
        priority="1/1",
        due=1_795_000_000.0,
        assignee=GROUP,
        fields={"cmdb_ci": "x", "u_flag": True, "u_list": ["a", 2], "u_none": None},
    )
    ticket = system.open(drafted)
    base = instance.server.url
    assert (ticket.id, ticket.opened) == (FIRST, True)
    sys_id = instance.values()["sys_id"]
    assert ticket.url == f"{base}/nav_to.do?uri=incident.do%3Fsys_id%3D{sys_id}"
    (request,) = instance.server.requests
    assert request.method == "POST"
    assert urlsplit(request.path).path == "/api/now/table/incident"
    assert query_of(request)["sysparm_input_display_value"] == "false"
    assert request.json == {
        "short_description": "Settled",
        "description": "Nothing is open.",
        "correlation_id": f"hr-{'ab' * 16}",
        "correlation_display": "hub-responder",
        "impact": "1",
        "urgency": "1",
        "category": "security",
        "assignment_group": GROUP,
        "assigned_to": GROUP,
        "due_date": "2026-11-18 11:06:40",
        "cmdb_ci": "x",
        "u_flag": "true",
        "u_list": "a,2",
    }


@pytest.mark.parametrize(
    ("priority", "pair"),
    [("1/1", ("1", "1", "1")), ("2/3", ("2", "3", "4")), ("", ("3", "3", "5"))],
)
def test_impact_and_urgency_make_the_priority(
    instance: Any, priority: str, pair: tuple[str, ...]
) -> None:
    instance.system().open(Draft(WHY, KEY, priority=priority))
    held = instance.values()
    assert (held["impact"], held["urgency"], held["priority"]) == pair


def test_each_severity_has_impact_and_urgency_unless_the_connection_says_others() -> None:
    from factories import incident, playbook, runtime, work
    from hub_responder.actions import open_ticket
    from hub_responder.connections.resolve import Connection
    from hub_responder.tickets.draft import make

    settings = {"type": "servicenow", "url": "https://x.example"}
    params = open_ticket.Params("snow", "ticket.md.j2")
    for own, expected in (({}, "1/1"), ({"priorities": {"CRITICAL": "2/1"}}, "2/1")):
        connection = Connection("snow", "servicenow", {**settings, **own})
        run_time = runtime(playbook=playbook(connections={"snow": connection.settings}))
        drafted = make(work(params, incident()), connection, run_time)
        assert drafted.priority == expected


def test_a_priority_that_is_no_pair_is_refused_before_anything_is_sent(instance: Any) -> None:
    for wrong in ("High", "1,2", "0/1", "1/2\n"):
        with pytest.raises(ConfigurationError, match="impact and urgency are needed"):
            instance.system().open(Draft(WHY, KEY, priority=wrong))
    assert not instance.server.requests
    with pytest.raises(ConfigurationError, match="gives a mapping"):
        instance.system().open(Draft(WHY, KEY, fields={"u_x": {"a": 1}}))
    with pytest.raises(ConfigurationError):
        instance.system(fields={"state": "6"})


@pytest.mark.parametrize("auth", ["basic", "oauth", "api_key"])
def test_each_way_to_authenticate_opens(instance: Any, auth: str) -> None:
    system = instance.system(auth=auth)
    assert system.open(Draft(WHY, KEY)).id == FIRST
    assert system.open(Draft(WHY, "cd" * 20)).id == "INC0010002"
    asked = [one for one in instance.server.requests if one.path == "/oauth_token.do"]
    assert len(asked) == (1 if auth == "oauth" else 0)
    for one in asked:
        assert one.headers["content-type"] == "application/x-www-form-urlencoded"
        assert parse_qs(one.body.decode())["grant_type"] == ["client_credentials"]


def test_a_token_is_asked_for_anew_shortly_before_its_end(
    instance: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = 1_900_000_000.0
    monkeypatch.setattr(clock.time, "time", lambda: at)
    system = instance.system(auth="oauth")
    system.open(Draft(WHY, KEY))
    at += 1700
    system.open(Draft(WHY, "cd" * 20))
    assert len([one for one in instance.server.requests if one.path == "/oauth_token.do"]) == 1
    at += 50
    system.open(Draft(WHY, "ef" * 20))
    assert len([one for one in instance.server.requests if one.path == "/oauth_token.do"]) == 2
    assert len(instance.now.tickets()) == 3


def test_a_token_that_was_revoked_is_replaced_at_once(instance: Any) -> None:
    system = instance.system(auth="oauth")
    system.open(Draft(WHY, KEY))
    instance.now.revoke()
    assert system.open(Draft(WHY, "cd" * 20)).id == "INC0010002"
    assert len(instance.now.tickets()) == 2


def test_a_client_that_gets_no_token_is_denied_and_no_secret_is_told(
    instance: Any, cloud: Any, caplog: pytest.LogCaptureFixture
) -> None:
    system = instance.system(auth="oauth")
    cloud.secrets["hub-responder/test/snow"] = {"client_id": "other", "client_secret": "wr0ng!"}
    with pytest.raises(DeniedError, match="no OAuth token: answered 401") as denied:
        system.open(Draft(WHY, KEY))
    assert "wr0ng!" not in str(denied.value) + caplog.text


def test_in_doubt_the_record_of_an_earlier_attempt_is_the_ticket(instance: Any) -> None:
    system = opened(instance)
    ticket = system.open(Draft(WHY, KEY, in_doubt=True, attempted_at=clock.now()))
    assert ticket.id == FIRST
    assert not sent(instance, "POST")
    (asked,) = sent(instance, "GET")
    assert query_of(asked)["sysparm_query"] == (
        f"correlation_id=hr-{'ab' * 16}^ORDERBYsys_created_on^ORDERBYnumber"
    )


def test_not_found_within_five_minutes_is_still_in_doubt(instance: Any) -> None:
    system = instance.system()
    with pytest.raises(TransientError) as doubt:
        system.open(Draft(WHY, KEY, in_doubt=True, attempted_at=clock.now() - 290))
    assert (doubt.value.sent, doubt.value.retry_after) == (True, 300.0)
    assert not instance.now.tickets()
    assert system.open(Draft(WHY, KEY, in_doubt=True, attempted_at=clock.now() - 301)).id == FIRST


def test_of_two_the_earliest_is_the_ticket_and_the_other_says_so(
    instance: Any, caplog: pytest.LogCaptureFixture
) -> None:
    system = instance.system()
    real = instance.server.answer

    def late(request: Request) -> Reply:
        """The earlier attempt's record appears just before this one's."""
        if request.method == "POST":
            real(request)
        return real(request)

    instance.server.answer = late
    ticket = system.open(Draft(WHY, KEY, in_doubt=True, attempted_at=clock.now() - 999))
    assert ticket.id == FIRST
    first, second = instance.now.tickets()
    assert not first["comments"]
    assert second["comments"] == [
        f"Opened twice: {FIRST} is the ticket. Nothing is told here any more."
    ]
    assert "a ticket was opened twice" in caplog.text


def test_an_account_that_may_not_set_the_key_still_opens(
    instance: Any, caplog: pytest.LogCaptureFixture
) -> None:
    system = instance.system(read_only=frozenset({"correlation_id"}))
    assert system.open(Draft(WHY, KEY)).id == FIRST
    assert "may not set correlation_id" in caplog.text


def test_a_query_that_is_not_taken_finds_no_ticket_of_others(instance: Any) -> None:
    system = opened(instance)
    real = instance.server.answer

    def trap(one: Request) -> Reply:
        """Its columns cannot be queried by this account."""
        path = re.sub(r"(?:correlation_id|number)(%3D|IN)", r"unknown\1", one.path)
        return real(Request(one.method, path, one.headers, one.body))

    instance.server.answer = trap
    for call in (
        lambda: system.open(Draft(WHY, "cd" * 20, in_doubt=True)),
        lambda: system.standings(["INC0019999"]),
        lambda: system.close("INC0019999", WHY, "m", in_doubt=False),
    ):
        with pytest.raises(PermanentError, match="does not take a query by"):
            call()
    assert not sent(instance, "POST")
    assert not sent(instance, "PATCH")


def test_a_note_is_added_once(instance: Any) -> None:
    system = opened(instance)
    assert system.comment(FIRST, WHY, "hr-mark-1", in_doubt=False)
    assert not system.comment(FIRST, WHY, "hr-mark-1", in_doubt=True)
    assert system.comment(FIRST, WHY, "hr-mark-2", in_doubt=True)
    notes = instance.ticket()["comments"]
    assert notes == [f"Settled\n\nNothing is open.\n\nhr-mark-{number}" for number in (1, 2)]


@pytest.mark.parametrize(
    ("table", "number", "status", "code"),
    [
        ("incident", FIRST, "Resolved", "Solution provided"),
        ("sn_si_incident", "SIR0010001", "Closed", "Threat mitigated"),
    ],
)
def test_a_record_is_closed_and_opened_again_each_once_saying_why(
    instance: Any, table: str, number: str, status: str, code: str
) -> None:
    system = opened(instance, table=table)
    assert not system.reopen(number, WHY, "m0", in_doubt=False)
    assert system.close(number, WHY, "m1", in_doubt=False)
    assert (instance.ticket()["status"], instance.ticket()["state"]) == (status, "done")
    assert instance.values()["close_code"] == code
    assert instance.values()["close_notes"] == "Settled"
    assert not system.close(number, WHY, "m1", in_doubt=True)
    assert system.reopen(number, WHY, "m2", in_doubt=False)
    assert instance.ticket()["state"] == "open"
    assert not system.reopen(number, WHY, "m2", in_doubt=True)
    assert [note.rpartition("\n")[2] for note in instance.ticket()["comments"]] == ["m1", "m2"]
    assert len(sent(instance, "PATCH")) == 2


def test_what_somebody_opened_since_our_closing_is_not_closed_by_a_doubt(instance: Any) -> None:
    system = opened(instance)
    system.close(FIRST, WHY, "m1", in_doubt=False)
    instance.now.decide(FIRST, "open")
    assert not system.close(FIRST, WHY, "m1", in_doubt=True)
    assert instance.ticket()["state"] == "open"


def test_what_was_canceled_stays_so(instance: Any) -> None:
    system = opened(instance)
    instance.now.decide(FIRST, "declined")
    assert not system.close(FIRST, WHY, "m", in_doubt=False)
    assert instance.ticket()["status"] == "Canceled"


def test_a_data_policy_is_told_in_its_own_words_and_is_no_matter_of_credentials(
    instance: Any,
) -> None:
    system = opened(instance, read_only=frozenset({"close_notes"}))
    with pytest.raises(PermanentError, match="mandatory: Resolution notes") as refused:
        system.close(FIRST, WHY, "m", in_doubt=False)
    assert not isinstance(refused.value, DeniedError)
    assert instance.ticket()["state"] == "open"


def test_a_closed_incident_that_is_read_only_is_denied(instance: Any) -> None:
    system = opened(instance)
    ended = {"state": "7", "close_code": "x", "close_notes": "y"}
    instance.now._records[0].write(ended, clock.now(), "admin")
    with pytest.raises(DeniedError, match="security constraints"):
        system.reopen(FIRST, WHY, "m", in_doubt=False)


def test_a_state_that_the_account_may_not_set_is_not_taken_for_closed(instance: Any) -> None:
    system = opened(instance, read_only=frozenset({"state"}))
    with pytest.raises(PermanentError, match="left INC0010001 in its state"):
        system.close(FIRST, WHY, "m", in_doubt=False)


def test_impact_and_urgency_change_once(instance: Any) -> None:
    system = opened(instance)
    assert system.prioritise(FIRST, "1/1")
    assert not system.prioritise(FIRST, "1/1")
    assert instance.values()["priority"] == "1"
    assert [one.json for one in sent(instance, "PATCH")] == [{"impact": "1", "urgency": "1"}]


def test_a_follower_has_the_earlier_as_parent_and_says_so_once(instance: Any) -> None:
    system = opened(instance)
    system.open(Draft(WHY, "cd" * 20))
    system.link("INC0010002", FIRST)
    system.link("INC0010002", FIRST)
    assert instance.values(1)["parent"] == instance.values(0)["sys_id"]
    assert instance.now.tickets()[1]["comments"] == [f"Follows {FIRST}."]


def test_what_became_of_tickets_is_told_with_who_and_when(instance: Any) -> None:
    system = opened(instance)
    system.open(Draft(WHY, "cd" * 20))
    instance.now.decide(FIRST, "done")
    instance.now.decide("INC0010002", "declined")
    instance.server.requests.clear()
    found = system.standings([FIRST, "INC0010002", "INC0010003", "^state=6", FIRST])
    assert len(instance.server.requests) == 1
    assert found["INC0010003"] == Standing("gone")
    done, declined = found[FIRST], found["INC0010002"]
    assert (done.state, done.label, done.by, done.priority) == (
        "done",
        "Resolved",
        "analyst",
        "1/2",
    )
    assert abs((done.closed_at or 0) - clock.now()) < 60
    assert (declined.state, declined.label) == ("declined", "Canceled")
    assert set(found) == {FIRST, "INC0010002", "INC0010003"}


def test_a_close_code_of_the_connection_means_declined(instance: Any) -> None:
    system = opened(instance, declined=("solution PROVIDED",))
    instance.now.decide(FIRST, "done")
    assert system.standings([FIRST])[FIRST].state == "declined"


@pytest.mark.parametrize(("active", "state"), [("true", "open"), ("false", "done")])
def test_a_state_of_the_customers_own_is_told_by_whether_it_is_active(
    instance: Any, active: str, state: str
) -> None:
    system = opened(instance)
    instance.values().update(state="42", active=active)
    assert system.standings([FIRST])[FIRST].state == state


def test_many_are_asked_about_a_hundred_at_a_time(instance: Any) -> None:
    system = opened(instance)
    asked = [f"INC{number:07}" for number in range(10_001, 10_251)]
    assert len(system.standings(asked)) == 250
    assert len(instance.server.requests) == 3
    assert system.standings([]) == {}


def test_what_may_not_be_read_is_not_gone(instance: Any) -> None:
    system = opened(instance)
    instance.server.replies(Reply(200, {"result": []}, {"X-Total-Count": "1"}))
    assert system.standings([FIRST]) == {}


def test_an_instance_that_is_asleep_is_waited_for(instance: Any) -> None:
    system = opened(instance)
    instance.now.asleep = True
    with pytest.raises(TransientError, match="asleep") as asleep:
        system.open(Draft(WHY, "cd" * 20))
    assert (asleep.value.sent, asleep.value.retry_after) == (True, 300.0)
    assert len(instance.server.requests) == 1


def test_a_rate_limit_rule_is_waited_for(instance: Any) -> None:
    system = instance.system(per_hour=1)
    system.open(Draft(WHY, KEY))
    with pytest.raises(TransientError) as limited:
        system.open(Draft(WHY, "cd" * 20))
    assert 0 < (limited.value.retry_after or 0) <= 3600
    assert not limited.value.sent
    assert len(instance.now.tickets()) == 1


@pytest.mark.parametrize(
    ("reply", "error", "sent_", "wait"),
    [
        (Reply(429), TransientError, False, 60.0),
        (Reply(429, None, {"Retry-After": "7"}), TransientError, False, 7.0),
        (Reply(503), TransientError, True, None),
        (Reply(hang_up=True), TransientError, True, None),
        (Reply(401, {"error": {"message": "User Not Authenticated"}}), DeniedError, False, None),
        (Reply(403), DeniedError, False, None),
        (Reply(404, {"error": {"message": "No Record found"}}), PermanentError, False, None),
        (Reply(400, {"error": {"message": "Invalid table"}}), PermanentError, False, None),
        (Reply(302, None, {"Location": "https://x.example"}), PermanentError, False, None),
        (Reply(201, {"result": {"number": "../x"}}), PermanentError, True, None),
        (Reply(201, {"result": []}), PermanentError, True, None),
        (Reply(201, b"{"), PermanentError, True, None),
    ],
)
def test_each_answer_means_what_follows(
    instance: Any, reply: Reply, error: type[Exception], sent_: bool, wait: float | None
) -> None:
    system = instance.system()
    instance.server.answer = lambda _request: reply
    with pytest.raises(error) as raised:
        system.open(Draft(WHY, KEY))
    assert type(raised.value) is error
    assert raised.value.sent is sent_  # type: ignore[attr-defined]
    assert getattr(raised.value, "retry_after", None) == wait
    assert len(instance.server.requests) == 1


@pytest.mark.parametrize("ticket", ["", "INC1^active=true", "INC1\n", "a,b", "x" * 41, "@INC1"])
def test_what_is_no_number_gets_into_no_query(instance: Any, ticket: str) -> None:
    system = opened(instance)
    for call in (system.close, system.reopen, system.comment):
        with pytest.raises(PermanentError, match="no number"):
            call(ticket, WHY, "m", in_doubt=True)
    with pytest.raises(PermanentError, match="no number"):
        system.link(FIRST, ticket)
    assert system.standings([ticket]) == {}
    assert not instance.server.requests


def test_requests_keep_to_the_table_apis_schema(instance: Any) -> None:
    system = instance.system(assignment_group=GROUP, category="security")
    for number, text in enumerate(("x" * 10_000, "[code]<b>x</b>[/code]", "日本語🙂\n" * 500)):
        system.open(Draft(message(text), f"{number:040x}", priority="2/3"))
        ticket = f"INC{10_001 + number:07}"
        system.comment(ticket, message(text), "m", in_doubt=False)
        system.close(ticket, message(text), "m1", in_doubt=False)
        system.reopen(ticket, message(text), "m2", in_doubt=False)
    system.prioritise(FIRST, "1/1")
    system.link(FIRST, "INC0010002")
    for one in instance.server.requests:
        if one.body:
            schema = {**SCHEMA, "$ref": f"#/$defs/{one.method}"}
            Draft202012Validator(schema).validate(one.json)
            assert one.headers["accept"] == "application/json"
    assert len(sent(instance, "PATCH")) == 11


@settings(deadline=None)
@given(HOSTILE)
def test_no_text_becomes_markup_mention_or_link_in_a_record(x: str) -> None:
    text = to_servicenow(message(x), 4_000)
    assert len(text) <= records.LENGTHS["description"]
    assert not re.search(r"\[\s*/?\s*code\b", text, re.IGNORECASE)
    assert not re.search(r"@\s*\[", text)
    for link in re.findall(r"\w+://\S*", text):
        assert link.startswith("https://a.example/")
    assert not re.search(r"[\x00-\x08\u202a-\u202e]", text)


@settings(deadline=None)
@given(HOSTILE, HOSTILE)
def test_two_values_side_by_side_make_no_markup(x: str, y: str) -> None:
    joined = harmless(f"{x}[co{y}de]@{x}[/CODE ]")
    assert len(joined) == len(f"{x}[co{y}de]@{x}[/CODE ]")
    assert not re.search(r"\[\s*/?\s*code\b|@\s*\[", joined, re.IGNORECASE)

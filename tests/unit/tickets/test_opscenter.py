"""The life of an OpsItem after it was opened: what became of it, closing, reopening."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from werkzeug.test import Client

from factories import ACCOUNT, NOW, REGION, incident, runtime, work
from hostile import HOSTILE, message
from hub_responder import clock
from hub_responder.actions import open_ticket
from hub_responder.actions.base import Outcome
from hub_responder.connections.resolve import named
from hub_responder.deadline import Deadline
from hub_responder.errors import ConfigurationError, PermanentError, TransientError
from hub_responder.incident import Incident
from hub_responder.markdown.characters import width
from hub_responder.markdown.document import Document, Paragraph, Text
from hub_responder.tickets import opscenter, registry
from hub_responder.tickets.ticket import Draft, Standing, TicketSystem
from hub_toolkit.sandbox.opscenter import OpsCenter
from loopback import Cloud, Reply, error, simulated

BODY = Document((Paragraph((Text("Nothing protects web-01."),)),))
WHY = Document((Paragraph((Text("Nothing is open any more."),)),))
AGAIN = Document((Paragraph((Text("It came back."),)),))
NOBODY = "oi-000000000000"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
DATA = {
    "type": "object",
    "propertyNames": {"maxLength": 128, "not": {"pattern": "^/?(aws|amazon|amzn|ssm)"}},
    "additionalProperties": {
        "type": "object",
        "properties": {
            "Type": {"enum": ["String", "SearchableString"]},
            "Value": {"type": "string", "maxLength": 20_480},
        },
        "required": ["Type", "Value"],
        "additionalProperties": False,
    },
}
ID = {"type": "string", "pattern": "^(oi)-[0-9a-f]{12}$"}
UPDATE = Draft202012Validator(
    {
        "$comment": "Systems Manager API Reference, UpdateOpsItem",
        "type": "object",
        "required": ["OpsItemId"],
        "properties": {
            "OpsItemId": ID,
            "Description": {"type": "string", "minLength": 1, "maxLength": 2048, "pattern": "\\S"},
            "OperationalData": DATA,
            "OperationalDataToDelete": {"type": "array", "items": {"type": "string"}},
            "Priority": {"type": "integer", "minimum": 1, "maximum": 5},
            "RelatedOpsItems": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"OpsItemId": ID},
                    "required": ["OpsItemId"],
                    "additionalProperties": False,
                },
            },
            "Status": {"enum": ["Open", "InProgress", "Resolved"]},
        },
        "additionalProperties": False,
    }
)


@pytest.fixture
def center() -> OpsCenter:
    return OpsCenter(lambda: NOW, REGION, ACCOUNT)


@pytest.fixture
def system(cloud: Cloud, center: OpsCenter) -> TicketSystem:
    scripted, answer = cloud.answer, simulated(Client(center.app))

    def served(request: Any) -> Reply:
        told = scripted(request)
        return told if cloud.script.get(cloud.calls[-1][0]) else answer(request)

    cloud.answer = served
    run_time = runtime()
    return registry.find(named(run_time.playbook, "ops"), run_time)


@pytest.fixture
def item(system: TicketSystem) -> str:
    return system.open(Draft(BODY, "ab" * 20, priority="2")).id


def held(center: OpsCenter, number: int = 0) -> dict[str, Any]:
    return center.items()[number]


def updates(cloud: Cloud) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = cloud.called("UpdateOpsItem")
    for one in sent:
        assert not list(UPDATE.iter_errors(one))
    return sent


@pytest.mark.parametrize(
    ("decision", "state", "label"),
    [("done", "done", "Resolved"), ("declined", "declined", "Resolved: risk accepted")],
)
def test_what_people_decided_is_told_with_who_and_when(  # noqa: PLR0917 - fixtures and cases
    system: TicketSystem, center: OpsCenter, item: str, decision: str, state: Any, label: str
) -> None:
    assert system.standings([item]) == {item: Standing("open", "Open", priority="2")}
    center.decide(item, decision)
    told = Standing(state, label, ROOT, "2", NOW)
    assert system.standings([item, NOBODY, "SEC-1", item]) == {item: told, NOBODY: Standing("gone")}
    center.decide(item, "open")
    assert system.standings([item]) == {item: Standing("open", "Open", priority="2")}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("InProgress", "open"),
        ("Pending", "open"),
        ("New", "open"),
        ("Closed", "done"),
        ("Cancelled", "declined"),
    ],
)
def test_every_status_is_one_state(
    system: TicketSystem, cloud: Cloud, status: str, state: str
) -> None:
    cloud.script["GetOpsItem"] = [Reply(200, {"OpsItem": {"Status": status}})]
    assert system.standings([NOBODY])[NOBODY].state == state


def test_what_is_throttled_is_left_out(system: TicketSystem, cloud: Cloud, item: str) -> None:
    throttled = error("ThrottlingException", status=400)
    found = Reply(200, {"OpsItem": {"Status": "Open"}})
    cloud.script["GetOpsItem"] = [found, throttled]
    assert list(system.standings([item, NOBODY])) == [item]
    with pytest.raises(TransientError):
        system.standings([item, NOBODY])


def test_none_is_asked_about_without_time(cloud: Cloud) -> None:
    late = runtime(deadline=Deadline.after(0))
    system = registry.find(named(late.playbook, "ops"), late)
    with pytest.raises(TransientError):
        system.standings([NOBODY])
    assert not cloud.called("GetOpsItem")


def test_closing_says_why_in_one_request(
    system: TicketSystem, center: OpsCenter, cloud: Cloud, item: str
) -> None:
    assert system.close(item, WHY, "hr-1", in_doubt=False)
    now = held(center)
    assert now["Status"] == "Resolved"
    assert now["Description"] == (
        "Nothing protects web-01.\n\n[hub-responder] Nothing is open any more."
    )
    kept = now["OperationalData"][opscenter.CLOSED]["Value"]
    assert kept == "Nothing is open any more.\n\nhr-1"
    assert "/aws/dedup" in now["OperationalData"]
    assert not system.close(item, WHY, "hr-1", in_doubt=True)
    assert len(updates(cloud)) == 1


def test_what_somebody_closed_stays_as_it_is(
    system: TicketSystem, center: OpsCenter, cloud: Cloud, item: str
) -> None:
    center.decide(item, "declined")
    assert not system.close(item, WHY, "hr-1", in_doubt=False)
    assert not updates(cloud)
    assert held(center)["Description"] == "Nothing protects web-01."


def test_reopening_replaces_the_reason_and_what_declined_it(
    system: TicketSystem, center: OpsCenter, cloud: Cloud, item: str
) -> None:
    assert not system.reopen(item, AGAIN, "hr-2", in_doubt=False)
    system.close(item, WHY, "hr-1", in_doubt=False)
    center.decide(item, "declined")
    assert system.reopen(item, AGAIN, "hr-2", in_doubt=False)
    now = held(center)
    assert now["Status"] == "Open"
    assert now["Description"] == "Nothing protects web-01.\n\n[hub-responder] It came back."
    assert opscenter.DECLINED not in now["OperationalData"]
    assert now["OperationalData"][opscenter.REOPENED]["Value"].endswith("hr-2")
    assert system.standings([item])[item].state == "open"
    assert not system.reopen(item, AGAIN, "hr-2", in_doubt=True)
    assert len(updates(cloud)) == 2


def test_an_item_whose_place_another_has_taken_stays_closed(
    system: TicketSystem, center: OpsCenter, item: str
) -> None:
    system.close(item, WHY, "hr-1", in_doubt=False)
    second = system.open(Draft(BODY, "ab" * 20)).id
    assert second != item
    with pytest.raises(PermanentError, match="OpsItemAlreadyExistsException"):
        system.reopen(item, AGAIN, "hr-2", in_doubt=False)
    assert held(center)["Status"] == "Resolved"


def test_priorities_are_one_to_five(
    system: TicketSystem, center: OpsCenter, cloud: Cloud, item: str
) -> None:
    assert system.prioritise(item, "1")
    assert not system.prioritise(item, "1")
    assert held(center)["Priority"] == 1
    for wrong in ("0", "6", "High", "", "١"):
        with pytest.raises(ConfigurationError, match="1 to 5"):
            system.prioritise(item, wrong)
    assert len(updates(cloud)) == 1


def test_an_item_follows_earlier_ones_and_keeps_what_people_related(
    system: TicketSystem, center: OpsCenter, cloud: Cloud, item: str
) -> None:
    others = [system.open(Draft(BODY, key * 20)).id for key in ("cd", "ef")]
    for earlier in (*others, others[0]):
        system.link(item, earlier)
    assert held(center)["RelatedOpsItems"] == [{"OpsItemId": other} for other in others]
    assert len(updates(cloud)) == 2
    with pytest.raises(PermanentError, match="is no OpsItem"):
        system.link(item, "SEC-1")


def test_what_is_gone_or_none_of_opscenters_is_said(system: TicketSystem, cloud: Cloud) -> None:
    with pytest.raises(PermanentError, match=f"there is no OpsItem {NOBODY}"):
        system.close(NOBODY, WHY, "hr-1", in_doubt=False)
    with pytest.raises(PermanentError, match="'SEC-1' is no OpsItem"):
        system.reopen("SEC-1", WHY, "hr-1", in_doubt=False)
    cloud.script["GetOpsItem"] = [Reply(200, {})]
    with pytest.raises(PermanentError, match="without the OpsItem"):
        system.prioritise(NOBODY, "1")
    assert not updates(cloud)


@given(HOSTILE, st.text(min_size=1, max_size=2048))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_every_reason_fits_beside_every_description_of_ours(value: str, description: str) -> None:
    ours = {opscenter.WRITTEN: {"Value": opscenter._digest(description)}}
    held = {"Status": "Open", "Description": description, "OperationalData": ours}
    told = opscenter._told(held, message(value), "hr-1", opscenter.CLOSED)
    assert not list(UPDATE.iter_errors({"OpsItemId": NOBODY, **told}))
    assert width(told["Description"]) <= 2048
    reason = told["OperationalData"][opscenter.CLOSED]["Value"]
    assert len(reason.encode()) <= 20_480
    assert reason.endswith("hr-1")
    twice = opscenter._told({**held, **told}, AGAIN, "hr-2", opscenter.REOPENED)
    assert twice["Description"].count("[hub-responder] It came back.") == 1
    assert twice["Description"].endswith("[hub-responder] It came back.")


@given(st.text(min_size=1, max_size=2048))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_no_letter_of_a_persons_description_is_lost(description: str) -> None:
    held = {"Status": "Open", "Description": description}
    for number in range(2):
        told = opscenter._told(held, AGAIN, f"hr-{number}", opscenter.REOPENED)
        assert opscenter.WRITTEN not in told["OperationalData"]
        held = {**held, **told}
        assert held["Description"].startswith(description)
        assert width(held["Description"]) <= max(2048, width(description))


def test_what_a_person_wrote_below_a_reason_stays_when_the_item_is_turned_again(
    system: TicketSystem, center: OpsCenter, cloud: Cloud, item: str
) -> None:
    system.close(item, WHY, "hr-1", in_doubt=False)
    note = held(center)["Description"] + "\n\nAsk Kim before you patch."
    center.handle("UpdateOpsItem", {"OpsItemId": item, "Description": note})
    assert system.reopen(item, AGAIN, "hr-2", in_doubt=False)
    assert held(center)["Description"] == f"{note}\n\n[hub-responder] It came back."
    full = "Kim's own words. " * 120
    center.handle("UpdateOpsItem", {"OpsItemId": item, "Description": full})
    assert system.close(item, WHY, "hr-3", in_doubt=False)
    assert held(center)["Description"] == full
    assert held(center)["OperationalData"][opscenter.CLOSED]["Value"].endswith("hr-3")
    assert held(center)["Status"] == "Resolved"


def test_the_actions_are_those_that_are_called() -> None:
    create, others = registry.statements(
        [{"type": kind} for kind in ("opscenter", "jira", "opscenter")]
    )
    assert create["Action"] == ["ssm:CreateOpsItem"]
    assert others["Action"] == ["ssm:GetOpsItem", "ssm:UpdateOpsItem"]
    ours = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:opsitem/*"
    assert others["Resource"] == [{"Fn::Sub": ours}]


def test_a_long_description_gives_way_to_the_reason(
    system: TicketSystem, center: OpsCenter
) -> None:
    long = Document((Paragraph((Text("x" * 5000),)),))
    item = system.open(Draft(long, "ab" * 20)).id
    assert len(held(center)["Description"]) > 2040
    system.close(item, long, "hr-1", in_doubt=False)
    text = held(center)["Description"]
    assert 2040 < len(text) <= 2048
    before, note = text.split("\n\n[hub-responder] ")
    assert 1500 < len(before) < 1600
    assert 400 < len(note) <= 500


def step(about: Incident, priority: str = "") -> Outcome:
    params = open_ticket.Params("ops", "ticket.md.j2", priority)
    (outcome,) = open_ticket.run([work(params, about)], runtime())
    return outcome


def test_an_incident_that_comes_back_opens_its_item_again(
    system: TicketSystem, center: OpsCenter, cloud: Cloud, item: str
) -> None:
    refs = {"ops": {"ticket": item, "url": "u"}}
    assert "told in a comment" in step(incident(refs=refs, round=2, change="grew")).detail
    assert opscenter.ADDED in held(center)["OperationalData"]
    center.decide(item, "done")
    about = incident(refs=refs, gen=2, change="reopened")
    planned = open_ticket.plan(work(open_ticket.Params("ops", "ticket.md.j2"), about), runtime())
    assert planned.startswith(f"would comment on {item} in ops")
    outcome = step(about)
    assert (outcome.status, outcome.result["reopened"]) == ("done", True)
    assert held(center)["Status"] == "Open"
    assert "[hub-responder] " in held(center)["Description"]
    assert len(center.items()) == 1


def test_a_higher_severity_raises_the_priority(
    system: TicketSystem, center: OpsCenter, item: str
) -> None:
    refs = {"ops": {"ticket": item, "url": "u"}}
    outcome = step(incident(refs=refs, round=2, change="raised"), priority="1")
    assert outcome.detail.endswith("; priority 1")
    assert held(center)["Priority"] == 1
    assert held(center)["Description"] == "Nothing protects web-01."


def test_what_joins_stands_in_the_operational_data_the_newest_first(
    system: TicketSystem, center: OpsCenter, cloud: Cloud, item: str
) -> None:
    assert system.comment(item, WHY, "hr-1", in_doubt=False)
    assert system.comment(item, AGAIN, "hr-2", in_doubt=False)
    assert not system.comment(item, AGAIN, "hr-2", in_doubt=True)
    told = held(center)["OperationalData"][opscenter.ADDED]["Value"]
    assert told.index("It came back.") < told.index("Nothing is open any more.")
    assert (told.count("hr-1"), told.count("hr-2")) == (1, 1)
    assert len(updates(cloud)) == 2
    assert held(center)["Description"] == "Nothing protects web-01."


def test_each_thing_told_begins_with_its_time_and_is_known_by_its_whole_mark(
    system: TicketSystem, center: OpsCenter, item: str
) -> None:
    clock.follow(lambda: NOW)
    try:
        assert system.comment(item, AGAIN, "hr-1-10", in_doubt=False)
        assert system.comment(item, WHY, "hr-1-1", in_doubt=True)
    finally:
        clock.follow(None)
    told = held(center)["OperationalData"][opscenter.ADDED]["Value"]
    at = clock.iso(NOW)
    assert told == (
        f"{at}\n\nNothing is open any more.\n\nhr-1-1\n\n----\n\n{at}\n\nIt came back.\n\nhr-1-10"
    )


def test_the_oldest_gives_way_where_there_is_no_more_room(
    system: TicketSystem, center: OpsCenter, cloud: Cloud, item: str
) -> None:
    long = Document((Paragraph((Text("検出" * 1900),)),))
    for number in range(4):
        assert system.comment(item, long, f"hr-{number}", in_doubt=False)
    told = held(center)["OperationalData"][opscenter.ADDED]["Value"]
    assert len(told.encode()) <= opscenter.MAX_VALUE
    assert "hr-3" in told
    assert "hr-0" not in told
    updates(cloud)

"""What failed for good is tried again when an operator says so: once, and for the same incident."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from hub_responder.actions.base import Outcome
from world import Sent, World, event, finding


def letter(world: World) -> dict[str, Any]:
    """The body of the one letter in the DLQ, which is taken out."""
    (dead,) = world.dead
    world.dead.clear()
    body: dict[str, Any] = json.loads(dead.body)
    return body


def again(body: dict[str, Any], name: str = "1") -> str:
    """The message that asks for another try of what a letter tells."""
    kept = {key: body[key] for key in ("step", "pk", "findings")}
    return json.dumps(
        {"hub_responder": "redrive", "event_id": f"redrive:{name}", **kept}, separators=(",", ":")
    )


def attributes(sent: Sent) -> dict[str, str]:
    return {name: value["StringValue"] for name, value in sent.attributes.items()}


def ticket_failed(world: World) -> dict[str, Any]:
    """A finding whose message was sent and whose ticket was refused; its letter."""
    world.fail["ticket"] = [Outcome("failed", "jira answered 400")]
    world.send(event(finding(1)))
    world.drain()
    assert (world.opened, len(world.told)) == ([], 1)
    return letter(world)


def test_a_letter_names_its_playbook_its_queue_and_what_brought_it(make_world: Any) -> None:
    world = make_world()
    world.fail["ticket"] = [Outcome("failed", "jira answered 400")]
    world.send(event(finding(1), clicked="c-1"), "clicks")
    world.drain()
    (dead,) = world.dead
    assert attributes(dead) == {
        "reason": "ticket: jira answered 400",
        "playbook": "modelled",
        "queue": "clicks",
    }
    assert json.loads(dead.body)["trigger"] == "custom_action"


def test_the_step_that_failed_is_done_and_nobody_is_told_again(make_world: Any) -> None:
    world = make_world(quiet=3600.0)
    body = ticket_failed(world)
    for _ in range(2):
        world.send(again(body))
        world.drain()
    assert (len(world.opened), len(world.told)) == (1, 1)
    assert [one["done"]["N"] for one in world.incidents()] == ["2"]
    assert world.dead == []


def test_another_letter_about_the_same_finding_is_another_request(make_world: Any) -> None:
    world = make_world()
    body = ticket_failed(world)
    world.send(again(body, "1"))
    world.send(again(body, "2"))
    world.drain(batch=1, runs=1)
    assert (len(world.opened), len(world.incidents())) == (1, 1)
    assert not [one for one in world.findings() if "closed" in one]


def test_it_is_the_same_incident_whatever_group_by_says_now(make_world: Any) -> None:
    world = make_world()
    body = ticket_failed(world)
    world.playbook = msgspec.structs.replace(world.playbook, group_by=("finding.account.id",))
    world.send(again(body))
    world.drain()
    assert [one["pk"]["S"] for one in world.incidents()] == [body["pk"]]


def test_an_incident_of_another_playbook_is_not_touched(make_world: Any) -> None:
    world = make_world()
    body = ticket_failed(world)
    world.send(again(body | {"pk": "another#" + "0" * 64}))
    world.drain()
    assert [one["pk"]["S"] for one in world.incidents()] == [body["pk"]]
    assert len(world.opened) == 1


def test_conditions_that_could_not_be_told_are_asked_again(make_world: Any) -> None:
    world = make_world()
    plain = world.playbook
    world.playbook = msgspec.structs.replace(plain, group_by=("finding.nothing",))
    for number in (1, 2):
        world.send(event(finding(number)))
    world.drain(batch=10, runs=1)
    bodies = [json.loads(dead.body) for dead in world.dead]
    world.playbook = msgspec.structs.replace(
        plain, only_if=(f"finding.id == '{finding(1)['Id']}'",)
    )
    for number, body in enumerate(bodies):
        world.send(again(body, str(number)))
    world.drain()
    assert world.written == {finding(1)["Id"]: 1}
    skipped = [one["findings"] for one in world.records() if one["kind"] == "skipped"]
    assert skipped == [[finding(2)["Id"]]]


def test_an_end_that_failed_is_ended_once_more_and_only_once(make_world: Any) -> None:
    world = make_world()
    world.send(event(finding(1)))
    world.drain()
    world.fail["ticket"] = [Outcome("failed", "jira answered 400")]
    gone = finding(1, version=2) | {"RecordState": "ARCHIVED"}
    world.send(event(gone))
    world.drain()
    assert world.open == {"T-1": True}
    body = letter(world)
    end = json.dumps(
        {"hub_responder": "settle", "pk": body["pk"], "ended": body["ended"]},
        separators=(",", ":"),
    )
    for _ in range(3):
        world.send(end)
        world.drain()
    assert world.open == {"T-1": False}
    assert [one["kind"] for one in world.records()].count("ended") == 2
    (incident,) = world.incidents()
    assert "closed" in incident


def test_an_end_is_not_tried_again_once_a_finding_has_come_back(make_world: Any) -> None:
    world = make_world()
    world.send(event(finding(1)))
    world.drain()
    world.fail["ticket"] = [Outcome("failed", "jira answered 400")]
    world.send(event(finding(1, version=2) | {"RecordState": "ARCHIVED"}))
    world.drain()
    body = letter(world)
    world.send(event(finding(1, version=3)))
    world.drain()
    world.send(json.dumps({"hub_responder": "settle", "pk": body["pk"], "ended": body["ended"]}))
    world.drain()
    assert world.open == {"T-1": True}

"""While a playbook is paused it decides and records; its effects wait, and happen once after it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from hub_responder.actions.base import Outcome
from hub_responder.connections.returned import tags
from hub_responder.playbook import Wait
from world import World, event, finding

DAY = 86_400.0


def kinds(world: World) -> list[str]:
    return [record["kind"] for record in world.records()]


def effects(world: World) -> tuple[int, int, int]:
    """Tickets, messages and findings written."""
    return len(world.opened), len(world.told), sum(world.written.values())


def test_an_imported_finding_is_decided_and_recorded_and_has_no_effect(make_world: Any) -> None:
    world = make_world()
    world.playbook = msgspec.structs.replace(world.playbook, only_if=("finding.severity != 'LOW'",))
    world.pause()
    world.send(event(finding(1)))
    world.pass_time(3600)
    assert effects(world) == (0, 0, 0)
    (decided,) = [one for one in world.records() if one["kind"] == "decided"]
    assert decided["conditions"] == {"finding.severity != 'LOW'": True}
    assert kinds(world).count("paused") == 1
    (paused,) = [one for one in world.records() if one["kind"] == "paused"]
    assert paused["detail"].endswith("a storm")
    assert (paused["findings"], "role/R/ada" in paused["detail"]) == ([finding(1)["Id"]], True)
    assert "attempt" not in kinds(world)
    look = [one for one in world.records() if one.get("step") == "look"]
    assert look[0]["status"] == "done"
    world.resume()
    world.pass_time(60)
    assert effects(world) == (1, 1, 1)


def test_what_waited_goes_on_once_however_often_it_is_told(make_world: Any) -> None:
    world = make_world()
    world.pause()
    for number in range(6):
        world.send(event(finding(number, instance=number % 3)))
    world.pass_time(2 * DAY)
    assert effects(world) == (0, 0, 0)
    assert len(world.incidents()) == 3
    world.resume()
    for sent in list(world.queue):
        world.send(sent.body, sent.queue)
    world.drain()
    assert (len(world.opened), len(set(world.opened))) == (3, 3)
    told = [one for _, ids in world.told for one in ids]
    assert sorted(told) == sorted(finding(number)["Id"] for number in range(6))
    assert set(world.written.values()) == {1}
    assert world.dead == []


def test_a_pause_stops_a_run_between_two_steps(make_world: Any) -> None:
    world = make_world()
    real = world.action("ticket")

    def run(works: Any, runtime: Any) -> list[Outcome]:
        outcomes = real.run(works, runtime)
        world.pause()
        return outcomes

    world.replaced["ticket"] = replace(real, run=run)
    world.send(event(finding(1)))
    world.pass_time(60)
    assert effects(world) == (1, 0, 0)
    del world.replaced["ticket"]
    world.resume()
    world.drain()
    assert effects(world) == (1, 1, 1)
    attempts = [one["step"] for one in world.records() if one["kind"] == "attempt"]
    assert attempts == ["ticket", "tell", "write"]


def test_an_attempt_in_doubt_stays_in_doubt_over_a_pause(make_world: Any) -> None:
    world = make_world()
    doubts: list[bool] = []
    real = world.action("tell")

    def run(works: Any, runtime: Any) -> list[Outcome]:
        doubts.extend(work.in_doubt for work in works)
        return real.run(works, runtime)

    world.replaced["tell"] = replace(real, run=run)
    world.fail["tell"] = [Outcome("deferred", "timed out", in_doubt=True)]
    world.send(event(finding(1)))
    world.pass_time(1)
    world.pause()
    world.pass_time(3600)
    world.resume()
    world.drain()
    assert doubts == [False, True]
    assert len(world.told) == 1


def test_the_time_of_a_pause_uses_up_no_patience(make_world: Any) -> None:
    world = make_world()
    world.fail["tell"] = [Outcome("deferred", "slack answers 503")]
    world.send(event(finding(1)))
    world.pass_time(5)
    world.pause()
    world.pass_time(3 * DAY)
    world.fail["tell"] = [Outcome("deferred", "slack answers 503")] * 2
    world.resume()
    world.drain()
    assert effects(world) == (1, 1, 1)
    assert world.dead == []


def test_what_was_read_before_the_pause_is_read_again(make_world: Any) -> None:
    world = make_world()
    world.pause()
    world.send(event(finding(1)))
    world.pass_time(DAY)
    world.verdict = {"verdict": "PROTECTED"}
    world.resume()
    world.drain()
    assert effects(world) == (0, 1, 1)


def test_a_finding_that_left_during_the_pause_has_no_effect_after_it(make_world: Any) -> None:
    world = make_world()
    world.pause()
    world.send(event(finding(1)))
    world.pass_time(60)
    world.send(event(finding(1, version=2) | {"RecordState": "ARCHIVED"}))
    world.pass_time(60)
    world.resume()
    world.drain()
    assert effects(world) == (0, 0, 0)


def test_findings_that_join_during_a_pause_are_in_the_round_after_it(make_world: Any) -> None:
    world = make_world(wait=Wait(15, 120))
    world.pause()
    for number in range(4):
        world.send(event(finding(number)))
        world.pass_time(600)
    assert effects(world) == (0, 0, 0)
    assert len(world.queue) == 1, "one settle message for the incident, however many have joined"
    world.resume()
    world.drain()
    told = {one for _, ids in world.told for one in ids}
    assert told == {finding(number)["Id"] for number in range(4)}
    assert len(world.opened) == 1


def test_an_end_waits_for_the_end_of_the_pause(make_world: Any) -> None:
    world = make_world()
    world.send(event(finding(1)))
    world.drain()
    world.pause()
    world.send(event(finding(1, version=2) | {"RecordState": "ARCHIVED"}))
    world.pass_time(DAY)
    assert (world.open, world.ended) == ({"T-1": True}, [])
    world.resume()
    world.drain()
    assert (world.open, len(world.ended)) == ({"T-1": False}, 1)


def test_a_playbook_that_only_observes_goes_on_observing(make_world: Any) -> None:
    world = make_world()
    world.playbook = msgspec.structs.replace(world.playbook, mode="observe")
    world.pause()
    world.send(event(finding(1)))
    world.drain()
    assert effects(world) == (0, 0, 0)
    assert "finished" in kinds(world)


def test_an_e_mail_that_comes_back_is_taken_up_after_the_pause(
    make_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_TABLE", "ledger")
    monkeypatch.delenv("NOTIFICATIONS_TOPIC_ARN", raising=False)
    world = make_world()
    about = tags("test", "soc-mail", "modelled#" + "5" * 64, 1, "ab" * 20)
    mail = {"tags": {one["Name"]: [one["Value"]] for one in about}}
    complaint = {"complaintFeedbackType": "abuse", "complainedRecipients": []}
    detail = {"eventType": "Complaint", "mail": mail, "complaint": complaint}
    envelope = {"id": "e-1", "source": "aws.ses", "time": "2026-11-22T00:00:01Z", "region": "r"}
    envelope["detail-type"] = "Email Complaint Received"
    world.pause()
    world.send(json.dumps({**envelope, "detail": detail}))
    world.pass_time(3 * DAY)
    assert "returned" not in kinds(world)
    assert len(world.queue) == 1
    world.resume()
    world.pass_time(1000)
    assert kinds(world).count("returned") == 1
    assert (world.queue, world.dead) == ([], [])


def test_a_failed_step_is_told_after_the_pause_only(make_world: Any) -> None:
    world = make_world()

    def refuse(works: Any, _runtime: Any) -> list[Outcome]:
        world.pause()
        return [Outcome("failed", "jira answers 400") for _ in works]

    world.replaced["ticket"] = replace(world.action("ticket"), run=refuse)
    world.send(event(finding(1)))
    world.pass_time(60)
    steps = [(one["step"], one["status"]) for one in world.records() if one["kind"] == "outcome"]
    assert ("_notice", "deferred") in steps
    world.resume()
    world.drain()
    steps = [(one["step"], one["status"]) for one in world.records() if one["kind"] == "outcome"]
    assert ("_notice", "done") in steps
    assert len(json.loads(world.dead[0].body)["findings"]) == 1


@pytest.mark.parametrize("seed", range(12))
def test_pauses_kills_and_repeats_lose_nothing_and_do_nothing_twice(
    make_world: Any, seed: int
) -> None:
    world = make_world(seed, kills=3, wait=Wait(15, 60))
    bodies = [event(finding(number, instance=number % 4)) for number in range(12)]
    for number, body in enumerate(bodies):
        world.send(body, delay=number * 7.0)
        if number % 3 == 0:
            world.send(body, delay=number * 11.0)
    for _ in range(3):
        world.pass_time(world.gate.random.uniform(1, 60), runs=2)
        world.pause()
        before = effects(world)
        world.pass_time(world.gate.random.uniform(60, 2000), runs=2)
        assert effects(world) == before
        world.resume()
    world.drain()
    assert sorted(world.opened) == sorted(set(world.opened))
    assert {one for _, ids in world.told for one in ids} == {
        finding(number)["Id"] for number in range(12)
    }
    assert all(one["round"] == one["done"] for one in world.incidents())

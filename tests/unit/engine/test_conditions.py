"""Which findings a playbook takes, and what is recorded about it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from hub_responder import clock, member
from hub_responder.actions.base import Outcome
from hub_responder.playbook import Calendar, Playbook, Step, Wait
from loopback import Cloud, Reply
from world import ACCOUNT, Killed, World, event, finding

SEVERE = "finding.severity >= 'HIGH'"
URGENT = "tag('priority') == '緊急'"


def change(world: World, **fields: Any) -> None:
    """Another version of the world's playbook."""
    world.playbook = msgspec.structs.replace(world.playbook, **fields)


def tagged(one: dict[str, Any], **tags: str) -> dict[str, Any]:
    one["Resources"][0]["Tags"] = tags
    return one


def records(world: World, kind: str) -> list[dict[str, Any]]:
    return [record for record in world.records() if record["kind"] == kind]


def ask(world: World, *findings: dict[str, Any]) -> None:
    for one in findings:
        world.send(event(one))
    world.drain()


def test_only_what_all_conditions_take_is_handled_and_each_value_is_recorded(
    make_world: Any,
) -> None:
    world = make_world()
    change(world, only_if=(SEVERE, "finding.title != 'x'"))
    low, high = finding(1, 1, "LOW"), finding(2, 2, "CRITICAL")
    ask(world, low, high)
    assert [ids for _, ids in world.told] == [{high["Id"]}]
    (skipped,) = records(world, "skipped")
    assert skipped["findings"] == [low["Id"]]
    assert skipped["detail"] == f"not so: {SEVERE}"
    assert skipped["conditions"] == {SEVERE: False}
    (decided,) = records(world, "decided")
    assert decided["findings"] == [high["Id"]]
    assert decided["conditions"] == {SEVERE: True, "finding.title != 'x'": True}


def test_any_always_if_passes_over_only_if(make_world: Any) -> None:
    world = make_world()
    change(world, only_if=(SEVERE,), always_if=("finding.title == 'x'", URGENT))
    ask(world, tagged(finding(1, 1, "LOW"), priority="緊急"), tagged(finding(2, 2, "LOW")))
    assert len(world.told) == 1
    (decided,) = records(world, "decided")
    assert decided["conditions"] == {"finding.title == 'x'": False, URGENT: True}


def test_without_conditions_nothing_is_recorded_about_them(make_world: Any) -> None:
    world = make_world()
    ask(world, finding(1))
    assert records(world, "decided") == []


def test_a_condition_that_errors_changes_nothing_and_its_neighbours_go_on(make_world: Any) -> None:
    world = make_world()
    change(world, only_if=("table.risk[finding.account.id] > 1",), tables={"risk": {ACCOUNT: 2}})
    other = finding(1, 1)
    other["AwsAccountId"] = "444455556666"
    other["Resources"][0]["Id"] = other["Resources"][0]["Id"].replace(ACCOUNT, "444455556666")
    good = finding(2, 2)
    ask(world, other, good)
    assert [ids for _, ids in world.told] == [{good["Id"]}]
    (dead,) = records(world, "dead")
    assert dead["findings"] == [other["Id"]]
    assert dead["detail"].startswith("could not decide: ")
    (letter,) = world.dead
    assert "could not decide" in letter.attributes["reason"]["StringValue"]
    assert json.loads(letter.body)["findings"][0]["id"] == other["Id"]


def test_a_look_up_that_fails_for_now_brings_back_its_message_and_no_other(
    make_world: Any, cloud: Cloud
) -> None:
    member.forget()
    cloud.script["GetCallerIdentity"] = [Reply(503)]
    world = make_world()
    change(world, only_if=(URGENT,), functions=("tag",), give_up_after=20.0)
    asks, known = finding(1, 1), tagged(finding(2, 2), priority="緊急")
    ask(world, asks, known)
    assert [ids for _, ids in world.told] == [{known["Id"]}]
    (deferred,) = records(world, "deferred")
    assert deferred["findings"] == [asks["Id"]]
    assert deferred["trigger"]["kind"] == "imported"
    assert [record["findings"] for record in records(world, "dead")] == [[asks["Id"]]]
    (letter,) = world.dead
    assert letter.attributes["reason"]["StringValue"].startswith("gave up after ")
    assert json.loads(letter.body)["detail"]["findings"][0]["Id"] == asks["Id"]


def test_a_message_that_comes_again_is_not_passed_over_by_conditions_that_changed(
    make_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world()
    change(world, only_if=("table.flags.on",), tables={"flags": {"on": True}})
    act = world.action

    def dying(name: str) -> Any:
        if name == "look":
            change(world, tables={"flags": {"on": False}})
            monkeypatch.setattr(world, "action", act)
            raise Killed
        return act(name)

    monkeypatch.setattr(world, "action", dying)
    ask(world, finding(1))
    assert [ids for _, ids in world.told] == [{finding(1)["Id"]}]
    ask(world, finding(2))
    assert len(world.told) == 1


def test_seen_counts_the_other_findings_of_the_same_threat_on_the_subject(make_world: Any) -> None:
    world = make_world()
    change(world, only_if=("seen(30) < 2",), functions=("seen",))
    same = [finding(number) | {"Title": "a trojan"} for number in range(4)]
    for one in same:
        ask(world, one)
    ask(world, finding(9) | {"Title": "another threat"})
    ask(world, finding(10, 2) | {"Title": "a trojan"})
    told = set().union(*(ids for _, ids in world.told))
    assert told == {same[0]["Id"], same[1]["Id"], finding(9)["Id"], finding(10)["Id"]}


def test_seen_does_not_count_the_finding_itself(make_world: Any) -> None:
    world = make_world()
    change(world, only_if=("seen(30) == 0",), functions=("seen",))
    ask(world, finding(1))
    ask(world, finding(1, severity="CRITICAL", version=2))
    assert len(world.told) == 2


def test_what_a_step_closed_as_false_positive_is_counted_by_later_conditions(
    make_world: Any,
) -> None:
    world = make_world()
    closing = {"closed_as": "FALSE_POSITIVE"}
    act = world.action

    def closes(name: str) -> Any:
        action = act(name)
        if name != "write":
            return action
        run = action.run
        return replace(
            action,
            run=lambda works, runtime: [
                replace(outcome, result=closing) for outcome in run(works, runtime)
            ],
        )

    world.action = closes
    change(world, only_if=("seen(30, 'FALSE_POSITIVE') < 2",), functions=("seen",))
    for number in range(4):
        later = {"time": clock.iso(world.gate.now)}
        sent = json.loads(event(finding(number) | {"Title": "a trojan"})) | later
        world.send(json.dumps(sent))
        world.drain()
    assert len(world.told) == 2
    assert records(world, "skipped")[0]["detail"] == "not so: seen(30, 'FALSE_POSITIVE') < 2"


def test_a_calendar_is_asked_at_the_time_of_the_event(make_world: Any) -> None:
    world = make_world()
    shut = Calendar(dates=(("2026-11-19", "2026-11-19"),))
    change(world, only_if=("open('freeze')",), calendars={"freeze": shut})
    ask(world, finding(1))
    change(world, calendars={"freeze": Calendar(dates=(("2026-11-20", "2026-11-20"),))})
    ask(world, finding(2))
    assert [ids for _, ids in world.told] == [{finding(2)["Id"]}]


def test_now_is_the_triggers_time_after_a_wait_and_a_deferral_too(make_world: Any) -> None:
    world = make_world(wait=Wait(15, 120))
    steps = (Step(id="write", uses="write", if_="now == 1795305600.0"),)
    change(world, steps=steps)
    world.fail["write"] = [Outcome("deferred", "503")]
    sent = json.loads(event(finding(1))) | {"time": "2026-11-22T00:00:00Z"}
    world.send(json.dumps(sent))
    world.drain()
    assert world.written[finding(1)["Id"]] == 1


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"accounts": ("444455556666",)}, f"account {ACCOUNT} is not in scope"),
        ({"accounts": (ACCOUNT,)}, ""),
    ],
)
def test_accounts_that_are_not_in_scope_are_passed_over(
    make_world: Any, fields: dict[str, Any], why: str
) -> None:
    world = make_world()
    change(world, **fields)
    ask(world, finding(1))
    assert [record["detail"] for record in records(world, "skipped")] == ([why] if why else [])
    assert len(world.told) == (0 if why else 1)


@pytest.mark.parametrize(("account", "told"), [(ACCOUNT, 1), ("444455556666", 0)])
def test_home_only_passes_over_what_another_account_sent(
    make_world: Any, account: str, told: int
) -> None:
    world = make_world()
    change(world, home_only=True)
    sent = json.loads(event(finding(1))) | {"account": account}
    world.send(json.dumps(sent))
    world.drain()
    assert len(world.told) == told
    assert len(records(world, "skipped")) == 1 - told


def scheduled(at: str, **detail: str) -> str:
    return json.dumps(
        {
            "version": "0",
            "id": f"modelled@{at}",
            "source": "hub-responder",
            "detail-type": "Scheduled Run",
            "account": ACCOUNT,
            "region": "us-east-1",
            "time": at,
            "resources": ["arn:aws:scheduler:us-east-1:111122223333:schedule/default/x"],
            "detail": {"playbook": "modelled", **detail},
        }
    )


def test_each_scheduled_run_is_an_incident_of_its_own_and_happens_once(make_world: Any) -> None:
    world = make_world()
    change(world, group_by=())
    for at in ("2026-11-20T00:00:00Z", "2026-11-27T00:00:00Z", "2026-11-27T00:00:00Z"):
        world.send(scheduled(at))
        world.drain()
    assert len(world.incidents()) == 2
    assert len(world.told) == 2
    assert [record["kind"] for record in world.records()].count("repeat") == 1


def test_what_is_only_observed_is_decided_and_recorded_and_not_done(make_world: Any) -> None:
    world = make_world()
    change(world, mode="observe")
    ask(world, finding(1))
    assert (world.told, world.opened, dict(world.written)) == ([], [], {})
    observed = [record for record in world.records() if record.get("status") == "observed"]
    assert [record["step"] for record in observed] == ["ticket", "tell", "write"]
    assert all(record["detail"].startswith("would ") for record in observed)
    change(world, mode="live")
    ask(world, finding(1))
    assert len(world.told) == 1  # live begins anew


def test_quiet_holds_back_what_would_be_sent_as_it_would_live(make_world: Any) -> None:
    world = make_world(quiet=3600.0)
    change(world, mode="observe")
    ask(world, finding(1))
    ask(world, finding(2))
    tells = [record for record in world.records() if record.get("step") == "tell"]
    tells.sort(key=lambda record: record["at"])
    assert [record["status"] for record in tells] == ["observed", "skipped"]


def test_a_playbook_without_conditions_is_read_as_before() -> None:
    decoded = msgspec.json.decode(
        b'{"name":"a","summary":"b","steps":[],"on":{},"version":"c"}', type=Playbook
    )
    assert (decoded.only_if, decoded.mode, decoded.functions) == ((), "live", ())

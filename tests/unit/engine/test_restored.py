"""An incident that was told unprotected is told restored: once, and only if it is so, live."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from hub_responder.actions.base import Outcome, Work
from hub_responder.inventory.restored import body
from hub_responder.ledger.state import read_state
from hub_responder.playbook import Wait
from world import World, event, finding


def told_unprotected(world: World) -> str:
    """One incident of two findings; its partition."""
    for number in (1, 2):
        world.send(event(finding(number)))
    world.drain()
    (incident,) = world.incidents()
    return str(incident["pk"]["S"])


def protect(world: World) -> None:
    world.verdict = {"verdict": "PROTECTED"}


def test_it_is_said_once_in_each_place_and_the_findings_are_written(make_world: Any) -> None:
    world = make_world(quiet=3600.0)
    pk = told_unprotected(world)
    told, written = len(world.told), dict(world.written)
    protect(world)
    for token in ("restored-1", "restored-1", "restored-2"):
        world.send(body(pk, token))
        world.drain()
    assert world.restored == ["ticket", "tell"]
    assert len(world.told) == told
    assert all(world.written[one] > count for one, count in written.items())
    assert world.dead == []


def test_what_is_not_so_live_is_told_nobody(make_world: Any) -> None:
    world = make_world()
    pk = told_unprotected(world)
    told, written = len(world.told), dict(world.written)
    for verdict in ("UNPROTECTED", "DEGRADED", "UNKNOWN"):
        world.verdict = {"verdict": verdict}
        world.send(body(pk, f"restored-{verdict}"))
        world.drain()
    world.fail["look"] = [Outcome("failed", "no connection")]
    world.send(body(pk, "restored-failed"))
    world.drain()
    assert (world.restored, len(world.told), dict(world.written)) == ([], told, written)
    why = [one["detail"] for one in world.records() if one.get("status") == "skipped"]
    assert "coverage is not restored: DEGRADED" in why
    assert "coverage is not restored: no verdict" in why


@pytest.mark.parametrize("verdict", ["PROTECTED", "UNPROTECTED", "UNKNOWN"])
def test_a_finding_that_waits_meanwhile_is_told_all_the_same(make_world: Any, verdict: str) -> None:
    world = make_world(wait=Wait(0, 120))
    world.send(event(finding(1)))
    world.drain()
    (incident,) = world.incidents()
    world.verdict = {"verdict": verdict}
    world.send(event(finding(2)))
    world.send(body(incident["pk"]["S"], "restored-1"), delay=3)
    world.drain()
    assert finding(2)["Id"] in world.told[-1][1]
    assert world.restored == []
    world.verdict = {"verdict": "PROTECTED"}
    world.send(body(incident["pk"]["S"], "restored-2"))
    world.drain()
    assert world.restored == (["ticket", "tell"] if verdict == "UNPROTECTED" else [])


def test_a_finding_that_joins_the_next_round_makes_the_round_before_no_silent_one(
    make_world: Any,
) -> None:
    world = make_world(wait=Wait(0, 120))
    world.send(event(finding(1)))
    world.drain()
    (incident,) = world.incidents()
    world.fail["look"] = [Outcome("deferred", "503", retry_after=60.0)] * 2
    world.send(event(finding(2)))
    world.send(body(incident["pk"]["S"], "restored-1"), delay=3)
    world.send(event(finding(3)), delay=20)
    world.drain()
    assert {finding(2)["Id"], finding(3)["Id"]} <= set(world.written)


@pytest.mark.parametrize("step", ["look", "ticket", "tell"])
def test_what_is_down_meanwhile_says_it_later_in_quiet_time_too(make_world: Any, step: str) -> None:
    world = make_world(quiet=3600.0)
    pk = told_unprotected(world)
    told = len(world.told)
    protect(world)
    world.fail[step] = [Outcome("deferred", "429", retry_after=60.0)] * 2
    world.send(body(pk, "restored-1"))
    world.drain()
    assert Counter(world.restored) == {"ticket": 1, "tell": 1}
    assert len(world.told) == told


def test_a_playbook_that_only_observes_plans_it(make_world: Any) -> None:
    world = make_world()
    world.playbook = msgspec.structs.replace(world.playbook, mode="observe")
    world.replaced["tell"] = replace(world.action("tell"), plan=titled)
    pk = told_unprotected(world)
    protect(world)
    world.send(body(pk, "restored-1"))
    world.drain()
    plans = [one["detail"] for one in world.records() if one.get("status") == "observed"]
    assert plans.count("would say that coverage is restored") == 2
    assert (world.restored, world.told, world.dead) == ([], [], [])


def titled(work: Work, _runtime: Any) -> str:
    """A plan that reads the step's parameters, as those of the actions do."""
    assert isinstance(work.params, msgspec.Struct)
    return "would send"


def test_one_that_was_never_told_otherwise_is_not_restored(make_world: Any) -> None:
    world = make_world()
    protect(world)
    pk = told_unprotected(world)
    world.send(body(pk, "restored-1"))
    world.drain()
    assert world.restored == []


def test_it_can_be_lost_and_restored_again(make_world: Any) -> None:
    world = make_world()
    pk = told_unprotected(world)
    for number, verdict in enumerate(("PROTECTED", "UNPROTECTED", "PROTECTED"), 3):
        world.verdict = {"verdict": verdict}
        if verdict == "UNPROTECTED":
            world.send(event(finding(number)))
        else:
            world.send(body(pk, f"restored-{number}"))
        world.drain()
    assert Counter(world.restored) == {"tell": 2, "ticket": 2}


def test_an_incident_that_ended_and_one_of_others_are_left_alone(make_world: Any) -> None:
    world = make_world()
    pk = told_unprotected(world)
    for number in (1, 2):
        gone = finding(number) | {"RecordState": "ARCHIVED", "UpdatedAt": "2026-11-20T00:00:30Z"}
        world.send(event(gone))
    world.drain()
    protect(world)
    world.send(body(pk, "restored-1"))
    world.send(body("another#" + "0" * 64, "restored-1"))
    world.send(body("modelled#" + "0" * 64, "restored-1"))
    world.drain()
    assert world.restored == []
    assert world.dead == []


@pytest.mark.parametrize("part", range(4))
def test_it_is_said_once_whatever_dies_and_comes_twice(make_world: Any, part: int) -> None:
    """Twice only by a run that died between saying and recording; in quiet time too."""
    for seed in range(part * 10, part * 10 + 10):
        world = make_world(seed, quiet=3600.0 * (seed % 2))
        pk = told_unprotected(world)
        plain = len(world.told)
        protect(world)
        world.gate.kills = kills = seed % 3
        for _ in range(2):
            world.send(body(pk, "restored-1"))
        world.drain()
        said = Counter(world.restored)
        assert 1 <= said["tell"] <= 1 + kills
        assert 1 <= said["ticket"] <= 1 + kills
        assert len(world.told) == plain
        (incident,) = map(read_state, world.incidents())
        assert incident.told["verdict"] == "PROTECTED"
        assert incident.idle
        assert world.dead == []

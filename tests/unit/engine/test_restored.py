"""An incident that was told unprotected is told restored: once, and only if it is so, live."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from hub_responder.inventory.restored import body
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
    assert (world.restored, len(world.told), dict(world.written)) == ([], told, written)
    why = [one["detail"] for one in world.records() if one.get("status") == "skipped"]
    assert "coverage is not restored: DEGRADED" in why


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
    """Twice only by a run that died between saying and recording."""
    for seed in range(part * 10, part * 10 + 10):
        world = make_world(seed)
        pk = told_unprotected(world)
        protect(world)
        world.gate.kills = kills = seed % 3
        for _ in range(2):
            world.send(body(pk, "restored-1"))
        world.drain()
        said = Counter(world.restored)
        plain = len(world.told)
        assert said["tell"] <= 1 + kills
        assert said["tell"] or plain > 1  # a run that died leaves the next one to tell the verdict
        (incident,) = world.incidents()
        assert '"verdict":"PROTECTED"' in incident["told"]["S"]
        assert incident["done"]["N"] == incident["round"]["N"]
        assert world.dead == []

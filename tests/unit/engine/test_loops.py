"""Nothing runs away: not by our own writes, not by others who answer each of them."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from typing import Any

import pytest

from hub_responder.engine.notice import TOPIC as TOPIC_VARIABLE
from hub_responder.finding import Finding
from hub_responder.ledger.decide import DAILY, DAY_S
from world import World, event, finding


@pytest.fixture(autouse=True)
def nobody_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOPIC_VARIABLE, raising=False)


def written(version: int, **fields: Any) -> str:
    """The event of a finding as somebody wrote it."""
    made = finding(1) | {"UpdatedAt": f"2026-11-20T00:{version // 60:02d}:{version % 60:02d}Z"}
    return event(made | fields)


def rounds(world: World) -> int:
    return sum(int(item["round"]["N"]) for item in world.incidents())


def kinds(world: World) -> Counter[str]:
    return Counter(record["kind"] for record in world.records())


def answered(world: World) -> None:
    """Somebody answers each write of ours with another severity."""
    versions = itertools.count(2)

    def answer(_finding: Finding) -> list[str]:
        version = next(versions)
        return [written(version, Severity={"Label": ("HIGH", "CRITICAL")[version % 2 == 0]})]

    world.echo = answer


def to_tomorrow(world: World) -> float:
    """Seconds until the next UTC day."""
    return DAY_S - world.gate.now % DAY_S


def test_our_own_write_causes_nothing(make_world: Any) -> None:
    world = make_world()
    world.echo = lambda _finding: [written(1, Workflow={"Status": "NOTIFIED"})]
    world.send(event(finding(1)))
    world.drain(limit_s=600)
    assert (rounds(world), world.written.total()) == (1, 1)


def test_a_finding_that_aws_sets_back_to_new_causes_nothing(make_world: Any) -> None:
    world = make_world()
    flips = [{"Status": "NOTIFIED"}, {"Status": "NEW"}] * 5
    world.echo = lambda _finding: [written(n, Workflow=one) for n, one in enumerate(flips, 2)]
    world.send(event(finding(1)))
    world.drain(limit_s=600)
    assert (rounds(world), world.written.total()) == (1, 1)


def test_two_that_write_against_each_other_are_stopped_for_the_day(make_world: Any) -> None:
    world = make_world()
    answered(world)
    world.send(event(finding(1)))
    world.pass_time(3 * 3600)
    assert world.written == {finding(1)["Id"]: DAILY}
    assert kinds(world)["guard"] >= 1
    (guard, *_) = [one for one in world.records() if one["kind"] == "guard"]
    assert guard["findings"] == [finding(1)["Id"]]
    assert guard["detail"] == f"came {DAILY + 1} times today: kept until tomorrow"
    told = [r for r in world.records() if r["kind"] == "attempt" and r["step"] == "_notice"]
    assert len(told) == 1
    assert f"changed over {DAILY} times today" in told[0]["detail"]
    (message,) = world.queue
    assert json.loads(message.body)["hub_responder"] == "kept"


def flow(status: str) -> dict[str, Any]:
    return {"Workflow": {"Status": status}}


def test_a_ticket_sync_that_meets_our_update_ends_it(make_world: Any) -> None:
    world = make_world()

    def sync(_finding: Finding) -> list[str]:
        world.send(written(1, **flow("RESOLVED")), delay=60)
        return [written(1, **flow("NOTIFIED"))]

    world.echo = sync
    world.send(event(finding(1)))
    world.drain(limit_s=3600)
    assert world.written.total() == 1
    assert kinds(world)["ended"] == 1
    assert world.open == {"T-1": False}


def test_a_ticket_sync_and_a_product_that_reopens_the_finding_are_stopped(make_world: Any) -> None:
    world = make_world()
    statuses = ("NOTIFIED", "RESOLVED", "NEW")
    world.echo = lambda _finding: [written(1, **flow(status)) for status in statuses]
    world.send(event(finding(1)))
    world.pass_time(6 * 3600, batch=1, runs=1)
    assert 1 < world.written.total() <= DAILY
    assert [json.loads(one.body)["hub_responder"] for one in world.queue] in ([], ["kept"])


@pytest.mark.parametrize("seed", range(4))
def test_two_playbooks_that_write_against_each_other_come_to_rest(
    make_world: Any, seed: int
) -> None:
    one, other = make_world(), make_world(seed)
    one.gate = other.gate  # one time, and one thread after the other

    def says(status: str) -> Any:
        def answer(_finding: Finding) -> list[str]:
            body = written(1, **flow(status))
            one.send(body)
            other.send(body)
            return []

        return answer

    one.echo, other.echo = says("RESOLVED"), says("NOTIFIED")
    one.send(event(finding(1)))
    other.send(event(finding(1)))
    for _ in range(100):
        for world in (one, other):
            world.pass_time(10, batch=1, runs=1)
    for world in (one, other):
        assert 1 <= world.written.total() <= DAILY
        assert [json.loads(sent.body)["hub_responder"] for sent in world.queue] in ([], ["kept"])


def test_how_it_came_last_is_handled_tomorrow(make_world: Any) -> None:
    world = make_world()
    answered(world)
    world.send(event(finding(1)))
    world.pass_time(3600)
    world.echo = None
    world.send(written(3000, Severity={"Label": "MEDIUM"}, Title="as it came last"))
    world.send(written(2999, Severity={"Label": "HIGH"}, Title="before that"))
    world.pass_time(60)
    before = world.written.total()
    world.pass_time(to_tomorrow(world) - 1)
    assert world.written.total() == before
    world.pass_time(1000)
    assert world.written.total() == before + 1
    (held,) = world.findings()
    assert json.loads(held["data"]["S"])["title"] == "as it came last"
    assert "later" not in held
    assert held["times"]["N"] == "1"
    assert world.queue == []


def test_a_finding_that_is_as_it_was_told_by_then_needs_nothing(make_world: Any) -> None:
    world = make_world()
    answered(world)
    world.send(event(finding(1)))
    world.pass_time(3600)
    world.echo = None
    told = json.loads(world.findings()[0]["data"]["S"])["severity"]
    world.send(written(3000, Severity={"Label": told}))
    before = world.written.total()
    world.pass_time(to_tomorrow(world) + 1000)
    assert world.written.total() == before


def test_a_finding_that_has_left_by_then_needs_nothing(make_world: Any) -> None:
    world = make_world()
    answered(world)
    world.send(event(finding(1)))
    world.pass_time(3600)
    world.echo = None
    world.send(written(3000, RecordState="ARCHIVED"))
    before = world.written.total()
    world.pass_time(to_tomorrow(world) + 1000)
    assert world.written.total() == before


def test_others_of_its_incident_and_clicks_on_it_go_on(make_world: Any) -> None:
    world = make_world()
    answered(world)
    world.send(event(finding(1)))
    world.pass_time(3600)
    world.echo = None
    before = Counter(world.written)
    world.send(event(finding(2)))
    world.pass_time(60)
    assert world.written - before == {finding(2)["Id"]: 1}
    world.send(written(3001), "imports")
    world.send(event(finding(1, version=59), clicked="c-1"), "clicks")
    world.pass_time(60)
    assert world.written - before == {finding(1)["Id"]: 1, finding(2)["Id"]: 1}


def test_a_run_that_dies_at_the_guard_loses_nothing(make_world: Any) -> None:
    for seed in range(4):
        world = make_world(seed)
        answered(world)
        world.send(event(finding(1)))
        while world.written.total() < DAILY - 1:
            world.pass_time(1, runs=1)
        world.gate.kills = 3
        world.pass_time(1800)
        world.gate.kills = 0
        world.echo = None
        before = world.written.total()
        world.pass_time(to_tomorrow(world) + 1000)
        assert world.written.total() > before, seed
        assert not [one for one in world.findings() if "later" in one]


def test_what_changes_at_a_bearable_pace_is_never_stopped(make_world: Any) -> None:
    world = make_world()
    for version in range(2, 2 + 2 * DAILY):
        label = ("HIGH", "CRITICAL")[version % 2]
        world.send(written(version, Severity={"Label": label}))
        world.pass_time(DAY_S / DAILY)
    assert kinds(world)["guard"] == 0
    assert world.written.total() == 2 * DAILY


def test_the_ledger_holds_one_count_for_each_day(make_world: Any) -> None:
    world = make_world()
    world.send(event(finding(1)))
    world.drain()
    world.send(event(finding(1), clicked="c-1"), "clicks")
    world.drain()
    (held,) = world.findings()
    assert held["times"]["N"] == "1"
    world.gate.now += DAY_S
    world.send(written(2, Severity={"Label": "CRITICAL"}))
    world.drain()
    (held,) = world.findings()
    assert held["times"]["N"] == "1"

"""The ledger's state machine under random interleavings, duplicates, kills and delays.

`HUB_RESPONDER_MODEL_RUNS=3000 pytest tests/unit/engine/test_model.py` tries more of them.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from hub_responder.actions.base import Outcome
from hub_responder.engine.outbox import backoff
from hub_responder.inventory.restored import TOLD, body
from hub_responder.ledger import pointers
from hub_responder.ledger.state import read_state
from hub_responder.playbook import Wait
from hub_toolkit.sandbox.dynamodb.errors import DynamoDBError, transaction_conflict
from world import World, event, finding

RUNS = int(os.environ.get("HUB_RESPONDER_MODEL_RUNS", "100"))


def assert_all_told(world: World, sent: list[dict]) -> None:
    """Nothing lost: every finding was told of, nothing waits, nothing is dead."""
    assert world.dead == []
    told = set().union(*(ids for _, ids in world.told)) if world.told else set()
    assert {one["Id"] for one in sent} <= told
    for item in world.incidents():
        assert item["done"] == item["round"]
        assert "owner" not in item
        assert item["pending"]["N"] == "0"
    done = {item["pk"]["S"]: int(item["done"]["N"]) for item in world.incidents()}
    for item in world.findings():
        assert int(item["round"]["N"]) <= done[item["pk"]["S"]]


def assert_one_ticket_each(world: World) -> None:
    """One ticket per incident, whatever died."""
    assert set(Counter(world.opened).values()) <= {1}
    assert len(world.opened) == len(world.incidents())


def assert_tickets_lead_back(world: World) -> None:
    """Every ticket of an incident that has not ended has a pointer to it; there are no others."""
    states = [read_state(item) for item in world.incidents()]
    held = {one.pk: () if one.closed else pointers.of(one.refs) for one in states}
    assert world.pointers() == {ticket: pk for pk, tickets in held.items() for ticket in tickets}
    assert {one.pk: one.watched for one in states} == held


def assert_trail_complete(world: World) -> None:
    """Every ATTEMPT has an OUTCOME after it, or was tried again, by the next round perhaps."""
    last: dict[tuple, str] = {}
    for record in sorted(world.records(), key=lambda record: record["at"]):
        if record["kind"] in ("attempt", "outcome"):
            last[record.get("incident"), record["step"]] = record["kind"]
    assert set(last.values()) <= {"outcome"}


@pytest.mark.parametrize("part", range(10))
def test_nothing_is_lost_and_nothing_is_done_twice_in_any_interleaving(
    make_world: Any, part: int
) -> None:
    for seed in range(part * RUNS // 10, (part + 1) * RUNS // 10):
        chance = random.Random(seed)
        wait = chance.choice([Wait(0, 0), Wait(15, 120), Wait(0, 60)])
        world = make_world(seed, kills=chance.randint(0, 2), wait=wait)
        sent = [
            finding(n, chance.randint(1, 3), chance.choice(["HIGH", "CRITICAL"]))
            for n in range(chance.randint(1, 12))
        ]
        for one in sent:
            for _ in range(chance.choice([1, 1, 1, 2])):
                world.send(event(one), delay=chance.choice([0, 0, 1, 30, 200]))
        if chance.random() < 0.4:
            world.send(event(*sent[:2], clicked=f"click-{seed}"), "clicks")
        world.drain()
        assert_all_told(world, sent)
        assert_one_ticket_each(world)
        assert_tickets_lead_back(world)
        assert_trail_complete(world)


@pytest.mark.parametrize("part", range(4))
def test_clocks_that_disagree_by_a_minute_lose_nothing_and_open_no_second_ticket(
    make_world: Any, part: int
) -> None:
    """Each run is on a machine of its own: one ahead of the others may take over what is still at
    work, and one behind them may put back what is due."""
    for seed in range(part * RUNS // 10, (part + 1) * RUNS // 10):
        chance = random.Random(seed)
        wait = chance.choice([Wait(0, 0), Wait(15, 120), Wait(0, 60)])
        world = make_world(
            seed,
            kills=chance.randint(0, 1),
            wait=wait,
            quiet=chance.choice([0.0, 300.0]),
            skew_s=30.0,
        )
        sent = [
            finding(n, chance.randint(1, 3), chance.choice(["HIGH", "CRITICAL"]))
            for n in range(chance.randint(1, 12))
        ]
        for one in sent:
            for _ in range(chance.choice([1, 1, 2])):
                world.send(event(one), delay=chance.choice([0, 0, 1, 30, 200]))
        world.drain()
        assert_one_ticket_each(world)
        assert_tickets_lead_back(world)
        assert world.dead == []
        assert {one["Id"] for one in sent} <= set(world.written)


def test_the_same_event_twice_has_one_effect(make_world: Any) -> None:
    world = make_world()
    body = event(finding(1))
    world.send(body)
    world.drain()
    world.send(body)
    world.drain()
    assert len(world.told) == 1
    assert world.opened == [world.incidents()[0]["pk"]["S"]]
    assert [r["kind"] for r in world.records()].count("repeat") == 1


def test_a_burst_is_collected_into_one_message_that_names_the_true_count(make_world: Any) -> None:
    world = make_world(wait=Wait(15, 120))
    for number in range(40):
        world.send(event(finding(number)), delay=number % 10)
    world.drain(batch=10, runs=1)
    assert [len(ids) for _, ids in world.told] == [40]


def test_what_comes_later_waits_and_joins_one_more_round(make_world: Any) -> None:
    world = make_world(wait=Wait(15, 120))
    world.send(event(finding(1)))
    world.drain()
    for number in range(2, 6):
        world.send(event(finding(number)), delay=number * 10)
    world.drain()
    assert [len(ids) for _, ids in world.told] == [1, 4]
    assert len(world.opened) == 1


def test_a_higher_severity_passes_over_the_wait(make_world: Any) -> None:
    world = make_world(wait=Wait(15, 600))
    world.send(event(finding(1, severity="HIGH")))
    world.drain()
    before = world.gate.now
    world.send(event(finding(1, severity="CRITICAL", version=2)))
    world.drain()
    assert len(world.told) == 2
    assert world.gate.now - before < 60


def test_quiet_holds_back_messages_but_not_rounds(make_world: Any) -> None:
    world = make_world(quiet=3600.0)
    world.send(event(finding(1)))
    world.drain()
    world.send(event(finding(2)))
    world.drain()
    assert len(world.told) == 1
    assert world.written[finding(2)["Id"]] == 1
    skipped = [r for r in world.records() if r.get("status") == "skipped" and r["step"] == "tell"]
    assert "quiet until" in skipped[0]["detail"]


def test_quiet_time_brings_what_was_told_up_to_date_and_does_not_begin_anew(
    make_world: Any,
) -> None:
    world = make_world(quiet=3600.0)
    shown: list[tuple[int, bool]] = []

    def tell(works: Any, _runtime: Any) -> list[Outcome]:
        shown.extend((len(work.incident.findings), bool(work.quiet_until)) for work in works)
        return [Outcome("done", "shown") for _ in works]

    world.replaced["tell"] = replace(
        world.action("tell"), run=tell, updates=lambda _work, _runtime: True
    )
    for number in (1, 2, 3):
        world.send(event(finding(number)), delay=1500 if number > 1 else 0)
        world.drain()
    assert shown == [(1, False), (2, True), (3, True)]
    world.send(event(finding(4)), delay=1000)
    world.drain()
    assert shown[-1] == (1, False)  # an hour after the message, though it was updated since


def test_what_is_worse_is_told_in_quiet_time_after_an_update_too(make_world: Any) -> None:
    world = make_world(quiet=3600.0)
    quiet: list[bool] = []

    def tell(works: Any, _runtime: Any) -> list[Outcome]:
        quiet.extend(bool(work.quiet_until) for work in works)
        return [Outcome("done", "shown") for _ in works]

    world.replaced["tell"] = replace(
        world.action("tell"), run=tell, updates=lambda _work, _runtime: True
    )
    world.send(event(finding(1)))
    world.drain()
    world.send(event(finding(2)))
    world.drain()
    world.send(event(finding(3, severity="CRITICAL")))
    world.drain()
    assert quiet == [False, True, False]


def test_what_waits_for_its_turn_comes_back_at_that_time_however_often(make_world: Any) -> None:
    world = make_world()
    start = world.gate.now
    turns = [
        Outcome("deferred", "not its turn", retry_after=wait, paced=True) for wait in (7, 3, 5)
    ]
    world.fail["tell"] = list(turns)
    world.send(event(finding(1)))
    world.drain()
    assert len(world.told) == 1
    assert 15 <= world.gate.now - start < backoff(0)


def test_a_deferred_step_is_done_later_and_done_steps_do_not_repeat(make_world: Any) -> None:
    world = make_world()
    world.fail["tell"] = [Outcome("deferred", "429", retry_after=60.0)] * 3
    world.send(event(finding(1)))
    world.drain()
    assert len(world.told) == 1
    assert len(world.opened) == 1
    assert world.written[finding(1)["Id"]] == 1
    assert_trail_complete(world)


def test_an_unknown_that_nobody_asks_again_promises_no_look(make_world: Any) -> None:
    world = make_world()
    unknown = {"verdict": "UNKNOWN", "retry_after": 60.0}
    world.fail["look"] = [Outcome("done", "", unknown, retry_after=60.0) for _ in range(40)]
    world.send(event(finding(1)))
    world.drain()
    looks = [r for r in world.records() if r.get("step") == "look"]
    looks.sort(key=lambda record: record["at"])
    assert len(looks) > 5
    assert looks[0]["result"]["retry_after"] == 60.0
    assert (looks[-1]["status"], looks[-1]["result"]["retry_after"]) == ("done", None)


def test_a_click_that_stays_unknown_is_asked_six_times_and_then_promises_nothing(
    make_world: Any,
) -> None:
    world = make_world()
    unknown = {"verdict": "UNKNOWN", "retry_after": 60.0}
    world.fail["look"] = [Outcome("done", "", unknown, retry_after=60.0) for _ in range(40)]
    world.send(event(finding(1), clicked="one"), "clicks")
    world.drain()
    looks = [r for r in world.records() if r.get("step") == "look"]
    looks.sort(key=lambda record: record["at"])
    assert [look["result"]["retry_after"] for look in looks] == [60.0] * 6 + [None]


def test_a_target_that_stays_down_ends_in_the_dlq_with_its_reason(make_world: Any) -> None:
    world = make_world()
    world.fail["tell"] = [Outcome("deferred", "slack answers 503")] * 500
    world.send(event(finding(1)))
    world.drain(limit_s=3 * 86_400)
    assert len(world.dead) == 1
    reason = world.dead[0].attributes["reason"]["StringValue"]
    assert "slack answers 503" in reason
    assert world.told == []
    assert world.written[finding(1)["Id"]] == 1  # the other steps went on


def test_a_second_click_is_a_new_request_that_updates(make_world: Any) -> None:
    world = make_world()
    world.send(event(finding(1), clicked="first"), "clicks")
    world.drain()
    world.send(event(finding(1), clicked="second"), "clicks")
    world.send(event(finding(1), clicked="second"), "clicks")
    world.drain()
    assert world.written[finding(1)["Id"]] == 2
    assert len(world.opened) == 1


def test_what_cannot_be_read_goes_to_the_dlq_with_its_reason_and_is_recorded(
    make_world: Any,
) -> None:
    world = make_world()
    world.send('{"not": "an event"}')
    world.send(event(finding(1)))
    world.drain()
    assert [m.body for m in world.dead] == ['{"not": "an event"}']
    assert "unreadable" in world.dead[0].attributes["reason"]["StringValue"]
    assert [r["kind"] for r in world.records()].count("unreadable") == 1
    assert len(world.told) == 1


def test_two_matching_resources_in_one_finding_are_two_incidents(make_world: Any) -> None:
    world = make_world()
    both = finding(1, 1)
    both["Resources"] += finding(1, 2)["Resources"]
    world.send(event(both))
    world.drain()
    assert len(world.incidents()) == 2
    assert len(world.told) == 2


def test_an_archived_finding_starts_nothing_and_no_longer_counts(make_world: Any) -> None:
    world = make_world()
    world.send(event(finding(1)))
    world.send(event(finding(2)))
    world.drain()
    gone = finding(1, version=2) | {"RecordState": "ARCHIVED"}
    told = len(world.told)
    world.send(event(gone))
    world.drain()
    assert len(world.told) == told
    assert world.incidents()[0]["members"]["N"] == "1"
    back = finding(1, version=3)
    world.send(event(back))
    world.drain()
    assert len(world.told) == told + 1
    assert world.incidents()[0]["members"]["N"] == "2"


def test_an_older_copy_of_a_finding_changes_nothing(make_world: Any) -> None:
    world = make_world()
    world.send(event(finding(1, severity="HIGH", version=5)))
    world.drain()
    world.send(event(finding(1, severity="CRITICAL", version=2)))
    world.drain()
    assert len(world.told) == 1


def test_a_failed_condition_changes_nothing_and_is_recorded(make_world: Any) -> None:
    world = make_world()
    world.verdict = {}
    world.send(event(finding(1)))
    world.drain()
    assert world.opened == []
    failed = [r for r in world.records() if r.get("status") == "failed"]
    assert failed[0]["step"] == "ticket"
    assert "could not decide" in failed[0]["detail"]


def shaky(world: World, chance: random.Random) -> Any:
    """DynamoDB that now and then conflicts, throttles or fails."""

    def fault(operation: str, tables: tuple[str, ...]) -> DynamoDBError | None:
        dice = chance.random()
        if operation == "TransactWriteItems" and dice < 0.04:
            return transaction_conflict(len(tables))
        if operation in ("TransactWriteItems", "Query", "BatchGetItem") and dice < 0.06:
            return DynamoDBError("InternalServerError", "not now")
        return None

    return fault


TROUBLE = [
    Outcome("deferred", "503"),
    Outcome("deferred", "timeout", in_doubt=True),
    Outcome("deferred", "429", retry_after=90.0),
]


@pytest.mark.parametrize("part", range(10))
def test_nothing_is_lost_when_everything_fails_now_and_then(make_world: Any, part: int) -> None:
    """Deferrals, a database that fails, findings that change and leave, clicks, and kills."""
    for seed in range(part * RUNS // 20, (part + 1) * RUNS // 20):
        chance = random.Random(seed)
        wait = chance.choice([Wait(0, 0), Wait(15, 120), Wait(0, 60)])
        world = make_world(seed, kills=chance.randint(0, 2), wait=wait)
        world.store.faults = shaky(world, chance)
        for step in ("look", "ticket", "tell", "write"):
            world.fail[step] = chance.choices(TROUBLE, k=chance.randint(0, 2))
        world.fail["write"] = [one for one in world.fail["write"] if not one.in_doubt]
        sent = [finding(n, chance.randint(1, 3)) for n in range(chance.randint(1, 10))]
        left = sent[: chance.randint(0, 2)]
        for one in sent:
            for _ in range(chance.choice([1, 1, 2])):
                world.send(event(one), delay=chance.choice([0, 0, 1, 30, 200]))
        for one in left:
            gone = one | {"RecordState": "ARCHIVED", "UpdatedAt": "2026-11-20T00:00:30Z"}
            world.send(event(gone), delay=chance.choice([0, 40, 400]))
        clicked = sent[2:4] if chance.random() < 0.5 else []
        if clicked:
            asked = event(*clicked, clicked=f"click-{seed}")
            world.send(asked, "clicks", delay=chance.choice([0, 20, 100]))
        world.drain()
        assert_all_told(world, sent[len(left) :])
        assert set(Counter(world.opened).values()) <= {1}
        assert all(world.written[one["Id"]] for one in clicked)
        assert_trail_complete(world)


def gone(one: dict[str, Any], version: int) -> dict[str, Any]:
    """The finding as it leaves."""
    updated = f"2026-11-20T00:00:{version:02d}Z"
    return one | {"Workflow": {"Status": "RESOLVED"}, "UpdatedAt": updated}


def back(one: dict[str, Any], version: int) -> dict[str, Any]:
    """The finding as it comes again."""
    return one | {"UpdatedAt": f"2026-11-20T00:00:{version:02d}Z"}


def kinds(world: World) -> list[str]:
    return [record["kind"] for record in world.records()]


def test_the_ticket_is_closed_and_the_end_told_once_the_last_finding_has_left(
    make_world: Any,
) -> None:
    world = make_world()
    both = [finding(1), finding(2)]
    for one in both:
        world.send(event(one))
    world.drain()
    world.send(event(gone(both[0], 2)))
    world.drain()
    assert (world.open, world.ended) == ({"T-1": True}, [])
    for _ in range(2):
        world.send(event(gone(both[1], 2)))
        world.drain()
    assert (world.open, len(world.ended)) == ({"T-1": False}, 1)
    assert kinds(world).count("ended") == 1
    assert world.pointers() == {}
    assert_tickets_lead_back(world)
    assert_trail_complete(world)


def test_what_comes_after_the_end_begins_another_life(make_world: Any) -> None:
    world = make_world(quiet=3600.0)
    changes: list[str] = []

    def tell(works: Any, _runtime: Any) -> list[Outcome]:
        changes.extend(work.incident.change for work in works)
        return [Outcome("done", "told") for _ in works]

    world.replaced["tell"] = replace(world.action("tell"), run=tell)
    world.send(event(finding(1)))
    world.drain()
    world.send(event(gone(finding(1), 2)))
    world.drain()
    world.send(event(back(finding(1), 3)))
    world.drain()
    assert changes == ["opened", "reopened"]  # quiet time of the life before is over with it
    assert (world.open, world.opened) == ({"T-1": True}, [world.incidents()[0]["pk"]["S"]])
    (incident,) = world.incidents()
    assert (incident["gen"]["N"], incident["members"]["N"]) == ("2", "1")
    assert "closed" not in incident
    assert list(world.pointers().values()) == [incident["pk"]["S"]]


def test_what_opened_nothing_is_not_ended(make_world: Any) -> None:
    world = make_world()
    world.verdict = {"verdict": "PROTECTED"}
    world.send(event(finding(1)))
    world.drain()
    world.send(event(gone(finding(1), 2)))
    world.drain()
    assert (world.ended, "ended" in kinds(world)) == ([], False)


def test_a_ticket_system_that_is_down_ends_it_later_and_holds_up_nobody(make_world: Any) -> None:
    world = make_world()
    world.send(event(finding(1)))
    world.drain()
    world.fail["ticket"] = [Outcome("deferred", "503")] * 3
    world.send(event(gone(finding(1), 2)))
    world.drain()
    assert (world.open, len(world.ended)) == ({"T-1": False}, 1)
    world.send(event(back(finding(1), 3)))
    world.drain()
    world.fail["ticket"] = [Outcome("deferred", "503", retry_after=800.0)]
    told, before = len(world.told), world.gate.now
    world.send(event(gone(finding(1), 4)))
    world.send(event(finding(2)), delay=60)
    world.drain()
    assert world.gate.now - before < 1500
    assert len(world.told) == told + 1
    assert world.open == {"T-1": True}


@pytest.mark.parametrize("part", range(10))
def test_a_ticket_is_open_exactly_while_a_finding_is_there(make_world: Any, part: int) -> None:
    """Findings that leave and come back in any order, with duplicates, clicks, faults and kills."""
    for seed in range(part * RUNS // 20, (part + 1) * RUNS // 20):
        chance = random.Random(seed)
        wait = chance.choice([Wait(0, 0), Wait(15, 120), Wait(0, 60)])
        world = make_world(seed, kills=chance.randint(0, 3), wait=wait)
        world.store.faults = shaky(world, chance)
        sent = [finding(n, chance.randint(1, 2)) for n in range(chance.randint(1, 6))]
        live = {one["Id"]: True for one in sent}
        for one in sent:
            world.send(event(one))
        world.drain()
        for version in range(2, 2 + chance.randint(1, 3)):
            for step in ("ticket", "tell"):
                world.fail[step] = chance.choices(TROUBLE, k=chance.randint(0, 2))
            for one in sent:
                move = chance.choice(["leaves", "leaves", "comes", "stays"])
                if move == "stays":
                    continue
                live[one["Id"]] = move == "comes"
                made = gone(one, version) if move == "leaves" else back(one, version)
                for _ in range(chance.choice([1, 1, 2])):
                    world.send(event(made), delay=chance.choice([0, 0, 3, 7, 40]))
            world.drain()
        by_instance: dict[str, bool] = {}
        for one in sent:
            where = one["Resources"][0]["Id"]
            by_instance[where] = by_instance.get(where, False) or live[one["Id"]]
        assert world.dead == []
        assert sorted(world.open.values()) == sorted(by_instance.values()), seed
        assert set(Counter(world.opened).values()) <= {1}
        counted = sum(int(item["members"]["N"]) for item in world.incidents())
        assert counted == sum(live.values()), seed
        assert_trail_complete(world)


@pytest.mark.parametrize("part", range(5))
def test_restored_coverage_is_told_and_takes_no_finding_along(make_world: Any, part: int) -> None:
    """Agents come and go while findings come, with quiet time, duplicates, faults and kills."""
    for seed in range(part * RUNS // 20, (part + 1) * RUNS // 20):
        chance = random.Random(seed)
        wait = chance.choice([Wait(0, 0), Wait(15, 120), Wait(0, 60)])
        world = make_world(seed, wait=wait, quiet=chance.choice([0.0, 3600.0]))
        sent = [finding(n, chance.randint(1, 2)) for n in range(chance.randint(2, 6))]
        for one in sent[:2]:
            world.send(event(one))
        world.drain()
        world.store.faults = shaky(world, chance)
        world.gate.kills = kills = chance.randint(0, 2)
        for step in ("look", "ticket", "tell"):
            world.fail[step] = chance.choices(TROUBLE, k=chance.randint(0, 2))
        world.verdict = {"verdict": chance.choice(["PROTECTED", "UNPROTECTED", "UNKNOWN"])}
        for one in sent[2:]:
            world.send(event(one), delay=chance.choice([0, 1, 30, 200]))
        seemingly_restored(world, chance, f"some-{seed}")
        world.drain()
        assert {one["Id"] for one in sent} <= set(world.written), seed
        world.fail.clear()
        world.store.faults = None  # what cannot be recorded is said again, as after a death
        world.verdict = {"verdict": "PROTECTED"}
        before = Counter(world.restored)
        due = [one for one in map(read_state, world.incidents()) if one.told["verdict"] in TOLD]
        seemingly_restored(world, chance, f"all-{seed}")
        world.drain()
        said = Counter(world.restored) - before
        assert len(due) <= said["tell"] <= len(due) + kills, seed
        states = [read_state(item) for item in world.incidents()]
        assert not any(one.told["verdict"] in TOLD for one in states), seed
        assert all(one.idle and not one.pending for one in states)
        assert world.dead == []
        assert_trail_complete(world)


def seemingly_restored(world: World, chance: random.Random, token: str) -> None:
    """What the inventory sends of every incident, once or twice."""
    for item in world.incidents():
        for _ in range(chance.choice([1, 2])):
            world.send(body(item["pk"]["S"], token), delay=chance.choice([0, 1, 40]))

"""What outgrows a limit of SQS or DynamoDB costs nobody anything."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from hub_responder.playbook import Wait
from hub_toolkit.sandbox.dynamodb.errors import DynamoDBError
from world import World, event, finding


def told(world: World) -> set[str]:
    """The findings that a message named."""
    return set().union(*(ids for _, ids in world.told)) if world.told else set()


def long(number: int, instance: int) -> dict[str, Any]:
    """A finding with everything at its longest, in Japanese."""
    made = finding(number, instance)
    made["Id"] = f"{number:06d}" + "脆弱性" * 168
    made["Title"] = "重大な脆弱性" * 40
    made["Description"] = "説明" * 200
    made["UserDefinedFields"] = {f"項目{n}": "値" * 300 for n in range(8)}
    return made


def test_fifty_messages_of_many_long_findings_are_handled_in_one_batch(make_world: Any) -> None:
    world = make_world()
    sent = [[long(50 * m + n, m) for n in range(20)] for m in range(50)]
    for number, findings in enumerate(sent):
        world.send(event(*findings, clicked=f"click-{number}"), "clicks")
    world.gate.run([world._job("clicks", world._receive("clicks", 50))])
    assert [sent for sent in world.queue if sent.receives] == []
    world.drain(batch=50, runs=1)
    assert world.dead == []
    assert told(world) == {one["Id"] for findings in sent for one in findings}


def test_an_incident_of_thousands_of_findings_is_told_and_each_is_in_the_trail(
    make_world: Any,
) -> None:
    world = make_world(wait=Wait(15, 120))
    sent = [finding(n, 1) for n in range(3_000)]
    for start in range(0, len(sent), 20):
        world.send(event(*sent[start : start + 20]))
    world.drain(batch=50, runs=1)
    assert world.dead == []
    assert told(world) == {one["Id"] for one in sent}
    assert len(world.opened) == 1
    finished = [r for r in world.records() if r["kind"] == "finished"]
    assert {name for r in finished for name in r["findings"]} == {one["Id"] for one in sent}


def test_ten_large_messages_are_put_back_together(make_world: Any) -> None:
    world = make_world()
    sent = [finding(n, n) | {"Description": "x" * 240_000} for n in range(10)]
    for one in sent:
        world.send(event(one))
    left = [3]

    def down(_operation: str, _tables: tuple[str, ...]) -> DynamoDBError | None:
        left[0] -= 1
        return DynamoDBError("InternalServerError", "no") if left[0] >= 0 else None

    world.store.faults = down
    world.drain(batch=10, runs=1)
    assert told(world) == {one["Id"] for one in sent}
    assert world.dead == []


def test_what_failed_for_many_long_findings_is_in_the_dlq_whole(make_world: Any) -> None:
    world = make_world()
    world.verdict = {}  # the ticket's condition cannot be told then
    world.playbook = msgspec.structs.replace(world.playbook, wait=Wait(15, 120))
    sent = [long(n, 1) for n in range(200)]
    for start in range(0, 200, 20):
        world.send(event(*sent[start : start + 20]))
    world.drain(batch=10, runs=1)
    letters = [json.loads(letter.body) for letter in world.dead]
    ids = {one["id"] for letter in letters for one in letter["findings"]}
    assert ids == {one["Id"] for one in sent}
    assert {letter["step"] for letter in letters} == {"ticket"}
    assert all("could not decide" in one.attributes["reason"]["StringValue"] for one in world.dead)


def test_characters_that_no_message_may_hold_do_not_stop_it(make_world: Any) -> None:
    world = make_world()
    world.verdict = {}
    odd = finding(1) | {"Title": "\uffff\ufffe and \x00", "Description": "\x1b[31m"}
    world.send(event(odd))
    world.drain()
    (letter,) = world.dead
    assert json.loads(letter.body)["findings"][0]["id"] == odd["Id"]


@pytest.mark.parametrize("number", [32, 33, 200])
@pytest.mark.parametrize("known", [False, True])
def test_a_click_on_many_findings_of_an_incident_is_one_round(
    make_world: Any, number: int, known: bool
) -> None:
    world = make_world()
    if known:
        world.send(event(finding(900, 1), clicked="click-before"), "clicks")
        world.drain(batch=10, runs=1)
    sent = [finding(n, 1) for n in range(number)]
    world.send(event(*sent, clicked="click-1"), "clicks")
    world.drain(batch=10, runs=1)
    assert world.dead == []
    assert len(world.told) == 1 + known
    assert world.told[-1][1] == {one["Id"] for one in sent}

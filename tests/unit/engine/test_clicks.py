"""A click always gets an answer on the finding itself (invariant 6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from hub_responder.actions.base import Outcome
from hub_responder.ledger.state import read_state
from hub_responder.ledger.transaction import Part
from hub_responder.playbook import Wait
from loopback import Cloud, Reply, error
from world import World, arrival, event, finding

ID = finding(1)["Id"]


def answers(cloud: Cloud) -> list[str]:
    """The notes that were written."""
    return [call["Note"]["Text"] for call in cloud.called("BatchUpdateFindings")]


def state(world: World) -> Any:
    """The only incident."""
    (item,) = world.incidents()
    return read_state(item)


def run(world: World, queue: str = "clicks") -> None:
    """One run with what is visible."""
    world.gate.run([world._job(queue, world._receive(queue, 10))])


def test_a_click_waits_for_no_other_runs_lease(make_world: Any) -> None:
    world = make_world()
    world.ledger("other").arrive([arrival(world, finding(1))], lambda *_: [])
    world.send(event(finding(1), clicked="c"), "clicks")
    run(world)
    assert world.written[ID] == 1
    assert world.told == []
    world.drain()
    assert world.written[ID] >= 2
    assert len(world.opened) == 1


def test_a_click_whose_run_died_behind_another_is_answered_when_it_comes_again(
    make_world: Any,
) -> None:
    world = make_world()
    world.ledger("other").arrive([arrival(world, finding(1))], lambda *_: [])
    world.ledger("died").arrive([arrival(world, finding(1), clicked="c")], lambda *_: [])
    world.send(event(finding(1), clicked="c"), "clicks")
    run(world)
    assert world.written[ID] == 1


def test_the_next_round_knows_of_a_click_that_joined_whoever_begins_it(make_world: Any) -> None:
    world = make_world(wait=Wait(0, 60))
    other = world.ledger("other")
    (claim,) = other.arrive([arrival(world, finding(1))], lambda *_: [])
    world.ledger("died").arrive([arrival(world, finding(1), clicked="c")], lambda *_: [])
    assert state(world).asked
    told = {"severity": 3, "exploit": False, "verdict": "UNPROTECTED", "at": world.gate.now}
    move = other.operations().finish(claim.pk, 1, told, {})
    other.submit([Part([move], [])])
    world.gate.now += 120
    (opened,) = world.ledger("import").arrive([arrival(world, finding(2))], lambda *_: [])
    assert opened.decision.move == "open"
    assert opened.state.clicked
    assert state(world).clicked
    assert not state(world).asked


@pytest.mark.parametrize(
    "script",
    [
        {"write": [Outcome("failed", "denied")]},
        {"write": [Outcome("skipped", "nothing to write")]},
    ],
)
def test_a_click_whose_answer_fails_or_is_skipped_is_answered_by_the_engine(
    make_world: Any, cloud: Cloud, script: dict[str, list[Outcome]]
) -> None:
    world = make_world()
    world.fail.update(script)
    world.send(event(finding(1), clicked="c"), "clicks")
    world.drain()
    (note,) = answers(cloud)
    assert note.startswith("modelled ")
    assert "write" in note


def test_an_answer_that_others_wait_for_is_given_once_and_they_follow(make_world: Any) -> None:
    world = make_world()
    first = {"write": (), "tell": ("write",)}
    look, ticket, tell, write = world.playbook.steps
    steps = (look, write, ticket, tell)
    world.playbook = msgspec.structs.replace(
        world.playbook,
        steps=tuple(msgspec.structs.replace(s, needs=first.get(s.id, s.needs)) for s in steps),
    )
    world.fail["write"] = [Outcome("deferred", "Security Hub does not answer")]
    world.send(event(finding(1), clicked="c"), "clicks")
    world.drain()
    assert world.written[ID] == 1
    assert len(world.told) == 1
    assert not state(world).steps or state(world).steps["tell"]["s"] == "done"


def test_a_click_with_a_condition_that_errors_is_answered(make_world: Any, cloud: Cloud) -> None:
    world = make_world()
    steps = [msgspec.structs.replace(s, if_="finding.nothing") for s in world.playbook.steps]
    world.playbook = msgspec.structs.replace(world.playbook, steps=tuple(steps))
    world.send(event(finding(1), clicked="c"), "clicks")
    world.drain()
    (note,) = answers(cloud)
    assert "could not decide" in note
    assert world.told == []
    assert world.opened == []


def test_a_click_whose_group_cannot_be_told_is_answered(make_world: Any, cloud: Cloud) -> None:
    world = make_world()
    world.playbook = msgspec.structs.replace(world.playbook, group_by=("finding.nothing",))
    world.send(event(finding(1), clicked="c"), "clicks")
    world.drain()
    (note,) = answers(cloud)
    assert note.startswith("could not decide: 'finding.nothing'")


def test_a_click_on_findings_that_cannot_be_read_is_answered_where_they_can_be_named(
    make_world: Any, cloud: Cloud
) -> None:
    world = make_world()
    unusable = finding(2) | {"AwsAccountId": 7}
    nameless = finding(3) | {"Id": None, "AwsAccountId": 7}
    no_product = finding(4) | {"ProductArn": 7}
    body = event(finding(1), unusable, nameless, no_product, clicked="c")
    world.send(body, "clicks")
    world.drain()
    (call,) = cloud.called("BatchUpdateFindings")
    assert [one["Id"] for one in call["FindingIdentifiers"]] == [unusable["Id"]]
    assert call["Note"]["Text"].startswith("This finding cannot be read: AwsAccountId")
    assert world.written == {ID: 1}


def test_an_unknown_verdict_is_answered_at_once_and_asked_again_a_few_times(
    make_world: Any,
) -> None:
    world = make_world()
    unknown = Outcome("done", "could not tell", {"verdict": "UNKNOWN"}, retry_after=30.0)
    look = world.action("look")
    world.replaced["look"] = replace(look, run=lambda works, _: [unknown] * len(works))
    world.send(event(finding(1), clicked="c"), "clicks")
    run(world)
    assert world.written[ID] == 1
    world.drain()
    assert world.written[ID] == 1 + 6
    assert world.opened == []
    assert state(world).done == state(world).round


def test_a_click_joined_by_many_findings_of_one_instance_reaches_all(make_world: Any) -> None:
    world = make_world()
    findings = [finding(n) for n in range(100)]
    world.send(event(*findings, clicked="c"), "clicks")
    world.drain()
    assert set(world.written) == {one["Id"] for one in findings}
    assert len(world.opened) == 1


def test_an_answer_that_security_hub_refuses_is_recorded_and_the_click_goes_on(
    make_world: Any, cloud: Cloud
) -> None:
    refused = {"FindingIdentifier": {"Id": ID, "ProductArn": finding(1)["ProductArn"]}}
    answer = {"ProcessedFindings": [], "UnprocessedFindings": [refused | {"ErrorCode": "Gone"}]}
    cloud.script["BatchUpdateFindings"] = [Reply(200, answer)]
    world = make_world()
    world.send(event(finding(1), clicked="c"), "clicks")
    world.queue[0].receives = 4
    world.drain()
    (outcome,) = [r for r in world.records() if r["kind"] == "outcome" and r["step"] == "_answer"]
    assert (outcome["status"], world.written[ID]) == ("failed", 1)


def test_an_answer_that_cannot_be_written_now_brings_the_click_back(
    make_world: Any, cloud: Cloud
) -> None:
    cloud.script["BatchUpdateFindings"] = [error("InternalException"), Reply(200, {})]
    world = make_world()
    world.send(event(finding(1), clicked="c"), "clicks")
    world.queue[0].receives = 4
    run(world)
    (again,) = world.queue
    assert again.attributes["attempt"]["StringValue"] == "1"
    world.drain()
    assert world.written[ID] == 1

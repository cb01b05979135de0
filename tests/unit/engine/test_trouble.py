"""One message's, finding's or incident's trouble ends with itself (invariants 2, 3 and 7)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub_responder import clock
from hub_responder.actions.base import Outcome
from hub_responder.audit import Audit
from hub_responder.engine.batch import Batch
from hub_responder.engine.intake import Message
from hub_responder.engine.outbox import Outbox
from hub_responder.errors import TransientError
from hub_responder.ledger.store import Settle
from hub_responder.ledger.transaction import Part
from hub_responder.playbook import Wait
from hub_responder.runtime import Runtime
from hub_responder.values import clean
from loopback import Cloud, Reply, error
from world import World, arrival, event, finding

TOPIC = "arn:aws:sns:eu-central-1:111122223333:notify"


@pytest.fixture
def topic(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """The default connection."""
    monkeypatch.setenv("NOTIFICATIONS_TOPIC_ARN", TOPIC)
    return cloud


def told(world: World) -> set[str]:
    """The findings that a message named."""
    return set().union(*(ids for _, ids in world.told)) if world.told else set()


def reasons(world: World) -> list[str]:
    """Why the letters are dead."""
    return [letter.attributes["reason"]["StringValue"] for letter in world.dead]


def settle(pk: str) -> str:
    """A settle message."""
    return json.dumps({"hub_responder": "settle", "pk": pk}, separators=(",", ":"))


def change(world: World, pk: str, sk: str, **values: Any) -> None:
    """Change an item in the ledger as nobody should."""
    key = {"pk": {"S": pk}, "sk": {"S": sk}}
    for name, value in values.items():
        world.store.handle(
            "UpdateItem",
            {
                "TableName": "ledger",
                "Key": key,
                "UpdateExpression": "SET #n = :v",
                "ExpressionAttributeNames": {"#n": name},
                "ExpressionAttributeValues": {":v": value},
            },
        )


def test_the_last_try_is_known_to_the_action_and_what_it_defers_has_failed(
    make_world: Any,
) -> None:
    world = make_world()
    world.playbook = msgspec.structs.replace(world.playbook, give_up_after=3600.0)
    tries: list[bool] = []

    def tell(works: Any, _runtime: Runtime) -> list[Outcome]:
        tries.extend(work.last for work in works)
        return [Outcome("deferred", "chat is down") for _ in works]

    world.replaced["tell"] = replace(world.action("tell"), run=tell)
    world.send(event(finding(1)))
    world.drain()
    assert len(tries) > 3
    assert tries == [False] * (len(tries) - 1) + [True]
    assert reasons(world) == ["tell: gave up: chat is down"]


def test_an_incident_that_cannot_be_read_costs_only_its_own_message(make_world: Any) -> None:
    world = make_world()
    for n in range(10):
        world.send(event(finding(n, n)))
    world.drain()
    broken = arrival(world, finding(3, 3)).pk
    change(world, broken, "I", told={"S": "{"})
    world.told.clear()
    later = [finding(100 + n, n) for n in range(10)]
    for one in later:
        world.send(event(one))
    world.drain(batch=10, runs=1)
    assert told(world) == {one["Id"] for one in later} - {later[3]["Id"]}
    assert [letter.body for letter in world.dead] == [world.dead[0].body]
    assert later[3]["Id"] in world.dead[0].body
    assert reasons(world)[0].startswith("cannot be handled: ")
    assert [r["detail"] for r in world.records() if r["kind"] == "dead"] == reasons(world)


@pytest.mark.parametrize("seed", range(8))
def test_a_finding_that_kills_its_run_takes_no_other_with_it(make_world: Any, seed: int) -> None:
    world = make_world(seed)
    sent = [finding(n, n) for n in range(12)]
    fatal = sent[seed]["Id"]
    world.fatal = {fatal}
    for one in sent:
        world.send(event(one))
    world.drain(batch=12, runs=1)
    assert told(world) == {one["Id"] for one in sent} - {fatal}
    assert len(world.dead) == 1
    assert fatal in world.dead[0].body


def test_a_message_with_odd_attributes_or_body_is_read_or_dead_and_others_go_on(
    make_world: Any,
) -> None:
    world = make_world()
    bodies = [
        "null",
        "[]",
        "\ud800",
        '{"hub_responder"',
        '{"hub_responder":"settle"}',
        '{"hub_responder":"settle","pk":7}',
        '{"hub_responder":"settle","pk":"other#1"}',
        '{"hub_responder":"recheck","event_id":"e","findings":[{}]}',
        '{"hub_responder":"recheck","event_id":"e","findings":7}',
        '{"hub_responder":["settle"]}',
        '{"hub_responder":{}}',
        "[" * 100_000,
    ]
    for body in bodies:
        world.send(body)
    world.send(event(finding(1)))
    world.drain(batch=20, runs=1)
    assert told(world) == {finding(1)["Id"]}
    assert len(world.dead) == len(bodies)
    assert all(reason.startswith("unreadable: ") for reason in reasons(world))
    assert [r["kind"] for r in world.records()].count("unreadable") == len(bodies)


def test_a_settle_message_used_up_by_a_round_without_findings_is_sent_again(
    make_world: Any,
) -> None:
    world = make_world()
    first, second = finding(1), finding(2)
    dead = world.ledger("dead")
    (claim,) = dead.arrive([arrival(world, first)], lambda *_: [])
    assert claim.owned
    world.ledger("other").arrive([arrival(world, second)], lambda *_: [])
    gone = arrival(world, first | {"UpdatedAt": "2026-11-20T00:00:09Z"})
    record = {"kind": "closed"}
    dead.close([(gone.pk, gone.members[0])], lambda *_: record)
    world.gate.now += 120
    world.send(settle(claim.pk))
    world.drain()
    assert told(world) == {second["Id"]}


def test_a_settle_message_beside_a_takeover_of_its_incident_is_sent_again(
    make_world: Any,
) -> None:
    world = make_world()
    first, second = finding(1), finding(2)
    (claim,) = world.ledger("dead").arrive([arrival(world, first)], lambda *_: [])
    world.ledger("other").arrive([arrival(world, second)], lambda *_: [])
    world.gate.now += 120
    world.send(event(first))
    world.send(settle(claim.pk))
    world.gate.random.seed(1)
    job = world._job("imports", world._receive("imports", 10))
    world.gate.run([job])
    world.drain()
    assert told(world) == {first["Id"], second["Id"]}


def test_a_finding_that_another_version_wrote_is_set_aside(make_world: Any) -> None:
    world = make_world(wait=Wait(15, 120))
    world.send(event(finding(1), finding(2)))
    world.gate.run([world._job("imports", world._receive("imports", 1))])
    both = arrival(world, finding(1), finding(2))
    change(world, both.pk, both.members[0].f_sk, data={"S": '{"other":"form"}'})
    world.drain()
    assert told(world) == {finding(2)["Id"]}
    assert [reason.split(":")[0] for reason in reasons(world)] == ["unreadable"]
    (record,) = [r for r in world.records() if r["kind"] == "unreadable"]
    assert record["findings"] == [finding(1)["Id"]]


def test_a_group_that_cannot_be_told_is_dead_and_told_aloud(make_world: Any, topic: Cloud) -> None:
    world = make_world()
    world.playbook = msgspec.structs.replace(world.playbook, group_by=("finding.nothing",))
    world.send(event(finding(1)))
    world.drain()
    (published,) = topic.called("Publish")
    assert published["TopicArn"] == TOPIC
    assert "could not decide" in published["Message"]
    assert finding(1)["Id"] in published["Message"]
    (letter,) = world.dead
    assert json.loads(letter.body)["findings"][0]["id"] == finding(1)["Id"]
    kinds = [r["kind"] for r in world.records()]
    assert kinds.index("attempt") < kinds.index("outcome")
    assert kinds.count("dead") == 1


def test_an_insight_that_cannot_be_asked_now_delays_nobody_else(
    make_world: Any, cloud: Cloud
) -> None:
    world = make_world()
    cloud.script["/insights/get"] = [error("InternalException")]
    insight = {
        "version": "0",
        "id": "i-1",
        "detail-type": "Security Hub Insight Results",
        "source": "aws.securityhub",
        "account": "111122223333",
        "time": "2026-11-20T00:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {"insightArn": "arn:insight", "insightResults": [{"i-1": 1}]},
    }
    world.send(json.dumps(insight), "clicks")
    world.send(event(finding(1), clicked="c"), "clicks")
    before = world.gate.now
    world.gate.run([world._job("clicks", world._receive("clicks", 10))])
    assert told(world) == {finding(1)["Id"]}
    (waiting,) = [sent for sent in world.queue if "i-1" in sent.body]
    assert waiting.due - before >= 30
    assert waiting.attributes["attempt"]["StringValue"] == "1"


def outcomes(world: World, step: str) -> list[dict[str, Any]]:
    """The outcomes of a step."""
    return [r for r in world.records() if r["kind"] == "outcome" and r["step"] == step]


def test_an_action_that_forgets_an_incident_fails_for_all_and_is_recorded(
    make_world: Any,
) -> None:
    world = make_world()
    look = world.action("look")
    world.replaced["look"] = replace(
        look, run=lambda works, _: [Outcome("done")] * (len(works) - 1)
    )
    world.send(event(finding(1, 1)))
    world.send(event(finding(2, 2)))
    world.drain(batch=10, runs=1)
    assert {one["status"] for one in outcomes(world, "look")} == {"failed"}
    assert all("internal error in look" in one["detail"] for one in outcomes(world, "look"))


@pytest.mark.parametrize("result", [{"it": object()}, {"it": "x" * 50_000}])
def test_a_result_that_cannot_be_kept_is_left_out_and_its_readers_say_so(
    make_world: Any, result: dict[str, Any]
) -> None:
    world = make_world()
    world.verdict = {"verdict": "UNPROTECTED", **result}
    world.send(event(finding(1)))
    world.drain()
    (look,) = outcomes(world, "look")
    assert look["status"] == "done"
    assert "result" in look["detail"]
    assert world.opened == []
    assert "could not decide" in outcomes(world, "ticket")[0]["detail"]


def test_an_action_that_is_not_there_fails_its_step_only(make_world: Any) -> None:
    world = make_world()
    steps = list(world.playbook.steps)
    steps[0] = msgspec.structs.replace(steps[0], uses="gone")
    world.playbook = msgspec.structs.replace(world.playbook, steps=tuple(steps))
    world.send(event(finding(1)))
    world.drain()
    assert outcomes(world, "look")[0]["detail"] == "could not decide: gone"
    assert told(world) == {finding(1)["Id"]}
    assert [letter for letter in reasons(world) if letter.startswith("look: ")]


def test_what_fails_later_in_a_round_is_told_as_well(make_world: Any, topic: Cloud) -> None:
    world = make_world()
    world.fail["ticket"] = [Outcome("failed", "the project is gone")]
    world.fail["tell"] = [Outcome("deferred", "503"), Outcome("failed", "the channel is gone")]
    world.send(event(finding(1)))
    world.drain()
    first, second = [one["Message"] for one in topic.called("Publish")]
    assert "project is gone" in first
    assert "channel is gone" not in first
    assert "channel is gone" in second


def test_a_claim_that_is_lost_is_not_worked_on(make_world: Any) -> None:
    """A run that is overtaken while it works does no more, and its taker does not repeat it."""
    world = make_world()
    (claim,) = world.ledger("slow").arrive([arrival(world, finding(1))], lambda *_: [])
    world.gate.now += 120
    world.send(event(finding(1)))
    world.drain()
    late = world.ledger("slow")
    move = late.operations().step(claim.pk, claim.state.round, {}, {})
    (lost,) = late.submit([Part([move], [])])
    assert lost is not None
    assert len(world.told) == 1


def test_a_round_that_never_gets_the_time_does_not_go_on_and_on(make_world: Any) -> None:
    world = make_world()
    world.run_s = 5.0
    world.send(event(finding(1)))
    with pytest.raises(AssertionError, match="does not drain"):
        world.drain(limit_s=3600)
    assert world.runs < 20
    world.run_s = 60.0
    world.drain()
    assert told(world) == {finding(1)["Id"]}


def test_a_batch_that_breaks_late_defers_what_it_has_no_time_for(make_world: Any) -> None:
    world = make_world()
    broken = arrival(world, finding(0, 0)).pk
    world.send(event(finding(0, 0)))
    world.drain()
    change(world, broken, "I", told={"S": "{"})
    world.run_s = 5.0
    world.told.clear()
    for n in range(3):
        world.send(event(finding(10 + n, n)))
    world.gate.run([world._job("imports", world._receive("imports", 10))])
    assert {sent.attributes["attempt"]["StringValue"] for sent in world.queue} == {"1"}
    world.run_s = 60.0
    world.drain()
    assert told(world) == {finding(11)["Id"], finding(12)["Id"]}


def test_a_letter_that_cannot_be_recorded_is_one_letter_with_its_reason(make_world: Any) -> None:
    """Given back, its message would be moved by SQS too, and say nothing."""
    world = make_world()
    world.store.handle("DeleteTable", {"TableName": "audit"})
    world.send(event(finding(1)))
    world.drain(limit_s=3600)
    (reason,) = reasons(world)
    assert reason.startswith("cannot be handled: dynamodb: ResourceNotFoundException")
    assert finding(1)["Id"] in world.dead[0].body


class Refusing:
    """SQS that takes nothing, or refuses for good."""

    def __init__(self, *, fault: bool) -> None:
        self.fault = fault

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        ids = [entry["Id"] for entry in request["Entries"]]
        return {"Failed": [{"Id": one, "SenderFault": self.fault} for one in ids]}


@pytest.mark.parametrize("fault", [False, True])
@pytest.mark.parametrize("receives", [1, 5])
def test_messages_that_cannot_be_replaced_come_again(
    make_world: Any, fault: bool, receives: int
) -> None:
    """Nothing is acknowledged before what replaces it is sent."""
    world = make_world()
    refusing = Refusing(fault=fault)
    outbox = Outbox(refusing, playbook="p", imports="imports", clicks="clicks", dead="dead")
    messages = [
        Message(f"m{n}", body, receives, False)
        for n, body in enumerate(['{"garbage": true}', "[]"])
    ]
    audit = Audit("audit", world.playbook, "me")
    runtime = Runtime(world.playbook, Path(), world.deadline(), clock.now(), "t", world.action)
    batch = Batch(runtime, world.ledger("me"), audit, outbox, clicks=False)
    assert sorted(batch.handle(messages)) == ["m0", "m1"]


def test_the_default_connection_that_is_down_is_recorded_and_the_dlq_has_it(
    make_world: Any, topic: Cloud
) -> None:
    topic.script["Publish"] = [Reply(403, {})]
    world = make_world()
    world.playbook = msgspec.structs.replace(world.playbook, group_by=("finding.nothing",))
    world.send(event(finding(1)))
    world.drain()
    assert len(world.dead) == 1
    assert [one["status"] for one in outcomes(world, "_notice")] == ["failed"]


def test_a_step_that_says_stop_keeps_the_later_ones_from_running(make_world: Any) -> None:
    world = make_world()
    steps = list(world.playbook.steps)
    steps[1] = msgspec.structs.replace(steps[1], on_error="stop")
    world.playbook = msgspec.structs.replace(world.playbook, steps=tuple(steps))
    world.fail["ticket"] = [Outcome("failed", "no")]
    world.send(event(finding(1)))
    world.drain()
    assert world.told == []
    assert world.written == {}
    assert [one["detail"] for one in outcomes(world, "write")] == [
        "a step before it stopped the round"
    ]


def test_a_bug_in_an_action_fails_its_step_and_its_text_is_nowhere(make_world: Any) -> None:
    def buggy(_works: Any, _runtime: Any) -> Any:
        raise KeyError("a-secret-text")

    world = make_world()
    world.replaced["tell"] = replace(world.action("tell"), run=buggy)
    world.send(event(finding(1)))
    world.drain()
    assert world.written == {finding(1)["Id"]: 1}
    assert [one["status"] for one in outcomes(world, "tell")] == ["failed"]
    assert "a-secret-text" not in json.dumps(world.records())
    assert "a-secret-text" not in "".join(letter.body for letter in world.dead)


def test_an_action_whose_call_fails_as_a_whole_is_tried_again(make_world: Any) -> None:
    calls = []

    def failing(works: Any, runtime: Any) -> Any:
        calls.append(len(works))
        if len(calls) == 1:
            raise TransientError("no answer", target="x", sent=True)
        return [Outcome("done") for _ in works]

    world = make_world()
    world.replaced["tell"] = replace(world.action("tell"), run=failing)
    world.send(event(finding(1)))
    world.drain()
    assert calls == [1, 1]
    assert [one["status"] for one in outcomes(world, "tell")] == ["deferred", "done"]
    attempts = [r for r in world.records() if r["kind"] == "attempt" and r["step"] == "tell"]
    assert "in doubt" in attempts[1]["detail"]


def test_an_import_waits_for_a_verdict_that_may_be_told_soon_but_not_for_ever(
    make_world: Any,
) -> None:
    unknown = Outcome("done", "could not tell", {"verdict": "UNKNOWN"}, retry_after=60.0)
    world = make_world()
    look = world.action("look")
    world.replaced["look"] = replace(look, run=lambda works, _: [unknown] * len(works))
    began = world.gate.now
    world.send(event(finding(1)))
    world.drain()
    assert 900 <= world.gate.now - began < 3600
    assert world.opened == []  # UNKNOWN is not UNPROTECTED
    assert told(world) == {finding(1)["Id"]}


def test_what_failed_is_told_once_however_often_its_round_goes_on(
    make_world: Any, topic: Cloud
) -> None:
    world = make_world()
    world.fail["ticket"] = [Outcome("failed", "the project is gone")]
    world.fail["tell"] = [Outcome("deferred", "503")] * 3
    world.send(event(finding(1)))
    world.drain()
    assert len(world.told) == 1
    assert len(topic.called("Publish")) == 1


def test_a_run_that_is_overtaken_between_two_steps_has_no_more_effects(make_world: Any) -> None:
    world = make_world()
    look = world.action("look")

    def slowly(works: Any, runtime: Any) -> Any:
        del world.replaced["look"]
        pk = works[0].incident.key
        change(world, pk, "I", lease={"N": "1"})  # the other's clock goes wrong, say
        world.ledger("other").settle([Settle(pk)], lambda _claim: [])
        return look.run(works, runtime)

    world.replaced["look"] = replace(look, run=slowly)
    world.send(event(finding(1)))
    world.gate.run([world._job("imports", world._receive("imports", 1))])
    assert (world.opened, world.told, world.written) == ([], [], {})
    assert [json.loads(sent.body)["hub_responder"] for sent in world.queue] == ["settle"]
    world.drain()
    assert (len(world.opened), len(world.told)) == (1, 1)
    assert world.dead == []


def _nested(depth: int) -> Any:
    deep: Any = "x"
    for _ in range(depth):
        deep = [deep]
    return deep


ABSENT = object()
ESSENTIAL = ("Id", "ProductArn", "AwsAccountId", "Resources")
ODD: tuple[Any, ...] = (ABSENT, None, 7, ["x"], {"x": 1}, "", "\ud800" * 9, "x" * 9000, _nested(60))


def test_nineteen_broken_findings_are_recorded_by_field_and_the_good_one_is_handled(
    make_world: Any,
) -> None:
    broken: list[tuple[str, dict[str, Any]]] = []
    for field in ESSENTIAL:
        for value in ODD:
            raw = finding(len(broken) + 2)
            raw = {k: v for k, v in (raw | {field: value}).items() if v is not ABSENT}
            broken.append((field, raw))
    broken.append(("Description", finding(90) | {"Description": _nested(500)}))
    for start in range(0, len(broken), 19):
        world, part = make_world(), broken[start : start + 19]
        world.send(event(finding(1), *(raw for _, raw in part)))
        world.drain()
        assert finding(1)["Id"] in told(world)
        handled = told(world)
        lost = [field for field, raw in part if clean(str(raw.get("Id")), 9999) not in handled]
        records = [one for one in world.records() if one["kind"] == "unreadable"]
        assert sorted(one["detail"].partition(":")[0] for one in records) == sorted(lost)


@pytest.mark.parametrize("text", ['"Title": "a", "Title": "b"', '"Title": 1e999', '"Title": NaN'])
def test_json_that_is_odd_as_text_is_read_or_dead_with_its_reason(
    make_world: Any, text: str
) -> None:
    world = make_world()
    good, odd = finding(1), finding(2) | {"Title": "TITLE"}
    world.send(event(good, odd).replace('"Title":"TITLE"', text).replace('"Title": "TITLE"', text))
    world.drain()
    if "NaN" in text:
        assert [reason.split(":")[0] for reason in reasons(world)] == ["unreadable"]
        assert "NaN is no JSON number" in reasons(world)[0]
    else:
        assert told(world) == {good["Id"], odd["Id"]}

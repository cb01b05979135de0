"""``stepfunctions.start``: one execution for one effect, however often it is tried."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from factories import incident, resource, runtime, work
from hub_responder.actions import start_execution
from hub_responder.actions.base import Outcome
from hub_responder.actions.start_execution import Params
from member_cloud import MemberCloud

ARN = "arn:aws:states:eu-central-1:111122223333:stateMachine:quarantine"
NAME = "hr-" + "ab" * 20
EXECUTION = f"arn:aws:states:eu-central-1:111122223333:execution:quarantine:{NAME}"


def start(given: dict[str, Any] | None = None, arn: str = ARN, **more: Any) -> Outcome:
    (outcome,) = start_execution.run([work(Params(arn, given), **more)], runtime())
    return outcome


def test_an_execution_is_named_after_the_effect(members: MemberCloud) -> None:
    outcome = start({"instance": "i-1"})
    assert outcome.status == "done"
    assert outcome.result == {"execution": EXECUTION, "name": NAME, "started": True}
    request = json.loads(members.bodies[-1])
    assert (request["stateMachineArn"], request["name"]) == (ARN, NAME)
    assert json.loads(request["input"]) == {"idempotencyKey": "ab" * 20, "instance": "i-1"}


def test_a_second_attempt_finds_the_first(members: MemberCloud) -> None:
    start()
    again = start(of=incident(count=7), in_doubt=True)
    assert again.status == "done"
    assert again.result == {"execution": EXECUTION, "name": NAME, "started": True}


def test_what_was_there_without_our_doubt_was_not_started_now(members: MemberCloud) -> None:
    start({"a": 1}, arn=ARN + ":live")
    outcome = start({"a": 2}, arn=ARN + ":live")
    assert outcome.result == {"execution": EXECUTION, "name": NAME, "started": False}
    assert "was started already" in outcome.detail


def test_another_effect_is_another_execution(members: MemberCloud) -> None:
    start()
    assert start(key="cd" * 20).result["execution"] != EXECUTION


@pytest.mark.parametrize(
    ("status", "outcome"), [(403, "failed"), (400, "failed"), (503, "deferred"), (429, "deferred")]
)
def test_refusals_fail_and_trouble_defers(members: MemberCloud, status: int, outcome: str) -> None:
    members.faults.add([{"target": "states.StartExecution", "status": status, "times": 3}])
    assert start().status == outcome


def test_a_repeat_by_the_client_is_the_same_execution(members: MemberCloud) -> None:
    members.faults.add([{"target": "states.StartExecution", "status": 503}])
    assert start().status == "done"
    assert members.count("states.StartExecution") == 2


@pytest.mark.parametrize("arn", ["quarantine", ARN.replace("stateMachine", "execution"), ARN + ":"])
def test_a_state_machine_is_named_by_its_arn(arn: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"state_machine": arn}, Params)


def test_the_role_may_start_this_state_machine_only() -> None:
    assert start_execution.ACTION.constants == ("state_machine",)
    (statement,) = start_execution.ACTION.permissions({"state_machine": ARN}, {})
    assert (statement["Action"], statement["Resource"]) == (["states:StartExecution"], [ARN])


def test_a_plan_starts_nothing(members: MemberCloud) -> None:
    assert start_execution.ACTION.plan is not None
    told = start_execution.ACTION.plan(work(Params(ARN)), runtime())
    assert told == f"would start state machine quarantine for {resource().id}"
    assert members.calls == []

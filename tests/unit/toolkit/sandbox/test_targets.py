"""Functions and state machines that steps start: what is refused as AWS refuses it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.test import Client

from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.targets import NAME_FREE_AFTER_S, StateMachines, functions

ARN = "arn:aws:states:us-east-1:111122223333:stateMachine:quarantine"
INVOKE = "/2015-03-31/functions/find-owner/invocations"


class Machines:
    """State machines whose clock a test turns."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._machines = StateMachines(lambda: self.now)

    def start(self, given: str = "{}", name: str = "n", arn: str = ARN) -> dict[str, Any]:
        request = {"stateMachineArn": arn, "name": name, "input": given}
        return self._machines.handle("StartExecution", request)


def test_a_name_is_one_execution_for_ninety_days() -> None:
    machines = Machines()
    first = machines.start()
    assert first["executionArn"].endswith(":execution:quarantine:n")
    machines.now += 5
    assert machines.start() == first
    with pytest.raises(AwsError, match="ExecutionAlreadyExists"):
        machines.start('{"a": 1}')
    machines.now += NAME_FREE_AFTER_S
    assert machines.start('{"a": 1}')["startDate"] == machines.now


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"arn": "quarantine"}, "InvalidArn"),
        ({"name": "a b"}, "InvalidName"),
        ({"name": "x" * 81}, "InvalidName"),
        ({"given": "{"}, "InvalidExecutionInput"),
        ({"given": json.dumps("x" * 262_144)}, "InvalidExecutionInput"),
    ],
)
def test_what_step_functions_refuses_is_refused(given: dict[str, str], code: str) -> None:
    with pytest.raises(AwsError, match=code):
        Machines().start(**given)


def test_a_function_answers_or_takes_an_event() -> None:
    client = Client(functions)
    answered = client.post(INVOKE, data=b'{"a": 1}')
    assert (answered.status_code, answered.json) == (200, {"received": True})
    taken = client.post(INVOKE, data=b"{}", headers={"X-Amz-Invocation-Type": "Event"})
    assert (taken.status_code, taken.data) == (202, b"")


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"no json", "RequestResponse", "InvalidRequestContentException"),
        (b'"' + b"x" * 1_048_576 + b'"', "Event", "RequestTooLargeException"),
        (b'"' + b"x" * 6_291_456 + b'"', "RequestResponse", "RequestTooLargeException"),
    ],
)
def test_what_lambda_refuses_is_refused(body: bytes, kind: str, code: str) -> None:
    answer = Client(functions).post(INVOKE, data=body, headers={"X-Amz-Invocation-Type": kind})
    assert answer.headers["x-amzn-ErrorType"] == code

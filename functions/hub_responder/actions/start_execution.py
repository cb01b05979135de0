"""``stepfunctions.start``: an execution of a state machine, once.

The execution's name is the effect's key. A standard state machine takes a name once in 90 days and
answers a second start with the same input as the first
(https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html); an express
one does not compare names, so it can be started twice where a run died.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from botocore.exceptions import ClientError

from hub_responder import aws
from hub_responder.actions.base import Action, Outcome, Statement, Work, each, line
from hub_responder.identifiers import arn_region
from hub_responder.payload import payload

if TYPE_CHECKING:
    from hub_responder.runtime import Runtime

_Arn = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:stateMachine:"
        r"[A-Za-z0-9_-]{1,80}(:[A-Za-z0-9_-]{1,80})?$"
    ),
]


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``state_machine`` is an ARN, with a version or alias where wanted.

    ``input`` is what it gets; left out: what is known of the incident. It always gets
    ``idempotencyKey``.
    """

    state_machine: _Arn
    input: dict[str, Any] | None = None


class Result(msgspec.Struct, frozen=True):
    """The execution's ARN and name, and whether this step started it (or an earlier attempt)."""

    execution: str
    name: str
    started: bool


def run(works: Sequence[Work], runtime: Runtime) -> list[Outcome]:
    """Start an execution for each incident."""
    return each(lambda work: _start(work, runtime), works)


def _start(work: Work, runtime: Runtime) -> Outcome:
    params: Params = work.params
    target, name = _name(params.state_machine), f"hr-{work.key}"
    content = payload(work, runtime, params.input, target)
    runtime.deadline.timeout(10.0, target=target)
    client = aws.client("stepfunctions", region=arn_region(params.state_machine))
    try:
        answer = client.start_execution(
            stateMachineArn=params.state_machine,
            name=name,
            input=msgspec.json.encode(content).decode(),
        )
        execution, started = str(answer.get("executionArn", "")), True
    except aws.ERRORS as error:
        if not _exists(error):
            raise aws.translate(error, target) from error
        # The name is this effect's alone, so it is this effect's execution.
        execution, started = _execution(params.state_machine, name), work.in_doubt
    result = Result(execution, name, started)
    verb = "started" if started else "was started already:"
    return Outcome("done", line(f"{target} {verb} {name}"), result=msgspec.to_builtins(result))


def _exists(error: Exception) -> bool:
    if not isinstance(error, ClientError):
        return False
    return error.response.get("Error", {}).get("Code") == "ExecutionAlreadyExists"


def _execution(state_machine: str, name: str) -> str:
    head, machine = state_machine.split(":stateMachine:", 1)
    return f"{head}:execution:{machine.split(':')[0]}:{name}"


def _name(arn: str) -> str:
    return "state machine " + arn.split(":stateMachine:", 1)[1]


def plan(work: Work, runtime: Runtime) -> str:
    """Which state machine would be started."""
    params: Params = work.params
    target = _name(params.state_machine)
    payload(work, runtime, params.input, target)
    return line(f"would start {target} for {work.incident.resource.id}")


def permissions(
    with_: Mapping[str, Any], _connections: Mapping[str, Mapping[str, Any]]
) -> list[Statement]:
    """Starting this state machine."""
    machine = with_.get("state_machine", "*")
    return [{"Effect": "Allow", "Action": ["states:StartExecution"], "Resource": [machine]}]


ACTION = Action(
    name="stepfunctions.start",
    summary="Starts an execution of a state machine with the incident, once.",
    effects=True,
    params=Params,
    result=Result,
    permissions=permissions,
    example="""\
- uses: stepfunctions.start
  with: {state_machine: "arn:aws:states:eu-central-1:111122223333:stateMachine:quarantine"}
""",
    run=run,
    constants=("state_machine",),
    plan=plan,
)

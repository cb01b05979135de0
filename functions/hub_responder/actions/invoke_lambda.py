"""``lambda.invoke``: a function of the team's own, with the incident; its answer for later steps.

A function that was invoked twice for one effect sees the same ``idempotencyKey``: Lambda itself
knows no such key (https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from hub_responder import aws
from hub_responder.actions.base import Action, Outcome, Statement, Work, each, line
from hub_responder.errors import PermanentError, UnreadableEvent
from hub_responder.identifiers import arn_region
from hub_responder.payload import payload
from hub_responder.strictjson import parse, writable
from hub_responder.values import clean

if TYPE_CHECKING:
    from hub_responder.runtime import Runtime

MAX_ANSWER = 32_768
"""Bytes: the answer is kept in the ledger."""
MAX_DEPTH = 16

_Arn = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:"
        r"[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9$_-]{1,128})?$"
    ),
]


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``function`` is an ARN, with a version or alias where wanted.

    ``payload`` is what it gets; left out: what is known of the incident. It always gets
    ``idempotencyKey``. With ``wait`` (the default) its answer is awaited for ten seconds.
    """

    function: _Arn
    payload: dict[str, Any] | None = None
    wait: bool = True


class Result(msgspec.Struct, frozen=True):
    """``answer`` is the JSON that the function returned (32 KB at most); null without ``wait``."""

    status: int
    answer: Any = None


def run(works: Sequence[Work], runtime: Runtime) -> list[Outcome]:
    """Invoke the function for each incident."""
    return each(lambda work: _invoke(work, runtime), works)


def _invoke(work: Work, runtime: Runtime) -> Outcome:
    params: Params = work.params
    name = _name(params.function)
    content = payload(work, runtime, params.payload, name)
    runtime.deadline.timeout(10.0, target=name)
    client = aws.client("lambda", region=arn_region(params.function), once=True)
    try:
        answer = client.invoke(
            FunctionName=params.function,
            InvocationType="RequestResponse" if params.wait else "Event",
            Payload=msgspec.json.encode(content),
        )
        status = int(answer.get("StatusCode", 0))
        if not params.wait:
            result = Result(status)
            return Outcome("done", f"{name} was invoked", result=msgspec.to_builtins(result))
        body = answer["Payload"].read(MAX_ANSWER + 1)
    except aws.ERRORS as error:
        raise aws.translate(error, name) from error
    if answer.get("FunctionError"):
        raise PermanentError(_failure(name, body), target=name, sent=True)
    result = Result(status, _read(name, body))
    return Outcome("done", f"{name} answered", result=msgspec.to_builtins(result))


def _read(name: str, body: bytes) -> Any:
    """The function's answer.

    Raises:
        PermanentError: it is too long, no JSON, or nested too deeply to be kept.
    """
    if len(body) > MAX_ANSWER:
        said = f"{name} answered with more than {MAX_ANSWER:,} bytes"
        raise PermanentError(said, target=name, sent=True)
    try:
        answer = parse(body) if body else None
    except UnreadableEvent:
        raise PermanentError(f"{name} answered with no JSON", target=name, sent=True) from None
    if _depth(answer) > MAX_DEPTH:
        raise PermanentError(f"{name} answered too deeply nested", target=name, sent=True)
    return writable(answer)


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level and depth <= MAX_DEPTH:
        inside = [held for held in level if isinstance(held, dict | list)]
        level = [
            one for held in inside for one in (held.values() if isinstance(held, dict) else held)
        ]
        depth += bool(inside)
    return depth


def _failure(name: str, body: bytes) -> str:
    """What to say of a function that raised: the error's type, whose text may hold anything."""
    try:
        kind = str(parse(body).get("errorType", ""))
    except (UnreadableEvent, AttributeError):
        kind = ""
    return line(f"{name} failed" + (f": {clean(kind, 80)}" if kind else ""))


def _name(arn: str) -> str:
    return "lambda " + arn.split(":function:", 1)[1]


def plan(work: Work, runtime: Runtime) -> str:
    """Which function would be invoked."""
    params: Params = work.params
    payload(work, runtime, params.payload, _name(params.function))
    return line(f"would invoke {_name(params.function)} about {work.incident.resource.id}")


def permissions(
    with_: Mapping[str, Any], _connections: Mapping[str, Mapping[str, Any]]
) -> list[Statement]:
    """Invoking this function."""
    function = with_.get("function", "*")
    return [{"Effect": "Allow", "Action": ["lambda:InvokeFunction"], "Resource": [function]}]


ACTION = Action(
    name="lambda.invoke",
    summary="Invokes a Lambda function of your own with the incident, and keeps its answer.",
    effects=True,
    params=Params,
    result=Result,
    permissions=permissions,
    example="""\
- id: owner
  uses: lambda.invoke
  with:
    function: arn:aws:lambda:eu-central-1:111122223333:function:find-owner
    payload: {instance: "{{ incident.resource.instance_id }}"}
""",
    run=run,
    constants=("function",),
    plan=plan,
)

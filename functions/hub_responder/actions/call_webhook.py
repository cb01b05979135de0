"""``call``: a signed request to a program of your own, and its answer for later steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from hub_responder.actions.base import Action, Outcome, Statement, Work, each, line
from hub_responder.connections import signed
from hub_responder.connections.permissions import asking
from hub_responder.connections.resolve import Connection, resolve
from hub_responder.connections.settings import Webhook, read
from hub_responder.connections.turns import turn
from hub_responder.errors import ConfigurationError, PermanentError, UnreadableEvent
from hub_responder.payload import payload
from hub_responder.strictjson import parse, writable
from hub_responder.values import clean, kind

if TYPE_CHECKING:
    from hub_responder import http
    from hub_responder.runtime import Runtime

KINDS = ("webhook",)
MAX_TEXT = 2000
MAX_KEPT = 8192
"""Bytes of a list or mapping in the answer; it is kept in the ledger."""

Shape = Literal[
    "text",
    "number",
    "boolean",
    "list",
    "mapping",
    "text?",
    "number?",
    "boolean?",
    "list?",
    "mapping?",
]
_PYTHON: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "list": (list,),
    "mapping": (dict,),
}


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``to`` names a connection of type webhook, or a route.

    ``payload`` is what is posted; left out: what is known of the incident. It always holds
    ``idempotencyKey``. ``answer`` says what must come back: name -> text, number, boolean, list or
    mapping; ``text?`` may be missing (and is null then). What is not named is not kept.
    """

    to: str
    payload: dict[str, Any] | None = None
    answer: Annotated[dict[str, Shape], msgspec.Meta(max_length=20)] = {}


class Result(msgspec.Struct, frozen=True):
    """The HTTP status, and the answer's named values: read them as ``STEP.answer.NAME``."""

    status: int
    answer: dict[str, Any] = {}


def run(works: Sequence[Work], runtime: Runtime) -> list[Outcome]:
    """Call the webhook for each incident."""
    return each(
        lambda work: _call(work, runtime), works, lambda work: _connection(work, runtime).name
    )


def _call(work: Work, runtime: Runtime) -> Outcome:
    params: Params = work.params
    connection = _connection(work, runtime)
    content = payload(work, runtime, params.payload, connection.name)
    with turn(connection, runtime):
        response = signed.post(connection, content, work.key, runtime)
    result = Result(response.status, _answer(response, params.answer))
    said = f"{connection.name} answered {response.status}"
    return Outcome("done", said, result=msgspec.to_builtins(result))


def _connection(work: Work, runtime: Runtime) -> Connection:
    connection = resolve(runtime.playbook, work.params.to, work.scope)
    if connection.type not in KINDS:
        raise ConfigurationError(
            f"call cannot use connection {connection.name} of type {connection.type}; it takes "
            + ", ".join(KINDS)
        )
    read(connection.settings, Webhook, connection.name)
    return connection


def _answer(response: http.Response, shapes: Mapping[str, Shape]) -> dict[str, Any]:
    """The values that the step names.

    Raises:
        PermanentError: the answer is not what the step says; what it holds is not repeated.
    """
    if not shapes:
        return {}
    target = response.target
    try:
        told = parse(response.body)
    except UnreadableEvent:
        told = None
    if not isinstance(told, dict):
        kind_of = response.headers.get("content-type", "no content type")[:60]
        said = f"{target} answered with no JSON object ({kind_of})"
        raise PermanentError(said, target=target, status=response.status, sent=True)
    return {name: _value(name, told.get(name), shape, response) for name, shape in shapes.items()}


def _value(name: str, value: Any, shape: Shape, response: http.Response) -> Any:
    wanted = shape.rstrip("?")
    if value is None and shape.endswith("?"):
        return None
    fits = isinstance(value, _PYTHON[wanted])
    if not fits or (wanted == "number" and isinstance(value, bool)):
        said = "is missing" if value is None else f"is {kind(value)}"
        raise _wrong(response, f"{name} {said}, not {wanted}")
    if isinstance(value, str):
        return clean(value, MAX_TEXT)
    if isinstance(value, list | dict):
        try:
            size = len(msgspec.json.encode(value))
        except RecursionError:
            size = MAX_KEPT + 1
        if size > MAX_KEPT:
            raise _wrong(response, f"{name} has more than {MAX_KEPT:,} bytes")
        return writable(value)
    return value


def _wrong(response: http.Response, reason: str) -> PermanentError:
    said = line(f"the answer of {response.target} is not as the step says: {reason}")
    return PermanentError(said, target=response.target, status=response.status, sent=True)


def plan(work: Work, runtime: Runtime) -> str:
    """Whom it would call."""
    connection = _connection(work, runtime)
    content = payload(work, runtime, work.params.payload, connection.name)
    said = ", ".join(name for name in content if name != "idempotencyKey")
    return line(f"would call {connection.name} about {work.incident.resource.id} with {said}")


def permissions(
    _params: Mapping[str, Any], connections: Mapping[str, Mapping[str, Any]]
) -> list[Statement]:
    """Reading the connections' secrets, and their pace."""
    return asking(connections)


ACTION = Action(
    name="call",
    summary="Calls a program of your own with a signed request, and checks and keeps its answer.",
    effects=True,
    params=Params,
    result=Result,
    permissions=permissions,
    example="""\
- id: cmdb
  uses: call
  with:
    to: cmdb
    payload: {instance: "{{ incident.resource.instance_id }}"}
    answer: {owner: text, priority: number?}
""",
    run=run,
    connection_kinds={"to": KINDS},
    plan=plan,
)

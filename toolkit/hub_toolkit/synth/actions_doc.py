"""What each action takes and leaves, from its declaration: ``docs/actions.md``, and as data."""

from __future__ import annotations

from inspect import cleandoc
from textwrap import fill
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import inspect

from hub_responder import actions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hub_responder.actions.base import Action

MARK = "<!-- Written by `hub-responder synth` from the actions' own declarations. Do not edit. -->"
INTRODUCTION = """\
# Actions

What a step can name in `uses`. A parameter goes into the step's `with`; a result is read by later
steps and by templates as `STEP.RESULT`. Every step also has `status` (done, skipped, failed,
deferred) and `detail`, one line for people. Durations are written as `15s`, `2m`, `24h` or `7d`.
"""
_WIDTH = 100


class Parameter(msgspec.Struct, frozen=True):
    """A key of ``with``. ``default`` is as people read it; ``required`` has none."""

    name: str
    type: str
    required: bool
    default: str


class ResultField(msgspec.Struct, frozen=True):
    """What later steps and templates can read."""

    name: str
    type: str


class Permission(msgspec.Struct, frozen=True):
    """IAM actions that a step needs, with a type of ``connection`` or, where empty, always."""

    connection: str
    actions: list[str]


class Declared(msgspec.Struct, frozen=True):
    """An action as its declaration says it; texts are Markdown."""

    name: str
    summary: str
    effects: bool
    about_parameters: str
    parameters: list[Parameter]
    about_results: str
    results: list[ResultField]
    permissions: list[Permission]
    example: str


def declared(action: Action) -> Declared:
    """What ``action`` declares."""
    return Declared(
        name=action.name,
        summary=action.summary,
        effects=action.effects,
        about_parameters=_said(action.params),
        parameters=list(_parameters(action)),
        about_results=_said(action.result),
        results=[
            ResultField(field.encode_name, _kind(inspect.type_info(field.type)))
            for field in msgspec.structs.fields(action.result)
        ],
        permissions=list(_permissions(action)),
        example=action.example.strip(),
    )


def render() -> str:
    """The whole file, equal for equal declarations."""
    return f"{MARK}\n{page()}"


def page() -> str:
    """All actions, by name, as Markdown."""
    sections = (section(actions.get(name)) for name in sorted(actions.names()))
    return "\n".join([INTRODUCTION, *sections])


def section(action: Action) -> str:
    """One action's part of the page."""
    told = declared(action)
    effects = "It changes something outside: it is claimed in the ledger before."
    parts = [
        f"## {told.name}",
        fill(f"{told.summary} {effects if told.effects else 'It only reads.'}", _WIDTH),
        f"```yaml\n{told.example}\n```",
        told.about_parameters,
        _table(
            ("parameter", "type", "default"),
            [(f"`{one.name}`", one.type, one.default) for one in told.parameters],
        ),
        "Results. " + told.about_results,
        _table(("result", "type"), [(f"`{one.name}`", one.type) for one in told.results]),
        "\n".join(["What it may do in AWS:", "", *map(_granted, told.permissions)]),
    ]
    return "\n\n".join(parts) + "\n"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (headings, *rows)]
    return "\n".join([lines[0], "|---" * len(headings) + "|", *lines[1:]])


def _granted(permission: Permission) -> str:
    where = f"with a connection of type {permission.connection}: " if permission.connection else ""
    return f"- {where}{', '.join(f'`{one}`' for one in permission.actions) or 'nothing'}"


def _said(struct: type[msgspec.Struct]) -> str:
    return cleandoc(struct.__doc__ or "").replace("``", "`")


def _parameters(action: Action) -> Iterator[Parameter]:
    for field in msgspec.structs.fields(action.params):
        name = field.encode_name
        kind = _kind(inspect.type_info(field.type)).replace("number", "number or duration")
        if name in action.connection_kinds:
            kind = f"a connection or route: {', '.join(action.connection_kinds[name])}"
        yield Parameter(name, kind, field.required, _default(field))


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    value: Any = field.default
    if value is msgspec.NODEFAULT:
        value = field.default_factory()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"`{value}`" if value or value == 0 else "none"


_KINDS = {
    inspect.StrType: "text",
    inspect.BoolType: "true or false",
    inspect.IntType: "integer",
    inspect.FloatType: "number",
    inspect.DictType: "mapping",
    inspect.NoneType: "nothing",
}


def _kind(kind: inspect.Type) -> str:
    match kind:
        case inspect.LiteralType():
            return " or ".join(map(str, kind.values))
        case inspect.CollectionType() | inspect.VarTupleType():
            return f"list of {_kind(kind.item_type)}"
        case inspect.UnionType():
            return " or ".join(sorted(map(_kind, kind.types), key="nothing".__eq__))
    return _KINDS.get(type(kind), "any value")


def _permissions(action: Action) -> Iterator[Permission]:
    """The IAM actions of each type of connection, or of the action where it reaches none."""
    reached = [(key, kind) for key, kinds in action.connection_kinds.items() for kind in kinds]
    for key, kind in reached or [("", "")]:
        connections = {kind: {"type": kind}} if kind else {}
        statements = action.permissions({key: kind} if key else {}, connections)
        granted = sorted({one for statement in statements for one in statement["Action"]})
        yield Permission(kind, granted)

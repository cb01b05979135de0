"""``docs/actions.md``: what each action takes and leaves, printed from its declaration."""

from __future__ import annotations

from inspect import cleandoc
from textwrap import fill
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import inspect

from hub_responder import actions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hub_responder.actions.base import Action

HEADER = """\
<!-- Written by `hub-responder synth` from the actions' own declarations. Do not edit. -->
# Actions

What a step can name in `uses`. A parameter goes into the step's `with`; a result is read by later
steps and by templates as `STEP.RESULT`. Every step also has `status` (done, skipped, failed,
deferred) and `detail`, one line for people. Durations are written as `15s`, `2m`, `24h` or `7d`.
"""
_WIDTH = 100


def render() -> str:
    """The whole file, equal for equal declarations."""
    return "\n".join([HEADER, *(_action(actions.get(name)) for name in sorted(actions.names()))])


def _action(action: Action) -> str:
    effects = "It changes something outside: it is claimed in the ledger before."
    parts = [
        f"## {action.name}",
        fill(f"{action.summary} {effects if action.effects else 'It only reads.'}", _WIDTH),
        f"```yaml\n{action.example.strip()}\n```",
        _said(action.params),
        _params(action.params, action.connection_kinds),
        "Results. " + _said(action.result),
        _results(action.result),
        "\n".join(["What it may do in AWS:", "", *_permissions(action)]),
    ]
    return "\n\n".join(parts) + "\n"


def _said(struct: type[msgspec.Struct]) -> str:
    return cleandoc(struct.__doc__ or "").replace("``", "`")


def _params(struct: type[msgspec.Struct], kinds: Mapping[str, tuple[str, ...]]) -> str:
    rows = ["| parameter | type | default |", "|---|---|---|"]
    for field in msgspec.structs.fields(struct):
        name = field.encode_name
        kind = _kind(inspect.type_info(field.type)).replace("number", "number or duration")
        if name in kinds:
            kind = f"a connection or route: {', '.join(kinds[name])}"
        rows.append(f"| `{name}` | {kind} | {_default(field)} |")
    return "\n".join(rows)


def _results(struct: type[msgspec.Struct]) -> str:
    rows = (
        f"| `{field.encode_name}` | {_kind(inspect.type_info(field.type))} |"
        for field in msgspec.structs.fields(struct)
    )
    return "\n".join(["| result | type |", "|---|---|", *rows])


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


def _permissions(action: Action) -> Iterator[str]:
    """The IAM actions of each type of connection, or of the action where it reaches none."""
    reached = [(key, kind) for key, kinds in action.connection_kinds.items() for kind in kinds]
    for key, kind in reached or [("", "")]:
        connections = {kind: {"type": kind}} if kind else {}
        statements = action.permissions({key: kind} if key else {}, connections)
        granted = sorted({one for statement in statements for one in statement["Action"]})
        where = f"with a connection of type {kind}: " if kind else ""
        yield f"- {where}{', '.join(f'`{one}`' for one in granted) or 'nothing'}"

"""The leaves of a condition: paths, values and ``size()``, resolved and ready to be read."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

from hub_toolkit.sandbox.dynamodb.expressions import syntax
from hub_toolkit.sandbox.dynamodb.expressions.paths import DocumentPath, read, resolve, spell
from hub_toolkit.sandbox.dynamodb.expressions.placeholders import Scope
from hub_toolkit.sandbox.dynamodb.values import AttributeValue, Item, kind

CONDITION_FUNCTIONS = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
    "size": 1,
}
"""Each function's number of arguments; ``size`` alone gives a value, the others decide."""


@dataclass(frozen=True, slots=True)
class Operand:
    """Something that has a value in an item, or none.

    ``type`` is known beforehand for a ``:value`` (which is in ``literal``) and for ``size()``.
    """

    read: Callable[[Item], AttributeValue | None]
    type: str = ""
    literal: AttributeValue | None = None
    path: DocumentPath | None = None


def compile_operand(node: syntax.Node, scope: Scope) -> Operand:
    """The operand that a node of a condition is; refused if it is a condition itself."""
    match node:
        case syntax.Path():
            path = resolve(node, scope)
            return Operand(lambda item: read(item, path), path=path)
        case syntax.Value():
            value = scope.value(node.name)
            return Operand(lambda _: value, kind(value), literal=value)
        case syntax.Group(inner):
            if isinstance(inner, syntax.Group):
                refuse_redundant(scope)
            return compile_operand(inner, scope)
        case syntax.Call("size"):
            return _size(node, scope)
        case syntax.Call(function) if function in CONDITION_FUNCTIONS:
            scope.refuse(
                "The function is not allowed to be used this way in an expression; function: "
                f"{function}"
            )
        case syntax.Call(function):
            refuse_function(function, scope)
    scope.refuse("Syntax error; a condition stands where a value is expected")


def compile_arguments(call: syntax.Call, count: int, scope: Scope) -> tuple[Operand, ...]:
    """A function's arguments, as many as it takes."""
    if len(call.arguments) != count:
        scope.refuse(
            "Incorrect number of operands for operator or function; operator or function: "
            f"{call.function}, number of operands: {len(call.arguments)}"
        )
    arguments = tuple(compile_operand(argument, scope) for argument in call.arguments)
    refuse_same(call.function, arguments, scope)
    return arguments


def refuse_same(operator: str, operands: tuple[Operand, ...], scope: Scope) -> None:
    """A path must not be compared with itself."""
    first, *others = operands
    if first.path is not None and any(first.path == other.path for other in others):
        scope.refuse(
            "The first operand must be distinct from the remaining operands for this operator or "
            f"function; operator: {operator}, first operand: {spell(first.path)}"
        )


def refuse_type(operator: str, operand: Operand, allowed: tuple[str, ...], scope: Scope) -> None:
    """What is known to be of another type than the operator takes is refused beforehand."""
    if operand.type and operand.type not in allowed:
        scope.refuse(
            "Incorrect operand type for operator or function; operator or function: "
            f"{operator}, operand type: {operand.type}"
        )


def refuse_function(name: str, scope: Scope) -> None:
    """There is no such function in this kind of expression."""
    scope.refuse(f"Invalid function name; function: {name}")


def refuse_redundant(scope: Scope) -> None:
    """Parentheses around parentheses."""
    scope.refuse("The expression has redundant parentheses;")


def _size(call: syntax.Call, scope: Scope) -> Operand:
    (argument,) = compile_arguments(call, 1, scope)
    refuse_type("size", argument, ("S", "B", "SS", "NS", "BS", "L", "M"), scope)

    def measure(item: Item) -> AttributeValue | None:
        value = argument.read(item)
        length = None if value is None else _length(value)
        return None if length is None else {"N": str(length)}

    return Operand(measure, "N")


def _length(value: AttributeValue) -> int | None:
    """Characters, bytes or members; None for numbers, booleans and null, which have no size."""
    ((name, content),) = value.items()
    if name in ("N", "BOOL", "NULL"):
        return None
    return len(base64.b64decode(content)) if name == "B" else len(content)

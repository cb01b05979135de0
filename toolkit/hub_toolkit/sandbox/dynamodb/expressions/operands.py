"""The leaves of a condition: paths, values and ``size()``, ready to be read."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

from hub_toolkit.sandbox.dynamodb.errors import DynamoDBError
from hub_toolkit.sandbox.dynamodb.expressions import syntax
from hub_toolkit.sandbox.dynamodb.expressions.paths import DocumentPath, read, resolve, spell
from hub_toolkit.sandbox.dynamodb.expressions.placeholders import Scope, Values
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
    """Something that has a value in an item, or none: a path, a ``:value``, or a ``size()``."""

    read: Callable[[Item, Values], AttributeValue | None]
    path: DocumentPath | None = None
    value: str | None = None

    def type(self, values: Values) -> str | None:
        """The type, where it does not depend on the item."""
        if self.value is not None:
            return kind(values[self.value])
        return "N" if self.path is None else None


def compile_operand(node: syntax.Node, scope: Scope) -> Operand:
    """The operand that a node of a condition is; refused if it is a condition itself."""
    match node:
        case syntax.Path():
            path = resolve(node, scope)
            return Operand(lambda item, _: read(item, path), path=path)
        case syntax.Value():
            name = scope.value(node.name)
            return Operand(lambda _, values: values[name], value=name)
        case syntax.Group(inner):
            if isinstance(inner, syntax.Group):
                raise redundant_parentheses(scope)
            return compile_operand(inner, scope)
        case syntax.Call("size"):
            return _size(node, scope)
        case syntax.Call(function) if function in CONDITION_FUNCTIONS:
            raise misused_function(function, scope)
        case syntax.Call(function):
            raise unknown_function(function, scope)
    raise scope.fault("Syntax error; a condition stands where a value is expected")


def compile_arguments(call: syntax.Call, count: int, scope: Scope) -> tuple[Operand, ...]:
    """A function's arguments, as many as it takes."""
    if len(call.arguments) != count:
        raise scope.fault(
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
        raise scope.fault(
            "The first operand must be distinct from the remaining operands for this operator or "
            f"function; operator: {operator}, first operand: {spell(first.path)}"
        )


def refuse_type(operator: str, operand: Operand, allowed: tuple[str, ...], scope: Scope) -> None:
    """Have an operand refused that is of another type than the operator takes in any item."""

    def check(values: Values) -> None:
        found = operand.type(values)
        if found is not None and found not in allowed:
            raise scope.fault(
                "Incorrect operand type for operator or function; operator or function: "
                f"{operator}, operand type: {found}"
            )

    if operand.path is None:
        scope.check(check)


def unknown_function(name: str, scope: Scope) -> DynamoDBError:
    """There is no such function in this kind of expression."""
    return scope.fault(f"Invalid function name; function: {name}")


def misused_function(name: str, scope: Scope) -> DynamoDBError:
    """The function cannot stand in this place."""
    return scope.fault(
        f"The function is not allowed to be used this way in an expression; function: {name}"
    )


def redundant_parentheses(scope: Scope) -> DynamoDBError:
    """Parentheses around parentheses."""
    return scope.fault("The expression has redundant parentheses;")


def _size(call: syntax.Call, scope: Scope) -> Operand:
    (argument,) = compile_arguments(call, 1, scope)
    refuse_type("size", argument, ("S", "B", "SS", "NS", "BS", "L", "M"), scope)

    def measure(item: Item, values: Values) -> AttributeValue | None:
        value = argument.read(item, values)
        length = None if value is None else _length(value)
        return None if length is None else {"N": str(length)}

    return Operand(measure)


def _length(value: AttributeValue) -> int | None:
    """Characters, bytes or members; None for numbers, booleans and null, which have no size."""
    ((name, content),) = value.items()
    if name in ("N", "BOOL", "NULL"):
        return None
    return len(base64.b64decode(content)) if name == "B" else len(content)

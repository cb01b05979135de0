"""Key condition expressions: one partition and a range of positions in it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from hub_toolkit.sandbox.dynamodb.errors import invalid
from hub_toolkit.sandbox.dynamodb.expressions import parser, syntax
from hub_toolkit.sandbox.dynamodb.expressions.conditions import ORDERED, refuse_bounds
from hub_toolkit.sandbox.dynamodb.expressions.operands import (
    CONDITION_FUNCTIONS,
    Operand,
    compile_arguments,
    compile_operand,
    refuse_function,
    refuse_type,
)
from hub_toolkit.sandbox.dynamodb.expressions.placeholders import Placeholders, Scope
from hub_toolkit.sandbox.dynamodb.keys import KeyAttribute, KeySchema
from hub_toolkit.sandbox.dynamodb.values import Sortable, sortable

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}


@dataclass(frozen=True, slots=True)
class KeyRange:
    """One partition, and the positions from ``low`` to ``high`` in it; None is unbounded."""

    partition: Sortable
    low: Sortable | None = None
    high: Sortable | None = None
    low_included: bool = True
    high_included: bool = True

    def find(self, order: Sequence[Sortable]) -> tuple[int, int]:
        """The slice of a partition's sorted positions that is in the range."""
        first = 0
        if self.low is not None:
            first = (bisect_left if self.low_included else bisect_right)(order, self.low)  # type: ignore[type-var] # positions of one table are of one type
        last = len(order)
        if self.high is not None:
            last = (bisect_right if self.high_included else bisect_left)(order, self.high)  # type: ignore[type-var]
        return first, last


@dataclass(frozen=True, slots=True)
class _Test:
    """One comparison of a key attribute: ``name operator values``."""

    name: str
    operator: str
    operands: tuple[Operand, ...]

    def values(self, attribute: KeyAttribute) -> list[Sortable]:
        """What the attribute is compared with, in its own type."""
        if any(operand.type != attribute.type for operand in self.operands):
            invalid(
                "One or more parameter values were invalid: Condition parameter type does not "
                "match schema type"
            )
        return [sortable(operand.literal) for operand in self.operands if operand.literal]


def compile_key_range(placeholders: Placeholders, schema: KeySchema) -> KeyRange:
    """The range that the request's ``KeyConditionExpression`` describes."""
    parsed = placeholders.parse("KeyConditionExpression", parser.condition)
    if parsed is None:
        invalid(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in "
            "the request."
        )
    tree, scope = parsed
    tests: dict[str, _Test] = {}
    for node in _conjuncts(tree, scope):
        test = _test(node, scope)
        if test.name in tests:
            scope.refuse("KeyConditionExpressions must only contain one condition per key")
        tests[test.name] = test
    return _range(tests, schema)


def _conjuncts(node: syntax.Node, scope: Scope) -> list[syntax.Node]:
    """The parts that AND joins; here parentheses may be doubled."""
    pending, found = [node], []
    while pending:
        match pending.pop():
            case syntax.Group(inner):
                pending.append(inner)
            case syntax.Both(parts):
                pending.extend(reversed(parts))
            case syntax.Either():
                _refuse_operator("OR", scope)
            case syntax.Negate():
                _refuse_operator("NOT", scope)
            case other:
                found.append(other)
    return found


def _test(node: syntax.Node, scope: Scope) -> _Test:
    match node:
        case syntax.Compare(operator="<>"):
            _refuse_operator("<>", scope)
        case syntax.Compare(left, operator, right):
            one, two = compile_operand(left, scope), compile_operand(right, scope)
            if one.path is None:
                one, two, operator = two, one, _MIRRORED[operator]
            written = node.operator
            return _checked(operator, written, one, (two,), scope)
        case syntax.Between(operand, low, high):
            bounds = (compile_operand(low, scope), compile_operand(high, scope))
            test = _checked("BETWEEN", "BETWEEN", compile_operand(operand, scope), bounds, scope)
            refuse_bounds(*bounds, scope)
            return test
        case syntax.Member():
            _refuse_operator("IN", scope)
        case syntax.Call("begins_with"):
            path, prefix = compile_arguments(node, 2, scope)
            refuse_type("begins_with", prefix, ("S", "B"), scope)
            return _checked("begins_with", "begins_with", path, (prefix,), scope)
        case syntax.Call(function) if function in CONDITION_FUNCTIONS:
            _refuse_operator(function, scope)
        case syntax.Call(function):
            refuse_function(function, scope)
    scope.refuse("Syntax error; a value stands where a condition is expected")


def _checked(
    operator: str, written: str, path: Operand, values: tuple[Operand, ...], scope: Scope
) -> _Test:
    if path.path is None or any(value.literal is None for value in values):
        scope.refuse(f"Invalid operand in KeyConditionExpression; operator: {written}")
    if len(path.path) > 1:
        scope.refuse("KeyConditionExpressions cannot have conditions on nested attributes")
    if operator != "=":
        for value in values:
            refuse_type(written, value, ORDERED, scope)
    return _Test(str(path.path[0]), operator, values)


def _refuse_operator(operator: str, scope: Scope) -> NoReturn:
    scope.refuse(f"Invalid operator used in KeyConditionExpression: {operator}")


def _range(tests: dict[str, _Test], schema: KeySchema) -> KeyRange:
    if len(tests) > len(schema.attributes):
        invalid(
            f"The number of query conditions ({len(tests)}) exceeds the number of key attributes "
            f"defined in the schema ({len(schema.attributes)})"
        )
    missed = [
        attribute.name
        for attribute in schema.attributes[: len(tests)]
        if attribute.name not in tests
    ]
    if missed:
        invalid(f"Query condition missed key schema element: {missed[0]}")
    if tests[schema.hash.name].operator != "=":
        invalid("Query key condition not supported")
    (partition,) = tests[schema.hash.name].values(schema.hash)
    if schema.range is None or schema.range.name not in tests:
        return KeyRange(partition)
    test = tests[schema.range.name]
    values = test.values(schema.range)
    match test.operator:
        case "=" | "BETWEEN":
            return KeyRange(partition, values[0], values[-1])
        case "<" | "<=":
            return KeyRange(partition, high=values[0], high_included=test.operator == "<=")
        case ">" | ">=":
            return KeyRange(partition, low=values[0], low_included=test.operator == ">=")
    return KeyRange(partition, values[0], _after_prefix(values[0]), high_included=False)


def _after_prefix(prefix: Sortable) -> bytes | None:
    """The first bytes after everything that begins with ``prefix``; None if there are none."""
    stem = prefix.rstrip(b"\xff") if isinstance(prefix, bytes) else b""
    return stem[:-1] + bytes([stem[-1] + 1]) if stem else None

"""Key condition expressions: one partition and a range of positions in it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from hub_toolkit.sandbox.dynamodb.errors import DynamoDBError, invalid
from hub_toolkit.sandbox.dynamodb.expressions import parser, syntax
from hub_toolkit.sandbox.dynamodb.expressions.conditions import ORDERED, refuse_bounds
from hub_toolkit.sandbox.dynamodb.expressions.operands import (
    CONDITION_FUNCTIONS,
    Operand,
    compile_arguments,
    compile_operand,
    refuse_type,
    unknown_function,
)
from hub_toolkit.sandbox.dynamodb.expressions.placeholders import Placeholders, Scope, Values
from hub_toolkit.sandbox.dynamodb.keys import KeyAttribute, KeySchema
from hub_toolkit.sandbox.dynamodb.values import Sortable, kind, sortable

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
            first = (bisect_left if self.low_included else bisect_right)(order, self.low)
        last = len(order)
        if self.high is not None:
            last = (bisect_right if self.high_included else bisect_left)(order, self.high)
        return first, last


@dataclass(frozen=True, slots=True)
class KeyTest:
    """One comparison of a key attribute: ``name operator :values``."""

    name: str
    operator: str
    operands: tuple[str, ...]

    def values(self, attribute: KeyAttribute, values: Values) -> list[Sortable]:
        """What the attribute is compared with, in its own type."""
        if any(kind(values[operand]) != attribute.type for operand in self.operands):
            raise invalid(
                "One or more parameter values were invalid: Condition parameter type does not "
                "match schema type"
            )
        return [sortable(values[operand]) for operand in self.operands]


KeyTests: TypeAlias = dict[str, KeyTest]
"""The tests of a key condition by attribute name."""


def compile_key_tests(placeholders: Placeholders) -> KeyTests:
    """The request's ``KeyConditionExpression``, as far as it can be read without a table."""
    tests = placeholders.compile("KeyConditionExpression", parser.condition, _compile)
    if tests is None:
        raise invalid(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in "
            "the request."
        )
    return tests


def key_range(tests: KeyTests, schema: KeySchema, values: Values) -> KeyRange:
    """The range that the tests describe in a table with the key."""
    if len(tests) > len(schema.attributes):
        raise invalid(
            f"The number of query conditions ({len(tests)}) exceeds the number of key attributes "
            f"defined in the schema ({len(schema.attributes)})"
        )
    for name in schema.names[: len(tests)]:
        if name not in tests:
            raise invalid(f"Query condition missed key schema element: {name}")
    if tests[schema.hash.name].operator != "=":
        raise invalid("Query key condition not supported")
    (partition,) = tests[schema.hash.name].values(schema.hash, values)
    if schema.range is None or schema.range.name not in tests:
        return KeyRange(partition)
    test = tests[schema.range.name]
    found = test.values(schema.range, values)
    match test.operator:
        case "=" | "BETWEEN":
            return KeyRange(partition, found[0], found[-1])
        case "<" | "<=":
            return KeyRange(partition, high=found[0], high_included=test.operator == "<=")
        case ">" | ">=":
            return KeyRange(partition, low=found[0], low_included=test.operator == ">=")
    return KeyRange(partition, found[0], _after_prefix(found[0]), high_included=False)


def _after_prefix(prefix: Sortable) -> bytes | None:
    """The first bytes after everything that begins with ``prefix``; None if there are none."""
    stem = prefix.rstrip(b"\xff") if isinstance(prefix, bytes) else b""
    return stem[:-1] + bytes([stem[-1] + 1]) if stem else None


def _compile(tree: syntax.Node, scope: Scope) -> KeyTests:
    tests: KeyTests = {}
    for node in _conjuncts(tree, scope):
        test = _test(node, scope)
        if test.name in tests:
            raise scope.fault("KeyConditionExpressions must only contain one condition per key")
        tests[test.name] = test
    return tests


def _conjuncts(node: syntax.Node, scope: Scope) -> list[syntax.Node]:
    """The parts that AND joins; here parentheses may be doubled."""
    pending = [node]
    found: list[syntax.Node] = []
    while pending:
        match pending.pop():
            case syntax.Group(inner):
                pending.append(inner)
            case syntax.Both(parts):
                pending.extend(reversed(parts))
            case syntax.Either():
                raise _bad_operator("OR", scope)
            case syntax.Negate():
                raise _bad_operator("NOT", scope)
            case other:
                found.append(other)
    return found


def _test(node: syntax.Node, scope: Scope) -> KeyTest:
    match node:
        case syntax.Compare(left, operator, right) if operator != "<>":
            one, two = compile_operand(left, scope), compile_operand(right, scope)
            if one.path is None:
                one, two, operator = two, one, _MIRRORED[operator]
            return _checked(operator, node.operator, one, (two,), scope)
        case syntax.Between(operand, low, high):
            bounds = (compile_operand(low, scope), compile_operand(high, scope))
            test = _checked("BETWEEN", "BETWEEN", compile_operand(operand, scope), bounds, scope)
            refuse_bounds(*bounds, scope)
            return test
        case syntax.Call("begins_with"):
            path, prefix = compile_arguments(node, 2, scope)
            refuse_type("begins_with", prefix, ("S", "B"), scope)
            return _checked("begins_with", "begins_with", path, (prefix,), scope)
    raise _no_key_test(node, scope)


def _no_key_test(node: syntax.Node, scope: Scope) -> DynamoDBError:
    match node:
        case syntax.Compare(operator="<>"):
            return _bad_operator("<>", scope)
        case syntax.Member():
            return _bad_operator("IN", scope)
        case syntax.Call(function) if function in CONDITION_FUNCTIONS:
            return _bad_operator(function, scope)
        case syntax.Call(function):
            return unknown_function(function, scope)
    return scope.fault("Syntax error; a value stands where a condition is expected")


def _checked(
    operator: str, written: str, path: Operand, operands: tuple[Operand, ...], scope: Scope
) -> KeyTest:
    values = tuple(operand.value for operand in operands if operand.value is not None)
    if path.path is None or len(values) != len(operands):
        # The real text is not known.
        raise scope.fault(f"A key is compared with :values only; operator: {written}")
    if len(path.path) > 1:
        raise scope.fault("KeyConditionExpressions cannot have conditions on nested attributes")
    if operator != "=":
        for operand in operands:
            refuse_type(written, operand, ORDERED, scope)
    return KeyTest(str(path.path[0]), operator, values)


def _bad_operator(operator: str, scope: Scope) -> DynamoDBError:
    return scope.fault(f"Invalid operator used in KeyConditionExpression: {operator}")

"""Condition and filter expressions: checked, then compiled to a function of an item.

An attribute that is not there makes every comparison false except ``<>``, which it makes true;
so do values of different types. NOT turns that round.
"""

from __future__ import annotations

import base64
import operator
from collections.abc import Callable
from typing import Any, TypeAlias

from hub_toolkit.sandbox.dynamodb.expressions import parser, syntax
from hub_toolkit.sandbox.dynamodb.expressions.operands import (
    CONDITION_FUNCTIONS,
    Operand,
    compile_arguments,
    compile_operand,
    misused_function,
    redundant_parentheses,
    refuse_same,
    refuse_type,
    unknown_function,
)
from hub_toolkit.sandbox.dynamodb.expressions.placeholders import Placeholders, Scope, Values
from hub_toolkit.sandbox.dynamodb.values import TYPES, AttributeValue, Item, kind, sortable

Condition: TypeAlias = Callable[[Item], bool]
_Test: TypeAlias = Callable[[Item, Values], bool]

ORDERED = ("S", "N", "B")
"""The types that ``<`` and its like, and BETWEEN, work on."""
MAX_IN = 100
_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compile_condition(placeholders: Placeholders, parameter: str) -> Condition | None:
    """The request's condition or filter expression as a function; None if there is none."""
    test = placeholders.compile(parameter, parser.condition, _compile)
    if test is None:
        return None
    values = placeholders.values
    return lambda item: test(item, values)


def _compile(node: syntax.Node, scope: Scope) -> _Test:
    compiler = _COMPILERS.get(type(node))
    if compiler is None:
        compile_operand(node, scope)
        raise scope.fault("Syntax error; a value stands where a condition is expected")
    return compiler(node, scope)


def _group(node: syntax.Group, scope: Scope) -> _Test:
    if isinstance(node.inner, syntax.Group):
        raise redundant_parentheses(scope)
    return _compile(node.inner, scope)


def _both(node: syntax.Both, scope: Scope) -> _Test:
    tests = [_compile(part, scope) for part in node.parts]
    return lambda item, values: all(test(item, values) for test in tests)


def _either(node: syntax.Either, scope: Scope) -> _Test:
    tests = [_compile(part, scope) for part in node.parts]
    return lambda item, values: any(test(item, values) for test in tests)


def _negation(node: syntax.Negate, scope: Scope) -> _Test:
    test = _compile(node.inner, scope)
    return lambda item, values: not test(item, values)


def _comparison(node: syntax.Compare, scope: Scope) -> _Test:
    left, right = compile_operand(node.left, scope), compile_operand(node.right, scope)
    refuse_same(node.operator, (left, right), scope)
    if node.operator == "=":
        return lambda item, values: _equal(left.read(item, values), right.read(item, values))
    if node.operator == "<>":
        return lambda item, values: not _equal(left.read(item, values), right.read(item, values))
    refuse_type(node.operator, left, ORDERED, scope)
    refuse_type(node.operator, right, ORDERED, scope)
    compare = _ORDERINGS[node.operator]
    return lambda item, values: _ordered(compare, left.read(item, values), right.read(item, values))


def _equal(left: AttributeValue | None, right: AttributeValue | None) -> bool:
    return left is not None and left == right


def _ordered(
    compare: Callable[[Any, Any], bool], left: AttributeValue | None, right: AttributeValue | None
) -> bool:
    if left is None or right is None or kind(left) != kind(right) or kind(left) not in ORDERED:
        return False
    return compare(sortable(left), sortable(right))


def _between(node: syntax.Between, scope: Scope) -> _Test:
    operand = compile_operand(node.operand, scope)
    low, high = compile_operand(node.low, scope), compile_operand(node.high, scope)
    for each in (operand, low, high):
        refuse_type("BETWEEN", each, ORDERED, scope)
    refuse_bounds(low, high, scope)

    def test(item: Item, values: Values) -> bool:
        value = operand.read(item, values)
        return _ordered(operator.le, low.read(item, values), value) and _ordered(
            operator.le, value, high.read(item, values)
        )

    return test


def refuse_bounds(low: Operand, high: Operand, scope: Scope) -> None:
    """Have bounds refused that are values of two types or out of order."""
    lower, upper = low.value, high.value
    if lower is None or upper is None:
        return

    def check(values: Values) -> None:
        ((low_type, low_content),) = values[lower].items()
        ((high_type, high_content),) = values[upper].items()
        if low_type != high_type:
            rule = "same data type for lower and upper bounds"
        elif _ordered(operator.gt, values[lower], values[upper]):
            rule = "upper bound to be greater than or equal to lower bound"
        else:
            return
        raise scope.fault(
            f"The BETWEEN operator requires {rule}; lower bound operand: AttributeValue: "
            f"{{{low_type}:{low_content}}}, upper bound operand: AttributeValue: "
            f"{{{high_type}:{high_content}}}"
        )

    scope.check(check)


def _member(node: syntax.Member, scope: Scope) -> _Test:
    if len(node.options) > MAX_IN:
        raise scope.fault(
            "Incorrect number of operands for operator or function; operator or function: IN, "
            f"number of operands: {len(node.options) + 1}"
        )
    operand = compile_operand(node.operand, scope)
    options = [compile_operand(option, scope) for option in node.options]
    refuse_same("IN", (operand, *options), scope)

    def test(item: Item, values: Values) -> bool:
        value = operand.read(item, values)
        return any(_equal(value, option.read(item, values)) for option in options)

    return test


def _function(call: syntax.Call, scope: Scope) -> _Test:
    count = CONDITION_FUNCTIONS.get(call.function)
    if count is None:
        raise unknown_function(call.function, scope)
    if call.function == "size":
        raise misused_function("size", scope)
    arguments = compile_arguments(call, count, scope)
    match call.function:
        case "attribute_exists" | "attribute_not_exists":
            return _existence(call.function, arguments[0], scope)
        case "attribute_type":
            return _attribute_type(arguments[0], arguments[1], scope)
        case "begins_with":
            for argument in arguments:
                refuse_type("begins_with", argument, ("S", "B"), scope)
            return _of_two(_begins, arguments)
    return _of_two(_contains, arguments)


def _existence(function: str, operand: Operand, scope: Scope) -> _Test:
    if operand.path is None:
        raise scope.fault(
            f"Operator or function requires a document path; operator or function: {function}"
        )
    expected = function == "attribute_exists"
    return lambda item, values: (operand.read(item, values) is not None) == expected


def _attribute_type(operand: Operand, wanted: Operand, scope: Scope) -> _Test:
    name = wanted.value

    def check(values: Values) -> None:
        found = wanted.type(values) or "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}"
        if name is None or found != "S":
            raise scope.fault(
                "Incorrect operand type for operator or function; operator or function: "
                f"attribute_type, operand type: {found}"
            )
        if values[name]["S"] not in TYPES:
            raise scope.fault(
                f"Invalid attribute type name found; type: {values[name]['S']}, valid types: "
                "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}"
            )

    def test(item: Item, values: Values) -> bool:
        value = operand.read(item, values)
        return value is not None and {"S": kind(value)} == wanted.read(item, values)

    scope.check(check)
    return test


def _of_two(
    test: Callable[[AttributeValue, AttributeValue], bool], arguments: tuple[Operand, ...]
) -> _Test:
    """The test of two arguments, false if one of them has no value."""
    first, second = arguments

    def both_there(item: Item, values: Values) -> bool:
        one, two = first.read(item, values), second.read(item, values)
        return one is not None and two is not None and test(one, two)

    return both_there


def _begins(value: AttributeValue, prefix: AttributeValue) -> bool:
    if kind(value) != kind(prefix):
        return False
    if "S" in value:
        return bool(value["S"].startswith(prefix["S"]))
    return "B" in value and _bytes(value).startswith(_bytes(prefix))


def _contains(value: AttributeValue, part: AttributeValue) -> bool:
    """A part of a string or binary, a member of a set or list; anything else holds nothing."""
    ((name, content),) = value.items()
    if name == "L":
        return part in content
    if name in ("SS", "NS", "BS"):
        return kind(part) == name[0] and part[name[0]] in content
    if name == "B":
        return "B" in part and _bytes(part) in _bytes(value)
    return name == "S" and "S" in part and part["S"] in content


def _bytes(value: AttributeValue) -> bytes:
    return base64.b64decode(value["B"])


_COMPILERS: dict[type[syntax.Node], Callable[[Any, Scope], _Test]] = {
    syntax.Group: _group,
    syntax.Both: _both,
    syntax.Either: _either,
    syntax.Negate: _negation,
    syntax.Compare: _comparison,
    syntax.Between: _between,
    syntax.Member: _member,
    syntax.Call: _function,
}

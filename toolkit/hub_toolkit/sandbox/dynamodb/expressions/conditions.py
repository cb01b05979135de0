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
    refuse_function,
    refuse_redundant,
    refuse_same,
    refuse_type,
)
from hub_toolkit.sandbox.dynamodb.expressions.placeholders import Placeholders, Scope
from hub_toolkit.sandbox.dynamodb.values import TYPES, AttributeValue, Item, kind, sortable

Condition: TypeAlias = Callable[[Item], bool]

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
    parsed = placeholders.parse(parameter, parser.condition)
    if parsed is None:
        return None
    tree, scope = parsed
    return _compile(tree, scope)


def _compile(node: syntax.Node, scope: Scope) -> Condition:
    match node:
        case syntax.Group(inner):
            if isinstance(inner, syntax.Group):
                refuse_redundant(scope)
            return _compile(inner, scope)
        case syntax.Both(parts):
            conditions = [_compile(part, scope) for part in parts]
            return lambda item: all(condition(item) for condition in conditions)
        case syntax.Either(parts):
            conditions = [_compile(part, scope) for part in parts]
            return lambda item: any(condition(item) for condition in conditions)
        case syntax.Negate(inner):
            condition = _compile(inner, scope)
            return lambda item: not condition(item)
        case syntax.Compare():
            return _comparison(node, scope)
        case syntax.Between():
            return _between(node, scope)
        case syntax.Member():
            return _member(node, scope)
        case syntax.Call():
            return _function(node, scope)
    compile_operand(node, scope)
    scope.refuse("Syntax error; a value stands where a condition is expected")


def _comparison(node: syntax.Compare, scope: Scope) -> Condition:
    left, right = compile_operand(node.left, scope), compile_operand(node.right, scope)
    refuse_same(node.operator, (left, right), scope)
    if node.operator == "=":
        return lambda item: (value := left.read(item)) is not None and value == right.read(item)
    if node.operator == "<>":
        return lambda item: (value := left.read(item)) is None or value != right.read(item)
    refuse_type(node.operator, left, ORDERED, scope)
    refuse_type(node.operator, right, ORDERED, scope)
    compare = _ORDERINGS[node.operator]
    return lambda item: _ordered(compare, left.read(item), right.read(item))


def _ordered(
    compare: Callable[[Any, Any], bool], left: AttributeValue | None, right: AttributeValue | None
) -> bool:
    if left is None or right is None or kind(left) != kind(right) or kind(left) not in ORDERED:
        return False
    return compare(sortable(left), sortable(right))


def _between(node: syntax.Between, scope: Scope) -> Condition:
    operand = compile_operand(node.operand, scope)
    low, high = compile_operand(node.low, scope), compile_operand(node.high, scope)
    for each in (operand, low, high):
        refuse_type("BETWEEN", each, ORDERED, scope)
    refuse_bounds(low, high, scope)

    def condition(item: Item) -> bool:
        value = operand.read(item)
        return _ordered(operator.le, low.read(item), value) and _ordered(
            operator.le, value, high.read(item)
        )

    return condition


def refuse_bounds(low: Operand, high: Operand, scope: Scope) -> None:
    """Bounds that are values must be of one type and in order."""
    if low.literal is None or high.literal is None:
        return
    if low.type != high.type:
        rule = "same data type for lower and upper bounds"
    elif sortable(low.literal) > sortable(high.literal):  # type: ignore[operator] # of one type
        rule = "upper bound to be greater than or equal to lower bound"
    else:
        return
    bounds = (
        f"{name} bound operand: AttributeValue: {{{bound.type}:{bound.literal[bound.type]}}}"
        for name, bound in (("lower", low), ("upper", high))
        if bound.literal is not None
    )
    scope.refuse(f"The BETWEEN operator requires {rule}; {', '.join(bounds)}")


def _member(node: syntax.Member, scope: Scope) -> Condition:
    if len(node.options) > MAX_IN:
        scope.refuse(
            "Incorrect number of operands for operator or function; operator or function: IN, "
            f"number of operands: {len(node.options) + 1}"
        )
    operand = compile_operand(node.operand, scope)
    options = [compile_operand(option, scope) for option in node.options]
    refuse_same("IN", (operand, *options), scope)

    def condition(item: Item) -> bool:
        value = operand.read(item)
        return value is not None and any(value == option.read(item) for option in options)

    return condition


def _function(call: syntax.Call, scope: Scope) -> Condition:
    count = CONDITION_FUNCTIONS.get(call.function)
    if count is None:
        refuse_function(call.function, scope)
    if call.function == "size":
        scope.refuse(
            "The function is not allowed to be used this way in an expression; function: size"
        )
    arguments = compile_arguments(call, count or 0, scope)
    match call.function:
        case "attribute_exists" | "attribute_not_exists":
            return _existence(call.function, arguments[0], scope)
        case "attribute_type":
            return _attribute_type(*arguments, scope)
        case "begins_with":
            for argument in arguments:
                refuse_type("begins_with", argument, ("S", "B"), scope)
            return lambda item: _begins(*(argument.read(item) for argument in arguments))
    return lambda item: _contains(*(argument.read(item) for argument in arguments))


def _existence(function: str, operand: Operand, scope: Scope) -> Condition:
    if operand.path is None:
        scope.refuse(
            f"Operator or function requires a document path; operator or function: {function}"
        )
    expected = function == "attribute_exists"
    return lambda item: (operand.read(item) is not None) == expected


def _attribute_type(operand: Operand, wanted: Operand, scope: Scope) -> Condition:
    if wanted.literal is None or wanted.type != "S":
        scope.refuse(
            "Incorrect operand type for operator or function; operator or function: "
            f"attribute_type, operand type: {wanted.type or '{NS,SS,L,BS,N,M,B,BOOL,NULL,S}'}"
        )
    name = wanted.literal["S"]
    if name not in TYPES:
        scope.refuse(
            f"Invalid attribute type name found; type: {name}, valid types: "
            "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}"
        )
    return lambda item: (value := operand.read(item)) is not None and kind(value) == name


def _begins(value: AttributeValue | None, prefix: AttributeValue | None) -> bool:
    if value is None or prefix is None or kind(value) != kind(prefix):
        return False
    if "S" in value:
        return bool(value["S"].startswith(prefix["S"]))
    return "B" in value and _bytes(value).startswith(_bytes(prefix))


def _contains(value: AttributeValue | None, part: AttributeValue | None) -> bool:
    """A part of a string or binary, a member of a set or list; anything else holds nothing."""
    if value is None or part is None:
        return False
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

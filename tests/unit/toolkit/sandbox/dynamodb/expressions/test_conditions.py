"""Conditions against a model in plain Python, and what is refused beforehand."""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_toolkit.sandbox.dynamodb.errors import DynamoDBError
from hub_toolkit.sandbox.dynamodb.expressions.conditions import compile_condition
from hub_toolkit.sandbox.dynamodb.expressions.placeholders import Placeholders
from hub_toolkit.sandbox.dynamodb.values import normalise, normalise_item

serialize = TypeSerializer().serialize
NAMES = ("alpha", "beta", "gamma", "delta")
ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
Model = Callable[[dict[str, Any]], bool]

texts = st.text("abé", max_size=3)
numbers = st.integers(-3, 3).map(Decimal) | st.sampled_from([Decimal("0.5"), Decimal("1E2")])
scalars = texts | numbers
values = st.recursive(
    scalars
    | st.booleans()
    | st.none()
    | st.frozensets(texts, min_size=1, max_size=2)
    | st.frozensets(numbers, min_size=1, max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xy"), inner),
    max_leaves=3,
)
items = st.dictionaries(st.sampled_from(NAMES), values)


def kind(value: Any) -> str:
    return next(iter(serialize(value)))


def equal(one: Any, two: Any) -> bool:
    return kind(one) == kind(two) and one == two


def comparable(value: Any, bound: Any) -> bool:
    return kind(value) == kind(bound) and kind(value) in ("S", "N")


def contains(value: Any, part: Any) -> bool:
    if isinstance(value, list):
        return any(equal(member, part) for member in value)
    if isinstance(value, frozenset):
        return kind(part) == kind(value)[0] and part in value
    return isinstance(value, str) and isinstance(part, str) and part in value


class Drawn:
    """A condition's text, its values, and what it should decide."""

    def __init__(self, text: str, values: dict[str, Any], model: Model) -> None:
        self.text, self.values, self.model = text, values, model


@st.composite
def predicates(draw: st.DrawFn) -> Drawn:
    name = draw(st.sampled_from(NAMES))
    a, b = f":{draw(st.uuids()).hex}", f":{draw(st.uuids()).hex}"
    form = draw(st.sampled_from(["=", "<>", *ORDERINGS, "between", "in", "size", "function"]))
    if form in ("=", "<>"):
        value = draw(values)
        same = lambda item: name in item and equal(item[name], value)  # noqa: E731
        model = same if form == "=" else lambda item: not same(item)
        return Drawn(f"{name} {form} {a}", {a: value}, model)
    if form in ORDERINGS:
        bound, compare = draw(scalars), ORDERINGS[form]
        return Drawn(
            f"{name} {form} {a}",
            {a: bound},
            lambda item: (
                name in item
                and comparable(item[name], bound)
                and compare(key(item[name]), key(bound))
            ),
        )
    if form == "between":
        low, high = sorted([draw(numbers), draw(numbers)])
        return Drawn(
            f"{name} BETWEEN {a} AND {b}",
            {a: low, b: high},
            lambda item: name in item and kind(item[name]) == "N" and low <= item[name] <= high,
        )
    if form == "in":
        one, two = draw(values), draw(values)
        return Drawn(
            f"{name} IN ({a}, {b})",
            {a: one, b: two},
            lambda item: name in item and (equal(item[name], one) or equal(item[name], two)),
        )
    if form == "size":
        bound = draw(st.integers(0, 3))
        return Drawn(
            f"size({name}) > {a}",
            {a: bound},
            lambda item: (
                isinstance(item.get(name), str | frozenset | list | dict)
                and len(item[name]) > bound
            ),
        )
    return draw(functions(name, a))


@st.composite
def functions(draw: st.DrawFn, name: str, a: str) -> Drawn:
    function = draw(
        st.sampled_from(
            [
                "attribute_exists",
                "attribute_not_exists",
                "attribute_type",
                "begins_with",
                "contains",
            ]
        )
    )
    if function == "attribute_exists":
        return Drawn(f"{function}({name})", {}, lambda item: name in item)
    if function == "attribute_not_exists":
        return Drawn(f"{function}({name})", {}, lambda item: name not in item)
    if function == "attribute_type":
        wanted = draw(st.sampled_from(["S", "N", "BOOL", "NULL", "L", "M", "SS", "NS"]))
        return Drawn(
            f"{function}({name}, {a})",
            {a: wanted},
            lambda item: name in item and kind(item[name]) == wanted,
        )
    if function == "begins_with":
        prefix = draw(texts)
        return Drawn(
            f"{function}({name}, {a})",
            {a: prefix},
            lambda item: isinstance(item.get(name), str) and item[name].startswith(prefix),
        )
    part = draw(values)
    return Drawn(
        f"{function}({name}, {a})",
        {a: part},
        lambda item: name in item and contains(item[name], part),
    )


def key(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


@st.composite
def joined(draw: st.DrawFn, inner: st.SearchStrategy[Drawn]) -> Drawn:
    one, two = draw(inner), draw(inner)
    values = {**one.values, **two.values}
    first, second = one.model, two.model
    form = draw(st.sampled_from(["and", "OR", "Not"]))
    if form == "and":
        # A space more or less makes no difference, nor do the words' cases.
        return Drawn(
            f"({one.text})and ({two.text})", values, lambda item: first(item) and second(item)
        )
    if form == "OR":
        return Drawn(
            f"({one.text}) OR\n({two.text})", values, lambda item: first(item) or second(item)
        )
    return Drawn(f"NOT ({one.text})", one.values, lambda item: not first(item))


conditions = st.recursive(predicates(), joined, max_leaves=4)


def holds(text: str, item: dict[str, Any], values: dict[str, Any]) -> bool:
    request: dict[str, Any] = {"ConditionExpression": text}
    if values:
        request["ExpressionAttributeValues"] = values
    placeholders = Placeholders(request, "ConditionExpression")
    condition = compile_condition(placeholders, "ConditionExpression")
    placeholders.refuse_unused()
    assert condition is not None
    return condition(normalise_item(item))


def wire(plain: dict[str, Any]) -> dict[str, Any]:
    return {
        name: serialize(set(value) if isinstance(value, frozenset) else value)
        for name, value in plain.items()
    }


@settings(max_examples=200, deadline=None)
@given(conditions, items)
def test_conditions_decide_as_the_model_does(drawn: Drawn, item: dict[str, Any]) -> None:
    assert holds(drawn.text, wire(item), wire(drawn.values)) == drawn.model(item)


def test_and_binds_more_than_or_and_not_more_than_both() -> None:
    item = {"alpha": {"N": "1"}}
    exists, missing = "attribute_exists(alpha)", "attribute_exists(beta)"
    assert holds(f"{exists} OR {missing} AND {missing}", item, {})
    assert not holds(f"({exists} OR {missing}) AND {missing}", item, {})
    assert holds(f"NOT {missing} OR {exists}", item, {})
    assert not holds(f"NOT ({missing} OR {exists})", item, {})


def test_binary_is_compared_by_its_bytes() -> None:
    item = {"alpha": {"B": "AP8B"}}
    assert holds("begins_with(alpha, :v)", item, {":v": {"B": "AP8="}})
    assert holds("contains(alpha, :v)", item, {":v": {"B": "/wE="}})
    assert holds("alpha > :v", item, {":v": {"B": "AH8="}})
    assert holds("size(alpha) = :v", item, {":v": {"N": "3"}})


def test_what_has_no_order_is_never_less() -> None:
    item = {"alpha": {"M": {}}, "beta": {"M": {}}, "gamma": {"BOOL": True}, "delta": {"S": "x"}}
    assert not holds("alpha <= beta OR gamma > alpha OR gamma < delta", item, {})


def test_words_of_the_language_can_begin_names() -> None:
    item = {
        "android": {"N": "1"},
        "orange": {"N": "1"},
        "nothing": {"N": "2"},
        "inside": {"N": "2"},
    }
    assert holds("android=orange AND NOT nothing<>inside", item, {})


V = {":s": {"S": "s"}, ":n": {"N": "1"}, ":m": {"N": "0"}, ":t": {"BOOL": True}}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "The expression can not be empty;"),
        ("  ", "The expression can not be empty;"),
        ("alpha = ", 'Syntax error; token: "<EOF>", near: "="'),
        ("alpha == :s", 'Syntax error; token: "=", near: "== :s"'),
        ("alpha ! :s", 'Syntax error; token: "!", near: "alpha ! :s"'),
        ("alpha = 1", 'Syntax error; token: "1", near: "= 1"'),
        ("owner = :s", "Attribute name is a reserved keyword; reserved keyword: owner"),
        ("alpha.Size = :s", "Attribute name is a reserved keyword; reserved keyword: Size"),
        ("((alpha = :s))", "The expression has redundant parentheses;"),
        ("exists(alpha)", "Invalid function name; function: exists"),
        ("Size(alpha) = :n", "Invalid function name; function: Size"),
        (
            "size(alpha)",
            "The function is not allowed to be used this way in an expression; function: size",
        ),
        (
            "attribute_exists(alpha) = :t",
            (
                "The function is not allowed to be used this way in an expression; function: "
                "attribute_exists"
            ),
        ),
        (
            "begins_with(alpha)",
            (
                "Incorrect number of operands for operator or function; operator or function: "
                "begins_with, number of operands: 1"
            ),
        ),
        (
            "begins_with(alpha, :n)",
            (
                "Incorrect operand type for operator or function; operator or function: "
                "begins_with, operand type: N"
            ),
        ),
        (
            "alpha < :t",
            (
                "Incorrect operand type for operator or function; operator or function: <, operand "
                "type: BOOL"
            ),
        ),
        (
            "size(:n) > :m",
            (
                "Incorrect operand type for operator or function; operator or function: size, "
                "operand type: N"
            ),
        ),
        (
            "attribute_exists(:s)",
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        (
            "attribute_type(alpha, :s)",
            (
                "Invalid attribute type name found; type: s, valid types: "
                "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}"
            ),
        ),
        (
            "attribute_type(alpha, beta)",
            (
                "Incorrect operand type for operator or function; operator or function: "
                "attribute_type, operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}"
            ),
        ),
        (
            "contains(alpha.beta[0], alpha.beta[0])",
            (
                "The first operand must be distinct from the remaining operands for this operator "
                "or function; operator: contains, first operand: [alpha, beta, [0]]"
            ),
        ),
        (
            "alpha BETWEEN :n AND :m",
            (
                "The BETWEEN operator requires upper bound to be greater than or equal to lower "
                "bound; lower bound operand: AttributeValue: {N:1}, upper bound operand: "
                "AttributeValue: {N:0}"
            ),
        ),
        (
            "alpha BETWEEN :n AND :s",
            (
                "The BETWEEN operator requires same data type for lower and upper bounds; lower "
                "bound operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:s}"
            ),
        ),
        (
            "a" * 4097,
            "Expression size has exceeded the maximum allowed size; expression size: 4097",
        ),
    ],
)
def test_what_cannot_be_decided_is_refused(text: str, reason: str) -> None:
    used = {name: value for name, value in V.items() if name in text}
    with pytest.raises(DynamoDBError) as caught:
        holds(text, {}, used)
    assert caught.value.code == "ValidationException"
    assert caught.value.message == f"Invalid ConditionExpression: {reason}"


def test_in_takes_100_options() -> None:
    values = {f":v{number}": {"N": str(number)} for number in range(101)}
    names = list(values)
    assert holds(
        f"alpha IN ({', '.join(names[:100])})",
        {"alpha": {"N": "99"}},
        dict(list(values.items())[:100]),
    )
    with pytest.raises(DynamoDBError, match="number of operands: 102"):
        holds(f"alpha IN ({', '.join(names)})", {}, values)


@settings(max_examples=100, deadline=None)
@given(values)
def test_a_value_is_normalised_once(value: Any) -> None:
    (once,) = (normalise(part) for part in wire({"x": value}).values())
    assert normalise(once) == once

"""Updates against a model in plain Python, their rules for lists, and hostile texts."""

from __future__ import annotations

import contextlib
import copy
import re
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_toolkit.sandbox.dynamodb.errors import DynamoDBError
from hub_toolkit.sandbox.dynamodb.expressions.placeholders import Placeholders
from hub_toolkit.sandbox.dynamodb.expressions.updates import compile_update
from hub_toolkit.sandbox.dynamodb.store import ItemStore
from hub_toolkit.sandbox.dynamodb.values import normalise_item

serialize, deserialize = TypeSerializer().serialize, TypeDeserializer().deserialize


def apply(text: str, item: dict[str, Any], **values: Any) -> dict[str, Any]:
    """The item after the update, in plain Python; ``item`` must stay as it is."""
    request: dict[str, Any] = {"UpdateExpression": text}
    if values:
        request["ExpressionAttributeValues"] = {
            f":{name}": serialize(value) for name, value in values.items()
        }
    placeholders = Placeholders(request, "UpdateExpression")
    update = compile_update(placeholders)
    placeholders.refuse_unused()
    assert update is not None
    stored = normalise_item({name: serialize(value) for name, value in item.items()})
    before = copy.deepcopy(stored)
    after = update.apply(stored, placeholders.values)
    assert stored == before
    return {name: deserialize(value) for name, value in after.items()}


numbers = st.integers(-1000, 1000)
elements = st.sampled_from("abc")


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["n1", "n2", "n3"]), numbers),
    numbers,
    st.tuples(st.sets(elements), st.sets(elements, min_size=1)),
    st.tuples(st.sets(elements), st.sets(elements, min_size=1)),
    st.tuples(st.lists(numbers, max_size=4), st.sets(st.integers(0, 5), min_size=1)),
)
def test_all_sections_together_do_what_the_model_does(
    numbers_: dict[str, int],
    one: int,
    growing: tuple[set[str], set[str]],
    shrinking: tuple[set[str], set[str]],
    closing_up: tuple[list[int], set[int]],
) -> None:
    (grown, more), (shrunk, less), (elements_, removed) = growing, shrinking, closing_up
    item = {**numbers_, "elements": elements_}
    item |= {name: value for name, value in (("grown", grown), ("shrunk", shrunk)) if value}
    after = apply(
        "SET n1 = if_not_exists(n1, :one) + :one, n2 = :one - if_not_exists(n3, :one), "
        "copied = list_append(elements, :tail) "
        f"REMOVE {', '.join(f'elements[{index}]' for index in removed)} "
        "ADD grown :more, n3 :one DELETE shrunk :less",
        item,
        one=one,
        more=more,
        less=less,
        tail=[one],
    )
    expected: dict[str, Any] = {
        "n1": numbers_.get("n1", one) + one,
        "n2": one - numbers_.get("n3", one),
        "n3": numbers_.get("n3", 0) + one,
        "elements": [value for index, value in enumerate(elements_) if index not in removed],
        "copied": [*elements_, one],
        "grown": grown | more,
    }
    if shrunk - less:
        expected["shrunk"] = shrunk - less
    assert after == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SET l[1] = :v", ["a", "v", "c"]),
        ("SET l[9] = :v", ["a", "b", "c", "v"]),
        ("SET l[9] = :v, l[7] = l[0]", ["a", "b", "c", "a", "v"]),
        ("REMOVE l[0], l[1]", ["c"]),
        ("REMOVE l[3]", ["a", "b", "c"]),
        ("REMOVE l[0] SET l[1] = :v", ["v", "c"]),
        ("SET l[9] = :v REMOVE l[3], l[0]", ["b", "c", "v"]),
        ("SET l[0] = l[2], l[2] = l[0]", ["c", "b", "a"]),
    ],
)
def test_indexes_mean_the_list_as_it_was(text: str, expected: list[str]) -> None:
    values = {"v": "v"} if ":v" in text else {}
    assert apply(text, {"l": ["a", "b", "c"]}, **values)["l"] == expected


def test_right_sides_read_the_item_as_it_was() -> None:
    assert apply("SET a = b, b = a", {"a": 1, "b": 2}) == {"a": 2, "b": 1}


def test_nested_parts_change_and_the_rest_stays() -> None:
    item = {"m": {"deep": {"items_": [{"x": 1}], "keep": "k"}}}
    after = apply("SET m.deep.added = :v REMOVE m.deep.items_[0].x", item, v=2)
    assert after == {"m": {"deep": {"items_": [{}], "keep": "k", "added": 2}}}


def test_arithmetic_is_exact_to_38_digits() -> None:
    big = Decimal("9" * 37)
    assert apply("SET n = n + :v", {"n": big}, v=1)["n"] == big + 1
    assert apply("SET n = n - :v", {"n": Decimal("0.3")}, v=Decimal("0.1"))["n"] == Decimal("0.2")
    with pytest.raises(DynamoDBError, match="more than 38 significant digits"):
        apply("SET n = n + :v", {"n": big}, v=Decimal("0.01"))
    with pytest.raises(DynamoDBError, match="Number overflow"):
        apply("ADD n :v", {"n": Decimal("9E125")}, v=Decimal("9E125"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "SET a = :v SET b = :v",
            (
                'Invalid UpdateExpression: The "SET" section can only be used once in an update '
                "expression;"
            ),
        ),
        (
            "SET a = :v REMOVE a",
            (
                "Invalid UpdateExpression: Two document paths overlap with each other; must remove "
                "or rewrite one of these paths; path one: [a], path two: [a]"
            ),
        ),
        (
            "SET a.b = :v, a[0] = :v",
            (
                "Invalid UpdateExpression: Two document paths conflict with each other; must "
                "remove or rewrite one of these paths; path one: [a, b], path two: [a, [0]]"
            ),
        ),
        (
            "DELETE a :v",
            (
                "Invalid UpdateExpression: Incorrect operand type for operator or function; "
                "operator: DELETE, operand type: STRING, typeSet: ALLOWED_FOR_DELETE_OPERAND"
            ),
        ),
        (
            "SET a = a + :v",
            (
                "Invalid UpdateExpression: Incorrect operand type for operator or function; "
                "operator or function: +, operand type: S"
            ),
        ),
        (
            "SET a = size(:v)",
            "Invalid UpdateExpression: Invalid function name; function: size",
        ),
        (
            "SET a = if_not_exists(:v, a)",
            (
                "Invalid UpdateExpression: Operator or function requires a document path; operator "
                "or function: if_not_exists"
            ),
        ),
        (
            "SET a = list_append(a)",
            (
                "Invalid UpdateExpression: Incorrect number of operands for operator or function; "
                "operator or function: list_append, number of operands: 1"
            ),
        ),
        (
            "SET a.x = :v",
            "The document path provided in the update expression is invalid for update",
        ),
        (
            "SET c = nothing",
            "The provided expression refers to an attribute that does not exist in the item",
        ),
        ("SET c = a + a", "An operand in the update expression has an incorrect data type"),
        (
            "INVALID SYNTAX HERE",
            'Invalid UpdateExpression: Syntax error; token: "INVALID", near: "INVALID SYNTAX"',
        ),
    ],
)
def test_what_cannot_be_applied_is_refused(text: str, message: str) -> None:
    values = {"v": "v"} if ":v" in text else {}
    with pytest.raises(DynamoDBError) as caught:
        apply(text, {"a": "text"}, **values)
    assert (caught.value.code, caught.value.message) == ("ValidationException", message)


def test_remove_is_no_reserved_word() -> None:
    assert apply("REMOVE remove SET set_ = :v", {"remove": 1}, v=1) == {"set_": 1}


pieces = st.sampled_from(
    re.findall(
        r"\S+",
        "SET REMOVE ADD DELETE AND OR NOT IN BETWEEN a b.c d[1] #x :v ( ) , = < > <> + - . [ ] "
        "size( if_not_exists( list_append( begins_with( 1 \u3042 \x00 ' \" \\",
    )
)


@settings(max_examples=200, deadline=None)
@given(st.lists(pieces, max_size=12).map(" ".join), st.sampled_from(["Update", "Condition"]))
def test_any_text_is_carried_out_or_refused(text: str, kind: str) -> None:
    store = ItemStore()
    store.create_table(
        {
            "TableName": "table",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        }
    )
    request: dict[str, Any] = {"TableName": "table", "Key": {"pk": {"S": "p"}}}
    request[f"{kind}Expression"] = text
    if "#x" in text:
        request["ExpressionAttributeNames"] = {"#x": "b"}
    if ":v" in text:
        request["ExpressionAttributeValues"] = {":v": {"N": "1"}}
    with contextlib.suppress(DynamoDBError):
        store.handle("UpdateItem", request)


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        ("ConditionExpression", "NOT (" * 800 + "a = b)" * 800),
        ("ConditionExpression", "size(" * 800 + "a" + ")" * 800),
        ("UpdateExpression", "SET a = " + "(" * 2000 + "b" + ")" * 2000),
        ("UpdateExpression", "SET a = " + "if_not_exists(a," * 230 + "b" + ")" * 230),
    ],
)
def test_depth_is_refused_without_harm(parameter: str, text: str) -> None:
    store = ItemStore()
    store.create_table(
        {
            "TableName": "table",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        }
    )
    request = {"TableName": "table", "Key": {"pk": {"S": "p"}}, parameter: text}
    with pytest.raises(DynamoDBError) as caught:
        store.handle("UpdateItem", request)
    assert caught.value.code in ("ValidationException", "ConditionalCheckFailedException")
    assert store.handle("Scan", {"TableName": "table"})["Count"] == 0

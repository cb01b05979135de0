"""The same single-item calls against moto, which is right about most of them, and the store."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from hub_toolkit.sandbox.dynamodb import ItemStore, client

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEY = {"pk": {"S": "p"}}
TABLE: dict[str, Any] = {
    "TableName": "oracle",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
ITEM = {
    **KEY,
    "s": {"S": "text"},
    "n": {"N": "5"},
    "b": {"B": b"\x01\x02"},
    "t": {"BOOL": True},
    "ss": {"SS": ["x", "y"]},
    "ns": {"NS": ["1", "2"]},
    "l": {"L": [{"N": "0"}, {"S": "one"}, {"M": {"k": {"S": "v"}}}]},
    "m": {"M": {"a": {"N": "1"}, "deep": {"M": {"list": {"L": [{"N": "7"}]}}}}},
}
VALUES: dict[str, Any] = {
    ":s": {"S": "text"},
    ":te": {"S": "te"},
    ":x": {"S": "x"},
    ":n": {"N": "5.0"},
    ":one": {"N": "1"},
    ":nine": {"N": "9"},
    ":b": {"B": b"\x01"},
    ":type": {"S": "SS"},
    ":xset": {"SS": ["x"]},
    ":xy": {"SS": ["y", "x"]},
    ":nset": {"NS": ["2", "3"]},
    ":l": {"L": [{"S": "new"}]},
    ":m": {"M": {"k": {"S": "v"}}},
}


def given(expression: str) -> dict[str, Any]:
    """The values that the expression uses, and an alias where it has one."""
    names = re.findall(r":\w+", expression)
    request: dict[str, Any] = {}
    if names:
        request["ExpressionAttributeValues"] = {name: VALUES[name] for name in names}
    if "#" in expression:
        request["ExpressionAttributeNames"] = {"#n": "n"}
    return request


@pytest.fixture(scope="module")
def moto() -> Iterator[DynamoDBClient]:
    with mock_aws():
        made = boto3.session.Session().client(
            "dynamodb",
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
        )
        made.create_table(**TABLE)
        yield made


@pytest.fixture(scope="module")
def ours() -> DynamoDBClient:
    store = ItemStore()
    store.create_table(TABLE)
    return client(store)


def outcome(dynamodb: DynamoDBClient, operation: str, request: dict[str, Any]) -> Any:
    """What an operation answered, or its error's code, and the item after it."""
    dynamodb.put_item(TableName="oracle", Item=ITEM)
    try:
        answer = getattr(dynamodb, operation)(TableName="oracle", **request)
    except ClientError as error:
        answer = {"Code": error.response["Error"]["Code"]}
    for extra in ("ResponseMetadata", "ConsumedCapacity"):
        answer.pop(extra, None)
    item = dynamodb.get_item(TableName="oracle", Key=KEY).get("Item")
    return canonical({"answer": answer, "item": item})


def canonical(value: Any) -> Any:
    """Sets have no order."""
    if isinstance(value, dict):
        return {
            name: sorted(part) if name in ("SS", "NS", "BS") else canonical(part)
            for name, part in value.items()
        }
    return [canonical(part) for part in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "condition",
    [
        "n = :n",
        "#n = :n",
        "n <> :n",
        "n < :nine",
        "n > :nine OR s = :s",
        "NOT n > :nine AND NOT s <> :s",
        "missing = :n",
        "missing <> :n",
        "NOT missing < :n",
        "n BETWEEN :one AND :nine",
        "s IN (:te, :s)",
        "s IN (:te, :x)",
        "attribute_exists(m.deep.list[0])",
        "attribute_exists(m.deep.list[1])",
        "attribute_not_exists(m.nothing)",
        "attribute_type(ss, :type)",
        "attribute_type(s, :type)",
        "begins_with(s, :te)",
        "begins_with(s, :x)",
        "contains(s, :te)",
        "contains(ss, :x)",
        "contains(ss, :te)",
        "contains(ns, :one)",
        "contains(l, :m)",
        "contains(l, :x)",
        "size(s) < :n",
        "size(l) < :n",
        "size(ss) > :one",
        "size(b) > :one",
        "ss = :xy",
        "l[2] = :m",
        "l[2].k = :s",
        "m.a = :one",
        "(n = :n OR missing = :x) AND s = :s",
        "n = :n OR missing = :x AND s = :te",
    ],
)
def test_conditions_decide_alike(
    ours: DynamoDBClient, moto: DynamoDBClient, condition: str
) -> None:
    request = {
        "Key": KEY,
        "UpdateExpression": "REMOVE b",
        "ConditionExpression": condition,
        **given(condition),
    }
    assert outcome(ours, "update_item", request) == outcome(moto, "update_item", request)


@pytest.mark.parametrize(
    "update",
    [
        "SET s = :x",
        "SET new = :m",
        "SET #n = #n + :one",
        "SET n = :nine - n",
        "SET n = missing + :one",
        "SET s = if_not_exists(s, :x), new = if_not_exists(new, :x)",
        "SET l = list_append(l, :l)",
        "SET l = list_append(:l, l)",
        "SET new = l[1]",
        "SET l[1] = :x",
        "SET l[9] = :x",
        "SET m.a = m.a + :one",
        "SET m.new = :x",
        "SET m.deep.list[0] = n",
        "SET missing.x = :x",
        "SET s = n, n = :one",
        "REMOVE s, n, missing",
        "REMOVE l[0]",
        "REMOVE l[0], l[2]",
        "REMOVE l[7]",
        "REMOVE m.deep.list",
        "ADD n :nine",
        "ADD new :nine",
        "ADD ns :nset",
        "ADD newset :xset",
        "ADD s :nine",
        "ADD s :x",
        "DELETE ss :xset",
        "DELETE ss :xy",
        "DELETE missing :xset",
        "DELETE ss :nset",
        "SET n = :nine REMOVE s ADD ns :nset DELETE ss :xset",
        "SET pk = :x",
        "SET s = :x, s = :te",
        "SET s = :x SET n = :one",
        "SET n = :n +",
        "SET n = n + :x",
        "DROP s",
    ],
)
def test_updates_change_alike(ours: DynamoDBClient, moto: DynamoDBClient, update: str) -> None:
    request = {
        "Key": KEY,
        "UpdateExpression": update,
        "ReturnValues": "ALL_NEW",
        **given(update),
    }
    assert outcome(ours, "update_item", request) == outcome(moto, "update_item", request)


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("get_item", {"Key": KEY, "ProjectionExpression": "s, m.deep.list[0], l[2], l[0], none"}),
        ("put_item", {"Item": {**KEY, "only": {"N": "1"}}, "ReturnValues": "ALL_OLD"}),
        ("put_item", {"Item": {"pk": {"S": ""}}}),
        ("put_item", {"Item": {"sk": {"S": "x"}}}),
        ("delete_item", {"Key": KEY, "ReturnValues": "ALL_OLD"}),
        ("delete_item", {"Key": {"pk": {"S": "other"}}, "ReturnValues": "ALL_OLD"}),
    ],
)
def test_other_calls_answer_alike(
    ours: DynamoDBClient, moto: DynamoDBClient, operation: str, request_: dict[str, Any]
) -> None:
    assert outcome(ours, operation, request_) == outcome(moto, operation, request_)

"""Requests with a part of the wrong shape: refused as AWS would, never a crash, never a change."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_toolkit.sandbox.dynamodb import DynamoDBError, ItemStore

KEY = {"pk": {"S": "p"}}
TABLE: dict[str, Any] = {
    "TableName": "table",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "BillingMode": "PROVISIONED",
    "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    "Tags": [{"Key": "k", "Value": "v"}],
    "SSESpecification": {"Enabled": True, "SSEType": "KMS"},
    "StreamSpecification": {"StreamEnabled": False},
}
ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/table"
PLACEHOLDERS: dict[str, Any] = {
    "ExpressionAttributeNames": {"#n": "n"},
    "ExpressionAttributeValues": {":v": {"N": "1"}},
}
UPDATE: dict[str, Any] = {
    "TableName": "table",
    "Key": KEY,
    "UpdateExpression": "SET #n = :v",
    "ConditionExpression": "attribute_exists(pk)",
    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    **PLACEHOLDERS,
}
PUT: dict[str, Any] = {
    "TableName": "table",
    "Item": {**KEY, "l": {"L": [{"NS": ["1"]}, {"B": "AA=="}]}, "m": {"M": {"x": {"BOOL": True}}}},
}
READ: dict[str, Any] = {
    "TableName": "table",
    "FilterExpression": "#n = :v",
    "ProjectionExpression": "l[0], m.x",
    "Limit": 1,
    "Select": "SPECIFIC_ATTRIBUTES",
    "ExclusiveStartKey": KEY,
    **PLACEHOLDERS,
}
REQUESTS: dict[str, dict[str, Any]] = {
    "PutItem": {**PUT, "ReturnValues": "ALL_OLD"},
    "UpdateItem": {**UPDATE, "ReturnValues": "UPDATED_NEW"},
    "DeleteItem": {"TableName": "table", "Key": KEY},
    "GetItem": {"TableName": "table", "Key": KEY, "ProjectionExpression": "l"},
    "Query": {
        **READ,
        "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":v": {"N": "1"}, ":p": {"S": "p"}},
        "ScanIndexForward": False,
    },
    "Scan": {**READ, "Segment": 0, "TotalSegments": 2},
    "BatchGetItem": {"RequestItems": {"table": {"Keys": [KEY], "ProjectionExpression": "l"}}},
    "BatchWriteItem": {
        "RequestItems": {
            "table": [
                {"PutRequest": {"Item": PUT["Item"]}},
                {"DeleteRequest": {"Key": {"pk": {"S": "q"}}}},
            ]
        }
    },
    "TransactWriteItems": {
        "TransactItems": [
            {"Update": UPDATE},
            {"Put": {**PUT, "Item": {"pk": {"S": "q"}}}},
            {"Delete": {"TableName": "table", "Key": {"pk": {"S": "r"}}}},
        ],
        "ClientRequestToken": "token",
    },
    "TransactGetItems": {"TransactItems": [{"Get": {"TableName": "table", "Key": KEY}}]},
    "CreateTable": {**TABLE, "TableName": "other"},
    "UpdateTable": {"TableName": "table", "BillingMode": "PAY_PER_REQUEST"},
    "ListTables": {"Limit": 1, "ExclusiveStartTableName": "a"},
    "DescribeTable": {"TableName": "table"},
    "UpdateTimeToLive": {
        "TableName": "table",
        "TimeToLiveSpecification": {"AttributeName": "x", "Enabled": True},
    },
    "DescribeTimeToLive": {"TableName": "table"},
    "UpdateContinuousBackups": {
        "TableName": "table",
        "PointInTimeRecoverySpecification": {
            "PointInTimeRecoveryEnabled": True,
            "RecoveryPeriodInDays": 7,
        },
    },
    "TagResource": {"ResourceArn": ARN, "Tags": [{"Key": "k", "Value": "v"}]},
    "UntagResource": {"ResourceArn": ARN, "TagKeys": ["k"]},
    "ListTagsOfResource": {"ResourceArn": ARN},
}
junk = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 200) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=3,
)


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to every part of a request."""
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for name, part in parts:
        found.append((*way, name))
        if isinstance(part, dict | list):
            found += places(part, (*way, name))
    return found


def made() -> ItemStore:
    store = ItemStore()
    store.create_table(TABLE)
    store.handle("PutItem", PUT)
    return store


@pytest.mark.parametrize("operation", REQUESTS)
def test_the_request_is_carried_out_as_it_is(operation: str) -> None:
    made().handle(operation, REQUESTS[operation])


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_part_of_another_shape_is_refused_or_carried_out(data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(sorted(REQUESTS)))
    request = copy.deepcopy(REQUESTS[operation])
    *way, last = data.draw(st.sampled_from(places(request)))
    node: Any = request
    for part in way:
        node = node[part]
    node[last] = data.draw(junk)
    store = made()
    before = store.handle("Scan", {"TableName": "table"})
    try:
        store.handle(operation, request)
    except DynamoDBError:
        assert store.handle("Scan", {"TableName": "table"}) == before

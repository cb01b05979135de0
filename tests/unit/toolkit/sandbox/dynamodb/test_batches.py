"""BatchGetItem and BatchWriteItem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def key(number: object) -> dict[str, Any]:
    return {"pk": {"S": "p"}, "sk": {"S": str(number)}}


def write(dynamodb: DynamoDBClient, *requests: Any) -> None:
    answer = dynamodb.batch_write_item(RequestItems={"ledger": list(requests)})
    assert answer["UnprocessedItems"] == {}


def put(number: object, **attributes: Any) -> dict[str, Any]:
    return {"PutRequest": {"Item": {**key(number), **attributes}}}


def test_a_batch_puts_and_deletes(dynamodb: DynamoDBClient) -> None:
    write(dynamodb, put(1), put(2))
    write(dynamodb, {"DeleteRequest": {"Key": key(1)}}, put(3))
    answer = dynamodb.batch_get_item(
        RequestItems={"ledger": {"Keys": [key(3), key(1), key(2)], "ProjectionExpression": "sk"}}
    )
    assert answer["Responses"] == {"ledger": [{"sk": {"S": "3"}}, {"sk": {"S": "2"}}]}
    assert answer["UnprocessedKeys"] == {}


def test_a_refused_batch_writes_nothing(dynamodb: DynamoDBClient) -> None:
    with pytest.raises(ClientError, match="does not match the schema"):
        write(dynamodb, put(1), {"PutRequest": {"Item": {"pk": {"S": "p"}}}})
    assert dynamodb.scan(TableName="ledger")["Count"] == 0


def test_one_key_twice_is_refused(dynamodb: DynamoDBClient) -> None:
    message = "Provided list of item keys contains duplicates"
    with pytest.raises(ClientError, match=message):
        write(dynamodb, put(1), {"DeleteRequest": {"Key": key(1)}})
    with pytest.raises(ClientError, match=message):
        dynamodb.batch_get_item(RequestItems={"ledger": {"Keys": [key(1), key(1)]}})


def test_25_writes_and_100_gets_are_the_limit(dynamodb: DynamoDBClient) -> None:
    write(dynamodb, *(put(number) for number in range(25)))
    with pytest.raises(ClientError, match="less than or equal to 25"):
        write(dynamodb, *(put(number) for number in range(26)))
    keys = [key(number) for number in range(101)]
    answer = dynamodb.batch_get_item(RequestItems={"ledger": {"Keys": keys[:100]}})
    assert len(answer["Responses"]["ledger"]) == 25
    with pytest.raises(ClientError, match="Too many items requested for the BatchGetItem call"):
        dynamodb.batch_get_item(RequestItems={"ledger": {"Keys": keys}})


def test_what_is_over_16_megabytes_comes_back_unprocessed(dynamodb: DynamoDBClient) -> None:
    for number in range(45):
        write(dynamodb, put(number, x={"S": "x" * 400_000}))
    wanted = {"ledger": {"Keys": [key(number) for number in range(45)], "ConsistentRead": True}}
    first = dynamodb.batch_get_item(RequestItems=wanted)
    assert len(first["Responses"]["ledger"]) == 41
    assert first["UnprocessedKeys"]["ledger"]["ConsistentRead"] is True
    rest = dynamodb.batch_get_item(RequestItems=first["UnprocessedKeys"])
    assert [item["sk"]["S"] for item in rest["Responses"]["ledger"]] == ["41", "42", "43", "44"]


def test_an_empty_batch_is_refused(dynamodb: DynamoDBClient) -> None:
    with pytest.raises(ClientError, match="requestItems parameter is required for BatchGetItem"):
        dynamodb.batch_get_item(RequestItems={})

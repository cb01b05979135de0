"""Query and Scan: ranges, order, pages, filters."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from hub_toolkit.sandbox.dynamodb import ItemStore, client

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NUMBERS = ["-10", "-1", "0", "1.5", "2", "10", "100"]


@pytest.fixture
def dynamodb() -> DynamoDBClient:
    """Seven items in partition p of a table with a number as range key, one in another."""
    store = ItemStore()
    store.create_table(
        {
            "TableName": "numbers",
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "at", "KeyType": "RANGE"},
            ],
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "at", "AttributeType": "N"},
            ],
        }
    )
    made = client(store)
    for number in reversed(NUMBERS):
        item: Any = {"pk": {"S": "p"}, "at": {"N": number}, "even": {"BOOL": number[-1] in "02"}}
        made.put_item(TableName="numbers", Item=item)
    made.put_item(TableName="numbers", Item={"pk": {"S": "q"}, "at": {"N": "5"}})
    return made


def query(dynamodb: DynamoDBClient, condition: str = "", **request: Any) -> list[str]:
    values = {":p": {"S": "p"}, **request.pop("values", {})}
    answer = dynamodb.query(
        TableName="numbers",
        KeyConditionExpression=f"pk = :p{condition and ' AND '}{condition}",
        ExpressionAttributeValues=values,
        ExpressionAttributeNames={"#at": "at"} if "#at" in condition else {"#pk": "pk"},
        **request,
    )
    return [item["at"]["N"] for item in answer["Items"]]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("#at = :v", ["2"]),
        (":v = #at", ["2"]),
        ("#at < :v", ["-10", "-1", "0", "1.5"]),
        ("#at <= :v", ["-10", "-1", "0", "1.5", "2"]),
        (":v >= #at", ["-10", "-1", "0", "1.5", "2"]),
        ("#at > :v", ["10", "100"]),
        ("(#at >= :v)", ["2", "10", "100"]),
        ("#at BETWEEN :v AND :w", ["2", "10"]),
    ],
)
def test_ranges_go_by_the_value_of_numbers(
    dynamodb: DynamoDBClient, condition: str, expected: list[str]
) -> None:
    values = {":v": {"N": "2.0"}} | ({":w": {"N": "50"}} if ":w" in condition else {})
    assert query(dynamodb, condition, values=values) == expected
    backwards = query(dynamodb, condition, values=values, ScanIndexForward=False)
    assert backwards == expected[::-1]


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_pages_join_to_the_whole_partition(
    dynamodb: DynamoDBClient, limit: int, forward: bool
) -> None:
    pages = dynamodb.get_paginator("query").paginate(
        TableName="numbers",
        KeyConditionExpression="pk = :p",
        ExpressionAttributeValues={":p": {"S": "p"}},
        ScanIndexForward=forward,
        PaginationConfig={"PageSize": limit},
    )
    found = [[item["at"]["N"] for item in page["Items"]] for page in pages]
    assert max(map(len, found)) <= limit
    assert list(chain.from_iterable(found)) == (NUMBERS if forward else NUMBERS[::-1])


def test_a_page_goes_on_after_a_key_that_was_deleted(dynamodb: DynamoDBClient) -> None:
    start = {"pk": {"S": "p"}, "at": {"N": "0"}}
    dynamodb.delete_item(TableName="numbers", Key=start)
    answer = dynamodb.query(
        TableName="numbers",
        KeyConditionExpression="pk = :p",
        ExpressionAttributeValues={":p": {"S": "p"}},
        ExclusiveStartKey=start,
    )
    assert [item["at"]["N"] for item in answer["Items"]] == ["1.5", "2", "10", "100"]


def test_the_limit_counts_what_is_read_not_what_the_filter_leaves(
    dynamodb: DynamoDBClient,
) -> None:
    answer = dynamodb.query(
        TableName="numbers",
        KeyConditionExpression="pk = :p",
        FilterExpression="even = :t",
        ExpressionAttributeValues={":p": {"S": "p"}, ":t": {"BOOL": True}},
        Limit=4,
    )
    assert [item["at"]["N"] for item in answer["Items"]] == ["-10", "0"]
    assert (answer["Count"], answer["ScannedCount"]) == (2, 4)
    assert answer["LastEvaluatedKey"] == {"pk": {"S": "p"}, "at": {"N": "1.5"}}


def test_a_count_comes_without_items(dynamodb: DynamoDBClient) -> None:
    answer = dynamodb.query(
        TableName="numbers",
        KeyConditionExpression="pk = :p",
        ExpressionAttributeValues={":p": {"S": "p"}},
        Select="COUNT",
    )
    assert answer["Count"] == len(NUMBERS)
    assert "Items" not in answer


def test_a_page_ends_at_one_megabyte(dynamodb: DynamoDBClient) -> None:
    for number in range(4):
        item: Any = {"pk": {"S": "big"}, "at": {"N": str(number)}, "x": {"S": "x" * 390_000}}
        dynamodb.put_item(TableName="numbers", Item=item)
    answer = dynamodb.query(
        TableName="numbers",
        KeyConditionExpression="pk = :p",
        ExpressionAttributeValues={":p": {"S": "big"}},
    )
    assert answer["Count"] == 3
    assert answer["LastEvaluatedKey"]["at"] == {"N": "2"}


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("#at = :v", "Query condition missed key schema element: pk"),
        ("pk < :v", "Query key condition not supported"),
        (
            "pk = :v AND #at = :v",
            (
                "One or more parameter values were invalid: Condition parameter type does not "
                "match schema type"
            ),
        ),
        (
            "pk = :v AND pk = :v",
            (
                "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one "
                "condition per key"
            ),
        ),
        (
            "pk = :v OR #at = :v",
            "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: OR",
        ),
        (
            "NOT pk = :v",
            "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: NOT",
        ),
        (
            "pk = :v AND #at IN (:v)",
            "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: IN",
        ),
        (
            "pk = :v AND attribute_exists(#at)",
            (
                "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: "
                "attribute_exists"
            ),
        ),
        (
            "pk = :v AND #at.x = :v",
            (
                "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on "
                "nested attributes"
            ),
        ),
        (
            "pk = :v AND #at > :v AND x = :v",
            (
                "The number of query conditions (3) exceeds the number of key attributes defined "
                "in the schema (2)"
            ),
        ),
        ("", "Invalid KeyConditionExpression: The expression can not be empty;"),
    ],
)
def test_what_is_no_key_condition_is_refused(
    dynamodb: DynamoDBClient, condition: str, message: str
) -> None:
    request: Any = {"ExpressionAttributeValues": {":v": {"S": "p"}}}
    if "#at" in condition:
        request["ExpressionAttributeNames"] = {"#at": "at"}
    with pytest.raises(ClientError) as caught:
        dynamodb.query(TableName="numbers", KeyConditionExpression=condition, **request)
    assert caught.value.response["Error"] == {"Code": "ValidationException", "Message": message}


def test_a_querys_filter_must_not_look_at_the_key(dynamodb: DynamoDBClient) -> None:
    with pytest.raises(ClientError, match="Primary key attribute: at"):
        dynamodb.query(
            TableName="numbers",
            KeyConditionExpression="pk = :p",
            FilterExpression="NOT (#at IN (:n) OR even = :n)",
            ExpressionAttributeNames={"#at": "at"},
            ExpressionAttributeValues={":p": {"S": "p"}, ":n": {"N": "1"}},
        )


def test_an_index_is_refused(dynamodb: DynamoDBClient) -> None:
    with pytest.raises(ClientError, match="does not have the specified index: by_owner"):
        dynamodb.scan(TableName="numbers", IndexName="by_owner")


def test_prefixes_are_found_by_their_bytes(dynamodb: DynamoDBClient) -> None:
    names = ["F#", "F#a", "F#ab", "F#\U0001f600", "G", "F", "Fz", "未保護", "未来"]
    store = ItemStore()
    store.create_table(
        {
            "TableName": "names",
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "N"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
        }
    )
    made = client(store)
    for name in names:
        made.put_item(TableName="names", Item={"pk": {"N": "1.0"}, "sk": {"S": name}})

    def starting_with(prefix: str) -> list[str]:
        answer = made.query(
            TableName="names",
            KeyConditionExpression="pk = :p AND begins_with(sk, :s)",
            ExpressionAttributeValues={":p": {"N": "1"}, ":s": {"S": prefix}},
        )
        return [item["sk"]["S"] for item in answer["Items"]]

    for prefix in ("F#", "F", "未", "F#\U0001f600", "H", ""):
        expected = sorted(filter(lambda name: name.startswith(prefix), names), key=str.encode)
        assert starting_with(prefix) == expected


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_a_scan_finds_each_item_once_over_pages_and_segments(
    dynamodb: DynamoDBClient, limit: int
) -> None:
    for number in range(60):
        item: Any = {"pk": {"S": f"scan-{number}"}, "at": {"N": "1"}}
        dynamodb.put_item(TableName="numbers", Item=item)
    for segments in (1, 4):
        found = []
        for segment in range(segments):
            pages = dynamodb.get_paginator("scan").paginate(
                TableName="numbers",
                Segment=segment,
                TotalSegments=segments,
                PaginationConfig={"PageSize": limit},
            )
            found += [(i["pk"]["S"], i["at"]["N"]) for page in pages for i in page["Items"]]
        assert len(found) == len(set(found)) == 60 + len(NUMBERS) + 1


def test_a_query_reads_only_its_partition(dynamodb: DynamoDBClient) -> None:
    """The number of items that are looked at does not grow with the table."""
    for number in range(500):
        item: Any = {"pk": {"S": f"other-{number}"}, "at": {"N": "1"}}
        dynamodb.put_item(TableName="numbers", Item=item)
    answer = dynamodb.query(
        TableName="numbers",
        KeyConditionExpression="pk = :p AND #at > :n",
        ExpressionAttributeNames={"#at": "at"},
        ExpressionAttributeValues={":p": {"S": "p"}, ":n": {"N": "2"}},
    )
    assert answer["ScannedCount"] == 2

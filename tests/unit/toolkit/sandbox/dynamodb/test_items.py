"""GetItem, PutItem, UpdateItem, DeleteItem as a boto3 client sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEY = {"pk": {"S": "p"}, "sk": {"S": "I"}}


def put(dynamodb: DynamoDBClient, **attributes: Any) -> None:
    dynamodb.put_item(TableName="ledger", Item={**KEY, **attributes})


def get(dynamodb: DynamoDBClient) -> dict[str, Any]:
    return dynamodb.get_item(TableName="ledger", Key=KEY).get("Item", {})


def refusal(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(TableName="ledger", **request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_an_item_comes_back_with_every_type(dynamodb: DynamoDBClient) -> None:
    item = {
        **KEY,
        "binary": {"B": b"\x00\xff"},
        "binaries": {"BS": [b"a", b"b"]},
        "strings": {"SS": ["x", "y"]},
        "numbers": {"NS": ["1", "2"]},
        "document": {"M": {"list": {"L": [{"N": "1"}, {"NULL": True}, {"BOOL": False}]}}},
        "japanese": {"S": "未保護"},
    }
    dynamodb.put_item(TableName="ledger", Item=item)
    assert get(dynamodb) == item


def test_numbers_come_back_in_plain_spelling(dynamodb: DynamoDBClient) -> None:
    spelled = {"1.50": "1.5", "-0": "0", "1E3": "1000", "+7": "7", "007": "7", "1E-3": "0.001"}
    put(dynamodb, numbers={"L": [{"N": text} for text in spelled]})
    assert [value["N"] for value in get(dynamodb)["numbers"]["L"]] == list(spelled.values())


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1" * 39, "Attempting to store more than 38 significant digits in a Number"),
        ("1E126", "Number overflow. Attempting to store a number with magnitude larger than"),
        ("1E-131", "Number underflow. Attempting to store a number with magnitude smaller than"),
        ("NaN", "The parameter cannot be converted to a numeric value: NaN"),
        ("", "The parameter cannot be converted to a numeric value"),
        ("1_0", "The parameter cannot be converted to a numeric value: 1_0"),
    ],
)
def test_a_number_out_of_range_is_refused(dynamodb: DynamoDBClient, number: str, text: str) -> None:
    code, message = refusal(dynamodb.put_item, Item={**KEY, "n": {"N": number}})
    assert code == "ValidationException"
    assert message.startswith(text)


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ({"pk": {"S": "p"}}, "Missing the key sk in the item"),
        ({**KEY, "sk": {"N": "1"}}, "Type mismatch for key sk expected: S actual: N"),
        ({**KEY, "pk": {"S": ""}}, "cannot contain an empty string value. Key: pk"),
        ({**KEY, "pk": {"S": "é" * 1025}}, "exceeded the maximum size limit of2048 bytes"),
        ({**KEY, "sk": {"S": "x" * 1025}}, "exceeded the size limit of 1024 bytes"),
        ({**KEY, "set": {"SS": []}}, "An string set  may not be empty"),
        ({**KEY, "set": {"SS": ["a", "a"]}}, "Input collection [a, a] contains duplicates"),
        ({**KEY, "set": {"NS": ["1", "1.0"]}}, "Input collection contains duplicates"),
        ({**KEY, "null": {"NULL": False}}, "Null attribute value types must have the value of"),
        ({**KEY, "x": {"S": "x" * 409_600}}, "Item size has exceeded the maximum allowed size"),
    ],
)
def test_an_item_that_cannot_be_stored_is_refused(
    dynamodb: DynamoDBClient, item: dict[str, Any], text: str
) -> None:
    code, message = refusal(dynamodb.put_item, Item=item)
    assert code == "ValidationException"
    assert text in message


def test_an_item_of_exactly_400_kilobytes_is_stored(dynamodb: DynamoDBClient) -> None:
    put(dynamodb, x={"S": "x" * (409_600 - len("pkpskIx"))})
    code, message = refusal(
        dynamodb.update_item,
        Key=KEY,
        UpdateExpression="SET y = :y",
        ExpressionAttributeValues={":y": {"S": ""}},
    )
    assert (code, message) == (
        "ValidationException",
        "Item size to update has exceeded the maximum allowed size",
    )
    assert "y" not in get(dynamodb)


def test_documents_end_at_32_levels(dynamodb: DynamoDBClient) -> None:
    value: dict[str, Any] = {"S": "leaf"}
    for _ in range(31):
        value = {"M": {"n": value}}
    put(dynamodb, deep=value)
    _, message = refusal(dynamodb.put_item, Item={**KEY, "deep": {"M": {"n": value}}})
    assert message.startswith("Nesting Levels have exceeded supported limits")


def test_a_key_must_be_the_tables_key(dynamodb: DynamoDBClient) -> None:
    mismatch = ("ValidationException", "The provided key element does not match the schema")
    assert refusal(dynamodb.get_item, Key={"pk": {"S": "p"}}) == mismatch
    assert refusal(dynamodb.get_item, Key={**KEY, "x": {"S": "p"}}) == mismatch
    assert refusal(dynamodb.get_item, Key={**KEY, "sk": {"N": "1"}}) == mismatch


def test_a_failed_condition_shows_the_item_only_if_asked(dynamodb: DynamoDBClient) -> None:
    put(dynamodb, n={"N": "1"})
    request: dict[str, Any] = {
        "TableName": "ledger",
        "Item": KEY,
        "ConditionExpression": "attribute_not_exists(pk)",
    }
    with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException) as caught:
        dynamodb.put_item(**request)
    assert "Item" not in caught.value.response
    with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException) as caught:
        dynamodb.put_item(**request, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    assert caught.value.response["Item"] == {**KEY, "n": {"N": "1"}}
    assert caught.value.response["Error"]["Message"] == "The conditional request failed"
    assert get(dynamodb) == {**KEY, "n": {"N": "1"}}


def test_put_and_delete_return_what_was_there(dynamodb: DynamoDBClient) -> None:
    put(dynamodb, n={"N": "1"})
    old = dynamodb.put_item(TableName="ledger", Item=KEY, ReturnValues="ALL_OLD")
    assert old["Attributes"] == {**KEY, "n": {"N": "1"}}
    gone = dynamodb.delete_item(TableName="ledger", Key=KEY, ReturnValues="ALL_OLD")
    assert gone["Attributes"] == KEY
    assert "Attributes" not in dynamodb.delete_item(
        TableName="ledger", Key=KEY, ReturnValues="ALL_OLD"
    )
    assert refusal(dynamodb.put_item, Item=KEY, ReturnValues="ALL_NEW") == (
        "ValidationException",
        "Return values set to invalid value",
    )


@pytest.mark.parametrize(
    ("returned", "attributes"),
    [
        ("NONE", None),
        ("ALL_OLD", {**KEY, "n": {"N": "1"}, "m": {"M": {"a": {"S": "x"}, "b": {"S": "y"}}}}),
        ("ALL_NEW", {**KEY, "n": {"N": "3"}, "m": {"M": {"a": {"S": "z"}, "b": {"S": "y"}}}}),
        ("UPDATED_OLD", {"n": {"N": "1"}, "m": {"M": {"a": {"S": "x"}}}}),
        ("UPDATED_NEW", {"n": {"N": "3"}, "m": {"M": {"a": {"S": "z"}}}}),
    ],
)
def test_update_returns_what_is_asked_for(
    dynamodb: DynamoDBClient, returned: Any, attributes: dict[str, Any] | None
) -> None:
    put(dynamodb, n={"N": "1"}, m={"M": {"a": {"S": "x"}, "b": {"S": "y"}}})
    answer = dynamodb.update_item(
        TableName="ledger",
        Key=KEY,
        UpdateExpression="SET m.a = :z ADD n :two",
        ExpressionAttributeValues={":two": {"N": "2"}, ":z": {"S": "z"}},
        ReturnValues=returned,
    )
    assert answer.get("Attributes") == attributes


def test_update_begins_an_item_that_is_not_there(dynamodb: DynamoDBClient) -> None:
    dynamodb.update_item(TableName="ledger", Key=KEY)
    assert get(dynamodb) == KEY


def test_update_leaves_the_key_alone(dynamodb: DynamoDBClient) -> None:
    assert refusal(dynamodb.update_item, Key=KEY, UpdateExpression="REMOVE sk") == (
        "ValidationException",
        (
            "One or more parameter values were invalid: Cannot update attribute sk. This attribute "
            "is part of the key"
        ),
    )


def test_a_projection_returns_parts_and_an_empty_item_if_nothing_matches(
    dynamodb: DynamoDBClient,
) -> None:
    put(dynamodb, l={"L": [{"N": "0"}, {"N": "1"}, {"N": "2"}]}, m={"M": {"a": {"S": "x"}}})
    answer = dynamodb.get_item(
        TableName="ledger",
        Key=KEY,
        ProjectionExpression="#l[2], #l[0], m.a, nothing",
        ExpressionAttributeNames={"#l": "l"},
    )
    assert answer["Item"] == {"l": {"L": [{"N": "0"}, {"N": "2"}]}, "m": {"M": {"a": {"S": "x"}}}}
    answer = dynamodb.get_item(TableName="ledger", Key=KEY, ProjectionExpression="nothing")
    assert answer["Item"] == {}
    assert refusal(dynamodb.get_item, Key=KEY, ProjectionExpression="m, m.a")[1].endswith(
        "path one: [m], path two: [m, a]"
    )


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {"ExpressionAttributeNames": {"#n": "n"}},
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            {"UpdateExpression": "REMOVE a", "ExpressionAttributeNames": {}},
            "ExpressionAttributeNames must not be empty",
        ),
        (
            {"UpdateExpression": "REMOVE a", "ExpressionAttributeNames": {"#n": "n", "#b": "b"}},
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b, #n}",
        ),
        (
            {"UpdateExpression": "REMOVE a", "ExpressionAttributeValues": {":v": {"S": ""}}},
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}",
        ),
        (
            {"UpdateExpression": "REMOVE #a"},
            (
                "Invalid UpdateExpression: An expression attribute name used in the document path "
                "is not defined; attribute name: #a"
            ),
        ),
        (
            {"UpdateExpression": "SET a = :v"},
            (
                "Invalid UpdateExpression: An expression attribute value used in expression is not "
                "defined; attribute value: :v"
            ),
        ),
        (
            {"UpdateExpression": "REMOVE a", "ExpressionAttributeValues": {"v": {"S": ""}}},
            'ExpressionAttributeValues contains invalid key: Syntax error; key: "v"',
        ),
    ],
)
def test_placeholders_must_be_used_and_defined(
    dynamodb: DynamoDBClient, request_: dict[str, Any], message: str
) -> None:
    assert refusal(dynamodb.update_item, Key=KEY, **request_) == ("ValidationException", message)


def test_expressions_of_one_text_are_read_with_each_requests_names(
    dynamodb: DynamoDBClient,
) -> None:
    for name in ("first", "second"):
        dynamodb.update_item(
            TableName="ledger",
            Key=KEY,
            UpdateExpression="SET #n = :v",
            ExpressionAttributeNames={"#n": name},
            ExpressionAttributeValues={":v": {"S": name}},
        )
    assert get(dynamodb) == {**KEY, "first": {"S": "first"}, "second": {"S": "second"}}


def test_old_parameters_are_refused_clearly(dynamodb: DynamoDBClient) -> None:
    _, message = refusal(dynamodb.put_item, Item=KEY, Expected={"pk": {"Exists": False}})
    assert message == "The sandbox has no Expected: use an expression parameter instead"


def test_an_unknown_table_is_not_found(dynamodb: DynamoDBClient) -> None:
    with pytest.raises(dynamodb.exceptions.ResourceNotFoundException) as caught:
        dynamodb.get_item(TableName="nothing", Key=KEY)
    assert caught.value.response["Error"]["Message"] == "Requested resource not found"


def test_a_table_is_found_by_its_arn(dynamodb: DynamoDBClient) -> None:
    arn = dynamodb.describe_table(TableName="ledger")["Table"]["TableArn"]
    dynamodb.put_item(TableName=arn, Item=KEY)
    assert get(dynamodb) == KEY

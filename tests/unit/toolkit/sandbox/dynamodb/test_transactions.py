"""TransactWriteItems and TransactGetItems."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from hub_toolkit.sandbox.dynamodb import DynamoDBError, ItemStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def key(number: object) -> dict[str, Any]:
    return {"pk": {"S": "p"}, "sk": {"S": str(number)}}


def put(number: object, condition: str | None = None, **attributes: Any) -> dict[str, Any]:
    action: dict[str, Any] = {"TableName": "ledger", "Item": {**key(number), **attributes}}
    if condition:
        action["ConditionExpression"] = condition
    return {"Put": action}


def add_one(number: object, **more: Any) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": "ledger",
            "Key": key(number),
            "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
            **more,
        }
    }


def items(dynamodb: DynamoDBClient) -> dict[str, dict[str, Any]]:
    return {
        item["sk"]["S"]: {name: item[name] for name in item if name not in ("pk", "sk")}
        for item in dynamodb.scan(TableName="ledger")["Items"]
    }


def cancellation(dynamodb: DynamoDBClient, *actions: dict[str, Any]) -> dict[str, Any]:
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as caught:
        dynamodb.transact_write_items(TransactItems=list(actions))
    return dict(caught.value.response)


def refusal(dynamodb: DynamoDBClient, *actions: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        dynamodb.transact_write_items(TransactItems=list(actions))
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_all_actions_happen_together(dynamodb: DynamoDBClient) -> None:
    dynamodb.put_item(TableName="ledger", Item=key("old"))
    check = {
        "TableName": "ledger",
        "Key": key("none"),
        "ConditionExpression": "attribute_not_exists(pk)",
    }
    dynamodb.transact_write_items(
        TransactItems=[
            put(1),
            add_one(2),
            {"Delete": {"TableName": "ledger", "Key": key("old")}},
            {"ConditionCheck": check},
        ]
    )
    assert items(dynamodb) == {"1": {}, "2": {"n": {"N": "1"}}}


def test_one_failed_condition_undoes_everything_and_says_which(dynamodb: DynamoDBClient) -> None:
    dynamodb.put_item(TableName="ledger", Item={**key(2), "owner": {"S": "me"}})
    condition = "attribute_not_exists(pk)"
    shown = put(2, condition)
    shown["Put"]["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    response = cancellation(dynamodb, put(1), shown, put(3, "attribute_exists(pk)"), add_one(4))
    assert response["Error"] == {
        "Code": "TransactionCanceledException",
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons "
        "[None, ConditionalCheckFailed, ConditionalCheckFailed, None]",
    }
    failed = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
    assert response["CancellationReasons"] == [
        {"Code": "None"},
        {**failed, "Item": {**key(2), "owner": {"S": "me"}}},
        failed,
        {"Code": "None"},
    ]
    assert items(dynamodb) == {"2": {"owner": {"S": "me"}}}


def test_what_an_update_cannot_do_cancels_with_the_reason(dynamodb: DynamoDBClient) -> None:
    dynamodb.put_item(TableName="ledger", Item={**key(1), "n": {"S": "text"}})
    reasons = cancellation(dynamodb, add_one(2), add_one(1))["CancellationReasons"]
    assert reasons == [
        {"Code": "None"},
        {
            "Code": "ValidationError",
            "Message": "An operand in the update expression has an incorrect data type",
        },
    ]
    assert items(dynamodb) == {"1": {"n": {"S": "text"}}}


def test_a_key_of_another_type_cancels_and_an_empty_one_is_refused(
    dynamodb: DynamoDBClient,
) -> None:
    wrong = {"Put": {"TableName": "ledger", "Item": {**key(1), "sk": {"N": "1"}}}}
    assert cancellation(dynamodb, wrong)["CancellationReasons"] == [
        {
            "Code": "ValidationError",
            "Message": "One or more parameter values were invalid: Type mismatch for key sk "
            "expected: S actual: N",
        }
    ]
    code, message = refusal(dynamodb, put(""))
    assert code == "ValidationException"
    assert message.endswith("cannot contain an empty string value. Key: sk")


def test_two_actions_on_one_item_are_refused(dynamodb: DynamoDBClient) -> None:
    assert refusal(dynamodb, put(1), add_one(1)) == (
        "ValidationException",
        "Transaction request cannot include multiple operations on one item",
    )


def test_100_actions_are_the_limit(dynamodb: DynamoDBClient) -> None:
    dynamodb.transact_write_items(TransactItems=[put(number) for number in range(100)])
    assert len(items(dynamodb)) == 100
    code, message = refusal(dynamodb, *(put(number) for number in range(101)))
    assert code == "ValidationException"
    assert message.endswith("Member must have length less than or equal to 100")


def test_an_empty_transaction_is_refused(store: ItemStore) -> None:
    with pytest.raises(DynamoDBError, match="length greater than or equal to 1"):
        store.handle("TransactWriteItems", {"TransactItems": []})


def test_4_megabytes_are_the_limit(dynamodb: DynamoDBClient) -> None:
    text = {"S": "x" * 350_000}
    dynamodb.transact_write_items(TransactItems=[put(number, x=text) for number in range(11)])
    code, _ = refusal(dynamodb, *(put(number, x=text) for number in range(20, 32)))
    assert code == "ValidationException"
    assert len(items(dynamodb)) <= 11


def test_an_oversized_put_is_refused_and_an_oversized_update_cancels(
    dynamodb: DynamoDBClient,
) -> None:
    text = {"S": "x" * 409_600}
    assert refusal(dynamodb, put(1, x=text)) == (
        "ValidationException",
        "Item size has exceeded the maximum allowed size",
    )
    update = add_one(1, UpdateExpression="SET n = :one", ExpressionAttributeValues={":one": text})
    (reason,) = cancellation(dynamodb, update)["CancellationReasons"]
    assert reason["Message"] == "Item size to update has exceeded the maximum allowed size"


def test_texts_are_checked_before_tables_are_looked_up(dynamodb: DynamoDBClient) -> None:
    nowhere = {"Put": {"TableName": "nothing", "Item": key(1)}}
    assert refusal(dynamodb, nowhere, put(1, "attribute_not_exists(")) == (
        "ValidationException",
        'Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "("',
    )
    assert refusal(dynamodb, nowhere, put(1)) == (
        "ResourceNotFoundException",
        "Requested resource not found",
    )


def test_a_client_token_makes_a_repetition_harmless_for_ten_minutes(
    dynamodb: DynamoDBClient, clock: Any
) -> None:
    for _ in range(3):
        dynamodb.transact_write_items(TransactItems=[add_one(1)], ClientRequestToken="token")
        clock.now += 199
    assert items(dynamodb)["1"] == {"n": {"N": "1"}}
    with pytest.raises(dynamodb.exceptions.IdempotentParameterMismatchException):
        dynamodb.transact_write_items(TransactItems=[add_one(2)], ClientRequestToken="token")
    clock.now += 3
    dynamodb.transact_write_items(TransactItems=[add_one(1)], ClientRequestToken="token")
    assert items(dynamodb) == {"1": {"n": {"N": "2"}}}


def test_a_cancelled_transaction_does_not_use_its_token_up(dynamodb: DynamoDBClient) -> None:
    request: dict[str, Any] = {
        "TransactItems": [add_one(1, ConditionExpression="attribute_exists(pk)")],
        "ClientRequestToken": "token",
    }
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
        dynamodb.transact_write_items(**request)
    dynamodb.put_item(TableName="ledger", Item=key(1))
    dynamodb.transact_write_items(**request)
    assert items(dynamodb)["1"] == {"n": {"N": "1"}}


def test_items_are_read_together_in_the_order_asked_for(dynamodb: DynamoDBClient) -> None:
    dynamodb.put_item(TableName="ledger", Item={**key(1), "n": {"N": "1"}})
    gets: list[Any] = [
        {"Get": {"TableName": "ledger", "Key": key(2)}},
        {"Get": {"TableName": "ledger", "Key": key(1), "ProjectionExpression": "n"}},
    ]
    answer = dynamodb.transact_get_items(TransactItems=gets)
    assert answer["Responses"] == [{}, {"Item": {"n": {"N": "1"}}}]
    with pytest.raises(ClientError, match="multiple operations on one item"):
        dynamodb.transact_get_items(TransactItems=[gets[0], gets[0]])
    gets[0]["Get"]["Key"] = {"pk": {"S": "p"}}
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as caught:
        dynamodb.transact_get_items(TransactItems=gets)
    codes = [reason.get("Code") for reason in caught.value.response["CancellationReasons"]]
    assert codes == ["ValidationError", "None"]


@pytest.fixture
def hurry() -> Iterator[None]:
    """Threads take turns as often as they can, so that what is not isolated shows."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("hurry")
def test_concurrent_claims_are_won_once_and_no_addition_is_lost(
    dynamodb: DynamoDBClient,
) -> None:
    """16 threads want each of 30 claims; each winner also counts itself in a shared item."""
    claims, threads = 30, 16
    start = threading.Barrier(threads)

    def claim_all(worker: int) -> int:
        start.wait()
        won = 0
        for step in range(claims):
            number = (step + worker) % claims
            try:
                dynamodb.transact_write_items(
                    TransactItems=[
                        put(number, "attribute_not_exists(pk)", owner={"N": str(worker)}),
                        add_one("count"),
                    ]
                )
            except dynamodb.exceptions.TransactionCanceledException:
                continue
            won += 1
        return won

    with ThreadPoolExecutor(threads) as pool:
        won = list(pool.map(claim_all, range(threads)))
    stored = items(dynamodb)
    assert sum(won) == claims
    assert stored["count"] == {"n": {"N": str(claims)}}
    owners = [stored[str(number)]["owner"]["N"] for number in range(claims)]
    assert [owners.count(str(worker)) for worker in range(threads)] == won


@pytest.mark.usefixtures("hurry")
def test_readers_never_see_half_a_transaction(store: ItemStore) -> None:
    """One thread moves an amount between two items; others read both at once."""
    done = threading.Event()

    def move() -> None:
        for number in range(300):
            value = {":v": {"N": str(number)}, ":w": {"N": str(-number)}}
            first, second = (
                {
                    "Update": {
                        "TableName": "ledger",
                        "Key": key(name),
                        "UpdateExpression": f"SET n = {value_name}",
                        "ExpressionAttributeValues": {value_name: value[value_name]},
                    }
                }
                for name, value_name in (("a", ":v"), ("b", ":w"))
            )
            store.handle("TransactWriteItems", {"TransactItems": [first, second]})
        done.set()

    def read() -> list[int]:
        sums = []
        query = {
            "TableName": "ledger",
            "KeyConditionExpression": "pk = :p",
            "ExpressionAttributeValues": {":p": {"S": "p"}},
        }
        while not done.is_set():
            found = store.handle("Query", query)["Items"]
            sums.append(sum(int(item["n"]["N"]) for item in found))
        return sums

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read), pool.submit(read)]
        pool.submit(move).result()
        assert all(total == 0 for reader in readers for total in reader.result())

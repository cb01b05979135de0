"""Tables, time to live, backups, tags; faults and what is not carried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from hub_toolkit.sandbox.dynamodb import (
    DynamoDBError,
    ItemStore,
    client,
    throttled,
    transaction_conflict,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

HASH_ONLY: dict[str, Any] = {
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


def test_a_table_lives_from_create_to_delete(dynamodb: DynamoDBClient) -> None:
    made = dynamodb.create_table(TableName="audit", **HASH_ONLY)["TableDescription"]
    assert made["TableArn"] == "arn:aws:dynamodb:us-east-1:123456789012:table/audit"
    dynamodb.get_waiter("table_exists").wait(TableName="audit")
    assert dynamodb.list_tables()["TableNames"] == ["audit", "ledger"]
    dynamodb.put_item(TableName="audit", Item={"id": {"S": "x"}})
    table = dynamodb.describe_table(TableName="audit")["Table"]
    assert (table["ItemCount"], table["TableSizeBytes"]) == (1, 3)
    with pytest.raises(dynamodb.exceptions.ResourceInUseException, match="already exists: audit"):
        dynamodb.create_table(TableName="audit", **HASH_ONLY)
    dynamodb.delete_table(TableName="audit")
    with pytest.raises(dynamodb.exceptions.ResourceNotFoundException, match="Table: audit not"):
        dynamodb.describe_table(TableName="audit")


def test_counts_and_sizes_follow_every_change(dynamodb: DynamoDBClient) -> None:
    def measured() -> tuple[int, int]:
        table = dynamodb.describe_table(TableName="ledger")["Table"]
        return table["ItemCount"], table["TableSizeBytes"]

    key: Any = {"pk": {"S": "p"}, "sk": {"S": "s"}}
    dynamodb.put_item(TableName="ledger", Item={**key, "x": {"S": "12345"}})
    assert measured() == (1, 12)
    dynamodb.put_item(TableName="ledger", Item=key)
    assert measured() == (1, 6)
    dynamodb.delete_item(TableName="ledger", Key=key)
    dynamodb.delete_item(TableName="ledger", Key=key)
    assert measured() == (0, 0)


def test_a_protected_table_is_not_deleted(dynamodb: DynamoDBClient) -> None:
    dynamodb.update_table(TableName="ledger", DeletionProtectionEnabled=True)
    with pytest.raises(ClientError, match="currently protected against deletion"):
        dynamodb.delete_table(TableName="ledger")
    dynamodb.update_table(TableName="ledger", DeletionProtectionEnabled=False)
    dynamodb.delete_table(TableName="ledger")


def test_an_update_leaves_the_billing_that_it_does_not_name(dynamodb: DynamoDBClient) -> None:
    dynamodb.update_table(TableName="ledger", DeletionProtectionEnabled=True)
    table = dynamodb.describe_table(TableName="ledger")["Table"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    dynamodb.update_table(
        TableName="ledger",
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 6},
    )
    dynamodb.update_table(TableName="ledger", DeletionProtectionEnabled=False)
    throughput = dynamodb.describe_table(TableName="ledger")["Table"]["ProvisionedThroughput"]
    assert (throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]) == (5, 6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"KeySchema": [{"AttributeName": "id", "KeyType": "RANGE"}]}, "is not a HASH key type"),
        ({"AttributeDefinitions": []}, "Some index key attributes are not defined"),
        (
            {
                "AttributeDefinitions": [
                    {"AttributeName": "id", "AttributeType": "S"},
                    {"AttributeName": "x", "AttributeType": "S"},
                ]
            },
            "does not exactly match number of attributes",
        ),
        ({"TableName": "a b c"}, "Member must satisfy regular expression pattern"),
        ({"StreamSpecification": {"StreamEnabled": True}}, "StreamViewType is missing"),
        (
            {
                "GlobalSecondaryIndexes": [
                    {"IndexName": "i", "KeySchema": [], "Projection": {"ProjectionType": "ALL"}}
                ]
            },
            "tables have no GlobalSecondaryIndexes",
        ),
    ],
)
def test_a_table_that_cannot_be_is_refused(
    store: ItemStore, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(DynamoDBError, match=message):
        store.create_table({"TableName": "audit", **HASH_ONLY, **change})


def test_items_expire_by_their_number_of_seconds(
    store: ItemStore, dynamodb: DynamoDBClient, clock: Any
) -> None:
    six_years = 6 * 365 * 86_400
    expires: dict[str, Any] = {
        "passed": {"N": str(clock.now - 1)},
        "to come": {"N": str(clock.now + 1)},
        "ages ago": {"N": str(clock.now - six_years)},
        "text": {"S": str(clock.now - 1)},
    }
    for name, value in expires.items():
        item = {"pk": {"S": name}, "sk": {"S": "s"}, "expires": value}
        dynamodb.put_item(TableName="ledger", Item=item)
    assert store.expire() == 0
    dynamodb.update_time_to_live(
        TableName="ledger",
        TimeToLiveSpecification={"AttributeName": "expires", "Enabled": True},
    )
    description = dynamodb.describe_time_to_live(TableName="ledger")["TimeToLiveDescription"]
    assert description == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    assert store.expire() == 1
    left = {item["pk"]["S"] for item in dynamodb.scan(TableName="ledger")["Items"]}
    assert left == {"to come", "ages ago", "text"}
    assert store.expire(clock.now + 2) == 1


def test_time_to_live_is_switched_once(dynamodb: DynamoDBClient) -> None:
    with pytest.raises(ClientError, match="TimeToLive is already disabled"):
        dynamodb.update_time_to_live(
            TableName="ledger", TimeToLiveSpecification={"AttributeName": "e", "Enabled": False}
        )


def test_point_in_time_recovery_is_described(dynamodb: DynamoDBClient) -> None:
    def status() -> str:
        answer = dynamodb.describe_continuous_backups(TableName="ledger")
        return answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"][
            "PointInTimeRecoveryStatus"
        ]

    assert status() == "DISABLED"
    dynamodb.update_continuous_backups(
        TableName="ledger",
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )
    assert status() == "ENABLED"


def test_tags_are_added_and_taken_away(dynamodb: DynamoDBClient) -> None:
    arn = dynamodb.describe_table(TableName="ledger")["Table"]["TableArn"]
    dynamodb.tag_resource(
        ResourceArn=arn, Tags=[{"Key": "team", "Value": "sec"}, {"Key": "x", "Value": "y"}]
    )
    dynamodb.untag_resource(ResourceArn=arn, TagKeys=["x"])
    assert dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"] == [
        {"Key": "team", "Value": "sec"}
    ]


def test_faults_are_asked_with_the_tables_of_each_action_and_have_no_effect(
    store: ItemStore,
) -> None:
    asked: list[tuple[str, tuple[str, ...]]] = []

    def faults(operation: str, tables: tuple[str, ...]) -> DynamoDBError | None:
        asked.append((operation, tables))
        if operation == "TransactWriteItems":
            return transaction_conflict(len(tables), 1)
        return throttled() if operation == "PutItem" else None

    store.faults = faults
    dynamodb = client(store)
    item: Any = {"TableName": "ledger", "Item": {"pk": {"S": "p"}, "sk": {"S": "s"}}}
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as caught:
        dynamodb.transact_write_items(TransactItems=[{"Put": item}, {"Put": item}])
    assert caught.value.response["CancellationReasons"][1]["Code"] == "TransactionConflict"
    with pytest.raises(ClientError, match="ThrottlingException"):
        dynamodb.put_item(**item)
    assert dynamodb.scan(TableName="ledger")["Count"] == 0
    assert asked == [
        ("TransactWriteItems", ("ledger", "ledger")),
        ("PutItem", ("ledger",)),
        ("Scan", ("ledger",)),
    ]


def test_an_operation_that_is_not_carried_is_unknown(dynamodb: DynamoDBClient) -> None:
    with pytest.raises(ClientError, match="UnknownOperationException"):
        dynamodb.execute_statement(Statement="SELECT * FROM ledger")

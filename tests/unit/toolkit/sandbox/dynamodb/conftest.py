"""A store with one table of a hash and a range key, reached through a real boto3 client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hub_toolkit.sandbox.dynamodb import ItemStore, client

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE: dict[str, Any] = {
    "TableName": "ledger",
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "S"},
    ],
    "BillingMode": "PAY_PER_REQUEST",
}


class FakeClock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> ItemStore:
    made = ItemStore(clock)
    made.create_table(TABLE)
    return made


@pytest.fixture
def dynamodb(store: ItemStore) -> DynamoDBClient:
    return client(store)

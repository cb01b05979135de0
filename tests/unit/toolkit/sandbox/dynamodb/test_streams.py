"""What a table's stream tells, and which changes a mapping passes to its function."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from hub_toolkit.sandbox.clock import Clock
from hub_toolkit.sandbox.dynamodb import DynamoDBError, ItemStore
from hub_toolkit.sandbox.stream_pollers import StreamPollers, StreamSource

NOW = 1_764_000_000.0
KEY = {"pk": {"S": "p"}, "sk": {"S": "s"}}


@pytest.fixture
def store() -> ItemStore:
    made = ItemStore(lambda: NOW)
    made.create_table(
        {
            "TableName": "audit",
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            "AttributeDefinitions": [
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
            ],
            "StreamSpecification": {
                "StreamEnabled": True,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        }
    )
    return made


def stream(store: ItemStore) -> str:
    described = store.handle("DescribeTable", {"TableName": "audit"})["Table"]
    return str(described["LatestStreamArn"])


def put(store: ItemStore, **attributes: Any) -> None:
    store.handle("PutItem", {"TableName": "audit", "Item": {**KEY, **attributes}})


def remove(store: ItemStore) -> None:
    store.handle("DeleteItem", {"TableName": "audit", "Key": KEY})


def test_each_change_is_told_once_with_what_was_and_what_is(store: ItemStore) -> None:
    told: list[Mapping[str, Any]] = []
    store.follow(stream(store), told.append)
    put(store, x={"S": "1"})
    put(store, x={"S": "1"})
    put(store, x={"S": "2"})
    remove(store)
    remove(store)
    assert [one["eventName"] for one in told] == ["INSERT", "MODIFY", "REMOVE"]
    changed = told[1]["dynamodb"]
    assert changed["Keys"] == KEY
    assert (changed["OldImage"]["x"], changed["NewImage"]["x"]) == ({"S": "1"}, {"S": "2"})
    assert "NewImage" not in told[2]["dynamodb"]
    assert not any("userIdentity" in one for one in told)
    numbers = [one["dynamodb"]["SequenceNumber"] for one in told]
    assert numbers == sorted(set(numbers))


def test_only_time_to_live_says_who_deleted(store: ItemStore) -> None:
    specification = {"AttributeName": "expires", "Enabled": True}
    store.handle(
        "UpdateTimeToLive", {"TableName": "audit", "TimeToLiveSpecification": specification}
    )
    put(store, expires={"N": str(int(NOW - 10))})
    told: list[Mapping[str, Any]] = []
    store.follow(stream(store), told.append)
    assert store.expire() == 1
    (one,) = told
    assert one["userIdentity"] == {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


def test_a_refused_transaction_tells_nothing(store: ItemStore) -> None:
    put(store)
    told: list[Mapping[str, Any]] = []
    store.follow(stream(store), told.append)
    other = {"pk": {"S": "q"}, "sk": {"S": "s"}}
    failing = {"Item": KEY, "ConditionExpression": "attribute_not_exists(pk)"}
    puts = [{"Put": {"TableName": "audit", **one}} for one in ({"Item": other}, failing)]
    with pytest.raises(DynamoDBError):
        store.handle("TransactWriteItems", {"TransactItems": puts})
    assert told == []


def test_a_stream_can_be_ended_and_is_begun_once(store: ItemStore) -> None:
    on = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    with pytest.raises(DynamoDBError, match="enabled stream"):
        store.handle("UpdateTable", {"TableName": "audit", "StreamSpecification": on})
    off = {"StreamEnabled": False}
    store.handle("UpdateTable", {"TableName": "audit", "StreamSpecification": off})
    with pytest.raises(DynamoDBError, match="not found"):
        store.follow("arn:aws:dynamodb:us-east-1:123456789012:table/audit/stream/x", print)


class Invoker:
    """Takes batches; the first fails."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.done = threading.Event()

    def invoke(self, _name: str, event: Any) -> Any:
        self.batches.append([one["dynamodb"]["NewImage"]["x"]["S"] for one in event["Records"]])
        if self.batches[-1] == ["3"]:
            self.done.set()
        return SimpleNamespace(payload=None, error={} if len(self.batches) == 1 else None)


def test_a_mapping_filters_and_brings_a_batch_that_failed_again(store: ItemStore) -> None:
    invoker, clock = Invoker(), Clock()
    pollers = StreamPollers(clock, invoker, store.follow)
    filters = (json.dumps({"eventName": ["MODIFY"]}),)
    pollers.add(StreamSource(stream(store), "guard", 1, filters))
    for number in range(4):
        put(store, x={"S": str(number)})
    assert invoker.done.wait(10)
    pollers.close()
    clock.close()
    assert invoker.batches == [["1"], ["1"], ["2"], ["3"]]

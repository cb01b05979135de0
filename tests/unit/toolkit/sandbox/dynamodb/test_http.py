"""The store behind HTTP, with a boto3 client as callers make it."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import boto3
import pytest
from botocore.config import Config

from hub_toolkit.sandbox.dynamodb import ItemStore, app

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Write nothing."""


@pytest.fixture
def port(store: ItemStore) -> Iterator[int]:
    with make_server("127.0.0.1", 0, app(store), handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def remote(port: int) -> Iterator[DynamoDBClient]:
    made = boto3.session.Session().client(
        "dynamodb",
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )
    yield made
    made.close()


def post(port: int, target: str, body: bytes) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("POST", "/", body, {"X-Amz-Target": target})
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def test_boto3_works_over_http(remote: DynamoDBClient) -> None:
    item: Any = {"pk": {"S": "p"}, "sk": {"S": "未保護"}, "b": {"B": b"\x00"}}
    remote.put_item(TableName="ledger", Item=item)
    answer = remote.query(
        TableName="ledger",
        KeyConditionExpression="pk = :p",
        ExpressionAttributeValues={":p": {"S": "p"}},
    )
    assert answer["Items"] == [item]
    with pytest.raises(remote.exceptions.TransactionCanceledException) as caught:
        remote.transact_write_items(
            TransactItems=[
                {
                    "Put": {
                        "TableName": "ledger",
                        "Item": item,
                        "ConditionExpression": "attribute_not_exists(pk)",
                        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                    }
                }
            ]
        )
    (reason,) = caught.value.response["CancellationReasons"]
    assert reason["Item"] == item


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "SerializationException"),
        (b"[]", "SerializationException"),
        (b'{"TableName": 1}', "SerializationException"),
        (b'{"TableName": "ledger", "Item": {"pk": "p"}}', "SerializationException"),
        (b'{"TableName": "ledger", "Item": {"pk": {"S": 1}}}', "SerializationException"),
        (b'{"TableName": "ledger", "Item": {"pk": {"S": "\\ud800"}}}', "SerializationException"),
        (b'{"TableName": "ledger", "Item": {"pk": {"B": "%"}}}', "SerializationException"),
        (b'{"TableName": "ledger", "Item": {"pk": {"X": "x"}}}', "ValidationException"),
        (b'{"TableName": "ledger", "Item": {"pk": {}}}', "ValidationException"),
        (b'{"TableName": "ledger", "Item": ' + b'{"a":' * 100_000, "SerializationException"),
        (b'{"Item": {}}', "ValidationException"),
        (b"{}", "ValidationException"),
    ],
)
def test_a_malformed_body_is_refused(port: int, body: bytes, code: str) -> None:
    status, answer = post(port, "DynamoDB_20120810.PutItem", body)
    assert (status, answer["__type"].split("#")[-1]) == (400, code)


def test_another_services_target_is_refused(port: int) -> None:
    status, answer = post(port, "AmazonSQS.SendMessage", b"{}")
    assert (status, answer["__type"]) == (400, "UnknownOperationException")

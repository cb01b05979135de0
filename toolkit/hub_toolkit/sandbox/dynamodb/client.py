"""How callers reach a store: over HTTP, or as a boto3 client in the same process."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import botocore
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config

from hub_toolkit.sandbox.aws_json import json_app
from hub_toolkit.sandbox.in_process import answer_aws

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from hub_toolkit.sandbox.dynamodb.store import ItemStore
    from hub_toolkit.sandbox.wsgi import App

_TARGET = "DynamoDB_20120810"


def app(store: ItemStore) -> App:
    """A WSGI application that is the store's endpoint, for any SDK."""
    return json_app(_TARGET, store)


def client(store: ItemStore, **config: Any) -> DynamoDBClient:
    """A real boto3 client whose requests are answered in this process.

    It has boto3's own parsing, exceptions, paginators and waiters; nothing is signed or sent, and
    nothing is tried again.

    Args:
        store: answers.
        config: further settings of botocore's ``Config``, as ``parameter_validation=False``.
    """
    settings = {
        "signature_version": botocore.UNSIGNED,
        **config,
    }
    made = _session().client(
        "dynamodb",
        region_name="us-east-1",
        endpoint_url="http://dynamodb.invalid",
        config=Config(**settings),
    )
    answer = app(store)

    def before_send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        return answer_aws(answer, request)

    made.meta.events.unregister("needs-retry.dynamodb", unique_id="retry-config-dynamodb")
    made.meta.events.register("before-send.dynamodb", before_send)  # type: ignore[arg-type] # an answer is what this event is for
    return made


@cache
def _session() -> boto3.session.Session:
    """One session for all clients: it keeps the service model, which takes long to load."""
    return boto3.session.Session()

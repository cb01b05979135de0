"""The audit records of a deployment since a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hub_toolkit.stack import Stack

Record = Mapping[str, Any]
TABLE = "AuditTable"


def read(stack: Stack, since: float) -> Iterator[Record]:
    """The records written since ``since`` (epoch seconds), in no order.

    The whole table is scanned: its size, not the number of records asked for, is what is paid.

    Raises:
        DeploymentError: the table is not there or cannot be read.
    """
    request: dict[str, Any] = {
        "TableName": stack.table(TABLE),
        "ProjectionExpression": "#r",
        "FilterExpression": "sk >= :since",
        "ExpressionAttributeNames": {"#r": "records"},
        "ExpressionAttributeValues": {":since": {"S": str(int(since * 1000))}},
    }
    while True:
        answer = stack.call("dynamodb", "scan", **request)
        for item in answer["Items"]:
            for line in item["records"]["S"].split("\n"):
                yield json.loads(line)
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

"""The store: every operation behind one lock, with faults scripted from outside."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

from hub_toolkit.sandbox.dynamodb import batches, control, items, reads, transactions
from hub_toolkit.sandbox.dynamodb.catalogue import Catalogue
from hub_toolkit.sandbox.dynamodb.errors import DynamoDBError, invalid, not_found
from hub_toolkit.sandbox.dynamodb.streams import Follower

Faults: TypeAlias = Callable[[str, tuple[str, ...]], DynamoDBError | None]
"""Asked before each call with the operation and the tables it names, one for each action of a
transaction; what it returns is raised, and the call has no effect."""


class ItemStore:
    """DynamoDB in memory.

    Calls run one after the other, so each is isolated from all others. Requests and answers are
    the operations' JSON structures, binary as Base64. An answer shares its items with the store:
    it is to be read, not changed.

    Args:
        clock: epoch seconds; client tokens, time stamps and `expire` go by it.
        region: for the tables' ARNs.
        account: for the tables' ARNs.
        faults: scripts failures; it may be replaced at any time.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        *,
        region: str = "us-east-1",
        account: str = "123456789012",
        faults: Faults | None = None,
    ) -> None:
        self.faults = faults
        self._clock = clock
        self._lock = threading.Lock()
        self._catalogue = Catalogue(region, account, clock)
        self._tokens = transactions.Tokens()
        self._operations = self._routes()

    def handle(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Carry out one operation.

        Raises:
            DynamoDBError: it was refused, or a fault was scripted; nothing was changed.
        """
        carry_out = self._operations.get(operation)
        if carry_out is None:
            raise DynamoDBError(
                "UnknownOperationException", f"The sandbox's DynamoDB has no {operation}."
            )
        if self.faults is not None:
            fault = self.faults(operation, tuple(_tables(request)))
            if fault is not None:
                raise fault
        with self._lock:
            try:
                return carry_out(request)
            except RecursionError:
                # The real text is not known.
                raise invalid("An expression is nested too deeply") from None

    def create_table(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateTable, for those who set the sandbox up."""
        return self.handle("CreateTable", request)

    def follow(self, stream: str, follower: Follower) -> None:
        """Tell ``follower`` of each change that the stream with this ARN has from now on.

        Raises:
            DynamoDBError: there is no such stream.
        """
        with self._lock:
            for table in self._catalogue:
                if table.stream is not None and table.stream.arn == stream:
                    table.stream.followers.append(follower)
                    return
        raise not_found(f"Requested resource not found: Stream: {stream} not found")

    def expire(self, now: float | None = None) -> int:
        """Delete the items whose time to live is over; how many they were.

        Nothing expires but by this call: DynamoDB itself takes up to days.
        """
        at = self._clock() if now is None else now
        with self._lock:
            return sum(table.expire(at) for table in self._catalogue)

    def _routes(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        catalogue, clock = self._catalogue, self._clock
        plain = {
            "GetItem": items.get_item,
            "PutItem": items.put_item,
            "UpdateItem": items.update_item,
            "DeleteItem": items.delete_item,
            "Query": reads.query,
            "Scan": reads.scan,
            "BatchGetItem": batches.batch_get_item,
            "BatchWriteItem": batches.batch_write_item,
            "TransactGetItems": transactions.transact_get_items,
            "DescribeTable": control.describe_table,
            "ListTables": control.list_tables,
            "UpdateTable": control.update_table,
            "DeleteTable": control.delete_table,
            "UpdateTimeToLive": control.update_time_to_live,
            "DescribeTimeToLive": control.describe_time_to_live,
            "DescribeContinuousBackups": control.describe_continuous_backups,
            "TagResource": control.tag_resource,
            "UntagResource": control.untag_resource,
            "ListTagsOfResource": control.list_tags_of_resource,
        }
        return {
            **{name: partial(function, catalogue) for name, function in plain.items()},
            "TransactWriteItems": lambda request: transactions.transact_write_items(
                catalogue, self._tokens, clock(), request
            ),
            "CreateTable": lambda request: control.create_table(catalogue, clock(), request),
            "UpdateContinuousBackups": lambda request: control.update_continuous_backups(
                catalogue, clock(), request
            ),
        }


def _tables(request: dict[str, Any]) -> Iterator[str]:
    """The tables that a request names; unreadable parts name none."""
    if isinstance(request.get("TableName"), str):
        yield request["TableName"]
    if isinstance(request.get("RequestItems"), dict):
        yield from request["RequestItems"]
    if isinstance(request.get("TransactItems"), list):
        for item in request["TransactItems"]:
            for action in item.values() if isinstance(item, dict) else ():
                if isinstance(action, dict):
                    yield str(action.get("TableName", ""))

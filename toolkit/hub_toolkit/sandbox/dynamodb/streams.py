"""DynamoDB Streams: what changes in a table is told to whoever follows it.

After "Change data capture for DynamoDB Streams" in the DynamoDB developer guide: one record for
each item that a write changes, in the order of the changes, and none where a write changes nothing.
Only a deletion by time to live says who did it. The form is that of Lambda's events ("Using Lambda
with DynamoDB"). The API of streams (GetRecords, ...) is not carried, nor are shards: event source
mappings follow here directly.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from hub_toolkit.sandbox.dynamodb.keys import KeySchema
    from hub_toolkit.sandbox.dynamodb.table import Record

LABEL = "2026-01-01T00:00:00.000"
"""Of every stream here; in AWS it is the time at which the stream was made."""
VIEWS = ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")
_EXPIRED = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}

Change: TypeAlias = Mapping[str, Any]
"""One record, as Lambda hands it to a function."""
Follower: TypeAlias = Callable[[Change], None]
"""Is told of each change while the store is locked: it must not call the store."""


def arn_of(table_arn: str) -> str:
    """The ARN of a table's stream."""
    return f"{table_arn}/stream/{LABEL}"


class Stream:
    """The stream of one table.

    Args:
        view: one of `VIEWS`. clock: epoch seconds.
    """

    def __init__(self, table_arn: str, view: str, clock: Callable[[], float]) -> None:
        self.arn = arn_of(table_arn)
        self.view = view
        self.followers: list[Follower] = []
        self._clock = clock
        self._sequence = 0

    def changed(
        self, schema: KeySchema, old: Record | None, new: Record | None, *, expired: bool
    ) -> None:
        """An item was written or deleted; ``expired``: its time to live was over."""
        whole = new or old
        if whole is None or (old and new and old.item == new.item):
            return
        self._sequence += 1
        images: dict[str, Any] = {}
        if new and self.view in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES"):
            images["NewImage"] = new.item
        if old and self.view in ("OLD_IMAGE", "NEW_AND_OLD_IMAGES"):
            images["OldImage"] = old.item
        change: Change = {
            "eventID": uuid.uuid4().hex,
            "eventName": "REMOVE" if new is None else "MODIFY" if old else "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": self.arn.split(":")[3],
            "dynamodb": {
                "ApproximateCreationDateTime": int(self._clock()),
                "Keys": schema.project(whole.item),
                **images,
                "SequenceNumber": f"{self._sequence:021d}",
                "SizeBytes": (old.size if old else 0) + (new.size if new else 0),
                "StreamViewType": self.view,
            },
            "eventSourceARN": self.arn,
            **({"userIdentity": _EXPIRED} if expired else {}),
        }
        for follower in self.followers:
            follower(change)

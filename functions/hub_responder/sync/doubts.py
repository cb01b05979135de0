"""Attempts to write a decision whose end is not known: the run died between writing and saying so.

Each attempt leaves an item in the ledger in its own transaction, which the outcome's transaction
removes. What is left once no run can be at it any more is looked at: Security Hub is asked for the
findings with the decision's mark. Nothing else would come back to it: findings that were RESOLVED
end their incident, and its ticket is followed no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from hub_responder import aws, get_findings
from hub_responder.deadline import Deadline
from hub_responder.sync.decision import FIELD

PARTITION = {"S": "sync#doubts"}
OVER_S = 300.0
"""A run that made an attempt so long ago has ended: no function here runs for longer."""
KEPT_S = 14 * 86_400
"""An item that nobody could resolve for so long is forgotten."""


class Doubt(msgspec.Struct, frozen=True):
    """One attempt.

    Attributes:
        key: of the effect. incident: whose ticket it is. mark: of the decision.
        findings: how many have the mark once all is written; an item has no room for the ids of
            thousands. said: the note. since: epoch seconds.
    """

    key: str
    incident: str
    mark: str
    findings: int
    said: str
    since: float


@dataclass(frozen=True, slots=True)
class Doubts:
    """Those of one ledger."""

    table: str

    def put(self, doubt: Doubt) -> dict[str, Any]:
        """The item of an attempt's transaction."""
        item = {
            **_key(doubt.key),
            "doubt": {"S": msgspec.json.encode(doubt).decode()},
            "expires": {"N": str(int(doubt.since + KEPT_S))},
        }
        return {"Put": {"TableName": self.table, "Item": item}}

    def resolved(self, key: str) -> dict[str, Any]:
        """The item of an outcome's transaction."""
        return {"Delete": {"TableName": self.table, "Key": _key(key)}}

    def open(self, now: float) -> Iterator[Doubt]:
        """Those that no run is at any more, a page at most: what is left comes in the next run.

        Raises:
            CallError: the ledger cannot be read.
        """
        request = {
            "TableName": self.table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": PARTITION},
            "ConsistentRead": True,
        }
        try:
            answer = aws.client("dynamodb").query(**request)
        except aws.ERRORS as error:
            raise aws.translate(error, "dynamodb") from error
        for item in answer["Items"]:
            doubt = msgspec.json.decode(item["doubt"]["S"], type=Doubt)
            if now - doubt.since > OVER_S:
                yield doubt


def written(doubt: Doubt, deadline: Deadline) -> list[str]:
    """The ids of the findings that have the decision's mark.

    Raises:
        CallError: Security Hub cannot be asked, or no time is left.
    """
    marked = [{"Key": FIELD, "Value": doubt.mark, "Comparison": "EQUALS"}]
    found = get_findings.found({"UserDefinedFields": marked}, deadline)
    return [str(raw.get("Id")) for raw in found]


def _key(key: str) -> dict[str, Any]:
    return {"pk": PARTITION, "sk": {"S": key}}

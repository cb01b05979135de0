"""Pauses: an operator stops the effects of a playbook, or of all; what comes is decided and waits.

Each playbook looks at one item of its own partition, which every transaction that begins an effect
checks: it costs no request, and no effect begins once the pause was written. What an operator asked
for stands in a partition of its own, `LISTED`, with a sort key for each playbook and `EVERYTHING`
for all; from it follows what the playbooks' own items say. Incidents that wait because of a pause
have a pointer in ``{playbook}#paused``, so that whoever ends the pause finds them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub_responder import aws, clock
from hub_responder.ledger.state import Item

LISTED = "pause#all"
EVERYTHING = "*"
LOOK_S = 900.0
"""How often a paused incident looks whether it may go on, besides being told: as long as SQS can
delay a message."""
_OWN = "P"


@dataclass(frozen=True, slots=True)
class Pause:
    """Who paused it, why, and when (epoch seconds)."""

    who: str
    why: str
    since: float

    @property
    def said(self) -> str:
        """In words, without the account: ``by assumed-role/Security/ada since ...: WHY``."""
        who = self.who.rpartition(":")[2]
        return f"by {who} since {clock.iso(self.since)[:16]}Z: {self.why}"


def own(name: str) -> dict[str, Any]:
    """The key of the item that a playbook (or scheduled function) looks at."""
    return {"pk": {"S": f"{name}#pause"}, "sk": {"S": _OWN}}


def listed(name: str) -> dict[str, Any]:
    """The key of what an operator asked for a playbook, or for `EVERYTHING`."""
    return {"pk": {"S": LISTED}, "sk": {"S": name}}


def waiting(name: str) -> str:
    """The partition of the pointers to a playbook's paused incidents; their sort keys name them."""
    return f"{name}#paused"


def check(table: str, name: str) -> dict[str, Any]:
    """The item of a transaction that holds only while ``name`` is not paused."""
    return {
        "ConditionCheck": {
            "TableName": table,
            "Key": own(name),
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def attributes(pause: Pause) -> dict[str, Any]:
    """A pause as an item keeps it, beside its key."""
    return {
        "who": {"S": pause.who},
        "why": {"S": pause.why},
        "since": {"N": repr(pause.since)},
    }


def read(item: Item) -> Pause:
    """`Pause` from the wire form."""
    return Pause(item["who"]["S"], item["why"]["S"], float(item["since"]["N"]))


def of_everything(client: Any, table: str) -> Pause | None:
    """The pause of all playbooks, or None.

    Raises:
        CallError: it cannot be read.
    """
    try:
        answer = client.get_item(TableName=table, Key=listed(EVERYTHING), ConsistentRead=True)
    except Exception as error:
        raise aws.translate(error, "dynamodb") from error
    item: Mapping[str, Any] | None = answer.get("Item")
    return read(item) if item else None


def all_listed(client: Any, table: str) -> dict[str, Pause]:
    """What operators asked for: `EVERYTHING` or a playbook -> its pause.

    Raises:
        CallError: it cannot be read.
    """
    request: dict[str, Any] = {
        "TableName": table,
        "ConsistentRead": True,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": LISTED}},
    }
    found: dict[str, Pause] = {}
    while True:
        try:
            answer = client.query(**request)
        except Exception as error:
            raise aws.translate(error, "dynamodb") from error
        found |= {item["sk"]["S"]: read(item) for item in answer["Items"]}
        if "LastEvaluatedKey" not in answer:
            return found
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

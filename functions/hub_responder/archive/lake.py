"""The custom sources of Security Lake that an operator registered, as the ledger keeps them.

`SOURCES` has one item for each class of the archive's events, by its number; `TREND` one for each
event class of Trend's own deliveries, of which nothing is copied here. An item is written before
its source is made and removed after that is gone, so that a command that dies can be given again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub_responder import aws

if TYPE_CHECKING:
    from collections.abc import Mapping

PARTITION = "lake"
SOURCES = f"{PARTITION}#sources"
TREND = f"{PARTITION}#trend"
WANTED, ACTIVE, ENDING = "wanted", "active", "ending"
"""Its source is about to be made; is there; is about to be deleted."""


@dataclass(frozen=True, slots=True)
class Source:
    """A custom source.

    Attributes:
        key: the class of its events. name: in Security Lake. external_id: what whoever assumes
            ``role_arn`` must give. phase: `WANTED`, `ACTIVE` or `ENDING`.
        location: an S3 URI, below which its objects lie. role_arn: who writes there.
        table_arn: Glue's table.
        next_hour: the first hour that was not delivered yet, as the audit table names it; empty:
            nothing was tried.
        last_key: the URI of the last object. delivered_at: when (ISO 8601) it was written.
        failure: why the last try failed; empty: it did not. failing_since: ISO 8601.
        registration: the id of Trend's registration.
    """

    key: str
    name: str
    external_id: str
    phase: str = WANTED
    location: str = ""
    role_arn: str = ""
    table_arn: str = ""
    next_hour: str = ""
    last_key: str = ""
    delivered_at: str = ""
    failure: str = ""
    failing_since: str = ""
    registration: str = ""


_ATTRIBUTES = tuple(name for name in Source.__slots__ if name != "key")


def key_of(partition: str, key: str) -> dict[str, Any]:
    """The key of a source's item."""
    return {"pk": {"S": partition}, "sk": {"S": key}}


def item_of(partition: str, source: Source) -> dict[str, Any]:
    """A source as the ledger keeps it; what is empty is left out."""
    held = ((name, getattr(source, name)) for name in _ATTRIBUTES)
    texts = {name: {"S": value} for name, value in held if value}
    return {**key_of(partition, source.key), **texts}


def read(item: Mapping[str, Any]) -> Source:
    """`Source` from the wire form."""
    texts = {name: item[name]["S"] for name in _ATTRIBUTES if name in item}
    return Source(key=item["sk"]["S"], **texts)


def query(table: str, partition: str) -> dict[str, Any]:
    """The request for the sources of a partition: at most a handful, in one page."""
    return {
        "TableName": table,
        "ConsistentRead": True,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": partition}},
    }


def active(table: str) -> list[Source]:
    """The sources that the archive is copied to.

    Raises:
        CallError: the ledger cannot be read.
    """
    try:
        answer = aws.client("dynamodb").query(**query(table, SOURCES))
    except aws.ERRORS as error:
        raise aws.translate(error, "dynamodb.Query") from error
    return [one for one in map(read, answer["Items"]) if one.phase == ACTIVE]


def note(table: str, source: Source) -> None:
    """Keep how far a source's deliveries are, unless it was unregistered meanwhile.

    Raises:
        CallError: the ledger cannot be written.
    """
    changing = ("next_hour", "last_key", "delivered_at", "failure", "failing_since")
    told = {name: getattr(source, name) for name in changing}
    kept = [name for name, value in told.items() if value]
    gone = [name for name, value in told.items() if not value]
    expression = "SET " + ", ".join(f"{name} = :{name}" for name in kept)
    expression += f" REMOVE {', '.join(gone)}" if gone else ""
    client = aws.client("dynamodb")
    try:
        client.update_item(
            TableName=table,
            Key=key_of(SOURCES, source.key),
            UpdateExpression=expression,
            ConditionExpression="phase = :active AND external_id = :external",
            ExpressionAttributeValues={
                **{f":{name}": {"S": told[name]} for name in kept},
                ":active": {"S": ACTIVE},
                ":external": {"S": source.external_id},
            },
        )
    except client.exceptions.ConditionalCheckFailedException:
        return
    except aws.ERRORS as error:
        raise aws.translate(error, "dynamodb.UpdateItem") from error

"""The control plane: tables, time to live, backups, tags.

Tables are ready at once, without CREATING, UPDATING or DELETING in between. Secondary indexes and
replicas are not carried and are refused.
"""

from __future__ import annotations

import uuid
from typing import Any

from hub_toolkit.sandbox.dynamodb.catalogue import Catalogue, table_name
from hub_toolkit.sandbox.dynamodb.errors import DynamoDBError, invalid, not_found
from hub_toolkit.sandbox.dynamodb.keys import KeyAttribute, KeySchema
from hub_toolkit.sandbox.dynamodb.requests import (
    as_mapping,
    as_sequence,
    as_text,
    bad_member,
    choice,
    flag,
    mapping,
    optional_text,
    required,
    sequence,
    text,
    whole,
)
from hub_toolkit.sandbox.dynamodb.streams import LABEL, VIEWS, Stream
from hub_toolkit.sandbox.dynamodb.table import Table

_NOT_CARRIED = (
    "GlobalSecondaryIndexes",
    "GlobalSecondaryIndexUpdates",
    "LocalSecondaryIndexes",
    "ReplicaUpdates",
)
_BILLING = ("PROVISIONED", "PAY_PER_REQUEST")
_CLASSES = ("STANDARD", "STANDARD_INFREQUENT_ACCESS")
_MIN_NAME, _MAX_KEYS, _MAX_TABLES = 3, 2, 100


def create_table(catalogue: Catalogue, now: float, request: dict[str, Any]) -> dict[str, Any]:
    """A new, empty table."""
    name = table_name(request)
    if len(name) < _MIN_NAME:
        constraint = f"Member must have length greater than or equal to {_MIN_NAME}"
        raise bad_member(name, "tableName", constraint)
    _refuse_not_carried(request)
    schema = _key_schema(request)
    description: dict[str, Any] = {
        "TableName": name,
        "TableArn": catalogue.arn(name),
        "TableId": str(uuid.uuid4()),
        "TableStatus": "ACTIVE",
        "CreationDateTime": now,
        "KeySchema": request["KeySchema"],
        "AttributeDefinitions": request["AttributeDefinitions"],
        "DeletionProtectionEnabled": False,
    }
    table = Table(name, schema, description)
    _configure(table, {"BillingMode": "PROVISIONED", **request})
    if flag(as_mapping(request.get("StreamSpecification") or {}), "StreamEnabled"):
        _stream(catalogue, table, request)
    table.tags.update(_tags(request))
    catalogue.add(table)
    return {"TableDescription": table.describe()}


def describe_table(catalogue: Catalogue, request: dict[str, Any]) -> dict[str, Any]:
    """What is known of a table."""
    return {"Table": _named(catalogue, request).describe()}


def list_tables(catalogue: Catalogue, request: dict[str, Any]) -> dict[str, Any]:
    """The tables' names in order, up to 100 in an answer."""
    limit = min(whole(request, "Limit") or _MAX_TABLES, _MAX_TABLES)
    after = optional_text(request, "ExclusiveStartTableName") or ""
    names = sorted(table.name for table in catalogue if table.name > after)
    more = {"LastEvaluatedTableName": names[limit - 1]} if len(names) > limit else {}
    return {"TableNames": names[:limit], **more}


def update_table(catalogue: Catalogue, request: dict[str, Any]) -> dict[str, Any]:
    """Change a table's billing, class, protection or stream."""
    table = _named(catalogue, request)
    _refuse_not_carried(request)
    _stream(catalogue, table, request)
    _configure(table, request)
    return {"TableDescription": table.describe()}


def delete_table(catalogue: Catalogue, request: dict[str, Any]) -> dict[str, Any]:
    """Forget a table and all its items."""
    table = _named(catalogue, request)
    if table.description["DeletionProtectionEnabled"]:
        raise invalid(
            "Resource cannot be deleted as it is currently protected against deletion. Disable "
            "deletion protection first."
        )
    catalogue.remove(table)
    return {"TableDescription": {**table.describe(), "TableStatus": "DELETING"}}


def update_time_to_live(catalogue: Catalogue, request: dict[str, Any]) -> dict[str, Any]:
    """Name the attribute that says when an item expires, or stop expiring items."""
    table = catalogue.of(request)
    specification = mapping(request, "TimeToLiveSpecification")
    attribute = text(specification, "AttributeName")
    enabled = flag(specification, "Enabled")
    if enabled and table.ttl_attribute is not None:
        raise invalid("TimeToLive is already enabled")
    if not enabled and table.ttl_attribute is None:
        raise invalid("TimeToLive is already disabled")
    if not enabled and table.ttl_attribute != attribute:
        raise invalid(
            "TimeToLive is active on a different AttributeName: current AttributeName is "
            f"{table.ttl_attribute}"
        )
    table.ttl_attribute = attribute if enabled else None
    return {"TimeToLiveSpecification": {"AttributeName": attribute, "Enabled": enabled}}


def describe_time_to_live(catalogue: Catalogue, request: dict[str, Any]) -> dict[str, Any]:
    """Which attribute says when an item expires."""
    attribute = catalogue.of(request).ttl_attribute
    if attribute is None:
        return {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}
    return {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": attribute}}


def update_continuous_backups(
    catalogue: Catalogue, now: float, request: dict[str, Any]
) -> dict[str, Any]:
    """Switch point-in-time recovery, which is described here but cannot restore anything."""
    table = catalogue.of(request)
    specification = mapping(request, "PointInTimeRecoverySpecification")
    required(specification, "PointInTimeRecoveryEnabled")
    if flag(specification, "PointInTimeRecoveryEnabled"):
        table.recovery = {
            "PointInTimeRecoveryStatus": "ENABLED",
            "RecoveryPeriodInDays": whole(specification, "RecoveryPeriodInDays") or 35,
            "EarliestRestorableDateTime": now,
            "LatestRestorableDateTime": now,
        }
    else:
        table.recovery = None
    return describe_continuous_backups(catalogue, request)


def describe_continuous_backups(catalogue: Catalogue, request: dict[str, Any]) -> dict[str, Any]:
    """Whether point-in-time recovery is on."""
    table = catalogue.of(request)
    return {
        "ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": table.recovery
            or {"PointInTimeRecoveryStatus": "DISABLED"},
        }
    }


def tag_resource(catalogue: Catalogue, request: dict[str, Any]) -> dict[str, Any]:
    """Add tags to a table, or replace their values."""
    required(request, "Tags")
    _tagged(catalogue, request).tags.update(_tags(request))
    return {}


def untag_resource(catalogue: Catalogue, request: dict[str, Any]) -> dict[str, Any]:
    """Take tags from a table."""
    tags = _tagged(catalogue, request).tags
    for name in sequence(request, "TagKeys"):
        tags.pop(as_text(name), None)
    return {}


def list_tags_of_resource(catalogue: Catalogue, request: dict[str, Any]) -> dict[str, Any]:
    """A table's tags."""
    tags = _tagged(catalogue, request).tags
    return {"Tags": [{"Key": name, "Value": value} for name, value in tags.items()]}


def _named(catalogue: Catalogue, request: dict[str, Any]) -> Table:
    try:
        return catalogue.of(request)
    except DynamoDBError as error:
        if error.code == "ResourceNotFoundException":
            name = request["TableName"]
            raise not_found(f"Requested resource not found: Table: {name} not found") from None
        raise


def _tagged(catalogue: Catalogue, request: dict[str, Any]) -> Table:
    arn = text(request, "ResourceArn")
    try:
        return catalogue.find(arn)
    except DynamoDBError:
        raise not_found(f"Requested resource not found: ResourcArn: {arn} not found") from None


def _tags(request: dict[str, Any]) -> dict[str, str]:
    tags = [as_mapping(tag) for tag in as_sequence(request.get("Tags") or [])]
    return {text(tag, "Key"): text(tag, "Value") for tag in tags}


def _refuse_not_carried(request: dict[str, Any]) -> None:
    for name in _NOT_CARRIED:
        if request.get(name):
            raise invalid(f"The sandbox's tables have no {name}")


def _key_schema(request: dict[str, Any]) -> KeySchema:
    types = {}
    for definition in map(as_mapping, sequence(request, "AttributeDefinitions")):
        name = text(definition, "AttributeName")
        types[name] = choice(definition, "AttributeType", ("S", "N", "B"), "")
    elements = [as_mapping(element) for element in sequence(request, "KeySchema")]
    if not 1 <= len(elements) <= _MAX_KEYS:
        constraint = f"Member must have length between 1 and {_MAX_KEYS}"
        raise bad_member(elements, "keySchema", constraint)
    names = [text(element, "AttributeName") for element in elements]
    for name, element, expected in zip(names, elements, ("HASH", "RANGE"), strict=False):
        if choice(element, "KeyType", ("HASH", "RANGE"), "") != expected:
            raise invalid(
                "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"
                if expected == "HASH"
                else "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"
            )
        if not types.get(name):
            raise invalid(
                "One or more parameter values were invalid: Some index key attributes are not "
                f"defined in AttributeDefinitions. Keys: [{', '.join(names)}], "
                f"AttributeDefinitions: [{', '.join(types)}]"
            )
    if len(set(names)) != len(names):
        raise invalid(
            "Both the Hash Key and the Range Key element in the KeySchema have the same name"
        )
    if len(types) != len(names):
        raise invalid(
            "One or more parameter values were invalid: Number of attributes in KeySchema does "
            "not exactly match number of attributes defined in AttributeDefinitions"
        )
    keys = [KeyAttribute(name, types[name]) for name in names]
    return KeySchema(keys[0], keys[1] if len(keys) == _MAX_KEYS else None)


def _stream(catalogue: Catalogue, table: Table, request: dict[str, Any]) -> None:
    """Begin or end the table's stream, where a request says so."""
    if not request.get("StreamSpecification"):
        return
    specification = as_mapping(request["StreamSpecification"])
    enabled = flag(specification, "StreamEnabled")
    if enabled == (table.stream is not None):
        # The real texts are not documented.
        state = "has an enabled stream" if enabled else "has no stream"
        raise invalid(f"Table already {state}: TableName: {table.name}")
    table.stream = None
    table.description.pop("StreamSpecification", None)
    if not enabled:
        return
    view = choice(specification, "StreamViewType", VIEWS, "")
    if not view:
        raise invalid("One or more parameter values were invalid: StreamViewType is missing")
    table.stream = Stream(catalogue.arn(table.name), view, catalogue.clock)
    table.description |= {
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": view},
        "LatestStreamArn": table.stream.arn,
        "LatestStreamLabel": LABEL,
    }


def _configure(table: Table, request: dict[str, Any]) -> None:
    """Take what a request says of billing, class, encryption and protection."""
    description = table.description
    if mode := choice(request, "BillingMode", _BILLING, ""):
        description["BillingModeSummary"] = {"BillingMode": mode}
    if "ProvisionedThroughput" in request or "ProvisionedThroughput" not in description:
        throughput = as_mapping(request.get("ProvisionedThroughput") or {})
        description["ProvisionedThroughput"] = {
            "NumberOfDecreasesToday": 0,
            "ReadCapacityUnits": whole(throughput, "ReadCapacityUnits") or 0,
            "WriteCapacityUnits": whole(throughput, "WriteCapacityUnits") or 0,
        }
    if name := choice(request, "TableClass", _CLASSES, ""):
        description["TableClassSummary"] = {"TableClass": name}
    encryption = as_mapping(request.get("SSESpecification") or {})
    if flag(encryption, "Enabled"):
        key = optional_text(encryption, "KMSMasterKeyId")
        description["SSEDescription"] = {
            "Status": "ENABLED",
            "SSEType": optional_text(encryption, "SSEType") or "KMS",
            **({"KMSMasterKeyArn": key} if key else {}),
        }
    if request.get("DeletionProtectionEnabled") is not None:
        description["DeletionProtectionEnabled"] = flag(request, "DeletionProtectionEnabled")

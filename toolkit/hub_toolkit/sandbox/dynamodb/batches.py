"""BatchGetItem and BatchWriteItem: many items in one call, each on its own."""

from __future__ import annotations

from typing import Any

from hub_toolkit.sandbox.dynamodb.actions import refuse_large, store
from hub_toolkit.sandbox.dynamodb.catalogue import Catalogue
from hub_toolkit.sandbox.dynamodb.errors import invalid
from hub_toolkit.sandbox.dynamodb.items import read_projection, shown
from hub_toolkit.sandbox.dynamodb.keys import MISMATCH, Key
from hub_toolkit.sandbox.dynamodb.requests import (
    as_mapping,
    bad_member,
    mapping,
    refuse_legacy,
    sequence,
)
from hub_toolkit.sandbox.dynamodb.table import Record, Table
from hub_toolkit.sandbox.dynamodb.values import Item, normalise_item

MAX_GETS = 100
MAX_WRITES = 25
MAX_ANSWER = 16 * 1024 * 1024
"""Bytes of items that a BatchGetItem returns; the keys of the rest come back unprocessed."""


def batch_get_item(catalogue: Catalogue, request: dict[str, Any]) -> dict[str, Any]:
    """The items that exist, by table, and the keys that did not fit into 16 MB."""
    wanted = {name: as_mapping(part) for name, part in _request_items(request, "Get").items()}
    keys = {name: sequence(part, "Keys") for name, part in wanted.items()}
    if sum(map(len, keys.values())) > MAX_GETS:
        raise invalid("Too many items requested for the BatchGetItem call")
    size = 0
    responses: dict[str, list[Item]] = {}
    unprocessed: dict[str, dict[str, Any]] = {}
    for name, part in wanted.items():
        if not keys[name]:
            constraint = "Member must have length greater than or equal to 1"
            raise bad_member([], f"requestItems.{name}.member.keys", constraint)
        refuse_legacy(part, ("AttributesToGet",))
        paths = read_projection(part)
        table = catalogue.find(name)
        found = responses[name] = []
        for raw, key in zip(keys[name], _distinct_keys(table, keys[name]), strict=True):
            record = table.get(key)
            size += record.size if record else 0
            if size > MAX_ANSWER:
                unprocessed.setdefault(name, {**part, "Keys": []})["Keys"].append(raw)
            elif record:
                found.append(shown(record.item, paths))
    return {"Responses": responses, "UnprocessedKeys": unprocessed}


def batch_write_item(catalogue: Catalogue, request: dict[str, Any]) -> dict[str, Any]:
    """Put and delete up to 25 items; nothing is written if one of them is refused."""
    parts = _request_items(request, "Write")
    requests = {name: [as_mapping(one) for one in sequence(parts, name)] for name in parts}
    if sum(map(len, requests.values())) > MAX_WRITES or not all(requests.values()):
        counts = {name: f"[{len(several)} requests]" for name, several in requests.items()}
        constraint = (
            "Map value must satisfy constraint: [Member must have length less than or equal to "
            f"{MAX_WRITES}, Member must have length greater than or equal to 1]"
        )
        raise bad_member(counts, "requestItems", constraint)
    writes: list[tuple[Table, Key, Record | None]] = []
    for name, several in requests.items():
        checked = [_read_write(one) for one in several]
        table = catalogue.find(name)
        keys = _distinct_keys(
            table, [_key_part(table, attributes, whole) for attributes, whole in checked]
        )
        for key, (attributes, whole) in zip(keys, checked, strict=True):
            writes.append((table, key, Record.of(attributes) if whole else None))
    for table, key, new in writes:
        store(table, key, new)
    return {"UnprocessedItems": {}}


def _request_items(request: dict[str, Any], verb: str) -> dict[str, Any]:
    if not request.get("RequestItems"):
        raise invalid(f"The requestItems parameter is required for Batch{verb}Item")
    return mapping(request, "RequestItems")


def _read_write(request: dict[str, Any]) -> tuple[Item, bool]:
    """The attributes of one write, and whether they are a whole item to put."""
    if request.keys() == {"PutRequest"}:
        item = normalise_item(mapping(mapping(request, "PutRequest"), "Item"))
        refuse_large(Record.of(item))
        return item, True
    if request.keys() == {"DeleteRequest"}:
        return normalise_item(mapping(mapping(request, "DeleteRequest"), "Key")), False
    raise invalid(
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "
        "supported datatypes"
    )


def _key_part(table: Table, attributes: Item, whole: bool) -> Item:
    """The key of a write; that of a whole item is refused as any key here is."""
    if not whole:
        return attributes
    if any(name not in attributes for name in table.schema.names):
        raise invalid(MISMATCH)
    return table.schema.project(attributes)


def _distinct_keys(table: Table, raw: list[Any]) -> list[Key]:
    keys = []
    for attributes in map(normalise_item, raw):
        table.schema.refuse_empty(attributes)
        keys.append(table.schema.of_key(attributes))
    if len(set(keys)) != len(keys):
        raise invalid("Provided list of item keys contains duplicates")
    return keys

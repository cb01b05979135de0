"""GetItem, PutItem, UpdateItem, DeleteItem."""

from __future__ import annotations

from typing import Any

from hub_toolkit.sandbox.dynamodb.actions import Action, Kind, store
from hub_toolkit.sandbox.dynamodb.catalogue import Catalogue, table_name
from hub_toolkit.sandbox.dynamodb.errors import condition_failed, invalid
from hub_toolkit.sandbox.dynamodb.expressions.placeholders import Placeholders
from hub_toolkit.sandbox.dynamodb.expressions.projections import (
    Projection,
    compile_projection,
    project,
)
from hub_toolkit.sandbox.dynamodb.requests import choice, mapping, refuse_legacy
from hub_toolkit.sandbox.dynamodb.table import Record
from hub_toolkit.sandbox.dynamodb.values import Item, normalise_item

_RETURN_VALUES = ("ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW")


def get_item(catalogue: Catalogue, request: dict[str, Any]) -> dict[str, Any]:
    """One item, or an answer without ``Item``."""
    name = table_name(request)
    refuse_legacy(request, ("AttributesToGet",))
    attributes = normalise_item(mapping(request, "Key"))
    paths = read_projection(request)
    table = catalogue.find(name)
    table.schema.refuse_empty(attributes)
    record = table.get(table.schema.of_key(attributes))
    return {} if record is None else {"Item": shown(record.item, paths)}


def read_projection(request: dict[str, Any]) -> Projection | None:
    """The request's projection, where it is the only expression; None for the whole item."""
    placeholders = Placeholders(request, "ProjectionExpression")
    paths = compile_projection(placeholders)
    placeholders.refuse_unused()
    return paths


def shown(item: Item, paths: Projection | None) -> Item:
    """What a projection leaves of an item."""
    return item if paths is None else project(item, paths)


def put_item(catalogue: Catalogue, request: dict[str, Any]) -> dict[str, Any]:
    """Store an item in place of what has its key."""
    return _write(catalogue, "Put", request)


def update_item(catalogue: Catalogue, request: dict[str, Any]) -> dict[str, Any]:
    """Change an item, or begin one with its key alone."""
    return _write(catalogue, "Update", request)


def delete_item(catalogue: Catalogue, request: dict[str, Any]) -> dict[str, Any]:
    """Forget an item, if it is there."""
    return _write(catalogue, "Delete", request)


def _write(catalogue: Catalogue, kind: Kind, request: dict[str, Any]) -> dict[str, Any]:
    action = Action.read(kind, request)
    returned = choice(request, "ReturnValues", _RETURN_VALUES, "NONE")
    if kind != "Update" and returned not in ("NONE", "ALL_OLD"):
        raise invalid("Return values set to invalid value")
    table = catalogue.find(action.table_name)
    action.refuse_empty_key(table)
    key = action.key(table)
    old = table.get(key)
    if not action.allows(old):
        raise condition_failed(old.item if old and action.shows_failed else None)
    new = action.result(old)
    store(table, key, new)
    attributes = _returned(returned, action, old, new)
    return {"Attributes": attributes} if attributes else {}


def _returned(returned: str, action: Action, old: Record | None, new: Record | None) -> Item | None:
    """The attributes that ``ReturnValues`` asks for."""
    if returned == "NONE":
        return None
    source = old if returned.endswith("OLD") else new
    if source is None:
        return None
    if returned.startswith("ALL"):
        return source.item
    return project(source.item, action.update.paths) if action.update else None

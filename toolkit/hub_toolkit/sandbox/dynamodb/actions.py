"""One change to one item: what single writes, batches and transactions have in common.

An `Action` is read from its request without looking at any table, then asked for its key in a
table and for the item it would leave behind. Nothing is stored here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from hub_toolkit.sandbox.dynamodb.catalogue import table_name
from hub_toolkit.sandbox.dynamodb.errors import invalid
from hub_toolkit.sandbox.dynamodb.expressions.conditions import Condition, compile_condition
from hub_toolkit.sandbox.dynamodb.expressions.placeholders import Placeholders, Values
from hub_toolkit.sandbox.dynamodb.expressions.updates import Update, compile_update
from hub_toolkit.sandbox.dynamodb.keys import Key
from hub_toolkit.sandbox.dynamodb.requests import choice, mapping, refuse_legacy, required
from hub_toolkit.sandbox.dynamodb.table import Record, Table
from hub_toolkit.sandbox.dynamodb.values import MAX_ITEM, Item, normalise_item

Kind = Literal["Put", "Update", "Delete", "ConditionCheck"]
_LEGACY = ("Expected", "ConditionalOperator", "AttributeUpdates")


@dataclass(frozen=True, slots=True)
class Action:
    """A write (or a check) of one item, as far as its request tells.

    ``attributes`` are the whole item of a Put and the key of every other kind.
    """

    kind: Kind
    table_name: str
    attributes: Item
    values: Values
    condition: Condition | None = None
    update: Update | None = None
    shows_failed: bool = False

    @classmethod
    def read(cls, kind: Kind, request: dict[str, Any]) -> Action:
        """Check everything that can be checked without a table."""
        name = table_name(request)
        refuse_legacy(request, _LEGACY)
        attributes = normalise_item(mapping(request, "Item" if kind == "Put" else "Key"))
        if kind == "Put":
            refuse_large(Record.of(attributes))
        if kind == "ConditionCheck":
            required(request, "ConditionExpression")
        parameters = ("ConditionExpression", "UpdateExpression")[: 2 if kind == "Update" else 1]
        placeholders = Placeholders(request, *parameters)
        update = compile_update(placeholders) if kind == "Update" else None
        condition = compile_condition(placeholders, "ConditionExpression")
        placeholders.refuse_unused()
        shows = choice(request, "ReturnValuesOnConditionCheckFailure", ("ALL_OLD", "NONE"), "NONE")
        shows_failed = shows == "ALL_OLD"
        return cls(kind, name, attributes, placeholders.values, condition, update, shows_failed)

    def refuse_empty_key(self, table: Table) -> None:
        """Key attributes must not be empty."""
        table.schema.refuse_empty(self.attributes)

    def key(self, table: Table) -> Key:
        """The key of the item in the table; an update must not touch it."""
        if self.kind == "Put":
            return table.schema.of_item(self.attributes)
        key = table.schema.of_key(self.attributes)
        for path in self.update.paths if self.update else ():
            if path[0] in table.schema.names:
                raise invalid(
                    "One or more parameter values were invalid: Cannot update attribute "
                    f"{path[0]}. This attribute is part of the key"
                )
        return key

    def allows(self, old: Record | None) -> bool:
        """Whether the condition holds; an item that is not there has no attributes."""
        return self.condition is None or self.condition(old.item if old else {})

    def result(self, old: Record | None) -> Record | None:
        """The item after this action; None if there is none."""
        match self.kind:
            case "Put":
                return Record.of(self.attributes)
            case "Delete":
                return None
            case "ConditionCheck":
                return old
        new = self.attributes if old is None else old.item
        if self.update is not None:
            new = self.update.apply(new, self.values)
        record = Record.of(new)
        if record.size > MAX_ITEM:
            raise invalid("Item size to update has exceeded the maximum allowed size")
        return record


def refuse_large(record: Record) -> None:
    """A whole item has at most 400 KB."""
    if record.size > MAX_ITEM:
        raise invalid("Item size has exceeded the maximum allowed size")


def store(table: Table, key: Key, new: Record | None) -> None:
    """Make ``new`` the item with the key."""
    if new is None:
        table.delete(key)
    else:
        table.put(key, new)

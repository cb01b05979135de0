"""A table's key: which attributes, of which types, and the key of an item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from hub_toolkit.sandbox.dynamodb.errors import invalid
from hub_toolkit.sandbox.dynamodb.values import AttributeValue, Item, Sortable, kind, sortable

Key: TypeAlias = tuple[Sortable, Sortable]
"""An item's place in its table: partition, then position; no range key is position ``b""``."""

MAX_HASH, MAX_RANGE = 2048, 1024
MISMATCH = "The provided key element does not match the schema"
_NO_RANGE = b""


@dataclass(frozen=True, slots=True)
class KeyAttribute:
    """One key attribute; ``type`` is S, N or B."""

    name: str
    type: str

    def matches(self, value: AttributeValue | None) -> bool:
        """Whether the value is there and of the type."""
        return value is not None and kind(value) == self.type


class KeySchema:
    """The hash attribute and, in most tables, the range attribute.

    ``attributes`` and ``names`` are both in that order.
    """

    def __init__(self, hash_attribute: KeyAttribute, range_attribute: KeyAttribute | None) -> None:
        self.hash = hash_attribute
        self.range = range_attribute
        self.attributes = (
            (hash_attribute,) if range_attribute is None else (hash_attribute, range_attribute)
        )
        self.names = tuple(attribute.name for attribute in self.attributes)

    def project(self, item: Item) -> Item:
        """The item's key attributes alone."""
        return {name: item[name] for name in self.names}

    def refuse_empty(self, attributes: Item) -> None:
        """A key attribute must not be an empty string or binary."""
        for attribute in self.attributes:
            value = attributes.get(attribute.name)
            if value in ({"S": ""}, {"B": ""}):
                word = "string" if "S" in value else "binary"
                raise invalid(
                    "One or more parameter values are not valid. The AttributeValue for a key "
                    f"attribute cannot contain an empty {word} value. Key: {attribute.name}"
                )

    def of_key(self, key: Item) -> Key:
        """The key that a request names: exactly the key attributes, in their types."""
        if len(key) != len(self.attributes):
            raise invalid(MISMATCH)
        for attribute in self.attributes:
            if not attribute.matches(key.get(attribute.name)):
                raise invalid(MISMATCH)
        return self._place(key)

    def of_item(self, item: Item) -> Key:
        """The key of a whole item that is to be written."""
        for attribute in self.attributes:
            value = item.get(attribute.name)
            if value is None:
                raise invalid(
                    "One or more parameter values were invalid: Missing the key "
                    f"{attribute.name} in the item"
                )
            if not attribute.matches(value):
                raise invalid(
                    "One or more parameter values were invalid: Type mismatch for key "
                    f"{attribute.name} expected: {attribute.type} actual: {kind(value)}"
                )
        return self._place(item)

    def _place(self, attributes: Item) -> Key:
        partition = sortable(attributes[self.hash.name])
        if isinstance(partition, bytes) and len(partition) > MAX_HASH:
            raise invalid(
                "One or more parameter values were invalid: Size of hashkey has exceeded the "
                f"maximum size limit of{MAX_HASH} bytes"
            )
        if self.range is None:
            return partition, _NO_RANGE
        position = sortable(attributes[self.range.name])
        if isinstance(position, bytes) and len(position) > MAX_RANGE:
            raise invalid(
                "One or more parameter values were invalid: Aggregated size of all range keys has "
                f"exceeded the size limit of {MAX_RANGE} bytes"
            )
        return partition, position

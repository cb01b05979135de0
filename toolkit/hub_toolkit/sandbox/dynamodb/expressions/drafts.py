"""An item being changed: what is touched is copied first, the rest is shared with the original."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, TypeAlias

from hub_toolkit.sandbox.dynamodb.errors import invalid
from hub_toolkit.sandbox.dynamodb.expressions.paths import DocumentPath
from hub_toolkit.sandbox.dynamodb.values import AttributeValue, Item

_Container: TypeAlias = dict[Any, Any] | list[Any]
_GONE: AttributeValue = {}
"""Holds the place of a removed list element, so that the other indexes stay as they were."""


class Draft:
    """A changeable view of ``item``; the order is removals, then values, then `finish`."""

    def __init__(self, item: Item) -> None:
        self._item = dict(item)
        self._own: dict[int, _Container] = {}
        self._lengths: dict[int, int] = {}

    def remove(self, path: DocumentPath) -> None:
        """Take away what is at the path, if it is there."""
        parent, last = self._parent(path)
        if isinstance(parent, dict):
            parent.pop(last, None)
        elif last < len(parent):
            parent[last] = _GONE

    def put(self, path: DocumentPath, value: AttributeValue) -> None:
        """Place a value; beyond a list's end it is appended."""
        parent, last = self._parent(path)
        if isinstance(parent, dict) or last < self._lengths[id(parent)]:
            parent[last] = value
        else:
            parent.append(value)

    def finish(self) -> Item:
        """The changed item."""
        for container in self._own.values():
            if isinstance(container, list):
                container[:] = [member for member in container if member is not _GONE]
        return self._item

    def _parent(self, path: DocumentPath) -> tuple[Any, Any]:
        """The map or list that the path's last part is in, ours to change, and that part."""
        container: Any = self._item
        for part, following in pairwise(path):
            container = self._enter(container, part, "L" if isinstance(following, int) else "M")
        return container, path[-1]

    def _enter(self, container: Any, part: str | int, wanted: str) -> _Container:
        if isinstance(part, int):
            value = container[part] if part < len(container) else None
        else:
            value = container.get(part)
        if value is None or wanted not in value:
            raise invalid(
                "The document path provided in the update expression is invalid for update"
            )
        inner: _Container = value[wanted]
        if id(inner) not in self._own:
            inner = inner.copy()
            container[part] = {wanted: inner}
            self._own[id(inner)] = inner
            self._lengths[id(inner)] = len(inner)
        return inner

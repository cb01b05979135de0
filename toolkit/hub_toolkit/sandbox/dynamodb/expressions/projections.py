"""Projection expressions: the parts of an item that are returned."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from hub_toolkit.sandbox.dynamodb.expressions import parser, syntax
from hub_toolkit.sandbox.dynamodb.expressions.paths import (
    DocumentPath,
    read,
    refuse_overlaps,
    resolve,
)
from hub_toolkit.sandbox.dynamodb.expressions.placeholders import Placeholders, Scope
from hub_toolkit.sandbox.dynamodb.values import AttributeValue, Item

Projection: TypeAlias = tuple[DocumentPath, ...]


def compile_projection(placeholders: Placeholders) -> Projection | None:
    """The paths of the request's ``ProjectionExpression``; None if there is none."""
    return placeholders.compile("ProjectionExpression", parser.projection, _compile)


def _compile(tree: tuple[syntax.Path, ...], scope: Scope) -> Projection:
    paths = tuple(resolve(path, scope) for path in tree)
    refuse_overlaps(paths, scope)
    return paths


def project(item: Item, paths: Iterable[DocumentPath]) -> Item:
    """What the paths find, in place in their maps; list elements move together, in order."""
    tree: dict[str | int, Any] = {}
    for path in paths:
        value = read(item, path)
        if value is None:
            continue
        node = tree
        for part in path[:-1]:
            node = node.setdefault(part, {})
        node[path[-1]] = _Found(value)
    return {str(name): _assemble(node) for name, node in tree.items()}


class _Found:
    """An end of a path, told from the dicts on the way to it."""

    __slots__ = ("value",)

    def __init__(self, value: AttributeValue) -> None:
        self.value = value


def _assemble(node: dict[str | int, Any] | _Found) -> AttributeValue:
    if isinstance(node, _Found):
        return node.value
    if isinstance(next(iter(node)), int):
        return {"L": [_assemble(node[index]) for index in sorted(node)]}
    return {"M": {str(name): _assemble(below) for name, below in node.items()}}

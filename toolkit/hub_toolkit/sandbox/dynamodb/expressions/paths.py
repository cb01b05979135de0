"""Document paths with their names put in: reading by them, and telling overlaps."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import TypeAlias

from hub_toolkit.sandbox.dynamodb.expressions import syntax
from hub_toolkit.sandbox.dynamodb.expressions.placeholders import Scope
from hub_toolkit.sandbox.dynamodb.values import AttributeValue, Item

DocumentPath: TypeAlias = tuple[str | int, ...]
"""An attribute's name, then names in maps and indexes in lists."""


def resolve(path: syntax.Path, scope: Scope) -> DocumentPath:
    """The path with its aliases replaced."""
    return tuple(part if isinstance(part, int) else scope.name(part) for part in path.parts)


def read(item: Item, path: DocumentPath) -> AttributeValue | None:
    """What is at the path, or None."""
    value = item.get(path[0])  # type: ignore[arg-type] # a path begins with a name
    for part in path[1:]:
        if value is None:
            return None
        if isinstance(part, int):
            members = value.get("L", ())
            value = members[part] if part < len(members) else None
        else:
            value = value.get("M", {}).get(part)
    return value


def spell(path: DocumentPath) -> str:
    """The path as AWS writes it in errors."""
    return f"[{', '.join(f'[{part}]' if isinstance(part, int) else part for part in path)}]"


def refuse_overlaps(paths: Iterable[DocumentPath], scope: Scope) -> None:
    """No path may be another's beginning, nor may two take one place for a map and for a list."""
    for one, two in combinations(paths, 2):
        for part, other in zip(one, two, strict=False):
            if isinstance(part, int) != isinstance(other, int):
                _refuse(scope, "conflict", one, two)
            if part != other:
                break
        else:
            _refuse(scope, "overlap", one, two)


def _refuse(scope: Scope, how: str, one: DocumentPath, two: DocumentPath) -> None:
    raise scope.fault(
        f"Two document paths {how} with each other; must remove or rewrite one of these paths; "
        f"path one: {spell(one)}, path two: {spell(two)}"
    )

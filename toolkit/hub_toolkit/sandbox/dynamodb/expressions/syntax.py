"""The tree of a parsed expression: placeholders are still names, nothing is checked by type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Path:
    """A document path as written: names, ``#aliases`` and list indexes."""

    parts: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """A ``:value``."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its arguments."""

    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Something in parentheses; kept because AWS refuses redundant ones."""

    inner: Node


@dataclass(frozen=True, slots=True)
class Compare:
    """``left operator right``."""

    left: Node
    operator: str
    right: Node


@dataclass(frozen=True, slots=True)
class Between:
    """``operand BETWEEN low AND high``, both ends included."""

    operand: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class Member:
    """``operand IN (options)``."""

    operand: Node
    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Both:
    """Conditions joined by AND."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Conditions joined by OR."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Negate:
    """NOT."""

    inner: Node


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``left + right`` or ``left - right`` in a SET."""

    left: Node
    operator: str
    right: Node


Node: TypeAlias = (
    Path | Value | Call | Group | Compare | Between | Member | Both | Either | Negate | Arithmetic
)


def paths(tree: Node) -> Iterator[Path]:
    """Every document path in a tree."""
    pending: list[Node] = [tree]
    while pending:
        match pending.pop():
            case Path() as path:
                yield path
            case Call(_, several) | Both(several) | Either(several):
                pending.extend(several)
            case Group(one) | Negate(one):
                pending.append(one)
            case Compare(left, _, right) | Arithmetic(left, _, right):
                pending += [left, right]
            case Between(operand, low, high):
                pending += [operand, low, high]
            case Member(operand, options):
                pending += [operand, *options]


@dataclass(frozen=True, slots=True)
class Assignment:
    """``SET path = source``."""

    path: Path
    source: Node


@dataclass(frozen=True, slots=True)
class Change:
    """``ADD path value`` or ``DELETE path value``."""

    path: Path
    value: Value


@dataclass(frozen=True, slots=True)
class Update:
    """An update expression by its sections."""

    set: tuple[Assignment, ...] = ()
    remove: tuple[Path, ...] = ()
    add: tuple[Change, ...] = ()
    delete: tuple[Change, ...] = ()

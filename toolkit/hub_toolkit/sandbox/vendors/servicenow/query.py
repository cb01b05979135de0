"""Encoded queries: ``^`` parts conditions, ``^OR`` joins one to that before it.

A condition with a column that the table has not, or with an operator that is not known, is left
out, and the query answers what the rest matches: all records, where nothing is left. With the
property `glide.invalid_query.returns_no_rows` it matches none instead (GlideRecord API).
``^NQ``, related lists and functions are not simulated: they count as not understood.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

Row = Mapping[str, str]
_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "NOT IN": lambda held, asked: held not in asked.split(","),
    "ISNOTEMPTY": lambda held, _asked: bool(held),
    "ISEMPTY": lambda held, _asked: not held,
    "STARTSWITH": lambda held, asked: held.lower().startswith(asked.lower()),
    "LIKE": lambda held, asked: asked.lower() in held.lower(),
    "IN": lambda held, asked: held in asked.split(","),
    "!=": lambda held, asked: held.lower() != asked.lower(),
    "=": lambda held, asked: held.lower() == asked.lower(),
}
_CONDITION = re.compile(
    r"([a-z_][a-z0-9_.]*)(NOT IN|ISNOTEMPTY|ISEMPTY|STARTSWITH|LIKE|IN|!=|=)(.*)"
)
_ORDER = re.compile(r"ORDERBY(DESC)?([a-z_][a-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: a column, an operator, a value."""

    column: str
    operator: str
    asked: str

    def matches(self, row: Row) -> bool:
        """Whether it holds for a record."""
        return _OPERATORS[self.operator](row.get(self.column, ""), self.asked)


@dataclass(frozen=True, slots=True)
class Query:
    """Alternatives that must all hold, the order, and what was not understood."""

    where: tuple[tuple[Condition, ...], ...]
    order: tuple[tuple[str, bool], ...]
    ignored: tuple[str, ...]

    def run(self, rows: Iterable[Row]) -> list[Row]:
        """The records that match, in order."""
        found = [row for row in rows if all(any(c.matches(row) for c in one) for one in self.where)]
        for column, falling in reversed(self.order):
            found.sort(key=lambda row: row.get(column, ""), reverse=falling)
        return found


def parse(text: str, columns: frozenset[str]) -> Query:
    """An encoded query over a table with these columns; nothing makes it fail."""
    where: list[tuple[Condition, ...]] = []
    order: list[tuple[str, bool]] = []
    ignored: list[str] = []
    for part in text.split("^"):
        joined = part.startswith("OR") and not part.startswith("ORDERBY")
        body = part.removeprefix("OR") if joined else part
        ordering, match = _ORDER.fullmatch(body), _CONDITION.fullmatch(body)
        if ordering and ordering[2] in columns:
            order.append((ordering[2], bool(ordering[1])))
        elif match and match[1] in columns:
            condition = Condition(match[1], match[2], match[3])
            before = where.pop() if joined and where else ()
            where.append((*before, condition))
        elif body:
            ignored.append(part)
    return Query(tuple(where), tuple(order), tuple(ignored))

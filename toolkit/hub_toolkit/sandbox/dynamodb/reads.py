"""Query and Scan, in pages of at most ``Limit`` items and 1 MB."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from hub_toolkit.sandbox.dynamodb.catalogue import Catalogue, table_name
from hub_toolkit.sandbox.dynamodb.errors import invalid
from hub_toolkit.sandbox.dynamodb.expressions import parser, syntax
from hub_toolkit.sandbox.dynamodb.expressions.conditions import Condition, compile_condition
from hub_toolkit.sandbox.dynamodb.expressions.key_conditions import (
    KeyRange,
    compile_key_tests,
    key_range,
)
from hub_toolkit.sandbox.dynamodb.expressions.paths import resolve
from hub_toolkit.sandbox.dynamodb.expressions.placeholders import Placeholders, Scope
from hub_toolkit.sandbox.dynamodb.expressions.projections import Projection, compile_projection
from hub_toolkit.sandbox.dynamodb.items import shown
from hub_toolkit.sandbox.dynamodb.keys import Key, KeySchema
from hub_toolkit.sandbox.dynamodb.requests import bad_member, choice, flag, refuse_legacy, whole
from hub_toolkit.sandbox.dynamodb.table import Record, Table
from hub_toolkit.sandbox.dynamodb.values import normalise_item

MAX_PAGE = 1024 * 1024
"""Bytes that one call reads before it filters."""
_SELECT = ("SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES")
_LEGACY = (
    "AttributesToGet",
    "ConditionalOperator",
    "KeyConditions",
    "QueryFilter",
    "ScanFilter",
)
_MAX_SEGMENTS = 1_000_000


@dataclass(frozen=True, slots=True)
class _Page:
    """What a call returns of the records it reads."""

    filter: Condition | None
    paths: Projection | None
    counted: bool
    limit: int | None

    @classmethod
    def read(cls, request: dict[str, Any], placeholders: Placeholders) -> _Page:
        condition = compile_condition(placeholders, "FilterExpression")
        paths = compile_projection(placeholders)
        select = choice(request, "Select", _SELECT, "ALL_ATTRIBUTES")
        if select == "ALL_PROJECTED_ATTRIBUTES":
            raise invalid(
                "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"
            )
        if select == "SPECIFIC_ATTRIBUTES" and paths is None:
            raise invalid(
                "Must specify the AttributesToGet or ProjectionExpression when choosing to get "
                "SPECIFIC_ATTRIBUTES"
            )
        if paths is not None and request.get("Select") in ("COUNT", "ALL_ATTRIBUTES"):
            wish = "only the Count" if select == "COUNT" else select
            raise invalid(f"Cannot specify the ProjectionExpression when choosing to get {wish}")
        return cls(condition, paths, select == "COUNT", whole(request, "Limit"))

    def answer(self, records: Iterable[tuple[Key, Record]], schema: KeySchema) -> dict[str, Any]:
        """The page from the first of ``records`` on.

        The last key is given whenever a limit ended the page, also if nothing follows: that is
        how DynamoDB does it.
        """
        found, scanned, size = [], 0, 0
        last: dict[str, Any] = {}
        for _, record in records:
            scanned += 1
            size += record.size
            if self.filter is None or self.filter(record.item):
                found.append(record.item)
            if scanned == self.limit or size >= MAX_PAGE:
                last = {"LastEvaluatedKey": schema.project(record.item)}
                break
        items = {} if self.counted else {"Items": [shown(item, self.paths) for item in found]}
        return {**items, "Count": len(found), "ScannedCount": scanned, **last}


def query(catalogue: Catalogue, request: dict[str, Any]) -> dict[str, Any]:
    """A range of one partition in the order of the range key, or the reverse."""
    name, placeholders = _begin(request, "KeyConditionExpression")
    page = _Page.read(request, placeholders)
    tests = compile_key_tests(placeholders)
    filtered = placeholders.compile("FilterExpression", parser.condition, _attributes) or ()
    placeholders.refuse_unused()
    table = _table(catalogue, name, request)
    place = key_range(tests, table.schema, placeholders.values)
    for attribute in filtered:
        if attribute in table.schema.names:
            raise invalid(
                "Filter Expression can only contain non-primary key attributes: Primary key "
                f"attribute: {attribute}"
            )
    start = _start_key(request, table)
    if start is not None and start[0] != place.partition:
        raise invalid(
            "The provided starting key is outside query boundaries based on provided conditions"
        )
    forward = flag(request, "ScanIndexForward", default=True)
    return page.answer(_range(table, place, start, forward=forward), table.schema)


def scan(catalogue: Catalogue, request: dict[str, Any]) -> dict[str, Any]:
    """All items, or a segment of them, in an order that tells nothing."""
    name, placeholders = _begin(request)
    page = _Page.read(request, placeholders)
    placeholders.refuse_unused()
    segment, segments = _segment(request)
    table = _table(catalogue, name, request)
    return page.answer(table.scan(_start_key(request, table), segment, segments), table.schema)


def _begin(request: dict[str, Any], *expressions: str) -> tuple[str, Placeholders]:
    name = table_name(request)
    refuse_legacy(request, _LEGACY)
    return name, Placeholders(request, "FilterExpression", "ProjectionExpression", *expressions)


def _table(catalogue: Catalogue, name: str, request: dict[str, Any]) -> Table:
    table = catalogue.find(name)
    if (index := request.get("IndexName")) is not None:
        raise invalid(f"The table does not have the specified index: {index}")
    return table


def _range(
    table: Table, place: KeyRange, start: Key | None, *, forward: bool
) -> Iterator[tuple[Key, Record]]:
    partition = table.partition(place.partition)
    first, last = place.find(partition.order)
    if start is not None and forward:
        first = max(first, bisect_right(partition.order, start[1]))
    elif start is not None:
        last = min(last, bisect_left(partition.order, start[1]))
    for index in range(first, last) if forward else range(last - 1, first - 1, -1):
        position = partition.order[index]
        yield (place.partition, position), partition.records[position]


def _start_key(request: dict[str, Any], table: Table) -> Key | None:
    raw = request.get("ExclusiveStartKey")
    if raw is None:
        return None
    attributes = normalise_item(raw)
    table.schema.refuse_empty(attributes)
    if len(attributes) != len(table.schema.attributes):
        raise invalid("The provided starting key is invalid")
    return table.schema.of_key(attributes)


def _attributes(tree: syntax.Node, scope: Scope) -> tuple[str, ...]:
    """The attributes that an expression looks at."""
    return tuple(str(resolve(path, scope)[0]) for path in syntax.paths(tree))


def _segment(request: dict[str, Any]) -> tuple[int, int]:
    segment, segments = whole(request, "Segment", 0), whole(request, "TotalSegments")
    if segment is None and segments is None:
        return 0, 1
    if segments is None:
        raise invalid(
            "The TotalSegments parameter is required but was not present in the request when "
            "Segment parameter is present"
        )
    if segment is None:
        raise invalid(
            "The Segment parameter is required but was not present in the request when parameter "
            "TotalSegments is present"
        )
    if segments > _MAX_SEGMENTS:
        constraint = f"Member must have value less than or equal to {_MAX_SEGMENTS}"
        raise bad_member(segments, "totalSegments", constraint)
    if segment >= segments:
        raise invalid(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            f"Segment: {segment} is not less than TotalSegments: {segments}"
        )
    return segment, segments

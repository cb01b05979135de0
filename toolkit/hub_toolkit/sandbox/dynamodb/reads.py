"""Query and Scan, in pages of at most ``Limit`` items and 1 MB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from hub_toolkit.sandbox.dynamodb.catalogue import Catalogue, table_name
from hub_toolkit.sandbox.dynamodb.errors import invalid
from hub_toolkit.sandbox.dynamodb.expressions import parser
from hub_toolkit.sandbox.dynamodb.expressions.conditions import Condition, compile_condition
from hub_toolkit.sandbox.dynamodb.expressions.key_conditions import KeyRange, compile_key_range
from hub_toolkit.sandbox.dynamodb.expressions.paths import DocumentPath
from hub_toolkit.sandbox.dynamodb.expressions.placeholders import Placeholders
from hub_toolkit.sandbox.dynamodb.expressions.projections import compile_projection
from hub_toolkit.sandbox.dynamodb.items import shown
from hub_toolkit.sandbox.dynamodb.keys import Key, KeySchema
from hub_toolkit.sandbox.dynamodb.requests import choice, flag, refuse_legacy, refuse_member, whole
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
    paths: tuple[DocumentPath, ...] | None
    counted: bool
    limit: int | None

    @classmethod
    def read(cls, request: dict[str, Any], placeholders: Placeholders) -> _Page:
        condition = compile_condition(placeholders, "FilterExpression")
        paths = compile_projection(placeholders)
        select = choice(request, "Select", _SELECT, "ALL_ATTRIBUTES")
        if select == "ALL_PROJECTED_ATTRIBUTES":
            invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
        if select == "SPECIFIC_ATTRIBUTES" and paths is None:
            invalid(
                "Must specify the AttributesToGet or ProjectionExpression when choosing to get "
                "SPECIFIC_ATTRIBUTES"
            )
        if paths is not None and request.get("Select") in ("COUNT", "ALL_ATTRIBUTES"):
            invalid(f"Cannot specify the ProjectionExpression when choosing to get {select}")
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
    # Texts are checked before tables are looked up; what follows needs the table's key.
    placeholders.parse("KeyConditionExpression", parser.condition)
    table = _table(catalogue, name, request)
    place = compile_key_range(placeholders, table.schema)
    placeholders.refuse_unused()
    _refuse_key_filter(request, placeholders, table.schema)
    start = _start_key(request, table)
    if start is not None and start[0] != place.partition:
        invalid("The provided starting key is outside query boundaries based on provided conditions")
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
        invalid(f"The table does not have the specified index: {index}")
    return table


def _range(
    table: Table, place: KeyRange, start: Key | None, *, forward: bool
) -> Iterator[tuple[Key, Record]]:
    partition = table.partition(place.partition)
    first, last = place.find(partition.order)
    positions = partition.order[first:last]
    if not forward:
        positions.reverse()
    for position in positions:
        if start is None or (position > start[1] if forward else position < start[1]):  # type: ignore[operator]
            yield (place.partition, position), partition.records[position]


def _start_key(request: dict[str, Any], table: Table) -> Key | None:
    raw = request.get("ExclusiveStartKey")
    if raw is None:
        return None
    attributes = normalise_item(raw)
    table.schema.refuse_empty(attributes)
    if len(attributes) != len(table.schema.attributes):
        invalid("The provided starting key is invalid")
    return table.schema.of_key(attributes)


def _refuse_key_filter(
    request: dict[str, Any], placeholders: Placeholders, schema: KeySchema
) -> None:
    """A query's filter must not look at the key: that is the key condition's part."""
    parsed = placeholders.parse("FilterExpression", parser.condition)
    if parsed is None:
        return
    tree, scope = parsed
    for path in parser.paths(tree):
        name = path.parts[0]
        if isinstance(name, str) and scope.name(name) in schema.names:
            invalid(
                "Filter Expression can only contain non-primary key attributes: Primary key "
                f"attribute: {scope.name(name)}"
            )


def _segment(request: dict[str, Any]) -> tuple[int, int]:
    segment, segments = whole(request, "Segment", 0), whole(request, "TotalSegments")
    if segment is None and segments is None:
        return 0, 1
    if segments is None:
        invalid(
            "The TotalSegments parameter is required but was not present in the request when "
            "Segment parameter is present"
        )
    if segment is None:
        invalid(
            "The Segment parameter is required but was not present in the request when parameter "
            "TotalSegments is present"
        )
    if segments > _MAX_SEGMENTS:
        constraint = f"Member must have value less than or equal to {_MAX_SEGMENTS}"
        refuse_member(segments, "totalSegments", constraint)
    if segment >= segments:
        invalid(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            f"Segment: {segment} is not less than TotalSegments: {segments}"
        )
    return segment, segments

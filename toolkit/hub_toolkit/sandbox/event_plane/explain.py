"""Why an event does not match a pattern: the fields that fail, with what they hold.

EventBridge itself only says no. A pattern with ``$or`` matches in several ways; told is the way
that comes nearest, which is the one with the fewest fields that fail.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hub_responder.patterns.flat_event import FlatEvent, Paths
from hub_responder.patterns.pattern import Pattern

MAX_SHOWN = 5
"""Values of one field that are told."""
MAX_WAYS = 200
"""Ways through ``$or`` that are looked at."""
_MAX_TEXT = 120

_Fields = dict[tuple[str, ...], list[Any]]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A field that keeps an event from matching.

    Attributes:
        path: dotted, as ``detail.findings.Severity.Label``.
        wanted: the pattern's values, as written. found: the event's, without repeats.
        elsewhere: the field by itself would match, but only in an element of a list where other
            fields of the pattern do not.
    """

    path: str
    wanted: list[Any]
    found: list[Any]
    elsewhere: bool = False

    def __str__(self) -> str:
        wanted = _listed(self.wanted)
        if self.elsewhere:
            return f"{self.path} is {wanted} only in another element of its list than the rest"
        found = _listed(self.found) if self.found else "absent"
        return f"{self.path} is {found}, wanted {wanted}"


def explain(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> list[Mismatch]:
    """What keeps ``event`` from matching ``pattern``, a valid one; empty where it matches."""
    if Pattern.compile(pattern).matches_event(event):
        return []
    return min((_of_way(fields, event) for fields in _ways(pattern)), key=len)


def _of_way(fields: _Fields, event: Mapping[str, Any]) -> list[Mismatch]:
    failing = [
        Mismatch(".".join(path), values, _found(path, event))
        for path, values in fields.items()
        if not Pattern.compile(_nested({path: values})).matches_event(event)
    ]
    return failing or _inconsistent(fields, event)


def _inconsistent(fields: _Fields, event: Mapping[str, Any]) -> list[Mismatch]:
    """Each field matches by itself: the first that does not in the same elements as those before.

    Empty where the way matches after all.
    """
    held: _Fields = {}
    for path, values in fields.items():
        held[path] = values
        if not Pattern.compile(_nested(held)).matches_event(event):
            return [Mismatch(".".join(path), values, _found(path, event), elsewhere=True)]
    return []


def _ways(pattern: Mapping[str, Any]) -> list[_Fields]:
    """The fields of every way to match; of a field that is named twice, what is written later."""
    ways: list[_Fields] = [{}]
    for path, value in _entries(pattern, ()):
        if isinstance(value, tuple):  # alternatives of $or
            inner = [way for alternative in value for way in _under(alternative, path)]
            ways = [{**way, **more} for way in ways for more in inner][:MAX_WAYS]
        else:
            ways = [{**way, path: value} for way in ways]
    return ways


def _under(pattern: Mapping[str, Any], prefix: tuple[str, ...]) -> list[_Fields]:
    return [
        {(*prefix, *path): values for path, values in fields.items()} for fields in _ways(pattern)
    ]


def _entries(pattern: Mapping[str, Any], prefix: tuple[str, ...]) -> Iterator[tuple[Any, Any]]:
    for name, value in pattern.items():
        if name == "$or":
            yield prefix, tuple(value)
        elif isinstance(value, Mapping):
            yield from _entries(value, (*prefix, name))
        else:
            yield (*prefix, name), list(value)


def _nested(fields: _Fields) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for path, values in fields.items():
        node = made
        for name in path[:-1]:
            node = node.setdefault(name, {})
        node[path[-1]] = values
    return made


def _found(path: tuple[str, ...], event: Mapping[str, Any]) -> list[Any]:
    joined = ".".join(path)
    values = [value for value, _ in FlatEvent(event, Paths.of([joined])).at(joined)]
    distinct = {json.dumps(value): value for value in values}
    return list(distinct.values())


def _listed(values: list[Any]) -> str:
    shown = [_short(value) for value in values[:MAX_SHOWN]]
    if len(values) > MAX_SHOWN:
        shown.append(f"{len(values) - MAX_SHOWN} more")
    return " or ".join(shown)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_TEXT else f"{text[: _MAX_TEXT - 1]}…"

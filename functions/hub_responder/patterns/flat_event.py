"""An event as the values at its paths, each with the array elements that it is in.

EventBridge joins field names with dots, so ``{"a": {"b": 1}}`` and ``{"a.b": 1}`` have the same
path. Two values belong together only if they are in the same element of every array that holds
both: that is array consistency. An array of one element constrains nothing and is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Membership = tuple[tuple[int, int], ...]
"""The (array, index) pairs of the elements that a value is in, outermost first."""

Leaf = tuple[Any, Membership]
"""A string, number, true, false or null, and where it is."""


@dataclass(slots=True)
class Paths:
    """The paths that some patterns look at, as a graph of field names.

    An event is followed only where a name leads on, so a large finding costs what the patterns read
    of it.
    """

    path: str | None = None
    edges: dict[str, Paths] = field(default_factory=dict)

    @classmethod
    def of(cls, paths: Iterable[str]) -> Paths:
        nodes: dict[str, Paths] = {"": cls()}
        for path in paths:
            steps = path.split(".")
            for end in range(1, len(steps) + 1):
                node = nodes.setdefault(_join(steps[:end]), cls())
                # A field's name may itself hold dots: every split of the path leads here.
                for start in range(end):
                    nodes[_join(steps[:start])].edges[".".join(steps[start:end])] = node
            nodes[_join(steps)].path = path
        return nodes[""]


def _join(steps: list[str]) -> str:
    # The root must not be confused with an empty field name.
    return "." + ".".join(steps) if steps else ""


class FlatEvent:
    """What an event holds at the wanted paths.

    Args:
        event: a JSON object.
        paths: what to look at.

    Raises:
        RecursionError: the event is nested too deeply to be followed.
    """

    __slots__ = ("_arrays", "_values", "verdicts")

    def __init__(self, event: Mapping[str, Any], paths: Paths) -> None:
        self._values: dict[str, list[Leaf]] = {}
        self.verdicts: dict[Any, frozenset[Membership]] = {}
        """What tests that several patterns share have found in this event."""
        self._arrays = 0
        self._object(event, paths, ())

    def at(self, path: str) -> list[Leaf]:
        """Every value at a path; none where the field is absent or an empty array."""
        return self._values.get(path, _NONE)

    def _object(self, value: Mapping[str, Any], node: Paths, membership: Membership) -> None:
        edges = node.edges
        for name, child in value.items():
            following = edges.get(name)
            if following is not None:
                self._any(child, following, membership)

    def _any(self, value: Any, node: Paths, membership: Membership) -> None:
        kind = type(value)
        if kind is dict:
            self._object(value, node, membership)
        elif kind is list:
            self._array(value, node, membership)
        elif node.path is not None:
            self._values.setdefault(node.path, []).append((value, membership))

    def _array(self, value: list[Any], node: Paths, membership: Membership) -> None:
        if len(value) == 1:
            self._any(value[0], node, membership)
            return
        array = self._arrays
        self._arrays += 1
        for index, element in enumerate(value):
            # Only containers are told apart: two plain elements of one array may answer together.
            inside = type(element) is dict or type(element) is list
            self._any(element, node, (*membership, (array, index)) if inside else membership)


_NONE: list[Leaf] = []

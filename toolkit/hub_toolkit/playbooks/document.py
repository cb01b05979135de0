"""Reads one YAML file into nodes that know their position.

The YAML 1.2 core schema, and less of it: `on` is text and `012` is twelve, but there are no
aliases (a few lines of them expand to gigabytes), no tags, no second document and no duplicate
keys. ruamel.yaml parses to events; scalars are resolved here, so that nothing of YAML 1.1 or of
ruamel's own extensions (`1_000`, time stamps) gets in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from hub_toolkit.playbooks.problems import Place, PlaybookErrors, Problem
from hub_toolkit.playbooks.spots import Written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_BYTES = 262_144
MAX_DEPTH = 24
MAX_NODES = 20_000

_ACCOUNT_ID = re.compile(r"\d{12}")
_INT = re.compile(r"[-+]?[0-9]{1,18}|0o[0-7]{1,20}|0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?")
_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True)
class Scalar:
    """Text, a number, true, false or null; ``written`` is how the file says it."""

    value: str | int | float | bool | None
    place: Place
    written: Written | None = field(default=None, compare=False, repr=False)

    def at(self, offset: int) -> Place:
        """Where the text's character at ``offset`` stands."""
        if self.written is None or not isinstance(self.value, str):
            return self.place
        return Place(self.place.file, *self.written.at(self.value, offset))


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping; ``keys`` are the places of its keys."""

    entries: dict[str, Node]
    keys: dict[str, Place]
    place: Place


Node = Scalar | Sequence | Mapping


def plain(node: Node) -> Any:
    """``node`` as dict, list, text, number, bool or None."""
    if isinstance(node, Mapping):
        return {key: plain(value) for key, value in node.entries.items()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return node.value


def at(node: Node, *keys: str) -> Node | None:
    """What is below ``node`` at ``keys``, or None."""
    for key in keys:
        found = node.entries.get(key) if isinstance(node, Mapping) else None
        if found is None:
            return None
        node = found
    return node


def read(path: Path, shown: str, problems: list[Problem] | None = None) -> Node:
    """The one document in ``path``; ``shown`` names the file in errors.

    What need not stop the reading (an account id without quotes, a duplicate key) is added to
    ``problems`` where they are given, so that all mistakes are told at once.

    Raises:
        PlaybookErrors: unreadable, not UTF-8, over `MAX_BYTES`, or not the YAML described above.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        text = raw[:MAX_BYTES].decode("utf-8") if len(raw) <= MAX_BYTES else None
    except OSError as error:
        raise _error(Place(shown), f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _error(Place(shown), f"is not UTF-8 (byte {error.start})") from error
    if text is None:
        raise _error(Place(shown), f"is over {MAX_BYTES:,} bytes")
    return parse(text, shown, problems)


def parse(text: str, shown: str, problems: list[Problem] | None = None) -> Node:
    """The one document in ``text``; ``problems`` as in `read`.

    Raises:
        PlaybookErrors: it is not the YAML described above.
    """
    node, found = _parsed(text, shown)
    if found and problems is None:
        raise PlaybookErrors(found)
    if problems is not None:
        problems += found
    return node


@lru_cache(maxsize=64)
def _parsed(text: str, shown: str) -> tuple[Node, tuple[Problem, ...]]:
    """The document and what need not stop the reading; each stage asks for it again."""
    found: list[Problem] = []
    try:
        node = _Builder(YAML(typ="safe", pure=True).parse(text), shown, text, found).document()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(shown, mark.line + 1, mark.column + 1) if mark else Place(shown)
        raise _error(place, f"is not YAML: {error.problem or error.context}") from error
    except YAMLError as error:
        raise _error(Place(shown), f"is not YAML: {str(error).splitlines()[0]}") from error
    return node, tuple(found)


def _error(place: Place, text: str) -> PlaybookErrors:
    return PlaybookErrors([Problem(place, text)])


class _Builder:
    """Builds nodes from parse events; what need not stop it is added to ``problems``."""

    def __init__(
        self, events: Iterator[Event], shown: str, text: str, problems: list[Problem]
    ) -> None:
        self._problems = problems
        self._events = events
        self._shown = shown
        self._text = text
        self._nodes = 0

    def document(self) -> Node:
        documents = 0
        node: Node | None = None
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _error(self._place(event), "a file holds one YAML document")
                node = self._node(next(self._events), 0)
        if node is None:
            raise _error(Place(self._shown), "is empty")
        return node

    def _place(self, event: Event) -> Place:
        mark = event.start_mark
        return Place(self._shown, mark.line + 1, mark.column + 1)

    def _node(self, event: Event, depth: int) -> Node:
        place = self._place(event)
        self._nodes += 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            raise _error(
                place, f"is too large: at most {MAX_NODES:,} values, {MAX_DEPTH} levels deep"
            )
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            raise _error(place, "anchors and aliases (& and *) are not allowed: write it out")
        tag = getattr(event, "ctag", None)
        if tag:
            raise _error(place, f"tags are not allowed: {tag}")
        if isinstance(event, MappingStartEvent):
            return self._mapping(place, depth)
        if isinstance(event, SequenceStartEvent):
            items: list[Node] = []
            while not isinstance(event := next(self._events), SequenceEndEvent):
                items.append(self._node(event, depth + 1))
            return Sequence(tuple(items), place)
        scalar = cast("ScalarEvent", event)
        return Scalar(self._value(scalar, place), place, self._written(scalar, place))

    def _value(self, event: ScalarEvent, place: Place) -> str | int | float | bool | None:
        text: str = event.value
        if event.implicit[0] and _ACCOUNT_ID.fullmatch(text):
            said = f'an account id is text: write "{text}", in quotes'
            self._problems.append(Problem(place, said))
            return text
        return _resolve(event, place)

    def _written(self, event: ScalarEvent, place: Place) -> Written:
        text = self._text[event.start_mark.index : event.end_mark.index]
        return Written(text, event.style or "", place.line, place.column)

    def _mapping(self, place: Place, depth: int) -> Mapping:
        entries: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._node(event, depth + 1)
            name = key.value if isinstance(key, Scalar) else None
            value = self._node(next(self._events), depth + 1)
            if not isinstance(name, str):
                said = f"a key is text: put {str(plain(key))[:80]} in quotes"
            elif name in entries:
                said = f"duplicate key `{name[:80]}`, first in line {keys[name].line}"
            else:
                keys[name] = key.place
                entries[name] = value
                continue
            self._problems.append(Problem(key.place, said))
        return Mapping(entries, keys, place)


def _resolve(event: ScalarEvent, place: Place) -> str | int | float | bool | None:
    text: str = event.value
    if not text.isprintable() and any("\ud800" <= character <= "\udfff" for character in text):
        raise _error(place, "half a surrogate pair is no character")
    if not event.implicit[0]:  # quoted, or a block
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text):
        value = float(text)
        if value in (float("inf"), float("-inf")):
            raise _error(place, f"the number {text} is too large")
        return value
    return text

"""Typed reading of one mapping: every wrong field is reported, and reading goes on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hub_toolkit.playbooks.document import Mapping, Node, Scalar, Sequence, plain
from hub_toolkit.playbooks.problems import Place, Problem, unknown
from hub_toolkit.playbooks.values import duration, written

if TYPE_CHECKING:
    from collections.abc import Collection

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
DURATION_HINT: Final = "write a duration as 15s, 2m, 24h or 7d"


def kind(node: Node) -> str:
    """What ``node`` is, in words."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    names = {str: "text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(node.value), "nothing")


class Fields:
    """The fields of ``node``, which must be a mapping.

    Args:
        node: what was read.
        what: its name in problems, as ``wait`` or ``step``.
        problems: where problems are added.
        known: the keys that it may have.
        later: keys of the format that this version refuses by name.
    """

    def __init__(
        self,
        node: Node,
        what: str,
        problems: list[Problem],
        *,
        known: Collection[str],
        later: Collection[str] = (),
    ) -> None:
        self.place = node.place
        self._what = what
        self._problems = problems
        self._entries: dict[str, Node] = {}
        if not isinstance(node, Mapping):
            self.report(node.place, f"{what} must be a mapping, not {kind(node)}")
            return
        self._entries = node.entries
        for key, place in node.keys.items():
            if key in later:
                self.report(place, f"`{key}` is not supported yet")
            elif key not in known:
                self.report(place, unknown(f"key in {what}:", key, known))

    def report(self, place: Place, text: str) -> None:
        """Add a problem."""
        self._problems.append(Problem(place, text))

    def node(self, key: str, *, required: bool = False) -> Node | None:
        """The node at ``key``; a missing required one is a problem."""
        found = self._entries.get(key)
        if found is None and required:
            self.report(self.place, f"{self._what} lacks `{key}`")
        return found

    def text(
        self,
        key: str,
        *,
        required: bool = False,
        default: str = "",
        limit: int = 200,
        pattern: re.Pattern[str] | None = None,
        form: str = "",
    ) -> str:
        """Text of 1 to ``limit`` characters; ``form`` says in words what ``pattern`` asks for."""
        node = self.node(key, required=required)
        if node is None:
            return default
        value = node.value if isinstance(node, Scalar) else None
        if not isinstance(value, str):
            self.report(node.place, f"`{key}` must be text, not {kind(node)}")
        elif not value.strip() or _CONTROL.search(value):
            self.report(node.place, f"`{key}` must be printable text, not empty")
        elif len(value) > limit:
            self.report(node.place, f"`{key}` has {len(value)} characters; at most {limit}")
        elif pattern is not None and not pattern.fullmatch(value):
            self.report(node.place, f"`{key}` must be {form}, not `{value[:80]}`")
        else:
            return value.strip()
        return default

    def choice(self, key: str, allowed: Collection[str], default: str) -> str:
        """One of ``allowed``."""
        node = self.node(key)
        if node is None:
            return default
        value = plain(node)
        if not isinstance(value, str) or value not in allowed:
            word = value if isinstance(value, str) else kind(node)
            self.report(node.place, unknown(f"value of `{key}`:", word, allowed))
            return default
        return value

    def duration(self, key: str, default: float, *, most: float) -> float:
        """Seconds of a duration of at most ``most`` seconds."""
        node = self.node(key)
        if node is None:
            return default
        seconds = duration(plain(node))
        if seconds is None:
            self.report(node.place, f"`{key}` is not a duration: {DURATION_HINT}")
            return default
        if seconds > most:
            self.report(node.place, f"`{key}` is over {written(most)}")
            return default
        return seconds

    def items(self, key: str, *, required: bool = False) -> tuple[Node, ...] | None:
        """The items of a list; None where the key is absent or is no list."""
        node = self.node(key, required=required)
        if node is None:
            return None
        if not isinstance(node, Sequence):
            self.report(node.place, f"`{key}` must be a list, not {kind(node)}")
            return None
        return node.items

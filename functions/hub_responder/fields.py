"""Lenient reading of one finding's JSON: a wrong field costs itself, and says so.

`Fields` reads one object. What is absent or null is empty; what has the wrong type or is out of
bounds is empty too and recorded in the `Report`. Only what a finding cannot be handled without
(`Fields.essential`) raises UnreadableFinding.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hub_responder.errors import UnreadableFinding
from hub_responder.finding import Problem
from hub_responder.values import clean, kind, seconds

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

MAX_PROBLEMS = 50
MAX_TAGS = 50
_URL = re.compile(r"https?://[^\s\x00-\x1f\x7f<>\"'`\\]+", re.IGNORECASE)
_FLAGS = {"YES": True, "PARTIAL": True, "TRUE": True, "NO": False, "FALSE": False}


@dataclass(frozen=True, slots=True)
class Origin:
    """What the event around a single finding says about it, for what the finding leaves out.

    Attributes:
        id, product_arn: from the event's ``resources``, which name the finding.
        region: where the event came from.
        at: the event's time (epoch seconds).
    """

    id: str = ""
    product_arn: str = ""
    region: str = ""
    at: float | None = None


@dataclass(slots=True)
class Report:
    """What went wrong in one finding; ``dropped`` counts on where ``problems`` is full."""

    finding_id: str = ""
    problems: list[Problem] = field(default_factory=list)
    dropped: int = 0

    def drop(self, path: str, reason: str) -> None:
        """Record that the field at ``path`` is not used."""
        self.dropped += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(clean(path, 200), reason))

    def unreadable(self, path: str, reason: str) -> UnreadableFinding:
        """The error for an essential field."""
        name = f"finding {self.finding_id}" if self.finding_id else "a finding without a usable id"
        path = clean(path, 200)
        message = f"{name}: {path} {reason}"
        return UnreadableFinding(message, field=path, finding_id=self.finding_id)


class Fields:
    """One JSON object of a finding; ``path`` says where it stands, as ``Resources[0]``."""

    __slots__ = ("node", "path", "report")

    def __init__(self, node: Mapping[str, Any], path: str, report: Report) -> None:
        self.node = node
        self.path = path
        self.report = report

    def __bool__(self) -> bool:
        return bool(self.node)

    def at(self, key: str) -> str:
        """The path of ``key`` in here."""
        return f"{self.path}.{key}" if self.path else key

    def drop(self, key: str, reason: str) -> None:
        """Record that ``key`` is not used."""
        self.report.drop(self.at(key), reason)

    def text(self, key: str, limit: int = 256) -> str:
        """Text of at most ``limit`` characters, a longer one cut; empty where there is none."""
        value = self.node.get(key)
        if type(value) is str:
            return clean(value, limit)
        if value is not None:
            self.drop(key, f"is {kind(value)}, not text")
        return ""

    def essential(self, key: str, limit: int, pattern: re.Pattern[str] | None = None) -> str:
        """Text that must not be cut or guessed; empty only where the key is absent or null.

        Raises:
            UnreadableFinding: it is no text, is empty, too long, or does not match ``pattern``.
        """
        value = self.node.get(key)
        if value is None:
            return ""
        if type(value) is not str:
            raise self.report.unreadable(self.at(key), f"is {kind(value)}, not text")
        if not value or len(value) > limit:
            reason = f"has {len(value):,} characters; it needs 1 to {limit}"
            raise self.report.unreadable(self.at(key), reason)
        if pattern is not None and not pattern.fullmatch(value):
            raise self.report.unreadable(self.at(key), "has characters that do not belong there")
        return clean(value, limit)

    def choice(self, key: str, allowed: Mapping[str, str]) -> str:
        """What ``allowed`` maps the text (in capitals) to; empty where there is none."""
        value = self.text(key, 64)
        if not value:
            return ""
        chosen = allowed.get(value.upper())
        if chosen is None:
            self.drop(key, "has a value that is not known")
        return chosen or ""

    def matching(self, key: str, pattern: re.Pattern[str]) -> str:
        """Short text that ``pattern`` matches; empty where there is none."""
        value = self.text(key, 64)
        if value and not pattern.fullmatch(value):
            self.drop(key, "has characters that do not belong there")
            return ""
        return value

    def number(self, key: str, low: float, high: float) -> float | None:
        """A number from ``low`` to ``high``; text that spells one is taken too (EPSS in OCSF)."""
        value = self.node.get(key)
        if value is None:
            return None
        if type(value) is str and len(value) <= 32:  # noqa: PLR2004 - longer spells no score
            with suppress(ValueError):
                value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.drop(key, f"is {kind(value)}, not a number")
            return None
        if not low <= value <= high:
            self.drop(key, f"is outside {low:g} to {high:g}")
            return None
        return float(value)

    def highest(self, key: str, score: str) -> float | None:
        """The highest ``score`` (0 to 10, CVSS) of the objects in the list at ``key``."""
        scores = [item.number(score, 0, 10) for item in self.children(key, 20)]
        return max((value for value in scores if value is not None), default=None)

    def flag(self, key: str) -> bool | None:
        """True or false, also spelt YES, PARTIAL (as true) or NO; None where it is not said."""
        value = self.node.get(key)
        if value is None or type(value) is bool:
            return value
        said = _FLAGS.get(value.upper()) if type(value) is str else None
        if said is None:
            self.drop(key, "is neither yes nor no")
        return said

    def time(self, *keys: str) -> float | None:
        """The first usable time among ``keys``: ISO 8601, or a number of milliseconds."""
        for key in keys:
            value = self.node.get(key)
            if value is None:
                continue
            at = seconds(value)
            if at is not None:
                return at
            self.drop(key, "is no time from 1970 to 9999")
        return None

    def url(self, key: str) -> str:
        """An http or https address without blanks or quotes, up to 2,048 characters, or empty."""
        return self.as_url(key, self.text(key, 2049))

    def as_url(self, key: str, value: str) -> str:
        """``value`` if it is an address as `url` takes it, else empty and recorded at ``key``."""
        if not value:
            return ""
        if len(value) > 2048 or not _URL.fullmatch(value):  # noqa: PLR2004 - browsers' usual limit
            self.drop(key, "is no http or https address")
            return ""
        return value

    def child(self, key: str) -> Fields:
        """The object at ``key``; an empty one where there is none."""
        value = self.node.get(key)
        if type(value) is dict:
            return Fields(value, self.at(key), self.report)
        if value is not None:
            self.drop(key, f"is {kind(value)}, not an object")
        return Fields({}, self.at(key), self.report)

    def children(self, key: str, limit: int) -> list[Fields]:
        """The first ``limit`` objects of the list at ``key``; a lone object counts as a list."""
        path = self.at(key)
        return [
            Fields(item, f"{path}[{index}]", self.report)
            for index, item in self._items(key, dict, limit)
        ]

    def texts(self, key: str, limit: int, length: int = 256) -> tuple[str, ...]:
        """The first ``limit`` texts of the list at ``key``, each cut to ``length``."""
        return tuple(clean(item, length) for _, item in self._items(key, str, limit))

    def _items(self, key: str, wanted: type, limit: int) -> list[tuple[int, Any]]:
        value = self.node.get(key)
        if value is None:
            return []
        if type(value) is wanted:
            value = [value]
        if type(value) is not list:
            self.drop(key, f"is {kind(value)}, not a list")
            return []
        if len(value) > limit:
            self.drop(key, f"has {len(value):,} items; the first {limit} are read")
        found = []
        for index, item in enumerate(value[:limit]):
            if type(item) is wanted:
                found.append((index, item))
            else:
                self.drop(f"{key}[{index}]", f"is {kind(item)}, not {kind(wanted())}")
        return found

    def pairs(self, key: str, limit: int = MAX_TAGS) -> dict[str, str]:
        """The object at ``key`` as text by text: tags, user-defined fields."""
        found = self.child(key)
        if len(found.node) > limit:
            self.drop(key, f"has {len(found.node):,} entries; the first {limit} are read")
        pairs = {}
        for name in list(found.node)[:limit]:
            value = found.node[name]
            if type(value) is str:
                pairs[clean(name, 256)] = clean(value, 1024)
            else:
                found.drop(name, f"is {kind(value)}, not text")
        return pairs


def choices(names: Collection[str]) -> dict[str, str]:
    """For `Fields.choice`: names that map to themselves."""
    return {name: name for name in names}

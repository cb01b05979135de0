"""Single JSON values from findings: bounded text, times, and what to call them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

LATEST = 253402300799.0
"""9999-12-31T23:59:59Z, the last second that can be written as a date."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_JSON_TYPES = {
    str: "text",
    bool: "true or false",
    dict: "an object",
    list: "a list",
    type(None): "null",
}


def clean(text: str, limit: int) -> str:
    """``text`` cut to ``limit`` characters (it then ends in …), lone surrogates replaced."""
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def kind(value: object) -> str:
    """What a JSON value is, for people."""
    return _JSON_TYPES.get(type(value), "a number" if isinstance(value, int | float) else "unknown")


def seconds(value: object) -> float | None:
    """Epoch seconds of ISO 8601 text (UTC where it names no zone) or of milliseconds."""
    if type(value) is str and len(value) <= 40:  # noqa: PLR2004 - no date is longer
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        at = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    elif (type(value) is int and 0 <= value <= LATEST * 1000) or type(value) is float:
        at = value / 1000
    else:
        return None
    return at if 0 <= at <= LATEST else None


def first(*values: str) -> str:
    """The first that is not empty, or empty."""
    return next((value for value in values if value), "")


def within(pairs: Mapping[str, str], most: int) -> dict[str, str]:
    """The first of ``pairs`` that fit into ``most`` bytes as JSON, the Name tag before all."""
    kept = {}
    for name, value in sorted(pairs.items(), key=lambda pair: pair[0] != "Name"):
        most -= len(name.encode()) + len(value.encode()) + 6
        if most >= 0:
            kept[name] = value
    return kept

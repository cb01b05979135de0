"""The fields of a ticket beside its text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from markupsafe import Markup

from hub_toolkit.preview.drawn.html import tag

_NAMES = ("name", "key", "value", "displayName", "accountId", "id")


def table(fields: Mapping[str, Any]) -> Markup:
    """Names and values; what has a name of its own is shown by that."""
    rows = (
        tag("tr", tag("th", name), tag("td", _value(value)))
        for name, value in fields.items()
        if value not in (None, "", [], {})
    )
    return tag("table", *rows, cls="fields-of")


def _value(value: Any) -> Markup:
    if isinstance(value, list):
        return tag("span", *(tag("span", _one(each), cls="label") for each in value), cls="labels")
    return tag("span", _one(value))


def _one(value: Any) -> str:
    if isinstance(value, Mapping):
        named = next((value[key] for key in _NAMES if value.get(key)), None)
        return str(named) if named is not None else msgspec.json.encode(value).decode()
    return str(value)

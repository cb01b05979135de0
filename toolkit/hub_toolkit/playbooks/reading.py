"""What a part of a value is: an attribute, a key, an item."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hub_toolkit.playbooks.kinds import (
    ANYTHING,
    BOOLEAN,
    NOTHING,
    NUMBER,
    SEVERITY,
    TEXT,
    Choice,
    Function,
    ListOf,
    MapOf,
    Record,
    each,
    join,
)
from hub_toolkit.playbooks.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub_toolkit.playbooks.kinds import Kind

_TEXT_METHODS: dict[str, Kind] = {
    **dict.fromkeys(("startswith", "endswith"), BOOLEAN),
    **{name: BOOLEAN for name in dir(str) if name.startswith("is")},
    **dict.fromkeys(("count", "find", "index", "rfind", "rindex"), NUMBER),
    **dict.fromkeys(("split", "rsplit", "splitlines", "partition", "rpartition"), ListOf(TEXT)),
    **dict.fromkeys(
        ("capitalize", "casefold", "lower", "lstrip", "removeprefix", "removesuffix", "replace",
         "rstrip", "strip", "title", "upper", "zfill", "join", "ljust", "rjust", "center"),
        TEXT,
    ),
}  # fmt: skip

_MANY = 40
"""A finding as it came has more fields, and naming them all is no help."""


def part(base: Kind, name: str, said: str) -> tuple[Kind, str]:
    """The kind of ``base.name``, and what is wrong with it, or empty.

    Args:
        said: ``base`` as it is written, or empty.
    """
    found = [kind for one in each(base) if (kind := _one(one, name)) is not None]
    functions = [one for one in found if isinstance(one, Function)]
    if functions and len(functions) == len(found):
        return _same(functions), ""
    if found:
        return join(found), ""
    return ANYTHING, _missing(base, name, said)


def _same(functions: Sequence[Function]) -> Function:
    """A method of several kinds, as of ``x or {}``: it gives what any of them does."""
    held = [one.held for one in functions if one.held is not None]
    result = join([one.result for one in functions])
    return replace(functions[0], result=result, held=join(held) if held else None)


def item(base: Kind) -> Kind:
    """The kind of one item of ``base``."""
    found: list[Kind] = []
    for one in each(base):
        if isinstance(one, ListOf):
            found.append(one.item)
        elif isinstance(one, MapOf):
            found.append(one.value)
        else:
            found.append(TEXT if one == TEXT or isinstance(one, Choice) else ANYTHING)
    return join(found)


def _one(kind: Kind, name: str) -> Kind | None:
    """The kind of a part of what is one kind; None where it has none of that name."""
    if kind == ANYTHING:
        return ANYTHING
    if isinstance(kind, Record):
        held = kind.fields.get(name)
        return _method(ANYTHING, name) if held is None and kind.mapping else held
    if isinstance(kind, MapOf):
        return _method(kind.value, name) or kind.value
    if kind == SEVERITY and name == "rank":
        return NUMBER
    if (kind == TEXT or isinstance(kind, Choice)) and name in _TEXT_METHODS:
        return Function(name, {}, -1, _TEXT_METHODS[name])
    return None


def _method(value: Kind, name: str) -> Kind | None:
    """A method of mappings whose values are ``value``."""
    results: dict[str, Kind] = {
        "get": join([value, NOTHING]),
        "items": ListOf(ListOf(join([TEXT, value]))),
        "keys": ListOf(TEXT),
        "values": ListOf(value),
    }
    if name not in results:
        return None
    return Function(name, {}, -1, results[name], value if name == "get" else None)


def _missing(base: Kind, name: str, said: str) -> str:
    about = f"`{said}`" if said else "this"
    if isinstance(base, ListOf):
        inner = part(base.item, name, "")[1] == "" and base.item != ANYTHING
        way = f"[0].{name}, or |map(attribute='{name}')" if inner else "[0], or a filter"
        return f"{about} is a list, which has no `{name}`: take {said}{way}"
    records = [one for one in each(base) if isinstance(one, Record)]
    if not records:
        return f"{about} is {base}, which has no `{name}`"
    fields = sorted({field for one in records for field in one.fields})
    lead = said or records[0].name
    what = "result" if records[0].name.startswith("step ") else "attribute"
    near = nearest(name, fields)
    hint = f"; did you mean `{lead}.{near}`?" if near else "."
    text = f"unknown {what} `{lead}.{name}`{hint}"
    return text if len(fields) > _MANY else f"{text} There is: {', '.join(fields) or 'nothing'}"

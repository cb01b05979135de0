"""YAML in one stable form, read alike by YAML 1.1 (CloudFormation) and 1.2.

Block style; text stands plain where no version could take it for anything else, else in double
quotes with everything escaped that is not printed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./:*-]*(?<!:)")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def emit(value: Mapping[str, Any]) -> str:
    """``value`` as YAML, with an empty line between the entries of the top level."""
    lines: list[str] = []
    for key, item in value.items():
        lines += ["", *_entry(key, item)]
    return "\n".join(lines[1:]) + "\n"


def _scalar(value: str | float | None) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    code = ord(character)
    short = {"\n": "\\n", "\t": "\\t"}.get(character)
    return short or (f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")  # noqa: PLR2004


def _lines(value: Any) -> Iterator[str]:
    """The lines of a mapping or list that is not empty."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _entry(key, item)
        return
    for item in value:
        if isinstance(item, Mapping | list) and item:
            first, *rest = _lines(item)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
        else:
            yield f"- {_leaf(item)}"


def _entry(key: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping | list) and value:
        yield f"{_scalar(key)}:"
        yield from (f"  {line}" for line in _lines(value))
    else:
        yield f"{_scalar(key)}: {_leaf(value)}"


def _leaf(value: Any) -> str:
    if isinstance(value, Mapping | list):
        return "{}" if isinstance(value, Mapping) else "[]"
    return _scalar(value)

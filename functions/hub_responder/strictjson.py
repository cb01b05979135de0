"""JSON as messages may hold it: strict, but one odd value does not lose its neighbours."""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Any

import msgspec

from hub_responder.errors import UnreadableEvent
from hub_responder.values import clean

_ESCAPE = re.compile(
    r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
_LONE = len(r"\ud800")


def parse(data: bytes) -> Any:
    """Strict JSON: NaN is refused, lone surrogates become U+FFFD, out-of-range numbers text.

    Raises:
        UnreadableEvent: it is no JSON, or too deeply nested.
    """
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeError):
        # msgspec gives up on a whole event for one lone surrogate or 1e999 in one finding.
        return _parse_slowly(data)
    except RecursionError as error:
        raise UnreadableEvent("the message nests objects and lists too deeply") from error


def _parse_slowly(data: bytes) -> Any:
    def escape(match: re.Match[str]) -> str:
        return r"\ufffd" if len(match[0]) == _LONE else match[0]

    try:
        text = _ESCAPE.sub(escape, data.decode("utf-8", "replace"))
        return json.loads(text, parse_float=_float, parse_int=_int, parse_constant=_refuse)
    except RecursionError as error:
        raise UnreadableEvent("the message nests objects and lists too deeply") from error
    except ValueError as error:
        raise UnreadableEvent(f"the message is not JSON: {error}") from error


def _float(text: str) -> float | str:
    value = float(text)
    return value if isfinite(value) else text[:40]


def _int(text: str) -> int | str:
    return int(text) if len(text) <= 40 else text[:40]  # noqa: PLR2004 - no count is longer


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def writable(value: Any) -> Any:
    """``value`` (parsed by others, not nested deeply) as `parse` would have read it.

    Lone surrogates become U+FFFD, NaN and infinities null: either would break or falsify what is
    written later.
    """
    if isinstance(value, str):
        return clean(value, len(value))
    if isinstance(value, dict):
        return {writable(key): writable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [writable(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value

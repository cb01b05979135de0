"""Changes JSON as JSON: bytes that are changed blindly are hardly ever JSON again."""

from __future__ import annotations

import json
from random import Random
from typing import Any

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 10**30, 1.5, 1e308, "", " ", "x" * 600, "\ud800", "\u202e", "{{ 7*7 }}",
    "1e999", "2026-13-99T99:99:99Z", "i-0", "arn:::::", [], {}, [[]], {"": ""},
)  # fmt: skip


def mutate(data: bytes, most: int, seed: int) -> bytes:
    """``data`` with one to five values in it changed; now and then, or if it is no JSON, bytes."""
    random = Random(seed)
    try:
        value = json.loads(data) if random.random() < 0.8 else None
        if value is not None:
            for _ in range(random.choice((1, 1, 1, 2, 5))):
                value = _changed(value, random)
            made = json.dumps(value).encode()
            if len(made) <= most:
                return made
    except (ValueError, RecursionError):
        pass
    return _cut(data, random)[:most]


def _cut(data: bytes, random: Random) -> bytes:
    """``data`` with a piece of it replaced by a few bytes, or by another piece."""
    at, end, other = sorted(random.randrange(len(data) + 1) for _ in range(3))
    if random.random() < 0.5:
        end = min(end, at + random.randrange(4))
    put = random.choice(
        (random.randbytes(random.randrange(5)), data[end:other], b"NaN", b"\\ud800")
    )
    return data[:at] + put + data[end:]


def _changed(value: Any, random: Random) -> Any:
    """``value`` with one place in it changed."""
    if not isinstance(value, dict | list) or not value or random.random() < 0.1:
        return random.choice(ODD)
    key = random.choice(list(value) if isinstance(value, dict) else range(len(value)))
    match random.randrange(8):
        case 0:
            del value[key]
        case 1:
            value[key] = [value[key]] * random.choice((1, 2, 30))
        case 2:
            deep = value[key]
            for _ in range(random.choice((3, 70, 500))):
                deep = [deep]
            value[key] = deep
        case 3 if isinstance(value, dict):
            value[random.choice(list(value))] = value[key]
        case _:
            value[key] = _changed(value[key], random)
    return value

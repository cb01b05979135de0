"""The little of CBOR (RFC 8949) that AWS's clients send and need: JSON's types, lengths known.

New AWS clients speak it (Smithy's rpcv2Cbor) with services that older ones speak JSON with.
"""

from __future__ import annotations

import struct
from typing import Any

from hub_toolkit.sandbox.errors import AwsError

_UINT, _NINT, _BYTES, _TEXT, _LIST, _MAP = range(6)
_SIMPLE = 7
_SIMPLES = {20: False, 21: True, 22: None}
_WIDTHS = {24: ">B", 25: ">H", 26: ">I", 27: ">Q"}
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}
_MAX_DEPTH = 64


def encode(value: Any) -> bytes:
    """``value`` (JSON's types) as CBOR.

    Raises:
        TypeError: it is of another type.
    """
    if value is None or isinstance(value, bool):
        return bytes([0xF6 if value is None else 0xF5 if value else 0xF4])
    if isinstance(value, int):
        return _head(_UINT, value) if value >= 0 else _head(_NINT, -1 - value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, str):
        data = value.encode(errors="replace")
        return _head(_TEXT, len(data)) + data
    if isinstance(value, list):
        return _head(_LIST, len(value)) + b"".join(map(encode, value))
    if isinstance(value, dict):
        pairs = (encode(key) + encode(held) for key, held in value.items())
        return _head(_MAP, len(value)) + b"".join(pairs)
    raise TypeError(f"CBOR here has no {type(value).__name__}")


def decode(data: bytes) -> Any:
    """What ``data`` holds.

    Raises:
        AwsError: it is cut short, or not of the kinds that are known here.
    """
    try:
        return _Reader(data).value(0)
    except (IndexError, struct.error, UnicodeDecodeError, TypeError, KeyError) as error:
        raise AwsError("SerializationException", f"The body is not CBOR: {error}") from None


def _head(kind: int, count: int) -> bytes:
    if count < 24:  # noqa: PLR2004 - RFC 8949, section 3
        return bytes([kind << 5 | count])
    for info, width in _WIDTHS.items():
        if count < 1 << 8 * struct.calcsize(width):
            return bytes([kind << 5 | info]) + struct.pack(width, count)
    raise TypeError("a number of more than 64 bits")


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise IndexError("cut short")
        self._at += count
        return taken

    def value(self, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise TypeError("too deep")
        first = self._take(1)[0]
        kind, info = first >> 5, first & 31
        if kind == _SIMPLE:
            if info in _FLOATS:
                return struct.unpack(_FLOATS[info], self._take(struct.calcsize(_FLOATS[info])))[0]
            return _SIMPLES[info]
        count = info
        if info >= 24:  # noqa: PLR2004 - RFC 8949, section 3
            width = _WIDTHS[info]
            count = int(struct.unpack(width, self._take(struct.calcsize(width)))[0])
        if kind in (_UINT, _NINT):
            return count if kind == _UINT else -1 - count
        if kind in (_BYTES, _TEXT):
            data = self._take(count)
            return data.decode() if kind == _TEXT else data
        if kind == _LIST:
            return [self.value(depth + 1) for _ in range(self._bounded(count))]
        if kind == _MAP:
            pairs = range(self._bounded(count))
            return {self.value(depth + 1): self.value(depth + 1) for _ in pairs}
        raise KeyError("a tag")

    def _bounded(self, count: int) -> int:
        """Each entry takes a byte at least: a length beyond that is a lie."""
        if count > len(self._data) - self._at:
            raise IndexError("cut short")
        return count

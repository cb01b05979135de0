"""A browser's PNG made small: few colours, each by its number, well packed.

Only what Chromium writes is read: 8 bits a channel, RGB or RGBA, not interlaced
(https://www.w3.org/TR/png-3/).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {2: 3, 6: 4}
_COLOURS = 256


def smaller(png: bytes) -> bytes:
    """The same picture with at most 256 colours.

    Raises:
        ValueError: it is none that is known here.
    """
    width, height, channels, packed = _read(png)
    rows = _rows(zlib.decompress(packed), width, height, channels)
    pixels = [row[at : at + 3] for row in rows for at in range(0, len(row), channels)]
    for bits in (8, 6, 5, 4, 3):
        nearest = _nearest(bits)
        colours = {pixel: pixel.translate(nearest) for pixel in set(pixels)}
        palette = sorted(set(colours.values()))
        if len(palette) <= _COLOURS:
            break
    number = {colour: index for index, colour in enumerate(palette)}
    of = {pixel: number[colour] for pixel, colour in colours.items()}
    indices = bytes(of[pixel] for pixel in pixels)
    lines = b"".join(b"\0" + indices[at : at + width] for at in range(0, len(indices), width))
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    return SIGNATURE + b"".join(
        (
            _chunk(b"IHDR", head),
            _chunk(b"PLTE", b"".join(palette)),
            _chunk(b"IDAT", zlib.compress(lines, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _read(png: bytes) -> tuple[int, int, int, bytes]:
    if not png.startswith(SIGNATURE):
        raise ValueError("no PNG")
    width = height = kind = 0
    packed = b""
    for name, content in _chunks(png):
        if name == b"IHDR":
            width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", content)
            if depth != 8 or kind not in _CHANNELS or interlaced:  # noqa: PLR2004 - bits
                raise ValueError("a PNG of another kind")
        elif name == b"IDAT":
            packed += content
    return width, height, _CHANNELS[kind], packed


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(png):
        (size,) = struct.unpack_from(">I", png, at)
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        at += size + 12


def _chunk(name: bytes, content: bytes) -> bytes:
    checked = name + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


def _rows(raw: bytes, width: int, height: int, channels: int) -> Iterator[bytes]:
    """The rows with their filters undone (section 9.2)."""
    size = width * channels
    above = bytearray(size)
    for number in range(height):
        start = number * (size + 1)
        row = bytearray(raw[start + 1 : start + 1 + size])
        _unfilter(raw[start], row, above, channels)
        yield bytes(row)
        above = row


def _unfilter(kind: int, row: bytearray, above: bytearray, step: int) -> None:
    for at in range(len(row) if kind else 0):
        left = row[at - step] if at >= step else 0
        up = above[at]
        if kind == 1:
            predicted = left
        elif kind == 2:  # noqa: PLR2004 - the filters' numbers
            predicted = up
        elif kind == 3:  # noqa: PLR2004
            predicted = (left + up) // 2
        else:
            predicted = _paeth(left, up, above[at - step] if at >= step else 0)
        row[at] = (row[at] + predicted) & 0xFF


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda one: abs(guess - one))


def _nearest(bits: int) -> bytes:
    """Each value of a channel -> the nearest of 2 ** bits; black and white stay."""
    most = (1 << bits) - 1
    return bytes(round(round(value * most / 255) * 255 / most) for value in range(256))

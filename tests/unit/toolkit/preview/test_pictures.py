"""The pictures in the documentation."""

from __future__ import annotations

import re
import shutil
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_toolkit.preview.browser import NAMES, NoBrowser, pictures
from hub_toolkit.preview.pictures import REPORT, SHOWN
from hub_toolkit.preview.png import SIGNATURE, smaller

from .conftest import ROOT

needs_chromium = pytest.mark.skipif(
    not any(map(shutil.which, NAMES)), reason="there is no Chromium"
)
DOCS = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md"))


def chunk(name: bytes, content: bytes) -> bytes:
    checked = name + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


def png(rows: list[list[bytes]], filters: list[int]) -> bytes:
    """A PNG of RGB pixels, each row with its filter."""
    raw, above = b"", bytes(3 * len(rows[0]))
    for pixels, kind in zip(rows, filters, strict=True):
        row = b"".join(pixels)
        raw += bytes([kind]) + filtered(kind, row, above)
        above = row
    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 2, 0, 0, 0)
    packed = chunk(b"IDAT", zlib.compress(raw))
    return SIGNATURE + chunk(b"IHDR", head) + packed + chunk(b"IEND", b"")


def filtered(kind: int, row: bytes, above: bytes) -> bytes:
    """As section 9.2 of the specification says, byte by byte."""
    out = bytearray()
    for at, value in enumerate(row):
        a = row[at - 3] if at >= 3 else 0
        b, c = above[at], above[at - 3] if at >= 3 else 0
        p = a + b - c
        if abs(p - a) <= abs(p - b) and abs(p - a) <= abs(p - c):
            paeth = a
        else:
            paeth = b if abs(p - b) <= abs(p - c) else c
        out.append((value - (0, a, b, (a + b) // 2, paeth)[kind]) & 0xFF)
    return bytes(out)


def pixels(picture: bytes) -> list[list[bytes]]:
    """The pixels of what `smaller` makes."""
    width, height = struct.unpack_from(">II", picture, 16)
    at, found = len(SIGNATURE), dict[bytes, bytes]()
    while at < len(picture):
        (size,) = struct.unpack_from(">I", picture, at)
        found[picture[at + 4 : at + 8]] = picture[at + 8 : at + 8 + size]
        at += size + 12
    palette, raw = found[b"PLTE"], zlib.decompress(found[b"IDAT"])
    rows = [raw[n * (width + 1) + 1 : (n + 1) * (width + 1)] for n in range(height)]
    return [[palette[3 * one : 3 * one + 3] for one in row] for row in rows]


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_picture_of_few_colours_stays_as_it_is(data: st.DataObject) -> None:
    width, height = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 5))
    colour = st.binary(min_size=3, max_size=3)
    row = st.lists(colour, min_size=width, max_size=width)
    rows = data.draw(st.lists(row, min_size=height, max_size=height))
    filters = data.draw(st.lists(st.integers(0, 4), min_size=height, max_size=height))
    assert pixels(smaller(png(rows, filters))) == rows


def test_of_many_colours_the_nearest_stay_and_black_and_white() -> None:
    row = [bytes((n, (n * 7) % 256, (n * 13) % 256)) for n in range(256)]
    rows = [row, [bytes((n, n, (n * 31) % 256)) for n in range(256)]]
    rows[0][0], rows[0][1] = b"\0\0\0", b"\xff\xff\xff"
    made = pixels(smaller(png(rows, [0, 0])))
    assert made[0][:2] == [b"\0\0\0", b"\xff\xff\xff"]
    assert len({one for each in made for one in each}) <= 256
    pairs = zip([p for r in rows for p in r], [p for r in made for p in r], strict=True)
    assert max(abs(x - y) for a, b in pairs for x, y in zip(a, b, strict=True)) <= 19


@pytest.mark.parametrize("wrong", [b"", b"GIF89a", SIGNATURE + chunk(b"IHDR", b"\0" * 13)])
def test_what_is_no_such_png_is_refused(wrong: bytes) -> None:
    with pytest.raises(ValueError, match="PNG"):
        smaller(wrong)


def test_the_documents_show_the_pictures_that_there_are() -> None:
    shown = set(re.findall(r"\]\(pictures/([\w.-]+)\)", DOCS))
    made = {f"{name}-{language}.png" for language, (_, names) in SHOWN.items() for name in names}
    made |= {f"{name}.png" for name in REPORT}
    held = {path.name for path in (ROOT / "docs" / "pictures").iterdir()}
    assert shown == made == held
    sizes = [path.stat().st_size for path in (ROOT / "docs" / "pictures").iterdir()]
    assert max(sizes) < 100_000


@needs_chromium
def test_an_element_is_taken_whole_also_below_the_window(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    style = "<style>body{margin:0} div{height:3000px} p{margin:0;width:40px;height:20px}</style>"
    page.write_text(f"{style}<div></div><p id=a></p>", encoding="utf-8")
    taken = pictures(page, ["a"], 300)["a"]
    assert struct.unpack_from(">II", taken, 16) == (40, 20)
    with pytest.raises(NoBrowser, match="has no element b"):
        pictures(page, ["b"], 300)


@needs_chromium
def test_a_page_is_taken_as_it_is_in_the_dark_and_on_paper(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    style = """<style>body{margin:0} p{margin:0;width:1px;height:1px;background:#f00}
    @media (prefers-color-scheme: dark) {p{background:#0f0}} @media print {p{background:#00f}}
    </style>"""
    page.write_text(f"{style}<p id=a></p>", encoding="utf-8")
    looks: list[dict[str, Any]] = [{}, {"dark": True}, {"printed": True}]
    found = [pixels(smaller(pictures(page, ["a"], 300, **look)["a"])) for look in looks]
    assert found == [[[b"\xff\0\0"]], [[b"\0\xff\0"]], [[b"\0\0\xff"]]]

"""HTML from parts: whatever is no `Markup` is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec
from markupsafe import Markup, escape

_HTTP = re.compile(r"https?://[!-~]+\Z")


def tag(name: str, *children: object, cls: str = "", **attributes: str) -> Markup:
    """An element; ``cls`` is its class. Names of elements and attributes are ours."""
    given = {**({"class": cls} if cls else {}), **attributes}
    written = "".join(f' {key.replace("_", "-")}="{escape(value)}"' for key, value in given.items())
    return Markup(f"<{name}{written}>{joined(children)}</{name}>")  # noqa: S704 - all escaped


def joined(parts: Iterable[object], between: object = "") -> Markup:
    """``parts`` one after the other."""
    return escape(between).join(escape(part) for part in parts)


def link(url: str, shown: object) -> Markup:
    """A link; what is no http or https stays text."""
    if not _HTTP.match(url):
        return joined([shown])
    return tag("a", shown, href=url, rel="noreferrer noopener", title=url)


def lines(text: str) -> Markup:
    """Text with its line breaks."""
    return joined(text.split("\n"), Markup("<br>"))


def data(value: object) -> Markup:
    """Data as indented JSON."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return tag("pre", text, cls="data")


def unknown(value: object) -> Markup:
    """What a mock-up does not know: as data, so that nothing is hidden."""
    return tag("div", data(value), cls="unknown")

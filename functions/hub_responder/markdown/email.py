"""A message as an e-mail: one line for the subject, HTML, and plain text.

The HTML is what Outlook's Word engine and Gmail both show: tables and inline styles, nothing that
is fetched. Only the title and the buttons have colours of their own; all other text and its ground
keep the reader's, so that dark mode changes them together. A mail program may itself make a link of
an address that stands in a value; it leads where it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from hub_responder.markdown.characters import ELLIPSIS, clean, one_line, shorten, width
from hub_responder.markdown.document import (
    Block,
    Break,
    Code,
    CodeBlock,
    Document,
    Emphasis,
    Heading,
    Inline,
    Items,
    Link,
    Paragraph,
    Quote,
    Rule,
    Strong,
    Table,
    Text,
    Value,
    text_of,
)
from hub_responder.markdown.parts import link_bar
from hub_responder.markdown.plain import TextRenderer

MAX_SUBJECT = 150
MAX_TEXT = 30_000
MAX_LINE = 4000
MAX_LABEL = 120
"""UTF-16 units of the subject, the plain text, a paragraph or cell, and a button."""
MAX_BYTES = 90_000
"""Of the HTML: Gmail cuts a message at 102 KB."""
NO_TITLE = "hub-responder"
_SCHEMES = ("https:", "http:", "mailto:")
_COLOURS = {"CRITICAL": "#b42318", "HIGH": "#b54708", "MEDIUM": "#8a6100", "LOW": "#175cd3"}
_GREY = "#475467"
"""Grounds of the title: white text on them has a contrast of 4.5 at least."""
_BORDER = "#98a2b3"
_FONT = "font-family:'Segoe UI',Arial,'Hiragino Sans','Yu Gothic',Meiryo,sans-serif"
_TEXT = f"overflow-wrap:anywhere;{_FONT}"
"""Long names, as ARNs, must not make the page wider than a phone."""
_MONOSPACE = "font-family:Consolas,Menlo,monospace"
_LAYOUT = 'role="presentation" cellpadding="0" cellspacing="0" border="0"'


def to_subject(document: Document) -> str:
    """The title on one line, in at most `MAX_SUBJECT` UTF-16 units; never empty."""
    return shorten(_harmless(document.title), MAX_SUBJECT) or NO_TITLE


def to_text(document: Document) -> str:
    """The message as lines of bare text, in at most `MAX_TEXT` UTF-16 units."""
    return clean(TextRenderer().render(document, MAX_TEXT)) or NO_TITLE


def to_html(document: Document, severity: str) -> str:
    """The message as HTML, in at most `MAX_BYTES`; ``severity`` colours its title."""
    title = shorten(_harmless(document.title), MAX_LINE) or NO_TITLE
    before, after = _shell(title, document.language, _COLOURS.get(severity, _GREY))
    pieces = [piece for block in document.body.blocks for piece in _pieces(block)]
    room = MAX_BYTES - _size(before) - _size(after)
    return before + _joined(_fitting(pieces, room, document)) + after


def _shell(title: str, language: str, colour: str) -> tuple[str, str]:
    """What stands before and after the message's blocks."""
    named = escape(title)
    before = (
        f'<!DOCTYPE html>\n<html lang="{escape(language)}"><head>'
        '<meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        '<meta name="supported-color-schemes" content="light dark">'
        f'<title>{named}</title></head><body style="margin:0;padding:0">'
        f'<table {_LAYOUT} width="100%"><tr><td align="center" style="padding:12px">'
        f'<table {_LAYOUT} width="100%" style="max-width:720px;border:1px solid {_BORDER}">'
        f'<tr><td bgcolor="{colour}" style="background-color:{colour};padding:14px 20px">'
        f'<h1 style="margin:0;color:#ffffff;font-size:18px;line-height:1.35;{_TEXT}">{named}</h1>'
        f'</td></tr><tr><td style="padding:16px 20px;font-size:14px;line-height:1.5;{_TEXT}">\n'
    )
    return before, "</td></tr></table></td></tr></table></body></html>\n"


# Pieces: what is kept or left out whole


@dataclass(frozen=True, slots=True)
class _Wrap:
    """What surrounds pieces that follow each other."""

    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of the message that nothing is cut from, and what stands around it."""

    html: str
    wrap: _Wrap = _Wrap()


_TABLE = f'style="border-collapse:collapse;margin:0 0 12px;font-size:14px;{_FONT}"'
_FACTS = _Wrap(f'<table cellpadding="0" cellspacing="0" border="0" {_TABLE}>', "</table>\n")
_QUOTE = _Wrap(
    f'<blockquote style="margin:0 0 12px;padding:0 0 0 12px;border-left:4px solid {_BORDER}">',
    "</blockquote>\n",
)
_CODE = _Wrap(
    f'<div style="margin:0 0 12px;padding:8px;border:1px solid {_BORDER};font-size:13px;'
    f'{_MONOSPACE}">',
    "</div>\n",
)
_PARAGRAPH = "margin:0 0 12px"
_CELL = (
    f"padding:4px 12px 4px 0;vertical-align:top;text-align:left;border-bottom:1px solid {_BORDER}"
)


def _size(text: str) -> int:
    return len(text.encode())


def _fitting(pieces: Sequence[_Piece], room: int, document: Document) -> list[_Piece]:
    """As many pieces as fit into ``room`` bytes; the rest is counted."""
    sizes = list(_sizes(pieces))
    if sum(sizes) <= room:
        return list(pieces)
    kept: list[_Piece] = []
    room -= _size(_paragraph(document.more(len(pieces))).html)
    for piece, size in zip(pieces, sizes, strict=True):
        room -= size
        if room < 0:
            break
        kept.append(piece)
    return [*kept, _paragraph(document.more(len(pieces) - len(kept)))]


def _sizes(pieces: Sequence[_Piece]) -> Iterator[int]:
    """The bytes of each piece, with those of what opens and closes around it."""
    last: _Wrap | None = None
    for piece in pieces:
        around = 0 if piece.wrap == last else _size(piece.wrap.before + piece.wrap.after)
        yield _size(piece.html) + around
        last = piece.wrap


def _joined(pieces: Iterable[_Piece]) -> str:
    parts: list[str] = []
    last = _Wrap()
    for piece in pieces:
        if piece.wrap != last:
            parts += [last.after, piece.wrap.before]
            last = piece.wrap
        parts.append(piece.html)
    return "".join([*parts, last.after])


def _pieces(block: Block, depth: int = 0) -> Iterator[_Piece]:
    match block:
        case Heading():
            yield from _line("h2", "margin:16px 0 8px;font-size:16px", block.children)
        case Paragraph():
            bar = link_bar(block)
            yield from _buttons(bar) if bar else _line("p", _PARAGRAPH, block.children)
        case Items():
            yield from _items(block, depth)
        case CodeBlock():
            yield from _code(block)
        case Quote():
            for part in block.blocks:
                for piece in _pieces(part):
                    yield _Piece(_joined([piece]), _QUOTE)
        case Table():
            yield from _facts(block) if block.is_facts else _grid(block)
        case Rule():
            yield _Piece(f'<hr style="border:0;border-top:1px solid {_BORDER};margin:16px 0">\n')


def _line(tag: str, style: str, children: tuple[Inline, ...]) -> Iterator[_Piece]:
    text = _inlines(children)
    if text:
        yield _Piece(f'<{tag} style="{style}">{text}</{tag}>\n')


def _paragraph(text: str) -> _Piece:
    return _Piece(f'<p style="{_PARAGRAPH}">{escape(text)}</p>\n')


def _code(block: CodeBlock) -> Iterator[_Piece]:
    for line in block.text.split("\n"):
        text = escape(shorten(one_line(clean(line)), MAX_LINE))
        yield _Piece(f"{text.replace('  ', '&nbsp; ')}<br>\n", _CODE)


def _buttons(bar: Iterable[Link]) -> Iterator[_Piece]:
    """Each link as a button: a table of one cell, whose ground and padding Outlook shows too."""
    style = f"color:#ffffff;text-decoration:none;{_FONT}"
    for link in bar:
        label = escape(shorten(_harmless(text_of(link.children)), MAX_LABEL) or link.url)
        url = _address(link)
        shown = f'<a href="{url}" style="{style}">{label}</a>' if url else label
        yield _Piece(
            f'<table {_LAYOUT} style="margin:0 0 8px"><tr><td bgcolor="#1f4e79"'
            f' style="background-color:#1f4e79;padding:8px 14px">{shown}</td></tr></table>\n'
        )


def _items(items: Items, depth: int) -> Iterator[_Piece]:
    tag = "ul" if items.start is None else "ol"
    style = f"margin:0 0 8px {18 * min(depth, 4)}px;padding:0 0 0 22px"
    wrap = _Wrap(f'<{tag} style="{style}">', f"</{tag}>\n")
    for index, item in enumerate(items.items):
        number = "" if items.start is None else f' value="{items.start + index}"'
        inner: list[str] = []
        nested: list[_Piece] = []
        for part in item:
            if isinstance(part, Paragraph | Heading) and not nested:
                inner.append(_inlines(part.children))
            else:
                nested += _pieces(part, depth + 1)
        yield _Piece(f"<li{number}>{'<br>'.join(filter(None, inner))}</li>", wrap)
        yield from nested


def _facts(table: Table) -> Iterator[_Piece]:
    for row in table.rows:
        name, *values = [_inlines(cell) for cell in row]
        value = " ".join(filter(None, values)) or "—"
        yield _Piece(
            f'<tr><th scope="row" style="{_CELL};overflow-wrap:break-word">{name}</th>'
            f'<td style="{_CELL}">{value}</td></tr>\n',
            _FACTS,
        )


def _grid(table: Table) -> Iterator[_Piece]:
    for tag, row in (("th", table.header), *(("td", row) for row in table.rows)):
        cells = "".join(f'<{tag} style="{_CELL}">{_inlines(cell)}</{tag}>' for cell in row)
        yield _Piece(f"<tr>{cells}</tr>\n", _FACTS)


# Text


def _harmless(text: str) -> str:
    """``text`` on one line, without what hides or reorders it."""
    return " ".join(one_line(clean(text)).split())


def _address(link: Link) -> str:
    """The link's address for an attribute, or empty where it is none that is linked."""
    return escape(link.url) if link.url.lower().startswith(_SCHEMES) else ""


class _Room:
    """How many UTF-16 units of text a line may still have."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.full = False

    def take(self, text: str) -> str:
        """As much of ``text`` as there is room for."""
        size = width(text)
        if size <= self.left:
            self.left -= size
            return text
        self.full = True
        return shorten(text, self.left) or ELLIPSIS


def _inlines(children: tuple[Inline, ...]) -> str:
    """``children`` as HTML in a line of at most `MAX_LINE` units of text."""
    return _html(children, _Room(MAX_LINE)).strip()


def _html(children: tuple[Inline, ...], room: _Room) -> str:
    parts: list[str] = []
    for child in children:
        if room.full:
            break
        parts.append(_one(child, room))
    return "".join(parts)


def _one(child: Inline, room: _Room) -> str:
    match child:
        case Text() | Value():
            return escape(room.take(one_line(clean(child.text))))
        case Code():
            text = escape(room.take(one_line(clean(child.text))))
            return f'<code style="{_MONOSPACE}">{text}</code>' if text else ""
        case Strong() | Emphasis():
            inner = _html(child.children, room)
            tag = "strong" if isinstance(child, Strong) else "em"
            return f"<{tag}>{inner}</{tag}>" if inner else ""
        case Link():
            label = escape(room.take(_harmless(text_of(child.children)) or child.url))
            url = _address(child)
            return f'<a href="{url}">{label}</a>' if url else label
        case Break():
            return "<br>"
    return ""

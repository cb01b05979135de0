"""Puts values into a parsed template: as text nodes, or percent-encoded within an address."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from hub_responder.markdown.characters import one_line
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
    Slot,
    Strong,
    Table,
    Text,
    Value,
)
from hub_responder.markdown.parse import FIRST_SLOT, SLOT

MAX_URL = 2000
"""Characters of an address; a longer one is shown as text without a link."""
_UNRESERVED = "%/:=&?~#+!$,;@()[]"
_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]+")
_SPACE = re.compile(r"[\s\x00-\x1f\x7f]")


def safe_url(url: str) -> str:
    """``url`` if it is a plain http or https address, percent-encoded to ASCII; else empty.

    Refused are other schemes, spaces, credentials (``https://bank.example@evil.example``) and hosts
    that are not plain ASCII.
    """
    if len(url) > MAX_URL or _SPACE.search(url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return ""
    if not _HOST.fullmatch(parts.netloc):
        return ""
    encoded = quote(url, safe=_UNRESERVED, errors="replace")
    return encoded if len(encoded) <= MAX_URL else ""


class Filler:
    """Fills one parsed document with ``values``, for a reader of ``language``."""

    def __init__(self, values: Sequence[str], language: str) -> None:
        self._values = values
        self._language = language

    def document(self, document: Document) -> Document:
        """A copy of ``document`` without slots."""
        return Document(self._blocks(document.blocks), self._language)

    def _blocks(self, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
        return tuple([_BLOCKS[type(block)](self, block) for block in blocks])

    def _inlines(self, children: tuple[Inline, ...]) -> tuple[Inline, ...]:
        filled: list[Inline] = []
        for child in children:
            kind = type(child)
            if kind is Text:
                filled.append(child)
            elif kind is Slot:
                filled.append(Value(self._values[child.index]))  # type: ignore[union-attr]
            else:
                filled.extend(_INLINES[kind](self, child))
        return tuple(filled)

    def _insert(self, text: str) -> str:
        return SLOT.sub(lambda match: self._values[ord(match[0]) - FIRST_SLOT], text)

    def _link(self, link: Link) -> tuple[Inline, ...]:
        children = self._inlines(link.children)
        url = safe_url(self._address(link.url))
        return (Link(url, children),) if url else children

    def _address(self, url: str) -> str:
        whole = SLOT.fullmatch(url)
        if whole:
            return self._values[ord(url) - FIRST_SLOT].strip()
        return SLOT.sub(
            lambda match: quote(
                self._values[ord(match[0]) - FIRST_SLOT], safe="", errors="replace"
            ),
            url,
        )

    def _table(self, table: Table) -> Table:
        return Table(
            tuple([self._inlines(cell) for cell in table.header]),
            tuple([tuple([self._inlines(cell) for cell in row]) for row in table.rows]),
        )


_INLINES: dict[type, Callable[[Filler, Any], tuple[Inline, ...]]] = {
    Strong: lambda filler, node: (Strong(filler._inlines(node.children)),),
    Emphasis: lambda filler, node: (Emphasis(filler._inlines(node.children)),),
    Code: lambda filler, node: (Code(one_line(filler._insert(node.text))),),
    Link: lambda filler, node: filler._link(node),
    Break: lambda _filler, node: (node,),
}
_BLOCKS: dict[type, Callable[[Filler, Any], Block]] = {
    Heading: lambda filler, node: Heading(node.level, filler._inlines(node.children)),
    Paragraph: lambda filler, node: Paragraph(filler._inlines(node.children)),
    Items: lambda filler, node: Items(
        tuple([filler._blocks(item) for item in node.items]), node.start
    ),
    CodeBlock: lambda filler, node: CodeBlock(filler._insert(node.text)),
    Quote: lambda filler, node: Quote(filler._blocks(node.blocks)),
    Rule: lambda _filler, node: node,
    Table: lambda filler, node: filler._table(node),
}

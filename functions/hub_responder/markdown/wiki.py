"""A message in Jira's wiki markup, for Jira Data Center.

"Text formatting notation" (Jira's help): a backslash before a character of the markup shows the
character. A backslash itself is written as an entity, for two of them are a line break, and nothing
else shows one before markup (pandoc's Jira writer does the same).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from hub_responder.markdown.characters import one_line
from hub_responder.markdown.document import (
    Block,
    CodeBlock,
    Document,
    Heading,
    Items,
    Link,
    Quote,
    Rule,
    Table,
    text_of,
)
from hub_responder.markdown.plain import TextRenderer

MAX_TEXT = 32_767
"""UTF-16 units of a description or comment (jira.text.field.character.limit's default)."""
_MARKUP = re.compile(r"[{}\[\]()*_+^~?!|#@:;%$]|(?<![A-Za-z0-9])-|-(?![A-Za-z0-9])")
"""A dash within a word strikes nothing through; ids and dates stay as they are."""
_AMPERSAND = re.compile(r"&(?=#|[A-Za-z])")
_LINE_START = re.compile(r"^(\s*(?:h[1-6]|bq))\.")
_CLOSED = "\n{noformat}"
"""What ends a block that was cut off within."""
_FENCE = re.compile(r"\{(noformat|code)", re.IGNORECASE)


def to_wiki(document: Document, limit: int = MAX_TEXT) -> str:
    """Wiki markup of at most ``limit`` UTF-16 units in which values are never markup."""
    text = WikiRenderer().render(document, limit - len(_CLOSED))
    return text + _CLOSED if text.count("{noformat}") % 2 else text


def escaped(text: str) -> str:
    """``text`` as it is, whatever it holds, on one line."""
    text = _AMPERSAND.sub("&amp;", one_line(text)).replace("\\", "&#92;")
    text = _MARKUP.sub(lambda found: "\\" + found[0], text)
    return _LINE_START.sub(r"\1\\.", text)


class WikiRenderer(TextRenderer):
    """Jira's wiki markup, line by line."""

    gap = ("",)

    def value(self, text: str) -> str:
        """A value."""
        return escaped(text)

    def text(self, text: str) -> str:
        """Text of the template."""
        return escaped(text)

    def code(self, text: str) -> str:
        """Fixed-width text."""
        shown = escaped(text)
        return f"{{{{{shown}}}}}" if shown.strip() else shown

    def strong(self, text: str) -> str:
        """Bold."""
        return f"*{text.strip()}*" if text.strip() else ""

    def link(self, link: Link) -> str:
        """A link; an address holds nothing that would end it."""
        label = escaped(text_of(link.children)).strip()
        url = quote(link.url, safe="%/:?#=&;,+@~.!*'-_$")
        return f"[{label}|{url}]" if label else f"[{url}]"

    def _block(self, block: Block, indent: str, limit: int) -> Iterator[str]:
        match block:
            case Heading():
                yield f"h{min(block.level + 1, 6)}. {self.inlines(block.children, limit)}"
            case CodeBlock():
                yield "{noformat}"
                yield from (_FENCE.sub(r"{ \1", line) for line in block.text.split("\n"))
                yield "{noformat}"
            case Quote():
                yield "{quote}"
                for part in block.blocks:
                    yield from self._block(part, "", limit)
                yield "{quote}"
            case Rule():
                yield "----"
            case _:
                yield from super()._block(block, indent, limit)

    def _items(self, items: Items, indent: str, limit: int) -> Iterator[str]:
        """``indent`` holds the marks of the lists around: Jira nests by repeating them."""
        marks = indent.strip() + ("*" if items.start is None else "#")
        for item in items.items:
            first = True
            for part in item:
                if isinstance(part, Items):
                    yield from self._items(part, marks, limit)
                    continue
                for line in self._block(part, "", limit):
                    yield f"{marks} {line}" if first else line
                    first = False

    def _table(self, table: Table, indent: str, limit: int) -> Iterator[str]:  # noqa: ARG002
        """A table begins at the beginning of a line, wherever it stands."""
        if not table.is_facts:
            header = (self.inlines(cell, limit) or " " for cell in table.header)
            yield "||" + "||".join(header) + "||"
        for row in table.rows:
            cells = [self.inlines(cell, limit) or " " for cell in row]
            if table.is_facts:
                yield f"||{cells[0]}|{'|'.join(cells[1:])}|"
            else:
                yield f"|{'|'.join(cells)}|"

"""A message as lines of text, for people without a renderer; and the Markdown that AWS shows.

OpsCenter reads an OpsItem's description as Markdown (API reference, CreateOpsItem), so there a
value that holds markup is shown as code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from hub_responder.markdown.characters import ELLIPSIS, one_line, shorten, width
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

_MARKUP = re.compile(
    r"[*~`<>\[\]\\|&#!]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^\s*(?:[-+=]|\d+[.)]\s)|://|www\.|@"
)


def to_text(document: Document, limit: int) -> str:
    """Bare text of at most ``limit`` UTF-16 units."""
    return TextRenderer().render(document, limit)


def to_markdown(document: Document, limit: int) -> str:
    """Markdown of at most ``limit`` UTF-16 units in which values are never markup."""
    return MarkdownRenderer().render(document, limit)


class TextRenderer:
    """Renders line by line; subclasses say how values, links and emphasis look."""

    gap: tuple[str, ...] = ()
    """Lines between two blocks."""

    def render(self, document: Document, limit: int) -> str:
        """The message in at most ``limit`` UTF-16 units; lines that do not fit are counted."""
        lines: list[str] = []
        for block in document.blocks:
            if lines:
                lines += self.gap
            lines += self._block(block, "", limit)
        return _fit(lines, limit, document.more)

    def value(self, text: str) -> str:
        """A value on one line."""
        return one_line(text)

    def text(self, text: str) -> str:
        """Text of the template."""
        return text

    def code(self, text: str) -> str:
        """Fixed-width text."""
        return one_line(text)

    def strong(self, text: str) -> str:
        """Bold; ``text`` is rendered already."""
        return text

    def heading(self, text: str) -> str:
        """A heading; ``text`` is rendered already."""
        return text

    def link(self, link: Link) -> str:
        """A link."""
        label = self.value(text_of(link.children))
        return f"{label}: {link.url}" if label else link.url

    def inlines(self, children: tuple[Inline, ...], limit: int) -> str:
        """``children`` on one line of at most ``limit`` units; no link is cut apart."""
        parts = [self._inline(child) for child in children]
        text = "".join(parts).strip()
        if width(text) <= limit:
            return text
        kept: list[str] = []
        left = limit - 1
        for child, part in zip(children, parts, strict=True):
            if width(part) > left:
                kept.append(self._cut(child, left))
                break
            kept.append(part)
            left -= width(part)
        text = "".join(kept).strip()
        return text if text.endswith(ELLIPSIS) else text + ELLIPSIS

    def _cut(self, child: Inline, room: int) -> str:
        """The beginning of a text that does not fit; anything else is left out whole."""
        if not isinstance(child, Text | Value):
            return ""
        render = self.text if isinstance(child, Text) else self.value
        size = room
        while size > 0:  # what escaping adds is cut off again
            text = render(shorten(child.text, size))
            if width(text) <= room:
                return text
            size = min(size - 1, size * room // width(text))
        return ""

    def _inline(self, child: Inline) -> str:  # noqa: PLR0911 - one for each kind
        match child:
            case Text():
                return self.text(child.text)
            case Value():
                return self.value(child.text)
            case Strong() | Emphasis():
                inner = "".join(self._inline(part) for part in child.children)
                return self.strong(inner) if isinstance(child, Strong) else inner
            case Code():
                return self.code(child.text)
            case Link():
                return self.link(child)
            case Break():
                return " "
        return ""

    def _block(self, block: Block, indent: str, limit: int) -> Iterator[str]:
        match block:
            case Heading():
                yield indent + self.heading(self.inlines(block.children, limit))
            case Paragraph():
                yield indent + self.inlines(block.children, limit)
            case Items():
                yield from self._items(block, indent, limit)
            case CodeBlock():
                yield from (f"{indent}{self.code(line)}" for line in block.text.split("\n"))
            case Quote():
                for part in block.blocks:
                    yield from (f"> {line}" for line in self._block(part, indent, limit))
            case Table():
                yield from self._table(block, indent, limit)
            case Rule():
                yield "---"

    def _items(self, items: Items, indent: str, limit: int) -> Iterator[str]:
        for index, item in enumerate(items.items):
            mark = "- " if items.start is None else f"{items.start + index}. "
            for part in item:
                if isinstance(part, Items):
                    yield from self._items(part, indent + "  ", limit)
                else:
                    yield from (indent + mark + line for line in self._block(part, "", limit))
                    mark = "  "

    def _table(self, table: Table, indent: str, limit: int) -> Iterator[str]:
        if not table.is_facts:
            yield indent + " | ".join(self.inlines(cell, limit) for cell in table.header)
        for row in table.rows:
            cells = [self.inlines(cell, limit) for cell in row]
            if table.is_facts:
                name = self.strong(f"{cells[0]}:") if cells[0] else ""
                yield f"{indent}- {name} {' '.join(cells[1:])}".rstrip()
            else:
                yield indent + " | ".join(cells)


class MarkdownRenderer(TextRenderer):
    """Markdown that means the same to CommonMark and to a reader of the source."""

    gap = ("",)

    def value(self, text: str) -> str:
        """A value: as it is, or as code where it holds markup."""
        text = one_line(text)
        return self.code(text) if _MARKUP.search(text) else text

    def code(self, text: str) -> str:
        """Fixed-width text; backticks become a look-alike, so that it ends where it should."""
        text = one_line(text).replace("`", "ˋ")
        return f"`{text}`" if text.strip() else text

    def strong(self, text: str) -> str:
        """Bold."""
        return f"**{text.strip()}**" if text.strip() else ""

    def heading(self, text: str) -> str:
        """A heading, as bold text on a line of its own."""
        return self.strong(text)

    def link(self, link: Link) -> str:
        """A Markdown link."""
        label = re.sub(r"[\[\]\\`*_~<>]", " ", one_line(text_of(link.children))).strip()
        url = link.url.translate(BRACKETS)
        return f"[{label or url}]({url})"


BRACKETS = str.maketrans({"(": "%28", ")": "%29", "<": "%3C", ">": "%3E"})
"""What would end an address in Markdown, percent-encoded."""


def _fit(lines: list[str], limit: int, more: Callable[[int], str]) -> str:
    """As many whole lines as fit; those of the rest that are not empty are counted."""
    text = "\n".join(lines)
    if width(text) <= limit:
        return text
    kept: list[str] = []
    left = limit - width(more(len(lines))) - 1
    for line in lines:
        left -= width(line) + 1
        if left < 0:
            break
        kept.append(line)
    rest = more(sum(map(bool, lines[len(kept) :])))
    return "\n".join([*kept, rest]) if width(rest) <= limit else ""

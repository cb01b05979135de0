r"""A message in Jira's wiki markup, for Jira Data Center.

A character that could be markup is written as a numeric reference, which Jira's renderer leaves as
it is (atlassian-renderer: HtmlEscaper with PRESERVE_ENTITIES). A backslash would not do: it escapes
neither ``:`` nor ``;``, before which it is shown, nor itself, and ``\{\{x\}\}`` becomes code after
all (BackslashEscapeRendererComponent gives back bare braces before phrases are looked for).
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
    Inline,
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
_MARKUP = re.compile(
    r"[\\{}\[\]|!^~*@?)]"  # a bracket also ends a smiley that a reference's semicolon would begin
    r"|(?<![A-Za-z0-9])[-_+]|[-_+](?![A-Za-z0-9])"
    r"|:(?=[/()\-|PpD]|$)|(?<=mailto):|(?<=file):"
    r"|&(?=[#A-Za-z0-9]|$)|^#",
    re.IGNORECASE,
)
"""Within words and times nothing is touched: ids and dates stay as they are in the source, too."""
_LINE_START = re.compile(r"^(\s*)((?:h[1-6]|bq)(?=\.)|#+)", re.IGNORECASE)
_FENCED = re.compile(r"^[*# ]*\{noformat\}$.*?^\{noformat\}$", re.DOTALL | re.MULTILINE)
_CLOSED = "\n{noformat}\n{quote}"
"""What ends blocks that were cut off within."""
_FENCE = re.compile(r"\{(noformat|code)", re.IGNORECASE)
_ROOM = 24
"""What marks at the beginning of a line may add, once escaped."""


def to_wiki(document: Document, limit: int = MAX_TEXT) -> str:
    """Wiki markup of at most ``limit`` UTF-16 units in which values are never markup."""
    text = WikiRenderer().render(document, limit - len(_CLOSED))
    if text.count("{noformat}") % 2:
        text += "\n{noformat}"
    return text + "\n{quote}" if _FENCED.sub("", text).count("{quote}") % 2 else text


def escaped(text: str) -> str:
    """``text`` as it is, whatever it holds, on one line."""
    return _at_start(_MARKUP.sub(_reference, one_line(text)))


def _reference(found: re.Match[str]) -> str:
    return "".join(f"&#{ord(character)};" for character in found[0])


def _at_start(text: str) -> str:
    """``text`` without what makes a line a heading, a quotation or an item."""
    return _LINE_START.sub(lambda found: found[1] + f"&#{ord(found[2][0])};" + found[2][1:], text)


class WikiRenderer(TextRenderer):
    """Jira's wiki markup, line by line."""

    gap = ("",)
    _quoted = False

    def inlines(self, children: tuple[Inline, ...], limit: int) -> str:
        """As of all texts; values beside each other do not make a heading either."""
        return _at_start(super().inlines(children, limit - _ROOM))

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
                yield from self._quote(block, limit)
            case Rule():
                yield "----"
            case _:
                yield from super()._block(block, indent, limit)

    def _quote(self, quote: Quote, limit: int) -> Iterator[str]:
        """A quotation; one within another has no marks, which would end the outer one."""
        outermost, self._quoted = not self._quoted, True
        if outermost:
            yield "{quote}"
        for part in quote.blocks:
            yield from self._block(part, "", limit)
        if outermost:
            yield "{quote}"
            self._quoted = False

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

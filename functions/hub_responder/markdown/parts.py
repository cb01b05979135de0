"""What targets show apart from a message's text: links as buttons, facts as fields."""

from __future__ import annotations

import re

from hub_responder.markdown.document import (
    Block,
    Document,
    Inline,
    Link,
    Paragraph,
    Table,
    Text,
    Value,
    text_of,
)

_BETWEEN = re.compile(r"[\s·|,;/、・—–-]*")


def link_bar(block: Block) -> tuple[Link, ...]:
    """The links of a paragraph that holds nothing but links and what parts them; else none."""
    if not isinstance(block, Paragraph):
        return ()
    links = tuple(child for child in block.children if isinstance(child, Link))
    others = (child for child in block.children if not isinstance(child, Link))
    return links if all(_parts(child) for child in others) else ()


def _parts(child: Inline) -> bool:
    return isinstance(child, Text | Value) and bool(_BETWEEN.fullmatch(child.text))


def links(document: Document) -> list[Link]:
    """The links of all such paragraphs, each address once."""
    found = [link for block in document.blocks for link in link_bar(block)]
    return list({link.url: link for link in found}.values())


def facts(document: Document) -> list[tuple[str, str]]:
    """Name and value of every fact, as bare text; those without a name are left out."""
    return [
        (text_of(name), " ".join(text_of(value) for value in values))
        for block in document.blocks
        if isinstance(block, Table) and block.is_facts
        for name, *values in block.rows
        if text_of(name)
    ]

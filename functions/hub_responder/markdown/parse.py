"""Markdown -> syntax tree, once per distinct text. Values are single characters (`slot`)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from hub_responder.errors import ExpressionError
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
)

FIRST_SLOT = 0x17000
"""Tangut, a script that no message is written in: to Markdown these are letters, so that markup
around a value works also where no space stands beside it (``は**x**です``)."""
MAX_SLOTS = 4096
SLOT = re.compile(f"[{chr(FIRST_SLOT)}-{chr(FIRST_SLOT + MAX_SLOTS - 1)}]")
_SPLIT = re.compile(f"({SLOT.pattern})")
_QUOTED_SLOT = re.compile(r"%F0%97%[89AB][0-9A-F]%[89AB][0-9A-F]")
_IGNORED = frozenset({"blank_line"})


def slot(index: int) -> str:
    """The character that stands for value ``index``."""
    return chr(FIRST_SLOT + index)


@lru_cache(maxsize=256)
def parse(text: str) -> Document:
    """The tree of ``text``, with a `Slot` for each value.

    Raises:
        ExpressionError: it holds raw HTML or an image, which no target shows.
    """
    return Document(tuple(_blocks(_parser()(text))))


@lru_cache(maxsize=1)
def _parser() -> Any:
    import mistune

    return mistune.create_markdown(renderer=None, plugins=["table"])


def _blocks(tokens: Sequence[Mapping[str, Any]]) -> Iterator[Block]:
    for token in tokens:
        if token["type"] not in _IGNORED:
            yield _block(token)


def _block(token: Mapping[str, Any]) -> Block:  # noqa: PLR0911 - one for each kind
    match token["type"]:
        case "heading":
            return Heading(token["attrs"]["level"], _inlines(token["children"]))
        case "paragraph" | "block_text":
            return Paragraph(_inlines(token["children"]))
        case "list":
            return _items(token)
        case "block_code":
            return CodeBlock(token["raw"].rstrip("\n"))
        case "block_quote":
            return Quote(tuple(_blocks(token["children"])))
        case "thematic_break":
            return Rule()
        case "table":
            return _table(token)
    raise ExpressionError(f"a message cannot hold a Markdown {token['type'].replace('_', ' ')}")


def _items(token: Mapping[str, Any]) -> Items:
    attributes = token["attrs"]
    items = tuple(tuple(_blocks(item["children"])) for item in token["children"])
    return Items(items, int(attributes.get("start", 1)) if attributes["ordered"] else None)


def _table(token: Mapping[str, Any]) -> Table:
    head, body = token["children"]
    return Table(
        tuple(_inlines(cell["children"]) for cell in head["children"]),
        tuple(
            tuple(_inlines(cell["children"]) for cell in row["children"])
            for row in body["children"]
        ),
    )


def _inlines(tokens: Sequence[Mapping[str, Any]]) -> tuple[Inline, ...]:
    return tuple(part for token in tokens for part in _inline(token))


def _inline(token: Mapping[str, Any]) -> Iterator[Inline]:
    match token["type"]:
        case "text":
            yield from _text(html.unescape(token["raw"]))
        case "strong":
            yield Strong(_inlines(token["children"]))
        case "emphasis":
            yield Emphasis(_inlines(token["children"]))
        case "codespan":
            yield Code(token["raw"])
        case "link":
            url = _QUOTED_SLOT.sub(_unquote_slot, token["attrs"]["url"])
            yield Link(url, _inlines(token["children"]))
        case "linebreak":
            yield Break()
        case "softbreak":
            yield Text(" ")
        case other:
            raise ExpressionError(f"a message cannot hold a Markdown {other.replace('_', ' ')}")


def _text(raw: str) -> Iterator[Inline]:
    for part in _SPLIT.split(raw):
        if SLOT.fullmatch(part):
            yield Slot(ord(part) - FIRST_SLOT)
        elif part:
            yield Text(part)


def _unquote_slot(match: re.Match[str]) -> str:
    """mistune percent-encodes what is not ASCII in an address; a value's place is found again."""
    return bytes.fromhex(match[0].replace("%", "")).decode()

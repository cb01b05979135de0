"""A message in the Atlassian Document Format, for Jira Cloud.

https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/: text nodes hold no
markup of any kind, so nothing needs escaping; they must not be empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from hub_responder.markdown.characters import one_line, shorten
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
)

MAX_BYTES = 32_000
"""Jira takes 32,767 characters of description or comment. Whether it counts the text or the JSON
is not documented: here the JSON's bytes are counted, which are never fewer."""
MAX_TEXT = 2000
"""UTF-16 units that one text keeps when a message is too long."""

Node = dict[str, Any]
Mark = dict[str, Any]


def to_adf(document: Document, limit: int = MAX_BYTES) -> Node:
    """The message as an ADF document of at most ``limit`` bytes of JSON."""
    made = _doc(_blocks(document.blocks))
    if _size(made) <= limit:
        return made
    blocks = [_shortened(block) for block in made["content"]]
    left = limit - _size(_doc([_paragraph_of(document.more(100_000))]))
    kept: list[Node] = []
    for index, block in enumerate(blocks):
        if _size(block) + 1 > left:
            kept.extend(_part(block, left, document))
            rest = len(blocks) - index - 1
            if rest:
                kept.append(_paragraph_of(document.more(rest)))
            break
        kept.append(block)
        left -= _size(block) + 1
    return _doc(kept)


def _doc(content: Sequence[Node]) -> Node:
    return {"type": "doc", "version": 1, "content": list(content)}


def _size(node: Any) -> int:
    return len(msgspec.json.encode(node))


def _part(block: Node, room: int, document: Document) -> list[Node]:
    """As many items or rows of ``block`` as fit, and how many more there are."""
    if block["type"] not in {"bulletList", "orderedList", "table"}:
        return [_paragraph_of(document.more(1))]
    kept: list[Node] = []
    left = room - _size({**block, "content": []}) - _size(_paragraph_of(document.more(100_000)))
    for part in block["content"]:
        left -= _size(part) + 1
        if left < 0:
            break
        kept.append(part)
    rest = _paragraph_of(document.more(len(block["content"]) - len(kept)))
    return [{**block, "content": kept}, rest] if kept else [rest]


def _shortened(node: Node) -> Node:
    """A copy of ``node`` with every text within `MAX_TEXT`."""
    if "text" in node:
        return {**node, "text": shorten(node["text"], MAX_TEXT)}
    if "content" in node:
        return {**node, "content": [_shortened(part) for part in node["content"]]}
    return node


def _paragraph_of(text: str) -> Node:
    return {"type": "paragraph", "content": [{"type": "text", "text": text}]}


def _blocks(blocks: Sequence[Block]) -> list[Node]:
    return [node for block in blocks for node in _block(block)]


def _block(block: Block) -> Iterator[Node]:
    match block:
        case Heading():
            content = _inlines(block.children, breaks=False)
            yield {"type": "heading", "attrs": {"level": block.level}, "content": content}
        case Paragraph():
            yield {"type": "paragraph", "content": _inlines(block.children)}
        case Items():
            yield _items(block)
        case CodeBlock():
            text = [{"type": "text", "text": block.text}] if block.text else []
            yield {"type": "codeBlock", "content": text}
        case Quote():
            yield {"type": "blockquote", "content": _nested(block.blocks)}
        case Rule():
            yield {"type": "rule"}
        case Table():
            yield _table(block)


def _nested(blocks: Sequence[Block]) -> list[Node]:
    """Blocks where ADF takes no heading, rule, quote or table: those become paragraphs."""
    nodes: list[Node] = []
    for block in blocks:
        if isinstance(block, Heading):
            nodes.append({"type": "paragraph", "content": _inlines((Strong(block.children),))})
        elif isinstance(block, Quote):
            nodes += _nested(block.blocks)
        elif isinstance(block, Table):
            nodes += [
                {"type": "paragraph", "content": _inlines(_joined(row))} for row in block.rows
            ]
        elif not isinstance(block, Rule):
            nodes += _block(block)
    return nodes or [{"type": "paragraph", "content": []}]


def _joined(row: Sequence[tuple[Inline, ...]]) -> tuple[Inline, ...]:
    cells: list[Inline] = []
    for index, cell in enumerate(row):
        cells += [Text(" · "), *cell] if index else cell
    return tuple(cells)


def _items(items: Items) -> Node:
    content = []
    for item in items.items:
        nodes = _nested(item)
        if nodes[0]["type"] != "paragraph":
            nodes.insert(0, {"type": "paragraph", "content": []})
        content.append({"type": "listItem", "content": nodes})
    if items.start is None:
        return {"type": "bulletList", "content": content}
    return {"type": "orderedList", "attrs": {"order": items.start}, "content": content}


def _table(table: Table) -> Node:
    rows = [] if table.is_facts else [_row(table.header, header=True)]
    rows += [_row(row, names=table.is_facts) for row in table.rows]
    return {"type": "table", "content": rows}


def _row(cells: Sequence[tuple[Inline, ...]], *, header: bool = False, names: bool = False) -> Node:
    content = []
    for index, cell in enumerate(cells):
        kind = "tableHeader" if header or (names and index == 0) else "tableCell"
        content.append(
            {"type": kind, "content": [{"type": "paragraph", "content": _inlines(cell)}]}
        )
    return {"type": "tableRow", "content": content}


def _inlines(
    children: tuple[Inline, ...], marks: tuple[Mark, ...] = (), *, breaks: bool = True
) -> list[Node]:
    nodes: list[Node] = []
    for child in children:
        match child:
            case Text():
                nodes += _text(child.text, marks)
            case Value():
                nodes += _value(child.text, marks, breaks=breaks)
            case Strong():
                nodes += _inlines(child.children, _with(marks, {"type": "strong"}), breaks=breaks)
            case Emphasis():
                nodes += _inlines(child.children, _with(marks, {"type": "em"}), breaks=breaks)
            case Code():  # ADF lets code stand beside a link only
                links = tuple(mark for mark in marks if mark["type"] == "link")
                nodes += _text(child.text, (*links, {"type": "code"}))
            case Link():
                mark = {"type": "link", "attrs": {"href": child.url}}
                nodes += _inlines(child.children, _with(marks, mark), breaks=breaks)
            case Break():
                nodes.append({"type": "hardBreak"} if breaks else {"type": "text", "text": " "})
    return nodes


def _with(marks: tuple[Mark, ...], mark: Mark) -> tuple[Mark, ...]:
    """``marks`` and ``mark``, each kind once."""
    return (*[known for known in marks if known["type"] != mark["type"]], mark)


def _text(text: str, marks: tuple[Mark, ...]) -> list[Node]:
    if not text:
        return []
    return [{"type": "text", "text": text, **({"marks": list(marks)} if marks else {})}]


def _value(text: str, marks: tuple[Mark, ...], *, breaks: bool) -> list[Node]:
    """A value; its line breaks are kept where the place allows any."""
    if "\n" not in text:
        return _text(text, marks)
    if not breaks:
        return _text(one_line(text), marks)
    nodes: list[Node] = []
    for index, line in enumerate(text.split("\n")):
        if index:
            nodes.append({"type": "hardBreak"})
        nodes += _text(line, marks)
    return nodes

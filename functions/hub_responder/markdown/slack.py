"""A message as Slack blocks (https://docs.slack.dev/reference/block-kit/blocks), within its limits.

Slack's ``mrkdwn`` has one escape: ``&``, ``<`` and ``>`` as entities, which disarms mentions and
links. It has none for ``*``, ``_``, ``~``, backticks and ``:emoji:``, so a value that holds such
markup is shown as code. ``verbatim`` keeps Slack from linking names and addresses by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from hub_responder.markdown.characters import ELLIPSIS, escape, one_line, shorten, width
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
from hub_responder.markdown.plain import to_text

MAX_HEADER = 150
MAX_SECTION = 3000
MAX_FIELD = 2000
MAX_FIELDS = 10
MAX_BLOCKS = 50
MAX_TOTAL = 12_000
"""All texts of a message together. Slack documents no such limit; it answers
``msg_blocks_too_long`` from about 13,200 characters on."""
MAX_FALLBACK = 1000

_MARKUP = re.compile(
    r"[*~`]"
    r"|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"
    r"|:(?!\d\d:)[\w+'-]+:"
    r"|^\s*>"
)
_LOOK_ALIKE = str.maketrans({"*": "∗", "_": "＿", "~": "∼", "`": "ˋ", ":": "꞉"})
_BULLETS = ("• ", "◦ ", "▪ ")


def to_slack(document: Document) -> dict[str, Any]:
    """``{"text": fallback, "blocks": [...]}`` for ``chat.postMessage`` or an incoming webhook."""
    blocks: list[dict[str, Any]] = []
    left = MAX_TOTAL
    made = [section for block in document.blocks for section in _sections(block, document)]
    for index, block in enumerate(made):
        cost = _cost(block)
        last = len(made) == index + 1
        if cost > left or (len(blocks) >= MAX_BLOCKS - 1 and not last):
            blocks.append(_section(document.more(len(made) - index)))
            break
        blocks.append(block)
        left -= cost
    # What a phone shows of it: the title and what follows first.
    start = Document(document.blocks[:3], document.language)
    return {
        "text": shorten(escape(to_text(start, MAX_FALLBACK)), MAX_FALLBACK) or "-",
        "blocks": blocks,
    }


def _cost(block: dict[str, Any]) -> int:
    texts = [block["text"]] if "text" in block else block.get("fields", [])
    return sum(width(text["text"]) for text in texts)


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _mrkdwn(text)}


def _sections(block: Block, document: Document) -> Iterable[dict[str, Any]]:
    if isinstance(block, Heading) and block.level == 1:
        text = shorten(escape(text_of(block.children)), MAX_HEADER)
        if text:
            yield {
                "type": "header",
                "text": {"type": "plain_text", "text": text, "emoji": False},
            }
    elif isinstance(block, Rule):
        yield {"type": "divider"}
    elif isinstance(block, Table) and block.is_facts:
        yield from _facts(block)
    else:
        text = _fit_lines(_lines(block), MAX_SECTION, document.more)
        if text.strip():
            yield _section(text)


def _facts(table: Table) -> Iterable[dict[str, Any]]:
    """The rows as fields, ten to a section."""
    for start in range(0, len(table.rows), MAX_FIELDS):
        fields = []
        for name, *values in table.rows[start : start + MAX_FIELDS]:
            label = f"*{_label(name)}*\n" if text_of(name) else ""
            value = inlines(values[0] if values else (), MAX_FIELD - width(label))
            fields.append(_mrkdwn(label + (value or "—")))
        yield {"type": "section", "fields": fields}


def _label(children: tuple[Inline, ...]) -> str:
    return escape(shorten(text_of(children), 200).translate(_LOOK_ALIKE))


def _lines(block: Block, depth: int = 0) -> list[str]:  # noqa: PLR0911 - one for each kind
    """The lines of ``block``, each within a section's limit."""
    match block:
        case Heading():
            return [f"*{_label(block.children)}*"]
        case Paragraph():
            return [inlines(block.children, MAX_SECTION)]
        case Items():
            return _item_lines(block, depth)
        case CodeBlock():
            return [_code_block(block.text)]
        case Quote():
            inner = [line for part in block.blocks for line in _lines(part, depth)]
            return [f"> {line}" for text in inner for line in text.split("\n")]
        case Table():
            return _grid(block)
    return []


def _item_lines(items: Items, depth: int) -> list[str]:
    lines: list[str] = []
    indent = "    " * depth
    for index, item in enumerate(items.items):
        mark = _BULLETS[min(depth, 2)] if items.start is None else f"{items.start + index}. "
        for part in item:
            if isinstance(part, Items):
                lines += _item_lines(part, depth + 1)
            else:
                lines += [f"{indent}{mark}{line}" for line in _lines(part, depth)]
                mark = "  "
    return lines


def _grid(table: Table) -> list[str]:
    header = " · ".join(_label(cell) for cell in table.header if text_of(cell))
    rows = [
        " · ".join(inlines(cell, MAX_FIELD) for cell in row if text_of(cell)) for row in table.rows
    ]
    return [f"*{header}*", *rows] if header else rows


def _code_block(text: str) -> str:
    room = MAX_SECTION - 8
    return f"```\n{shorten(escape(text.replace('`', 'ˋ')), room)}\n```"


def _fit_lines(lines: Sequence[str], limit: int, more: Callable[[int], str]) -> str:
    """As many whole lines as fit; the rest is counted."""
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
    return "\n".join([*kept, more(len(lines) - len(kept))])


def inlines(children: tuple[Inline, ...], limit: int) -> str:
    """``children`` as mrkdwn of at most ``limit`` UTF-16 units; no link or entity is cut apart."""
    parts = [_inline(child) for child in children]
    text = "".join(parts).strip(" ")
    if width(text) <= limit:
        return text
    kept: list[str] = []
    left = limit - 1
    for child, part in zip(children, parts, strict=True):
        if width(part) > left:
            if isinstance(child, Text | Value | Code):
                kept.append(_cut(child, part, left))
            break
        kept.append(part)
        left -= width(part)
    text = "".join(kept).strip(" ")
    return text if text.endswith(ELLIPSIS) else text + ELLIPSIS


def _cut(child: Text | Value | Code, rendered: str, room: int) -> str:
    """The beginning of one text in at most ``room`` units, still as code where it was code."""
    if not (isinstance(child, Code) or rendered.startswith("`")):
        return shorten(rendered, room)
    return f"`{shorten(rendered[1:-1], room - 2)}`" if room > 3 else ""  # noqa: PLR2004


def _inline(child: Inline) -> str:  # noqa: PLR0911 - one for each kind
    match child:
        case Text():
            return escape(child.text)
        case Value():
            return _value(child.text)
        case Strong():
            return _styled("*", child.children)
        case Emphasis():
            return _styled("_", child.children)
        case Code():
            return _code(child.text)
        case Link():
            return f"<{escape(child.url)}|{_label(child.children) or 'link'}>"
        case Break():
            return "\n"
    return ""


def _styled(mark: str, children: tuple[Inline, ...]) -> str:
    inner = "".join(_inline(child) for child in children).replace("\n", " ").strip()
    return f"{mark}{inner}{mark}" if inner else ""


def _value(text: str) -> str:
    text = one_line(text)
    return _code(text) if _MARKUP.search(text) else escape(text)


def _code(text: str) -> str:
    text = escape(one_line(text).replace("`", "ˋ"))
    return f"`{text}`" if text.strip() else text

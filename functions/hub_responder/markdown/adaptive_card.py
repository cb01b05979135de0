"""A message as an Adaptive Card 1.4 (https://adaptivecards.io/explorer/), for Microsoft Teams.

A ``RichTextBlock`` knows no markup, so values are safe in it on every client. The facts of a
``FactSet`` do ("Text features" of the same documentation): there they are escaped as CommonMark
asks. Phones parse by other rules (MarkDownBlockParser of microsoft/AdaptiveCards): they may show a
backslash of ours, but see no link or emphasis in a value either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

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
from hub_responder.markdown.parts import link_bar, links
from hub_responder.markdown.plain import BRACKETS, TextRenderer

MAX_BYTES = 20_000
"""Of the card as JSON. A message in Teams may have "about 28 KB" (learn.microsoft.com, connector
"Microsoft Teams", known issues); 21 KB were seen to be too much."""
MAX_TITLE = 300
MAX_TEXT = 2000
MAX_FACT = 1000
"""UTF-16 units of a title, a paragraph or line, and of a fact's value."""
MAX_BUTTONS = 5
"""How many a host shows that says nothing else (HostConfig, ``actions.maxActions``)."""
MAX_BUTTON = 40
MAX_BUTTON_BYTES = 6000
"""Of all buttons: what their addresses may take from the text."""
_STYLES = {"CRITICAL": "attention", "HIGH": "attention", "MEDIUM": "warning", "LOW": "accent"}
_BULLETS = ("• ", "◦ ", "▪ ")
_INDENT = "\u2003"  # ends of lines keep no other space
_FUNCTION = re.compile(r"\{(?=\{(?:DATE|TIME)\()")
"""A client replaces ``{{DATE(...)}}`` in any text by a date of its own choice of form."""

Element = dict[str, Any]


def to_card(document: Document, severity: str) -> Element:
    """The card, at most `MAX_BYTES` of JSON; ``severity`` colours its title."""
    buttons = _buttons(document)
    shell: Element = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "lang": document.language,
        "fallbackText": _Facts().inlines((Value(document.title),), MAX_TITLE) or "hub-responder",
        "msteams": {"width": "Full"},
        "body": [],
    }
    if buttons:
        shell["actions"] = [_open(link, _label(link)) for link in buttons]
    elements = list(_body(document, _STYLES.get(severity, "emphasis"), set(buttons)))
    return {**shell, "body": _fit(elements, MAX_BYTES - _size(shell), document)}


def _size(value: Any) -> int:
    return len(msgspec.json.encode(value)) + 1  # and a comma


def _fit(elements: Sequence[Element], room: int, document: Document) -> list[Element]:
    """As many whole elements as fit; the rest is counted."""
    rest = _text_block([_Run(document.more(len(elements)))])
    if sum(map(_size, elements)) <= room:
        return _merged(elements)
    kept: list[Element] = []
    room -= _size(rest)
    for element in elements:
        room -= _size(element)
        if room < 0:
            break
        kept.append(element)
    return _merged([*kept, _text_block([_Run(document.more(len(elements) - len(kept)))])])


def _merged(elements: Iterable[Element]) -> list[Element]:
    """The same with facts that follow each other in one set, whose values then line up."""
    merged: list[Element] = []
    for element in elements:
        last = merged[-1] if merged else {}
        follows = element["type"] == "FactSet" == last.get("type") and "separator" not in element
        if follows:
            merged[-1] = {**last, "facts": [*last["facts"], *element["facts"]]}
        else:
            merged.append(element)
    return merged


def _buttons(document: Document) -> list[Link]:
    found: list[Link] = []
    room = MAX_BUTTON_BYTES
    for link in links(document):
        room -= _size(_open(link, _label(link)))
        if room >= 0 and len(found) < MAX_BUTTONS:
            found.append(link)
    return found


def _label(link: Link) -> str:
    return shorten(_inert(text_of(link.children)), MAX_BUTTON) or ELLIPSIS


def _open(link: Link, title: str = "") -> Element:
    titled = {"title": title} if title else {}
    return {"type": "Action.OpenUrl", **titled, "url": link.url}


def _inert(text: str) -> str:
    """``text`` with an invisible space between the braces that begin a client's function."""
    return _FUNCTION.sub("{\u200b", text)


# Blocks


def _body(document: Document, style: str, buttons: set[Link]) -> Iterator[Element]:
    separator = False
    titled = False
    for block in document.blocks:
        if isinstance(block, Rule):
            separator = True
            continue
        bar = link_bar(block)
        if bar:
            made: Iterable[Element] = _line(_parted([link for link in bar if link not in buttons]))
        elif isinstance(block, Heading) and block.level == 1 and not titled:
            titled = True
            made = _title(block, style)
        else:
            made = _elements(block)
        for element in made:
            yield {**element, "separator": True} if separator else element
            separator = False


def _parted(bar: Iterable[Link]) -> list[_Run]:
    """The links that are no buttons, in one line."""
    return [run for link in bar for run in (_Run(" · "), *_runs((link,)))][1:]


def _title(heading: Heading, style: str) -> Iterator[Element]:
    text = shorten(_inert(text_of(heading.children)), MAX_TITLE)
    if text:
        block = _text_block([_Run(text, bold=True, large=True)])
        yield {"type": "Container", "style": style, "bleed": True, "items": [block]}


def _elements(block: Block, depth: int = 0) -> Iterator[Element]:
    match block:
        case Heading():
            yield from _line([_Run(text_of(block.children), bold=True)])
        case Paragraph():
            for number, line in enumerate(_lines(block.children)):
                yield from _line(_runs(line), spacing="None" if number else "")
        case Items():
            yield from _items(block, depth)
        case CodeBlock():
            for code in block.text.split("\n"):
                yield from _line([_Run(code, code=True)], spacing="None")
        case Quote():
            inner = [element for part in block.blocks for element in _elements(part)]
            if inner:
                yield {"type": "Container", "style": "emphasis", "items": inner}
        case Table():
            yield from _facts(block) if block.is_facts else _grid(block)


def _lines(children: tuple[Inline, ...]) -> Iterator[list[Inline]]:
    """What stands between line breaks: a text block shows none."""
    line: list[Inline] = []
    for child in children:
        if isinstance(child, Break):
            yield line
            line = []
        else:
            line.append(child)
    yield line


def _items(items: Items, depth: int) -> Iterator[Element]:
    indent = _INDENT * depth
    for index, item in enumerate(items.items):
        mark = _BULLETS[min(depth, 2)] if items.start is None else f"{items.start + index}. "
        for part in item:
            if isinstance(part, Items):
                yield from _items(part, depth + 1)
            elif isinstance(part, Paragraph | Heading):
                yield from _line([_Run(indent + mark), *_runs(part.children)], spacing="Small")
                mark = _INDENT
            else:
                yield from _elements(part, depth + 1)


def _facts(table: Table) -> Iterator[Element]:
    """Each fact in a set of its own: `_fit` may have room for some only."""
    render = _Facts()
    for name, *values in table.rows:
        title = render.inlines((Value(text_of(name)),), 200)
        value = render.inlines(values[0] if values else (), MAX_FACT) or "—"
        yield {"type": "FactSet", "facts": [{"title": title, "value": value}]}


def _grid(table: Table) -> Iterator[Element]:
    head = " · ".join(filter(None, map(text_of, table.header)))
    yield from _line([_Run(head, bold=True)])
    for row in table.rows:
        runs: list[_Run] = []
        for cell in row:
            runs += [_Run(" · "), *_runs(cell)] if runs else _runs(cell)
        yield from _line(runs, spacing="Small")


# Text


@dataclass(frozen=True, slots=True)
class _Run:
    """Text in one style."""

    text: str
    bold: bool = False
    italic: bool = False
    code: bool = False
    large: bool = False
    link: Link | None = None

    def shown(self) -> str | Element:
        """As the card has it."""
        text = _inert(one_line(self.text))
        made: Element = {"type": "TextRun", "text": text}
        if self.bold:
            made["weight"] = "Bolder"
        if self.italic:
            made["italic"] = True
        if self.code:
            made["fontType"] = "Monospace"
        if self.large:
            made["size"] = "Large"
        if self.link:
            made["selectAction"] = _open(self.link)
        return made if len(made) > 2 else text  # noqa: PLR2004 - type and text


def _text_block(runs: Sequence[_Run], spacing: str = "") -> Element:
    spaced = {"spacing": spacing} if spacing else {}
    return {"type": "RichTextBlock", **spaced, "inlines": [run.shown() for run in runs]}


def _line(runs: Sequence[_Run], spacing: str = "") -> Iterator[Element]:
    fitting = list(_within(runs, MAX_TEXT))
    if any(run.text.strip() for run in fitting):
        yield _text_block(fitting, spacing)


def _within(runs: Sequence[_Run], limit: int) -> Iterator[_Run]:
    """``runs`` in at most ``limit`` UTF-16 units; no link is cut apart."""
    left = limit
    more = sum(width(run.text) for run in runs) > limit
    for run in runs:
        if more and width(run.text) > left - 1:
            yield _Run(ELLIPSIS) if run.link else replace(run, text=shorten(run.text, left))
            return
        left -= width(run.text)
        if run.text:
            yield run


def _runs(children: Iterable[Inline], style: _Run | None = None) -> list[_Run]:
    style = style or _Run("")
    found: list[_Run] = []
    for child in children:
        match child:
            case Text() | Value():
                found.append(replace(style, text=child.text))
            case Code():
                found.append(replace(style, text=child.text, code=True))
            case Strong():
                found += _runs(child.children, replace(style, bold=True))
            case Emphasis():
                found += _runs(child.children, replace(style, italic=True))
            case Link():
                label = shorten(text_of(child.children), MAX_TEXT // 2) or child.url
                found.append(replace(style, text=label, link=child))
            case Break():
                found.append(_Run(" "))
    return found


# Facts, which clients read as Markdown

_MARKUP = re.compile(
    r"[*`~\[\]<]"
    r"|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"
    r"|(?:^|(?<=\]))\("
    r"|&(?=#?\w+;|#?\w*$)"
    r"|(?:^|(?<=\{))\{"
    r"|\\(?=[!-/:-@\[-`{-~]|$)"
)
_LEADING = re.compile(r"(?P<number>\d{1,9})(?=[.)](?:\s|$))|[-+](?=[-+\s]|$)|>|#(?=#{0,5}(?:\s|$))")


class _Facts(TextRenderer):
    """A fact's value: one line of the Markdown that cards know."""

    def inlines(self, children: tuple[Inline, ...], limit: int) -> str:
        """``children`` on one line; what begins it begins no list, quote or heading."""
        text = super().inlines(children, limit - 1)
        leading = _LEADING.match(text)
        if not leading:
            return text
        end = leading.end() if leading["number"] else 0
        return f"{text[:end]}\\{text[end:]}"

    def value(self, text: str) -> str:
        return _MARKUP.sub(r"\\\g<0>", one_line(text))

    def text(self, text: str) -> str:
        return self.value(text)

    def code(self, text: str) -> str:
        return self.value(text)

    def strong(self, text: str) -> str:
        text = text.strip()
        plain = text[:1].isalnum() and text[-1:].isalnum()  # else the marks may mean nothing
        return f"**{text}**" if plain else text

    def link(self, link: Link) -> str:
        label = self.value(text_of(link.children)) or "link"
        return f"[{label}]({link.url.translate(BRACKETS)})"

"""The syntax tree of a message. `Text` was written by a template's author, `Value` was not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import msgspec


class Node(msgspec.Struct, frozen=True, gc=False):
    """Base of all nodes: immutable, cheap to make."""


class Text(Node, frozen=True, gc=False):
    """Text of the template."""

    text: str


class Value(Node, frozen=True, gc=False):
    """Text from outside: shown as it is, never markup. It may hold line breaks."""

    text: str


class Slot(Node, frozen=True, gc=False):
    """Where a value goes, by its number; only in parsed templates, never in filled ones."""

    index: int


class Strong(Node, frozen=True, gc=False):
    """Bold."""

    children: tuple[Inline, ...]


class Emphasis(Node, frozen=True, gc=False):
    """Italic."""

    children: tuple[Inline, ...]


class Code(Node, frozen=True, gc=False):
    """Fixed-width text within a line."""

    text: str


class Link(Node, frozen=True, gc=False):
    """A link; ``url`` is http or https, ASCII, and safe to put between any delimiters."""

    url: str
    children: tuple[Inline, ...]


class Break(Node, frozen=True, gc=False):
    """A line break within a paragraph."""


class Heading(Node, frozen=True, gc=False):
    """A heading; level 1 is the message's title."""

    level: int
    children: tuple[Inline, ...]


class Paragraph(Node, frozen=True, gc=False):
    """A paragraph."""

    children: tuple[Inline, ...]


class Items(Node, frozen=True, gc=False):
    """A list; each item is a run of blocks. ``start`` is None for bullets."""

    items: tuple[tuple[Block, ...], ...]
    start: int | None = None


class CodeBlock(Node, frozen=True, gc=False):
    """Fixed-width lines."""

    text: str


class Quote(Node, frozen=True, gc=False):
    """Quoted blocks."""

    blocks: tuple[Block, ...]


class Rule(Node, frozen=True, gc=False):
    """A horizontal line."""


class Table(Node, frozen=True, gc=False):
    """A table. One of two columns is a list of facts: name and value."""

    header: tuple[tuple[Inline, ...], ...]
    rows: tuple[tuple[tuple[Inline, ...], ...], ...]

    @property
    def is_facts(self) -> bool:
        """Whether it is shown as facts rather than as a grid."""
        return len(self.header) == 2  # noqa: PLR2004 - name and value


Inline: TypeAlias = Text | Value | Slot | Strong | Emphasis | Code | Link | Break
Block: TypeAlias = Heading | Paragraph | Items | CodeBlock | Quote | Rule | Table


class Document(msgspec.Struct, frozen=True, gc=False):
    """A message; ``language`` is the one that "and N more" is said in."""

    blocks: tuple[Block, ...]
    language: str = "en"

    @property
    def title(self) -> str:
        """The text of the first heading, on one line; empty without one."""
        for block in self.blocks:
            if isinstance(block, Heading):
                return text_of(block.children)
        return ""

    @property
    def body(self) -> Document:
        """The message without the heading that `title` takes."""
        for index, block in enumerate(self.blocks):
            if isinstance(block, Heading):
                return Document(self.blocks[:index] + self.blocks[index + 1 :], self.language)
        return self

    def more(self, count: int) -> str:
        """What stands for ``count`` parts that were left out."""
        return f"…他{count}件" if self.language == "ja" else f"… and {count} more"


def text_of(children: tuple[Inline, ...]) -> str:
    """The bare text of ``children``, on one line."""
    return " ".join("".join(_texts(children)).split())


def _texts(children: tuple[Inline, ...]) -> Iterator[str]:
    for child in children:
        if isinstance(child, Text | Value | Code):
            yield child.text
        elif isinstance(child, Strong | Emphasis | Link):
            yield from _texts(child.children)
        elif isinstance(child, Break):
            yield " "

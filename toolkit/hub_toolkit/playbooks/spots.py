"""Where in a YAML file a character of a text stands: in plain, quoted and block scalars.

A text and what was written for it have the same characters but for white space (folding, indents)
and quoting. So the nth character of the text that is no white space is the nth one that was
written, once escapes are read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|\r?\n|.)", re.DOTALL)
_BLANK_ESCAPES = ("", *"nrtvf _NLP\r\n\t")
"""Escapes that write white space, or (before a line's end) nothing."""


@dataclass(frozen=True, slots=True)
class Written:
    """A scalar as it stands in its file, from its quote or block sign on.

    Attributes:
        style: ``|`` or ``>`` of a block, ``'`` or ``"`` where quoted, else empty.
        line, column: where ``text`` begins, from 1.
    """

    text: str
    style: str
    line: int
    column: int

    def at(self, value: str, offset: int) -> tuple[int, int]:
        """Line and column of the character of ``value`` at ``offset``.

        Of white space it is the place right behind the character before it, because folding may
        have left no other.
        """
        before = sum(not character.isspace() for character in value[:offset])
        inside = offset < len(value) and not value[offset].isspace()
        places = self._characters()
        index = -1
        for _ in range(before + 1 if inside else before):
            index = next(places, index)
        if not inside:
            index += 1
        return self._place(max(index, 0))

    def _place(self, index: int) -> tuple[int, int]:
        lines = self.text.count("\n", 0, index)
        if not lines:
            return self.line, self.column + index
        return self.line + lines, index - self.text.rfind("\n", 0, index)

    def _characters(self) -> Iterator[int]:
        """Indices in ``text`` of the characters that are no white space, in their order."""
        index, end = 0, len(self.text)
        if self.style in ("|", ">"):  # the sign, its indicators and a comment are a line
            index = self.text.find("\n") % (end + 1)
        elif self.style:
            index, end = 1, end - 1
        while index < end:
            character, step = self.text[index], 1
            blank = character.isspace()
            if self.style == '"' and character == "\\":
                found = _ESCAPE.match(self.text, index)
                step = len(found[0]) if found else 1
                blank = _is_blank(self.text[index + 1 : index + step])
            elif self.style == "'" and character == "'":
                step = 2
            if not blank:
                yield index
            index += step


def _is_blank(escape: str) -> bool:
    """Whether an escape, without its backslash, writes white space or nothing."""
    if escape[:1] in ("x", "u", "U"):
        return chr(int(escape[1:], 16)).isspace()
    return escape[:1] in _BLANK_ESCAPES

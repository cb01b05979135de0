"""Jinja texts as trees whose nodes know the character where they begin.

Jinja counts lines only. Its parser copies ``lineno`` of the tokens that it reads into the nodes, so
tokens that hold the offset there make a tree with offsets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import TemplateSyntaxError, nodes
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jinja2 import Environment


@dataclass(frozen=True, slots=True, order=True)
class Remark:
    """Something about a text: where in it, what, and whether it is only a warning."""

    offset: int
    text: str
    warning: bool = False


_HINTS = {
    "&": ": write `and`",
    "!": ": write `not`, or != to compare",
    "?": ": write `a if b else c`",
}
"""What to write for a sign of other languages."""


TOO_DEEP = Remark(0, "nests too deeply to be read")


class Unparsable(Exception):  # noqa: N818 - it carries the one remark
    """A text that does not parse."""

    def __init__(self, remark: Remark) -> None:
        super().__init__(remark.text)
        self.remark = remark


def expression(text: str, environment: Environment) -> nodes.Expr:
    """The tree of the bare expression ``text``.

    Raises:
        Unparsable: it is none.
    """
    parser = _parser(text, environment, "variable")
    try:
        tree = parser.parse_expression()
    except TemplateSyntaxError as error:
        raise _unparsable(error, text) from error
    except RecursionError as error:
        raise Unparsable(TOO_DEEP) from error
    if not parser.stream.eos:
        token = parser.stream.current
        hint = ": to compare, write ==" if token.type == "assign" else ""
        raise Unparsable(Remark(token.lineno, f"the expression ends before this{hint}"))
    return tree


def template(text: str, environment: Environment) -> nodes.Template:
    """The tree of the template ``text``.

    Raises:
        Unparsable: it does not parse.
    """
    parser = _parser(text, environment, None)
    try:
        body = parser.subparse()
    except TemplateSyntaxError as error:
        raise _unparsable(error, text) from error
    except RecursionError as error:
        raise Unparsable(TOO_DEEP) from error
    return nodes.Template(body, lineno=0)


def normal(text: str) -> str:
    """``text`` with the line ends that Jinja reads it with; offsets count in this."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _parser(text: str, environment: Environment, state: str | None) -> Parser:
    parser = Parser(environment, "")
    try:
        parser.stream = TokenStream(
            environment.lexer.wrap(_located(normal(text), environment, state)), None, None
        )
    except TemplateSyntaxError as error:
        raise _unparsable(error, text) from error
    return parser


def _located(
    text: str, environment: Environment, state: str | None
) -> Iterator[tuple[int, str, str]]:
    """Jinja's tokens with their offset where it has their line.

    Of what it leaves out between tokens, which is white space, nothing is looked for.
    """
    offset = 0
    try:
        for _, kind, value in environment.lexer.tokeniter(text, None, None, state):
            found = text.find(value, offset)
            offset = found if found >= 0 else offset
            yield offset, kind, value
            offset += len(value)
    except TemplateSyntaxError as error:
        rest = text[offset:]
        error.lineno = offset + len(rest) - len(rest.lstrip())
        raise


def _unparsable(error: TemplateSyntaxError, text: str) -> Unparsable:
    said = re.sub(r" at \d+$", "", error.message or "does not parse")
    said = said.replace("end of template", "end").rstrip(".")
    offset = min(error.lineno, len(text))
    hint = _HINTS.get(text[offset : offset + 1], "")
    return Unparsable(Remark(offset, said[:1].lower() + said[1:] + hint))

"""From an expression's text to its tree, once per text.

Each function raises `SyntaxFault` if the text is not of its language.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Literal, cast

from lark import Lark, Token, Transformer, UnexpectedEOF, UnexpectedInput, v_args

from hub_toolkit.sandbox.dynamodb.expressions import syntax
from hub_toolkit.sandbox.dynamodb.expressions.reserved import is_reserved

MAX_BYTES = 4096
"""Of an expression's text, before names are put in."""
_TOKEN = re.compile(r"\s*([#:]?[A-Za-z0-9_]+|<>|<=|>=|\S)")
_END = "$END"


class SyntaxFault(Exception):  # noqa: N818 - AWS's word for it is an error of the request
    """The text is no expression; the message is what AWS says after ``Invalid X: ``."""


def condition(text: str) -> syntax.Node:
    """The tree of a condition, filter or key condition expression."""
    return cast("syntax.Node", _parse("condition", text))


def update(text: str) -> syntax.Update:
    """The tree of an update expression."""
    return cast("syntax.Update", _parse("update", text))


def projection(text: str) -> tuple[syntax.Path, ...]:
    """The paths of a projection expression."""
    return cast("tuple[syntax.Path, ...]", _parse("projection", text))


@lru_cache(maxsize=4096)
def _parse(start: Literal["condition", "update", "projection"], text: str) -> object:
    """The tree of ``text``.

    Raises:
        SyntaxFault: it is empty, over 4 KB, or not of the language; a section is there twice; a
            reserved word stands for an attribute.
    """
    if not text.strip():
        raise SyntaxFault("The expression can not be empty;")
    size = len(text.encode(errors="replace"))
    if size > MAX_BYTES:
        raise SyntaxFault(
            f"Expression size has exceeded the maximum allowed size; expression size: {size}"
        )
    try:
        return _lark().parse(text, start=start)
    except UnexpectedInput as error:
        raise SyntaxFault(_describe(text, error)) from None


@cache
def _lark() -> Lark:
    return Lark.open(
        "grammar.lark",
        rel_to=__file__,
        parser="lalr",
        lexer="contextual",
        start=["condition", "update", "projection"],
        transformer=_Builder(),
    )


def _describe(text: str, error: UnexpectedInput) -> str:
    """AWS's form: the token and its neighbours; the neighbourhood's extent is a guess."""
    position = error.pos_in_stream
    if (
        isinstance(error, UnexpectedEOF)
        or getattr(getattr(error, "token", None), "type", "") == _END
    ):
        position = len(text)
    tokens = [(match.start(1), match.end(1)) for match in _TOKEN.finditer(text)]
    at = next((i for i, (_, end) in enumerate(tokens) if end > (position or 0)), len(tokens))
    token = text[slice(*tokens[at])] if at < len(tokens) else "<EOF>"
    first, last = tokens[max(at - 1, 0)][0], tokens[min(at + 1, len(tokens) - 1)][1]
    return f'Syntax error; token: "{token}", near: "{text[first:last]}"'


@v_args(inline=True)
class _Builder(Transformer[Token, object]):
    """Builds the tree while the text is parsed, so depth costs no recursion."""

    def condition(self, inner: syntax.Node) -> syntax.Node:
        return inner

    def either(self, *parts: syntax.Node) -> syntax.Node:
        return syntax.Either(parts)

    def both(self, *parts: syntax.Node) -> syntax.Node:
        return syntax.Both(parts)

    def negate(self, inner: syntax.Node) -> syntax.Node:
        return syntax.Negate(inner)

    def compare(self, left: syntax.Node, operator: Token, right: syntax.Node) -> syntax.Node:
        return syntax.Compare(left, str(operator), right)

    def between(self, operand: syntax.Node, low: syntax.Node, high: syntax.Node) -> syntax.Node:
        return syntax.Between(operand, low, high)

    def member(self, operand: syntax.Node, *options: syntax.Node) -> syntax.Node:
        return syntax.Member(operand, options)

    def group(self, inner: syntax.Node) -> syntax.Node:
        return syntax.Group(inner)

    def call(self, function: Token, *arguments: syntax.Node) -> syntax.Node:
        return syntax.Call(str(function), arguments)

    def arithmetic(self, left: syntax.Node, operator: Token, right: syntax.Node) -> syntax.Node:
        return syntax.Arithmetic(left, str(operator), right)

    def path(self, *parts: str | int) -> syntax.Path:
        return syntax.Path(parts)

    def part(self, name: Token) -> str:
        if is_reserved(name):
            raise SyntaxFault(f"Attribute name is a reserved keyword; reserved keyword: {name}")
        return str(name)

    def index(self, digits: Token) -> int:
        return int(digits)

    def value(self, name: Token) -> syntax.Value:
        return syntax.Value(str(name))

    def assignment(
        self, path: syntax.Path, _equal: Token, source: syntax.Node
    ) -> syntax.Assignment:
        return syntax.Assignment(path, source)

    def change(self, path: syntax.Path, value: syntax.Value) -> syntax.Change:
        return syntax.Change(path, value)

    def set(self, *actions: syntax.Assignment) -> tuple[str, tuple[object, ...]]:
        return "set", actions

    def remove(self, *paths: syntax.Path) -> tuple[str, tuple[object, ...]]:
        return "remove", paths

    def add(self, *actions: syntax.Change) -> tuple[str, tuple[object, ...]]:
        return "add", actions

    def delete(self, *actions: syntax.Change) -> tuple[str, tuple[object, ...]]:
        return "delete", actions

    def update(self, *sections: tuple[str, tuple[object, ...]]) -> syntax.Update:
        by_name: dict[str, tuple[object, ...]] = {}
        for name, actions in sections:
            if name in by_name:
                raise SyntaxFault(
                    f'The "{name.upper()}" section can only be used once in an update expression;'
                )
            by_name[name] = actions
        return syntax.Update(**by_name)  # type: ignore[arg-type] # each section has its own type

    def projection(self, *paths: syntax.Path) -> tuple[syntax.Path, ...]:
        return paths

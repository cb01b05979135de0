"""What makes text longer in expressions and templates, bounded before it is done.

A few words can ask for gigabytes: `replace` after `replace`, a value joined with itself, a long
text between the letters of another. What could come of it is estimated from the operands' lengths.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from jinja2.compiler import CodeGenerator, Frame
from jinja2.environment import Environment
from jinja2.nodes import Concat
from jinja2.runtime import Context

from hub_responder.errors import ExpressionError

MAX_MADE = 1_000_000
"""Characters (or entries) that one operation may make; a message takes a fifth of it."""
METHODS = frozenset({"join", "replace", "translate"})
"""Methods of text whose result can be as long as the product of what they are given."""
FILTERS = ("join", "replace", "urlize", "wordwrap")
"""Filters of the same kind."""


def _refuse(size: int) -> None:
    if size > MAX_MADE:
        raise ExpressionError(f"an expression would make over {MAX_MADE:,} characters")


def _size(value: Any) -> int:
    """The characters in a text, and in the texts of a list or mapping, with one for each entry."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, Mapping):
        return len(value) + sum(map(_size, value.values()))
    if isinstance(value, list | tuple):
        return len(value) + sum(len(one) for one in value if isinstance(one, str))
    return 1


def check_product(first: Any, *others: Any) -> None:
    """Refuse what could become as long as ``first`` times all of ``others``.

    Raises:
        ExpressionError: that is over `MAX_MADE`.
    """
    _refuse((_size(first) + 1) * (sum(map(_size, others)) + 1))


def check_sum(*parts: Any) -> None:
    """Refuse what becomes as long as its parts together; errors as `check_product`."""
    _refuse(sum(_size(one) for one in parts if not isinstance(one, int | float)))


def bounded(filter_: Callable[..., Any]) -> Callable[..., Any]:
    """A filter of `FILTERS`, refused where its result could be too long."""

    @wraps(filter_)  # with Jinja's mark of what it wants to be passed first
    def checked(*args: Any, **named: Any) -> Any:
        given = [one for one in args if not isinstance(one, Environment | Context)]
        texts = [one for one in given if isinstance(one, str | list | tuple)]
        check_product(*(texts or [""]), *named.values())
        return filter_(*args, **named)

    return checked


class BoundedCode(CodeGenerator):
    """Compiles ``a ~ b`` to a call of the environment's ``joined``, which checks its length."""

    def visit_Concat(self, node: Concat, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        self.write("environment.joined((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")

"""The ``TMV1-Filter`` language: text in, an expression or a ``FilterError`` out.

::

    or         = and { "or" and }
    and        = not { "and" not }
    not        = "not" not | "(" or ")" | comparison
    comparison = field "eq" literal | "hassubset" "(" field "," "[" literal { "," literal } "]" ")"
    literal    = "'" any characters but "'" "'"

Documented: the operators, ``hassubset`` for ``creditAllocatedLicenses`` only, literals in single
quotes, at most 1024 characters, the fields and their values, that ``immediateActionRequired``
excludes every other filter, and that ``availableActions`` and ``securityDeployment`` cannot be
combined. Guesses: keywords are lower case, ``and`` binds tighter than ``or``, a quote cannot be
escaped inside a literal, more than 50 levels are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub_toolkit.sandbox.vendors.vision_one.filter_fields import (
    AVAILABLE_ACTIONS,
    FIELDS,
    IMMEDIATE_ACTION,
    LICENSES,
    SECURITY_DEPLOYMENT,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub_toolkit.sandbox.vendors.vision_one.inventory import Endpoint

MAX_CHARACTERS = 1024
MAX_DEPTH = 50


class FilterError(Exception):
    """The filter is not one that the API takes: 400."""


@dataclass(frozen=True, slots=True)
class Equal:
    """``field eq 'value'``."""

    field: str
    value: str


@dataclass(frozen=True, slots=True)
class HasSubset:
    """``hassubset(field, ['value', ...])``: the field's list holds all the values."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """``not expression``."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class And:
    """All operands hold."""

    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one operand holds."""

    operands: tuple[Expression, ...]


Expression = Equal | HasSubset | Not | And | Or

_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<sign>[()\[\],])|(?P<literal>'[^']*'(?![\w']))|(?P<word>\w+(?![\w']))"
)
_KEYWORDS = frozenset({"eq", "and", "or", "not", "hassubset"})


def parse(text: str) -> Expression:
    """The expression that ``text`` stands for.

    Raises:
        FilterError: empty, too long, malformed, an unknown field or value, or a combination that
            the API excludes. Nothing else is raised, whatever the text.
    """
    if not text.strip():
        raise FilterError("the filter is empty")
    if len(text) > MAX_CHARACTERS:
        raise FilterError(f"the filter has {len(text)} characters, {MAX_CHARACTERS} are allowed")
    expression = _Parser(list(_tokens(text))).whole()
    _check_combination(list(comparisons(expression)))
    return expression


def comparisons(expression: Expression) -> Iterator[Equal | HasSubset]:
    """The comparisons in an expression, from left to right."""
    match expression:
        case Not(operand):
            yield from comparisons(operand)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from comparisons(operand)
        case Equal() | HasSubset():
            yield expression


def matches(expression: Expression, endpoint: Endpoint, now: float) -> bool:
    """Whether the endpoint, as it stands at ``now``, is what the filter asks for.

    Texts are compared exactly, case included: ``endpointName`` is documented as an exact match.
    """
    match expression:
        case Not(operand):
            return not matches(operand, endpoint, now)
        case And(operands):
            return all(matches(operand, endpoint, now) for operand in operands)
        case Or(operands):
            return any(matches(operand, endpoint, now) for operand in operands)
        case Equal(field, value):
            held = endpoint.value(field, now)
            return value in held if isinstance(held, list) else held == value
        case HasSubset(field, values):
            held = endpoint.value(field, now)
            return isinstance(held, list) and all(value in held for value in values)


def _tokens(text: str) -> Iterator[str]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise FilterError(f"unexpected text at character {position + 1}")
        position = match.end()
        if match.lastgroup != "space":
            yield match.group()


def _check_combination(found: list[Equal | HasSubset]) -> None:
    names = {comparison.field for comparison in found}
    if {AVAILABLE_ACTIONS, SECURITY_DEPLOYMENT} <= names:
        raise FilterError(f"{AVAILABLE_ACTIONS} and {SECURITY_DEPLOYMENT} cannot be combined")
    immediate = any(
        isinstance(comparison, Equal) and comparison.value == IMMEDIATE_ACTION
        for comparison in found
        if comparison.field == AVAILABLE_ACTIONS
    )
    if immediate and len(found) > 1:
        raise FilterError(f"{IMMEDIATE_ACTION} excludes every other filter")


class _Parser:
    """Recursive descent over the tokens of one filter."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def whole(self) -> Expression:
        expression = self._or()
        if self._next < len(self._tokens):
            raise FilterError(f"unexpected {self._tokens[self._next]!r}")
        return expression

    def _peek(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        self._next += 1
        return token

    def _expect(self, wanted: str) -> None:
        token = self._take()
        if token != wanted:
            raise FilterError(f"expected {wanted!r}, found {token or 'the end'!r}")

    def _or(self) -> Expression:
        operands = [self._and()]
        while self._peek() == "or":
            self._take()
            operands.append(self._and())
        return operands[0] if len(operands) == 1 else Or(tuple(operands))

    def _and(self) -> Expression:
        operands = [self._not()]
        while self._peek() == "and":
            self._take()
            operands.append(self._not())
        return operands[0] if len(operands) == 1 else And(tuple(operands))

    def _not(self) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FilterError(f"more than {MAX_DEPTH} levels")
        expression: Expression
        if self._peek() == "not":
            self._take()
            expression = Not(self._not())
        elif self._peek() == "(":
            self._take()
            expression = self._or()
            self._expect(")")
        else:
            expression = self._comparison()
        self._depth -= 1
        return expression

    def _comparison(self) -> Expression:
        if self._peek() == "hassubset":
            return self._subset()
        name = self._field()
        self._expect("eq")
        if name == LICENSES:
            raise FilterError(f"{LICENSES} is filtered by hassubset")
        return Equal(name, self._literal(name))

    def _subset(self) -> Expression:
        self._expect("hassubset")
        self._expect("(")
        name = self._field()
        if name != LICENSES:
            raise FilterError(f"hassubset is for {LICENSES} only")
        self._expect(",")
        self._expect("[")
        values = [self._literal(name)]
        while self._peek() == ",":
            self._take()
            values.append(self._literal(name))
        self._expect("]")
        self._expect(")")
        return HasSubset(name, tuple(values))

    def _field(self) -> str:
        token = self._take()
        if token in _KEYWORDS or token not in FIELDS:
            raise FilterError(f"{token or 'the end'!r} is not a field that can be filtered")
        return token

    def _literal(self, name: str) -> str:
        token = self._take()
        if not token.startswith("'"):
            raise FilterError(f"the value of {name} is not in single quotes")
        value = token[1:-1]
        if not FIELDS[name].admits(value):
            raise FilterError(f"{value!r} is not a value of {name}")
        return value

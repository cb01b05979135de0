"""The language of ``TMV1-Filter`` and ``TMV1-Query``: text in, an expression or an error out.

::

    or         = and { "or" and }
    and        = not { "and" not }
    not        = "not" not | "(" or ")" | comparison
    comparison = field "eq" literal
               | "hassubset" "(" field "," "[" literal { "," literal } "]" ")"
               | "contains" "(" field "," literal ")"
    literal    = "'" any characters but "'" "'"

Documented: the operators, literals in single quotes, and for each list its fields with their
values, its functions and its greatest length: a `Language`. Guesses: keywords are lower case,
``and`` binds tighter than ``or``, a quote cannot be escaped inside a literal, more than 50 levels
are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

MAX_DEPTH = 50


class FilterError(Exception):
    """The filter is not one that the API takes: 400."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field that can be named.

    Attributes:
        path: keys from the item down to the value; empty for what no item holds.
        values: the closed list of literals, or None where any text may be asked for.
        pattern: what a literal must look like where the list is open but formed.
    """

    path: tuple[str, ...] = ()
    values: frozenset[str] | None = None
    pattern: re.Pattern[str] | None = None

    def admits(self, literal: str) -> bool:
        """Whether the literal is one that the field can have."""
        if self.values is not None:
            return literal in self.values
        return self.pattern is None or self.pattern.fullmatch(literal) is not None


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
class Contains:
    """``contains(field, 'value')``: the text, or one of the texts, has the value in it."""

    field: str
    value: str


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


Comparison = Equal | HasSubset | Contains
Expression = Comparison | Not | And | Or


def _anything(_found: list[Comparison]) -> None:
    """All combinations are allowed."""


@dataclass(frozen=True, slots=True)
class Language:
    """What the filter of one list may say.

    Attributes:
        fields: by name.
        max_characters: of the whole text.
        subsets: fields that hold lists; only ``hassubset`` asks for them, and for nothing else.
        contains: whether there is ``contains``.
        check: raises FilterError for comparisons that cannot stand together.
    """

    fields: Mapping[str, Field]
    max_characters: int
    subsets: frozenset[str] = frozenset()
    contains: bool = False
    check: Callable[[list[Comparison]], None] = _anything


_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<sign>[()\[\],])|(?P<literal>'[^']*'(?![\w']))|(?P<word>\w+(?![\w']))"
)
_KEYWORDS = frozenset({"eq", "and", "or", "not", "hassubset", "contains"})


def parse(text: str, language: Language) -> Expression:
    """The expression that ``text`` stands for.

    Raises:
        FilterError: empty, too long, malformed, an unknown field or value, or a combination that
            the API excludes. Nothing else is raised, whatever the text.
    """
    if not text.strip():
        raise FilterError("the filter is empty")
    most = language.max_characters
    if len(text) > most:
        raise FilterError(f"the filter has {len(text)} characters, {most} are allowed")
    expression = _Parser(list(_tokens(text)), language).whole()
    language.check(list(comparisons(expression)))
    return expression


def comparisons(expression: Expression) -> Iterator[Comparison]:
    """The comparisons in an expression, from left to right."""
    match expression:
        case Not(operand):
            yield from comparisons(operand)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from comparisons(operand)
        case Equal() | HasSubset() | Contains():
            yield expression


def matches(expression: Expression, value: Callable[[str], object]) -> bool:
    """Whether an item is what the filter asks for; ``value`` tells what it holds in a field.

    Texts are compared exactly, case included: ``endpointName`` is documented as an exact match.
    """
    match expression:
        case Not(operand):
            return not matches(operand, value)
        case And(operands):
            return all(matches(operand, value) for operand in operands)
        case Or(operands):
            return any(matches(operand, value) for operand in operands)
        case Equal(field, wanted):
            held = value(field)
            return wanted in held if isinstance(held, list) else held == wanted
        case Contains(field, wanted):
            held = value(field)
            texts = held if isinstance(held, list) else [held]
            return any(isinstance(text, str) and wanted in text for text in texts)
        case HasSubset(field, values):
            held = value(field)
            return isinstance(held, list) and all(wanted in held for wanted in values)


def _tokens(text: str) -> Iterator[str]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise FilterError(f"unexpected text at character {position + 1}")
        position = match.end()
        if match.lastgroup != "space":
            yield match.group()


class _Parser:
    """Recursive descent over the tokens of one filter."""

    def __init__(self, tokens: list[str], language: Language) -> None:
        self._tokens = tokens
        self._language = language
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
        if self._peek() == "contains" and self._language.contains:
            return self._contains()
        name = self._field()
        self._expect("eq")
        if name in self._language.subsets:
            raise FilterError(f"{name} is filtered by hassubset")
        return Equal(name, self._literal(name))

    def _subset(self) -> Expression:
        self._expect("hassubset")
        self._expect("(")
        name = self._field()
        if name not in self._language.subsets:
            raise FilterError(f"hassubset is not for {name}")
        self._expect(",")
        self._expect("[")
        values = [self._literal(name)]
        while self._peek() == ",":
            self._take()
            values.append(self._literal(name))
        self._expect("]")
        self._expect(")")
        return HasSubset(name, tuple(values))

    def _contains(self) -> Expression:
        self._expect("contains")
        self._expect("(")
        name = self._field()
        self._expect(",")
        value = self._text(name)
        self._expect(")")
        return Contains(name, value)

    def _field(self) -> str:
        token = self._take()
        if token in _KEYWORDS or token not in self._language.fields:
            raise FilterError(f"{token or 'the end'!r} is not a field that can be filtered")
        return token

    def _literal(self, name: str) -> str:
        value = self._text(name)
        if not self._language.fields[name].admits(value):
            raise FilterError(f"{value!r} is not a value of {name}")
        return value

    def _text(self, name: str) -> str:
        token = self._take()
        if not token.startswith("'"):
            raise FilterError(f"the value of {name} is not in single quotes")
        return token[1:-1]

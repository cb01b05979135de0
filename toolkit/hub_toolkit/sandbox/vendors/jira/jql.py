r"""The part of JQL that the simulator understands; anything else is an error, never a guess.

::

    query  = [ or ] [ "ORDER BY" field [ "ASC" | "DESC" ] { "," field [ "ASC" | "DESC" ] } ]
    or     = and { "OR" and }
    and    = term { "AND" term }
    term   = "(" or ")" | field ( "=" | "!=" ) value
           | field [ "NOT" ] "IN" "(" value { "," value } ")"
    value  = a word, or a text in single or double quotes with backslash escapes

Fields to compare: project, key (also issue, issuekey, id), labels, statusCategory. Fields to sort
by: key, created, updated. Keywords, field names, project keys and categories ignore case; labels
are compared exactly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPARABLE = {
    "project": "project",
    "key": "key",
    "issue": "key",
    "issuekey": "key",
    "id": "key",
    "labels": "labels",
    "statuscategory": "statuscategory",
}
SORTABLE = ("key", "created", "updated")
MAX_DEPTH = 20

_CATEGORIES = {
    "to do": "new",
    "new": "new",
    "in progress": "indeterminate",
    "indeterminate": "indeterminate",
    "done": "done",
}
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<sign>!=|=|\(|\)|,)
    |"(?P<double>(?:[^"\\]|\\.)*)"
    |'(?P<single>(?:[^'\\]|\\.)*)'
    |(?P<word>[\w.@:-]+)""",
    re.VERBOSE | re.DOTALL,
)


class JqlError(Exception):
    """The query cannot be answered; the text is the message of the 400."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a query sees of an issue."""

    id: str
    key: str
    project: str
    labels: frozenset[str]
    category: str

    def has(self, field: str, value: str) -> bool:
        """Whether ``field = value`` holds."""
        if field == "labels":
            return value in self.labels
        if field == "key":
            return value.upper() == self.key or value == self.id
        if field == "project":
            return value.upper() == self.project
        return _CATEGORIES[value.lower()] == self.category


@dataclass(frozen=True, slots=True)
class Term:
    """``field`` is one of ``values``, or is not."""

    field: str
    values: tuple[str, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Group:
    """All or any of the parts."""

    parts: tuple[Term | Group, ...]
    every: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query; without ``where`` it is unbounded. ``order`` is (field, descending)."""

    where: Term | Group | None
    order: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    quoted: bool
    at: int


def parse(text: str) -> Query:
    """The query that ``text`` stands for.

    Raises:
        JqlError: it is malformed or not within the part that is understood.
    """
    return _Parser(list(_tokens(text))).whole()


def matches(where: Term | Group, subject: Subject) -> bool:
    """Whether the issue is what the query asks for."""
    match where:
        case Group(parts, every):
            found = (matches(part, subject) for part in parts)
            return all(found) if every else any(found)
        case Term(field, values, negated):
            if negated and field == "labels" and not subject.labels:
                return False  # JQL: != finds no empty field
            return any(subject.has(field, value) for value in values) != negated


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise JqlError(
                f"Error in the JQL Query: The character '{text[position]}' is a reserved JQL"
                f" character. You must enclose it in a string or use the escape"
                f" '\\u{ord(text[position]):04x}' instead. (line 1, character {position + 1})"
            )
        kind = match.lastgroup
        if kind in ("double", "single"):
            yield _Token(re.sub(r"\\(.)", r"\1", match.group(kind)), quoted=True, at=position + 1)
        elif kind != "space":
            yield _Token(match.group(), quoted=False, at=position + 1)
        position = match.end()


class _Parser:
    """Recursive descent over the tokens of one query."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def whole(self) -> Query:
        where = None
        if self._tokens and not self._is("order"):
            where = self._group(every=False)
        order: list[tuple[str, bool]] = []
        if self._is("order"):
            self._take()
            self._expect("by")
            order.append(self._sorting())
            while self._is(","):
                self._take()
                order.append(self._sorting())
        if self._next < len(self._tokens):
            raise self._unexpected("AND, OR or ORDER BY")
        return Query(where, tuple(order))

    def _is(self, word: str) -> bool:
        if self._next >= len(self._tokens):
            return False
        token = self._tokens[self._next]
        return not token.quoted and token.text.lower() == word

    def _take(self) -> _Token:
        if self._next >= len(self._tokens):
            raise self._unexpected("more")
        self._next += 1
        return self._tokens[self._next - 1]

    def _expect(self, word: str) -> None:
        if not self._is(word):
            raise self._unexpected(f"'{word.upper()}'")
        self._next += 1

    def _unexpected(self, wanted: str) -> JqlError:
        if self._next >= len(self._tokens):
            return JqlError(
                f"Error in the JQL Query: Expecting {wanted} before the end of the query."
            )
        token = self._tokens[self._next]
        return JqlError(
            f"Error in the JQL Query: Expecting {wanted} but got '{token.text[:80]}'."
            f" (line 1, character {token.at})"
        )

    def _group(self, *, every: bool) -> Term | Group:
        word = "and" if every else "or"
        part = self._term if every else lambda: self._group(every=True)
        parts = [part()]
        while self._is(word):
            self._take()
            parts.append(part())
        return parts[0] if len(parts) == 1 else Group(tuple(parts), every)

    def _term(self) -> Term | Group:
        if self._is("("):
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise JqlError("Error in the JQL Query: The query is too complex.")
            self._take()
            inner = self._group(every=False)
            self._expect(")")
            self._depth -= 1
            return inner
        name = self._take().text
        field = COMPARABLE.get(name.lower())
        if field is None:
            raise JqlError(
                f"Field '{name[:80]}' does not exist or you do not have permission to view it."
            )
        return self._comparison(field)

    def _comparison(self, field: str) -> Term:
        for sign, negated in (("=", False), ("!=", True)):
            if self._is(sign):
                self._take()
                return Term(field, (self._value(field),), negated)
        negated = self._is("not")
        if negated:
            self._take()
        self._expect("in")
        self._expect("(")
        values = [self._value(field)]
        while self._is(","):
            self._take()
            values.append(self._value(field))
        self._expect(")")
        return Term(field, tuple(values), negated)

    def _value(self, field: str) -> str:
        token = self._take()
        if not token.quoted and token.text in ("=", "!=", "(", ")", ","):
            self._next -= 1
            raise self._unexpected("a value")
        if field == "statuscategory" and token.text.lower() not in _CATEGORIES:
            raise JqlError(
                f"The value '{token.text[:80]}' does not exist for the field 'statusCategory'."
            )
        return token.text

    def _sorting(self) -> tuple[str, bool]:
        name = self._take().text
        if name.lower() not in SORTABLE:
            raise JqlError(f"Not able to sort using field '{name[:80]}'.")
        descending = self._is("desc")
        if descending or self._is("asc"):
            self._take()
        return name.lower(), descending


def terms(where: Term | Group) -> Iterator[Term]:
    """The terms of a query, from left to right."""
    if isinstance(where, Term):
        yield where
    else:
        for part in where.parts:
            yield from terms(part)

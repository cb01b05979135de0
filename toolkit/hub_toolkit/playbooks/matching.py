"""Whether a ``match`` can ever match: its fields exist, to any depth, and can have its values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hub_responder.identifiers import asff_type
from hub_responder.patterns.pattern import InvalidPattern, Pattern
from hub_toolkit.playbooks import asff, ocsf
from hub_toolkit.playbooks.document import Mapping, Node, Scalar, Sequence, plain
from hub_toolkit.playbooks.kinds import (
    ANYTHING,
    BOOLEAN,
    NUMBER,
    TEXT,
    Choice,
    Kind,
    ListOf,
    MapOf,
    Record,
    is_text,
    of_value,
)
from hub_toolkit.playbooks.problems import Place, Problem, nearest

if TYPE_CHECKING:
    from collections.abc import Callable

_ACCOUNT = re.compile(r"\d{12}")
_ACCOUNT_FIELDS = ("AwsAccountId", "cloud.account.uid")
_TYPE_FIELD = "Resources.Type"
_OF_TEXT = ("prefix", "suffix", "equals-ignore-case", "wildcard", "cidr")
_MANY = 12
"""Fields of one object that a message lists."""


def check(match: Mapping, schema: str, problems: list[Problem]) -> None:
    """Add what makes ``match``, over one finding of ``schema`` (ASFF or OCSF), match never."""
    finding = asff.finding() if schema == "ASFF" else ocsf.finding()
    _Check(schema, problems).object(match, finding, "")


class _Check:
    def __init__(self, schema: str, problems: list[Problem]) -> None:
        self._schema = schema
        self._problems = problems

    def _report(self, place: Place, text: str, *, warning: bool = False) -> None:
        self._problems.append(Problem(place, text, warning))

    def object(self, node: Mapping, kind: Kind, path: str) -> None:
        """The fields of an object of ``kind`` at ``path``."""
        for key, value in node.entries.items():
            if key == "$or":
                for item in value.items if isinstance(value, Sequence) else ():
                    if isinstance(item, Mapping):
                        self.object(item, kind, path)
                continue
            inner = self._field(kind, key, path, node.keys[key])
            here = f"{path}.{key}" if path else key
            # EventBridge looks through lists: a match on one names the fields of its items.
            while isinstance(inner, ListOf):
                inner = inner.item
            if inner == ANYTHING:
                self._unknown_kind(value, here)
            elif isinstance(value, Mapping):
                self._nested(value, inner, here)
            elif isinstance(value, Sequence):
                self._values(value, inner, here)

    def _field(self, kind: Kind, key: str, path: str, place: Place) -> Kind:
        if isinstance(kind, MapOf):
            return kind.value
        if not isinstance(kind, Record):
            return ANYTHING
        if key in kind.fields:
            return kind.fields[key]
        here = f"{path}.{key}" if path else key
        text = f"`{here[:200]}` is no field of an {self._schema} finding"
        head, dot, rest = key.partition(".")
        near = nearest(key, kind.fields)
        if dot and head in kind.fields:
            text += f"; write {head}: {{{rest}: ...}}"
        elif near:
            text += f"; did you mean `{near}`?"
        if path and len(kind.fields) <= _MANY:
            text += f"{'' if near else '.'} `{path}` has: {', '.join(sorted(kind.fields))}"
        self._report(place, text)
        return ANYTHING

    def _nested(self, value: Mapping, kind: Kind, path: str) -> None:
        if isinstance(kind, Record | MapOf):
            self.object(value, kind, path)
        else:
            self._report(value.place, f"`{path}` is {kind}, which has no fields")

    def _unknown_kind(self, value: Node, path: str) -> None:
        """Of OCSF, what is below the top is not known, but for accounts."""
        if isinstance(value, Mapping):
            for key, inner in value.entries.items():
                self._unknown_kind(inner, f"{path}.{key}")
        elif isinstance(value, Sequence) and path in _ACCOUNT_FIELDS:
            for item in value.items:
                self._account(item, path)

    def _values(self, value: Sequence, kind: Kind, path: str) -> None:
        if isinstance(kind, Record | MapOf):
            fields = sorted(kind.fields) if isinstance(kind, Record) else []
            named = f": match one of them: {', '.join(fields)}" if 0 < len(fields) <= _MANY else ""
            self._report(value.place, f"`{path}` has fields, and no value of its own{named}")
            return
        for item in value.items:
            if isinstance(item, Scalar):
                self._literal(item, kind, path)
            elif isinstance(item, Mapping) and len(item.entries) == 1:
                self._operator(item, kind, path)

    def _literal(self, item: Scalar, kind: Kind, path: str) -> None:
        given = of_value(item.value)
        if item.value is None:
            text = f"`{path}`: a finding has no null; {{exists: false}} matches where it is absent"
            self._report(item.place, text, warning=True)
        elif is_text(kind) and given in (NUMBER, BOOLEAN):
            hint = f"it can be: {', '.join(kind.values)}" if isinstance(kind, Choice) else ""
            self._report(item.place, f"`{path}` is text: {hint or 'write it in quotes'}")
        elif kind in (NUMBER, BOOLEAN) and given != kind:
            quotes = ": write it without quotes" if given == TEXT else ""
            self._report(item.place, f"`{path}` is {kind}, not {given}{quotes}")
        elif isinstance(kind, Choice) and item.value not in kind.values:
            self._impossible(item, kind, path)
        elif path in _ACCOUNT_FIELDS:
            self._account(item, path)
        elif path == _TYPE_FIELD:
            self._type(item)

    def _impossible(self, item: Scalar, kind: Choice, path: str) -> None:
        word = str(item.value)
        same = [value for value in kind.values if value.casefold() == word.casefold()]
        near = same[0] if same else nearest(word, kind.values)
        hint = f"; did you mean `{near}`?" if near else "."
        has = ", ".join(kind.values)
        self._report(item.place, f"`{path}` is never `{word[:80]}`{hint} It can be: {has}")

    def _account(self, item: Node, path: str) -> None:
        value = plain(item)
        if isinstance(value, str) and not _ACCOUNT.fullmatch(value):
            self._report(item.place, f"`{path}` has 12 digits, which `{value[:80]}` has not")
        elif of_value(value) == NUMBER:
            self._report(item.place, f"`{path}` is text: write it in quotes")

    def _type(self, item: Scalar) -> None:
        word, types = str(item.value), asff.resource_types()
        if word in types:
            return
        same = [name for name in types if name.casefold() == asff_type(word).casefold()]
        if same:
            self._report(item.place, f"`{_TYPE_FIELD}` is spelled `{same[0]}` in ASFF")
        elif nearest(word, types):
            text = f"`{word[:80]}` is no type that Security Hub describes"
            near = f"; did you mean `{nearest(word, types)}`?"
            self._report(item.place, text + near, warning=True)

    def _operator(self, item: Mapping, kind: Kind, path: str) -> None:
        ((name, operand),) = item.entries.items()
        place = item.keys[name]
        if name == "numeric" and is_text(kind):
            self._report(place, f"`numeric` compares numbers, and `{path}` is text")
        elif name in _OF_TEXT and kind in (NUMBER, BOOLEAN):
            self._report(place, f"`{name}` compares text, and `{path}` is {kind}")
        elif isinstance(kind, Choice) and name != "exists":
            test = _matcher(plain(item))
            if test is not None and not any(map(test, kind.values)):
                text = f"`{path}` is never like this. It can be: {', '.join(kind.values)}"
                self._report(operand.place, text)


def _matcher(leaf: Any) -> Callable[[str], bool] | None:
    """Whether the event plane matches a value with ``leaf``; None where it refuses the leaf."""
    try:
        pattern = Pattern.compile({"value": [leaf]})
    except InvalidPattern:
        return None
    return lambda value: pattern.matches_event({"value": value})

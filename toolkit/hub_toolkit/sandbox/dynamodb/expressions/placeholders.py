"""A request's ``ExpressionAttributeNames`` and ``ExpressionAttributeValues``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

from hub_toolkit.sandbox.dynamodb.errors import invalid, unserialisable
from hub_toolkit.sandbox.dynamodb.expressions.parser import SyntaxFault
from hub_toolkit.sandbox.dynamodb.values import AttributeValue, normalise

_Tree = TypeVar("_Tree")
_NAMES, _VALUES = "ExpressionAttributeNames", "ExpressionAttributeValues"
_ALIAS, _VALUE = re.compile(r"#[A-Za-z0-9_]+"), re.compile(r":[A-Za-z0-9_]+")


class Placeholders:
    """The placeholders of one request; knows which its expressions used.

    Args:
        request: the members of the operation's (or of one action's) structure.
        expressions: the expression parameters that this operation has.
    """

    def __init__(self, request: Mapping[str, Any], *expressions: str) -> None:
        self._request = request
        used = any(request.get(name) is not None for name in expressions)
        names = _given(request, _NAMES, _ALIAS, used=used)
        self._names = {alias: _attribute_name(name) for alias, name in names.items()}
        values = _given(request, _VALUES, _VALUE, used=used)
        self._values = {name: normalise(value) for name, value in values.items()}
        self._used: set[str] = set()

    def parse(
        self, parameter: str, parser: Callable[[str], _Tree]
    ) -> tuple[_Tree, Scope] | None:
        """The tree of a parameter's expression and the scope to read it in; None if not given."""
        text = self._request.get(parameter)
        if text is None:
            return None
        if not isinstance(text, str):
            unserialisable(f"{type(text).__name__} can not be converted to an String")
        scope = Scope(self, parameter)
        try:
            return parser(text), scope
        except SyntaxFault as fault:
            scope.refuse(str(fault))

    def name(self, alias: str) -> str | None:
        """What an alias stands for."""
        self._used.add(alias)
        return self._names.get(alias)

    def value(self, name: str) -> AttributeValue | None:
        """The value of a ``:name``."""
        self._used.add(name)
        return self._values.get(name)

    def refuse_unused(self) -> None:
        """Every placeholder must occur in an expression; call this after all were compiled."""
        for parameter, given in ((_NAMES, self._names), (_VALUES, self._values)):
            unused = sorted(given.keys() - self._used)
            if unused:
                invalid(
                    f"Value provided in {parameter} unused in expressions: keys: "
                    f"{{{', '.join(unused)}}}"
                )


class Scope:
    """One expression's view of the placeholders: errors name the parameter it came in."""

    def __init__(self, placeholders: Placeholders, parameter: str) -> None:
        self._placeholders = placeholders
        self._parameter = parameter

    def refuse(self, reason: str) -> NoReturn:
        """Refuse the expression."""
        invalid(f"Invalid {self._parameter}: {reason}")

    def name(self, written: str) -> str:
        """The attribute's name behind a path's part."""
        if not written.startswith("#"):
            return written
        name = self._placeholders.name(written)
        if name is None:
            self.refuse(
                "An expression attribute name used in the document path is not defined; "
                f"attribute name: {written}"
            )
        return name

    def value(self, written: str) -> AttributeValue:
        """The value behind a ``:name``."""
        value = self._placeholders.value(written)
        if value is None:
            self.refuse(
                "An expression attribute value used in expression is not defined; "
                f"attribute value: {written}"
            )
        return value


def _given(
    request: Mapping[str, Any], parameter: str, pattern: re.Pattern[str], *, used: bool
) -> dict[str, Any]:
    given = request.get(parameter)
    if given is None:
        return {}
    if not isinstance(given, dict):
        unserialisable("Expected map or null")
    if not used:
        invalid(f"{parameter} can only be specified when using expressions")
    if not given:
        invalid(f"{parameter} must not be empty")
    for key in given:
        if not pattern.fullmatch(key):
            invalid(f'{parameter} contains invalid key: Syntax error; key: "{key}"')
    return given


def _attribute_name(name: object) -> str:
    if not isinstance(name, str):
        unserialisable(f"{type(name).__name__} can not be converted to an String")
    return name

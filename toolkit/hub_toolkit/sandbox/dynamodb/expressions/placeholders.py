"""A request's ``ExpressionAttributeNames`` and ``ExpressionAttributeValues``.

Callers send the same expressions with the same names again and again, only values differ. So an
expression is compiled once for each text and set of names; what depends on values becomes a
check, which is run for each request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeAlias, TypeVar

from hub_toolkit.sandbox.dynamodb.errors import DynamoDBError, invalid, unserialisable
from hub_toolkit.sandbox.dynamodb.expressions.parser import SyntaxFault
from hub_toolkit.sandbox.dynamodb.values import AttributeValue, normalise

Values: TypeAlias = Mapping[str, AttributeValue]
"""A request's ``:values``, normalised."""
Check: TypeAlias = Callable[[Values], None]

_Tree = TypeVar("_Tree")
_Compiled = TypeVar("_Compiled")
_NAMES, _VALUES = "ExpressionAttributeNames", "ExpressionAttributeValues"
_ALIAS, _VALUE = re.compile(r"#[A-Za-z0-9_]+"), re.compile(r":[A-Za-z0-9_]+")


class Scope:
    """What compiling one expression sees of the placeholders: the names, but not the values.

    Args:
        parameter: what the expression came in, for errors.
        names: what the ``#aliases`` stand for.
    """

    def __init__(self, parameter: str, names: Mapping[str, str]) -> None:
        self._parameter = parameter
        self._names = names
        self.aliases: set[str] = set()
        self.values: dict[str, None] = {}
        self.checks: list[Check] = []

    def fault(self, reason: str) -> DynamoDBError:
        """The refusal of the expression."""
        return invalid(f"Invalid {self._parameter}: {reason}")

    def name(self, written: str) -> str:
        """The attribute's name behind a path's part."""
        if not written.startswith("#"):
            return written
        self.aliases.add(written)
        if written not in self._names:
            raise self.fault(
                "An expression attribute name used in the document path is not defined; "
                f"attribute name: {written}"
            )
        return self._names[written]

    def value(self, written: str) -> str:
        """Note that a ``:value`` is used."""
        self.values[written] = None
        return written

    def check(self, check: Check) -> None:
        """Have every request's values checked."""
        self.checks.append(check)


@dataclass(frozen=True, slots=True)
class _Prepared(Generic[_Compiled]):
    """A compiled expression and what it wants of a request."""

    compiled: _Compiled
    scope: Scope


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
        self._names = tuple((alias, _attribute_name(name)) for alias, name in names.items())
        values = _given(request, _VALUES, _VALUE, used=used)
        self.values: Values = {name: normalise(value) for name, value in values.items()}
        self._unused_names = set(names)
        self._unused_values = set(values)

    def compile(
        self,
        parameter: str,
        parse: Callable[[str], _Tree],
        compiler: Callable[[_Tree, Scope], _Compiled],
    ) -> _Compiled | None:
        """The parameter's expression, parsed, compiled and checked; None if it is not given."""
        text = self._request.get(parameter)
        if text is None:
            return None
        if not isinstance(text, str):
            raise unserialisable(f"{type(text).__name__} can not be converted to an String")
        prepared = _prepare(parameter, text, self._names, parse, compiler)
        scope = prepared.scope
        self._unused_names -= scope.aliases
        self._unused_values.difference_update(scope.values)
        for name in scope.values:
            if name not in self.values:
                raise scope.fault(
                    "An expression attribute value used in expression is not defined; "
                    f"attribute value: {name}"
                )
        for check in scope.checks:
            check(self.values)
        compiled: _Compiled = prepared.compiled
        return compiled

    def refuse_unused(self) -> None:
        """Every placeholder must occur in an expression; call this after all were compiled."""
        for parameter, unused in ((_NAMES, self._unused_names), (_VALUES, self._unused_values)):
            if unused:
                raise invalid(
                    f"Value provided in {parameter} unused in expressions: keys: "
                    f"{{{', '.join(sorted(unused))}}}"
                )


@lru_cache(maxsize=4096)
def _prepare(
    parameter: str,
    text: str,
    names: tuple[tuple[str, str], ...],
    parse: Callable[[str], _Tree],
    compiler: Callable[[_Tree, Scope], _Compiled],
) -> _Prepared[_Compiled]:
    scope = Scope(parameter, dict(names))
    try:
        tree = parse(text)
    except SyntaxFault as fault:
        raise scope.fault(str(fault)) from None
    return _Prepared(compiler(tree, scope), scope)


def _given(
    request: Mapping[str, Any], parameter: str, pattern: re.Pattern[str], *, used: bool
) -> dict[str, Any]:
    given = request.get(parameter)
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise unserialisable("Expected map or null")
    if not used:
        raise invalid(f"{parameter} can only be specified when using expressions")
    if not given:
        raise invalid(f"{parameter} must not be empty")
    for key in given:
        if not pattern.fullmatch(key):
            raise invalid(f'{parameter} contains invalid key: Syntax error; key: "{key}"')
    return given


def _attribute_name(name: object) -> str:
    if not isinstance(name, str):
        raise unserialisable(f"{type(name).__name__} can not be converted to an String")
    return name

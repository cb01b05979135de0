"""What a value in an expression can be, as far as it is known before a finding arrives.

Kinds come from the annotations of the types that expressions see at run time, so that they cannot
say anything else than the code does. What is not known is `ANYTHING`, and passes every check.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from hub_responder import finding, incident, playbook
from hub_responder.severity import Severity


@dataclasses.dataclass(frozen=True, slots=True)
class Simple:
    """Text, a number, true or false, nothing; or anything at all."""

    name: str

    def __str__(self) -> str:
        return self.name


ANYTHING = Simple("anything")
TEXT = Simple("text")
NUMBER = Simple("a number")
BOOLEAN = Simple("true or false")
NOTHING = Simple("none")


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """Text that is one of ``values``; where ``ordered``, a severity, which compares by order."""

    values: tuple[str, ...]
    ordered: bool = False

    def __str__(self) -> str:
        return "a severity" if self.ordered else "text"


@dataclasses.dataclass(frozen=True, slots=True)
class ListOf:
    """A list of ``item``."""

    item: Kind

    def __str__(self) -> str:
        return "a list"


@dataclasses.dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping with any keys to ``value``."""

    value: Kind

    def __str__(self) -> str:
        return "a mapping"


class Record:
    """Something with known attributes.

    Args:
        name: what it is, for people: ``finding``.
        fields: makes the attributes' kinds, when they are first asked for.
        mapping: it is a mapping at run time, which has ``get`` and ``items`` as well.
    """

    def __init__(
        self, name: str, fields: Callable[[], Mapping[str, Kind]], *, mapping: bool = False
    ) -> None:
        self.name = name
        self.mapping = mapping
        self._make = fields

    @cached_property
    def fields(self) -> Mapping[str, Kind]:
        """Attribute -> kind."""
        return self._make()

    def __str__(self) -> str:
        return f"an {self.name}" if self.name[:1] in "aeiou" else f"a {self.name}"


@dataclasses.dataclass(frozen=True, slots=True)
class Function:
    """Something to call: the kinds of its parameters by name, how many it needs, what it gives.

    ``held`` is what it gives, or else its second argument, where one is given.
    """

    name: str
    parameters: Mapping[str, Kind]
    required: int
    result: Kind
    held: Kind | None = None

    def gives(self, given: Sequence[Kind]) -> Kind:
        """What a call with these arguments gives."""
        if self.held is None or len(given) < 2:  # noqa: PLR2004 - the second argument
            return self.result
        return join([self.held, given[1]])

    def __str__(self) -> str:
        return "a function"


@dataclasses.dataclass(frozen=True, slots=True)
class Either:
    """One of several kinds."""

    kinds: tuple[Kind, ...]

    def __str__(self) -> str:
        return " or ".join(dict.fromkeys(map(str, self.kinds)))


Kind = Simple | Choice | ListOf | MapOf | Record | Function | Either

SEVERITY = Choice(tuple(label.value for label in Severity), ordered=True)
_SIMPLE: Mapping[Any, Kind] = {
    str: TEXT,
    int: NUMBER,
    float: NUMBER,
    bool: BOOLEAN,
    type(None): NOTHING,
    Severity: SEVERITY,
}


def each(kind: Kind) -> tuple[Kind, ...]:
    """The kinds that ``kind`` can be."""
    return kind.kinds if isinstance(kind, Either) else (kind,)


def join(kinds: Collection[Kind]) -> Kind:
    """What is one of ``kinds``: texts with known values become one choice."""
    flat = [one for kind in kinds for one in each(kind)]
    if not flat or ANYTHING in flat:
        return ANYTHING
    values = [v for one in flat if isinstance(one, Choice) and not one.ordered for v in one.values]
    found: list[Kind] = []
    for one in flat:
        kept: Kind = one
        if isinstance(one, Choice) and not one.ordered:
            kept = TEXT if TEXT in flat else Choice(tuple(dict.fromkeys(values)))
        if kept not in found:
            found.append(kept)
    return found[0] if len(found) == 1 else Either(tuple(found))


def without_nothing(kind: Kind) -> Kind:
    """``kind`` where it is known not to be none."""
    left = [one for one in each(kind) if one != NOTHING]
    return join(left) if left else kind


def is_text(kind: Kind) -> bool:
    """Whether ``kind`` is text and nothing else; a severity is none."""
    return kind == TEXT or (isinstance(kind, Choice) and not kind.ordered)


def of_values(values: Mapping[str, Any]) -> dict[str, Kind]:
    """The kinds of plain values by name."""
    return {name: of_value(value) for name, value in values.items()}


def of_value(value: Any) -> Kind:
    """The kind of a plain value; text may be any text."""
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, int | float):
        return NUMBER
    if isinstance(value, list | tuple):
        return ListOf(join([of_value(item) for item in value]))
    if isinstance(value, Mapping):
        return MapOf(join([of_value(item) for item in value.values()]))
    return TEXT if isinstance(value, str) else ANYTHING


def of_annotation(hint: Any, known: Mapping[type, Kind] | None = None) -> Kind:
    """The kind of what ``hint`` annotates; ``known`` takes the place of classes."""
    if get_origin(hint) is not None:
        return _of_generic(hint, known)
    if not isinstance(hint, type):
        return ANYTHING
    if known and hint in known:
        return known[hint]
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    return of_class(hint, known) if dataclasses.is_dataclass(hint) or _is_struct(hint) else ANYTHING


def _of_generic(hint: Any, known: Mapping[type, Kind] | None) -> Kind:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return Choice(tuple(map(str, arguments)))
    inner = [of_annotation(one, known) for one in arguments if one is not Ellipsis]
    if origin in (Union, types.UnionType):
        return join(inner)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return MapOf(inner[-1])
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return ListOf(join(inner))
    return of_annotation(arguments[0], known) if origin is Annotated else ANYTHING


def of_class(cls: type, known: Mapping[type, Kind] | None = None) -> Record:
    """What can be read of an instance of ``cls``: its fields and properties."""
    return Record(cls.__name__.lower(), lambda: _fields(cls, known))


def _fields(cls: type, known: Mapping[type, Kind] | None) -> dict[str, Kind]:
    names = _names()
    hints = dict(get_type_hints(cls, localns=names))
    if _is_struct(cls):
        hints = {field.encode_name: hints[field.name] for field in msgspec.structs.fields(cls)}
    for name, value in vars(cls).items():
        if isinstance(value, property) and not name.startswith("_"):
            hints[name] = get_type_hints(value.fget, localns=names).get("return", Any)
    return {
        name: of_annotation(hint, known) for name, hint in hints.items() if not name.startswith("_")
    }


def _is_struct(hint: type) -> bool:
    return issubclass(hint, msgspec.Struct)


@lru_cache(maxsize=1)
def _names() -> dict[str, Any]:
    """Names that modules import for the type checker only."""
    return {
        "Any": Any,
        "Mapping": Mapping,
        "Finding": finding.Finding,
        "Resource": finding.Resource,
        "Severity": Severity,
        "Incident": incident.Incident,
        "Playbook": playbook.Playbook,
    }

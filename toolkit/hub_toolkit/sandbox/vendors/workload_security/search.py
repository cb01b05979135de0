"""The search filter: its JSON in, the items that it finds out.

Documented: the members of the filter and of a criterion with their defaults; that several criteria
must all hold, that no criterion finds everything, that field names are case-sensitive, that ``%``
(any characters) and ``_`` (one character) are wildcards unless ``stringWildcards`` is false, that
an ID test needs no field name, and that ``maxItems`` is 5000 where left out.

Guesses: texts are compared with their case; a criterion has one kind of test, which must suit its
field; a missing value passes no test but ``nullTest``, as in SQL; ``maxItems`` is 1 to 5000; items
come in order of their ID where an ID is tested or ``sortByObjectID`` is set, else as they were put
in. A list (``CVE``) is searched as one text, ``CVE-1, CVE-2``: the vendor's samples put ``%``
around the CVE, so ``%CVE-2026-111%`` also finds CVE-2026-1114.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Protocol, TypeVar

import msgspec

from hub_toolkit.sandbox.vendors.workload_security.fields import Fields, Kind

MAX_ITEMS = 5000

Equality = Literal["equal", "not-equal"]
Comparison = Literal[
    "less-than", "less-than-or-equal", "equal", "greater-than-or-equal", "greater-than", "not-equal"
]
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "less-than": operator.lt,
    "less-than-or-equal": operator.le,
    "equal": operator.eq,
    "greater-than-or-equal": operator.ge,
    "greater-than": operator.gt,
    "not-equal": operator.ne,
}


class SearchError(Exception):
    """The filter is not one that the API takes: 400."""


class Searchable(Protocol):
    """An item that can be searched."""

    @property
    def id(self) -> int:
        """Its ID."""

    def value(self, field: str, now: float) -> Any:
        """What a field holds, or None."""


Item = TypeVar("Item", bound=Searchable)


class Criterion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One test of one field; the names are the API's."""

    field_name: str | None = None
    boolean_test: bool | None = None
    choice_test: Equality | None = None
    choice_value: str | None = None
    first_date_value: int | None = None
    first_date_inclusive: bool = True
    last_date_value: int | None = None
    last_date_inclusive: bool = True
    id_test: Comparison | None = None
    id_value: int | None = None
    null_test: bool | None = None
    numeric_test: Comparison | None = None
    numeric_value: float | None = None
    string_test: Equality | None = None
    string_value: str | None = None
    string_wildcards: bool = True
    version_test: Comparison | None = None
    version_value: str | None = None

    def kind(self) -> Kind | None:
        """How it tests; None for a null test.

        Raises:
            SearchError: it has no test, or several, or its test has no value.
        """
        if self.version_test is not None or self.version_value is not None:
            raise SearchError("no field here is searched by version")
        asked = {
            None: self.null_test is not None,
            Kind.BOOLEAN: self.boolean_test is not None,
            Kind.CHOICE: _needs(self.choice_test, self.choice_value, "choice"),
            Kind.DATE: self.first_date_value is not None or self.last_date_value is not None,
            Kind.ID: _needs(self.id_test, self.id_value, "id"),
            Kind.NUMERIC: _needs(self.numeric_test, self.numeric_value, "numeric"),
            Kind.STRING: _needs(self.string_test, self.string_value, "string"),
        }
        kinds = [kind for kind, there in asked.items() if there]
        if len(kinds) != 1:
            raise SearchError(f"a criterion has {len(kinds)} tests, not one")
        return kinds[0]


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What a search asks for."""

    max_items: int = MAX_ITEMS
    search_criteria: list[Criterion] = []
    sort_by_object_id: bool = msgspec.field(default=False, name="sortByObjectID")

    def __post_init__(self) -> None:
        """Refuses a size that the API does not have.

        Raises:
            ValueError: so that decoding says so.
        """
        if not 1 <= self.max_items <= MAX_ITEMS:
            raise ValueError(f"maxItems is {self.max_items}, not 1 to {MAX_ITEMS}")


def read(body: bytes) -> Filter:
    """The filter that a request's body holds; an empty body finds everything.

    Raises:
        SearchError: it is no filter.
    """
    if not body:
        return Filter()
    try:
        return msgspec.json.decode(body, type=Filter)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise SearchError(f"the search filter cannot be read: {error}") from None


def search(wanted: Filter, fields: Fields, items: Iterable[Item], now: float) -> list[Item]:
    """The items that satisfy all criteria, at most ``maxItems``.

    Args:
        fields: what may be named.

    Raises:
        SearchError: a criterion names something else, or tests it in another way.
    """
    tests = [_test(criterion, fields) for criterion in wanted.search_criteria]
    found = [item for item in items if all(test(item, now) for test in tests)]
    by_id = any(criterion.id_value is not None for criterion in wanted.search_criteria)
    if wanted.sort_by_object_id or by_id:
        found.sort(key=lambda item: item.id)
    return found[: wanted.max_items]


def _needs(test: object, value: object, name: str) -> bool:
    if test is not None and value is None:
        raise SearchError(f"{name}Test needs {name}Value")
    return value is not None


def _test(criterion: Criterion, fields: Fields) -> Callable[[Searchable, float], bool]:
    kind = criterion.kind()
    name = criterion.field_name or ("ID" if kind is Kind.ID else "")
    if not name:
        raise SearchError("fieldName is needed for all tests but idTest")
    kinds = fields.get(name)
    if kinds is None:
        raise SearchError(f"there is no searchable field {name[:100]!r}")
    if kind is None:
        return lambda item, now: (item.value(name, now) is None) == criterion.null_test
    if kind not in kinds:
        raise SearchError(f"{name} cannot be tested as {kind}")
    holds = _HOLDS[kind](criterion)

    def test(item: Searchable, now: float) -> bool:
        value = item.value(name, now)
        return value is not None and holds(value)

    return test


def _string(criterion: Criterion) -> Callable[[Any], bool]:
    text = criterion.string_value or ""
    wild: dict[str, str] = {}
    if criterion.string_wildcards:
        text, wild = re.sub("%+", "%", text), {"%": ".*", "_": "."}
    pattern = re.compile("".join(wild.get(sign, re.escape(sign)) for sign in text), re.DOTALL)
    equal = criterion.string_test != "not-equal"
    return lambda value: (pattern.fullmatch(_as_text(value)) is not None) == equal


def _as_text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _number(test: str | None, wanted: Any) -> Callable[[Any], bool]:
    compare = _COMPARE[test or "equal"]

    def holds(value: Any) -> bool:
        try:
            return compare(float(value), wanted)
        except (TypeError, ValueError):
            return False

    return holds


def _date(criterion: Criterion) -> Callable[[Any], bool]:
    first, last = criterion.first_date_value, criterion.last_date_value
    after = operator.ge if criterion.first_date_inclusive else operator.gt
    before = operator.le if criterion.last_date_inclusive else operator.lt
    return lambda value: (
        (first is None or after(value, first)) and (last is None or before(value, last))
    )


def _choice(criterion: Criterion) -> Callable[[Any], bool]:
    equal = criterion.choice_test != "not-equal"
    return lambda value: (value == criterion.choice_value) == equal


_HOLDS: Mapping[Kind, Callable[[Criterion], Callable[[Any], bool]]] = {
    Kind.BOOLEAN: lambda criterion: lambda value: value is criterion.boolean_test,
    Kind.CHOICE: _choice,
    Kind.DATE: _date,
    Kind.ID: lambda criterion: _number(criterion.id_test, criterion.id_value),
    Kind.NUMERIC: lambda criterion: _number(criterion.numeric_test, criterion.numeric_value),
    Kind.STRING: _string,
}

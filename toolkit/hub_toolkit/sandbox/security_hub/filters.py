"""Filters of GetFindings and insights: which findings they mean.

Rules of the API reference (StringFilter, MapFilter, AwsSecurityFindingFilters): attributes are
joined by AND; of one attribute, the values that are wanted are joined by OR and those not wanted by
AND. A finding without the attribute matches filters that name what is not wanted: AWS does not say
so, its search index works like that. An attribute with many values (types, resources) matches if
any is wanted and none is not.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.security_hub.attributes import ATTRIBUTES, Kind, values_at

MAX_ATTRIBUTES = 10
MAX_VALUES = 20
DAY_S = 86_400

Test = Callable[[dict[str, Any]], bool]
Maker = Callable[[str, tuple[str, ...], list[dict[str, Any]], float], Test]

_WANTED: dict[str, Callable[[str, str], bool]] = {
    "EQUALS": str.__eq__,
    "PREFIX": str.startswith,
    "CONTAINS": str.__contains__,
}
_UNWANTED = {"NOT_EQUALS": "EQUALS", "PREFIX_NOT_EQUALS": "PREFIX", "NOT_CONTAINS": "CONTAINS"}
_APART = (
    ("CONTAINS", {"EQUALS", "PREFIX", "NOT_EQUALS", "PREFIX_NOT_EQUALS", "NOT_CONTAINS"}),
    ("NOT_CONTAINS", {"EQUALS", "PREFIX", "NOT_EQUALS", "PREFIX_NOT_EQUALS"}),
    ("EQUALS", {"NOT_EQUALS", "PREFIX_NOT_EQUALS"}),
)


def compile_filters(filters: Any, now: float) -> Test:
    """A test of findings.

    Args:
        filters: an ``AwsSecurityFindingFilters`` object; none and empty mean every finding.
        now: epoch seconds that a date range counts back from.

    Raises:
        AwsError: InvalidInputException, where AWS refuses the filters.
    """
    if filters is None:
        filters = {}
    if not isinstance(filters, dict):
        raise _invalid("Filters", "must be an object")
    if len(filters) > MAX_ATTRIBUTES:
        raise _invalid("Filters", f"at most {MAX_ATTRIBUTES} attributes can be filtered")
    tests = [_attribute(name, values, now) for name, values in filters.items()]
    return lambda finding: all(test(finding) for test in tests)


def parse_time(value: Any) -> float | None:
    """Epoch seconds of an ISO 8601 time, or None; a time without an offset is UTC."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _invalid(field: str, reason: str) -> AwsError:
    return AwsError("InvalidInputException", f"Invalid parameter {field}: {reason}", 400)


def _attribute(name: str, values: Any, now: float) -> Test:
    if name not in ATTRIBUTES:
        raise _invalid(f"Filters.{name}", "there is no such attribute")
    field = f"Filters.{name}"
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise _invalid(field, "must be a list of filters")
    if not 1 <= len(values) <= MAX_VALUES:
        raise _invalid(field, f"1 to {MAX_VALUES} values can be given")
    kind, path = ATTRIBUTES[name]
    return _MAKERS[kind](field, path, values, now)


def _comparison(field: str, value: dict[str, Any]) -> str:
    comparison = value.get("Comparison")
    known = [*_WANTED, *_UNWANTED]
    if not isinstance(comparison, str) or comparison not in known:
        raise _invalid(f"{field}.Comparison", f"must be one of {', '.join(known)}")
    return comparison


def _check_together(field: str, comparisons: set[str]) -> None:
    for one, others in _APART:
        if one in comparisons and comparisons & others:
            other = min(comparisons & others)
            raise _invalid(field, f"{one} and {other} cannot be used together")


def _text(field: str, value: dict[str, Any], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str):
        raise _invalid(f"{field}.{name}", "must be text")
    return text


def _string(field: str, path: tuple[str, ...], values: list[dict[str, Any]], _now: float) -> Test:
    _check_together(field, {_comparison(field, value) for value in values})
    accepts = _texts(field, values)
    return lambda finding: accepts([_written(value) for value in values_at(finding, path)])


def _texts(field: str, values: list[dict[str, Any]]) -> Callable[[list[str]], bool]:
    """Whether texts have one that is wanted, if any is, and none that is not."""
    wanted: list[tuple[Callable[[str, str], bool], str]] = []
    unwanted: list[tuple[Callable[[str, str], bool], str]] = []
    for value in values:
        comparison, text = _comparison(field, value), _text(field, value, "Value")
        if comparison in _UNWANTED:
            unwanted.append((_WANTED[_UNWANTED[comparison]], text))
        else:
            wanted.append((_WANTED[comparison], text))

    def accepts(found: list[str]) -> bool:
        if wanted and not any(compare(item, text) for item in found for compare, text in wanted):
            return False
        return not any(compare(item, text) for item in found for compare, text in unwanted)

    return accepts


def _written(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _map(field: str, path: tuple[str, ...], values: list[dict[str, Any]], _now: float) -> Test:
    comparisons = {_comparison(field, value) for value in values}
    if any(comparison.startswith("PREFIX") for comparison in comparisons):
        raise _invalid(f"{field}.Comparison", "a map has no PREFIX comparison")
    _check_together(field, comparisons)
    tests = [(_text(field, value, "Key"), _texts(field, [value])) for value in values]
    # Wanted and unwanted values cannot stand together, so one word joins them all.
    join = all if comparisons <= _UNWANTED.keys() else any

    def accepts(finding: dict[str, Any]) -> bool:
        maps = [found for found in values_at(finding, path) if isinstance(found, dict)]
        return join(
            test([_written(found[key]) for found in maps if key in found]) for key, test in tests
        )

    return accepts


def _number(field: str, path: tuple[str, ...], values: list[dict[str, Any]], _now: float) -> Test:
    ranges = [_number_range(field, value) for value in values]

    def accepts(finding: dict[str, Any]) -> bool:
        found = [
            float(value)
            for value in values_at(finding, path)
            if isinstance(value, int | float) and not isinstance(value, bool)
        ]
        return any(within(number) for number in found for within in ranges)

    return accepts


def _number_range(field: str, value: dict[str, Any]) -> Callable[[float], bool]:
    limits: dict[str, float] = {}
    for name in ("Gte", "Lte", "Eq", "Gt", "Lt"):
        if name in value:
            limit = value[name]
            if isinstance(limit, bool) or not isinstance(limit, int | float):
                raise _invalid(f"{field}.{name}", "must be a number")
            limits[name] = float(limit)
    if not limits:
        raise _invalid(field, "needs Gte, Lte, Eq, Gt or Lt")
    infinity = math.inf

    def within(number: float) -> bool:
        return (
            limits.get("Gte", -infinity) <= number <= limits.get("Lte", infinity)
            and limits.get("Gt", -infinity) < number < limits.get("Lt", infinity)
            and limits.get("Eq", number) == number
        )

    return within


def _date(field: str, path: tuple[str, ...], values: list[dict[str, Any]], now: float) -> Test:
    ranges = [_date_range(field, value, now) for value in values]

    def accepts(finding: dict[str, Any]) -> bool:
        times = [parse_time(value) for value in values_at(finding, path)]
        return any(first <= at <= last for at in times if at is not None for first, last in ranges)

    return accepts


def _date_range(field: str, value: dict[str, Any], now: float) -> tuple[float, float]:
    days = value.get("DateRange")
    if days is not None:
        if "Start" in value or "End" in value:
            raise _invalid(field, "DateRange cannot be used with Start or End")
        return _days(field, days, now)
    ends = [_end(field, value, "Start", -math.inf), _end(field, value, "End", math.inf)]
    if "Start" not in value and "End" not in value:
        raise _invalid(field, "needs Start, End or DateRange")
    return ends[0], ends[1]


def _end(field: str, value: dict[str, Any], name: str, default: float) -> float:
    if name not in value:
        return default
    at = parse_time(value[name])
    if at is None:
        raise _invalid(f"{field}.{name}", "must be an ISO 8601 time")
    return at


def _days(field: str, days: Any, now: float) -> tuple[float, float]:
    if (
        not isinstance(days, dict)
        or type(days.get("Value")) is not int
        or days["Value"] < 0
        or days.get("Unit") != "DAYS"
        or days.get("Comparison", "WITHIN") not in ("WITHIN", "OLDER_THAN")
    ):
        raise _invalid(f"{field}.DateRange", "needs Value (a number of days) and Unit DAYS")
    edge = now - days["Value"] * DAY_S
    return (-math.inf, edge) if days.get("Comparison") == "OLDER_THAN" else (edge, now)


def _ip(field: str, path: tuple[str, ...], values: list[dict[str, Any]], _now: float) -> Test:
    networks = []
    for value in values:
        try:
            networks.append(ipaddress.ip_network(_text(field, value, "Cidr"), strict=False))
        except ValueError:
            raise _invalid(f"{field}.Cidr", "must be an address or a network") from None

    def accepts(finding: dict[str, Any]) -> bool:
        addresses = [_address(value) for value in values_at(finding, path)]
        return any(address in network for address in addresses if address for network in networks)

    return accepts


def _address(value: Any) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _keyword(field: str, _path: tuple[str, ...], values: list[dict[str, Any]], _now: float) -> Test:
    words = [_text(field, value, "Value").casefold() for value in values]
    return lambda finding: any(word in text for text in _all_texts(finding) for word in words)


def _all_texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value.casefold()]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for item in value for text in _all_texts(item)]
    return []


def _boolean(field: str, path: tuple[str, ...], values: list[dict[str, Any]], _now: float) -> Test:
    wanted = [value.get("Value") for value in values]
    if not all(isinstance(value, bool) for value in wanted):
        raise _invalid(f"{field}.Value", "must be true or false")
    # A finding that does not say so is no sample.
    return lambda finding: any(found in wanted for found in values_at(finding, path) or [False])


_MAKERS: dict[Kind, Maker] = {
    Kind.STRING: _string,
    Kind.NUMBER: _number,
    Kind.DATE: _date,
    Kind.MAP: _map,
    Kind.IP: _ip,
    Kind.KEYWORD: _keyword,
    Kind.BOOLEAN: _boolean,
}

"""An event pattern as EventBridge reads it: compiled once, held against many events.

Semantics and refusals follow AWS's own matcher (github.com/aws/event-ruler, ``JsonRuleCompiler``
and ``ACFinder``) and the EventBridge user guide. Points that surprise:

- Within one match all values from one array must be of the same element (array consistency).
- An empty array counts as an absent field; null counts as present; ``exists`` looks at leaves only.
- ``exists: false`` looks at the array elements that the fields before it, in the order of their
  paths, have settled on.
- ``anything-but`` on an absent field does not match.
- Where ``$or`` and a sibling name the same field, the one that is written later counts.
- A number matches a number of equal value, ``true`` never 1, text never a number.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hub_responder.patterns.conditions import Refusal, condition, literal
from hub_responder.patterns.flat_event import FlatEvent, Leaf, Membership, Paths

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub_responder.patterns.conditions import Predicate

MAX_LENGTH = 2048
"""Characters of a pattern (EventBridge quotas); one given as an object is written compactly."""

MAX_BRANCHES = 1000
"""Combinations that the ``$or`` of one pattern may make (EventBridge user guide)."""

# Field names that cannot stand inside $or; some are kept for operators to come.
_RESERVED = frozenset(
    [
        *("exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists"),
        *("wildcard", "numeric", "cidr", "html", "=", "<", "<=", ">", ">=", "regex"),
        *("not-wildcard", "not-equals-ignore-case", "date-after", "date-on-or-after"),
        *("date-before", "date-on-or-before", "in-date-range", "ip-address-in-range"),
        "ip-address-not-in-range",
    ]
)


class InvalidPattern(ValueError):  # noqa: N818 - the fact that is told
    """EventBridge refuses the pattern.

    Args:
        path: dotted path of the field, empty for the whole pattern.
        reason: in AWS's words where they are known.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True, eq=False)
class FieldTest:
    """What one field must hold: any of these. Equal fields of several patterns share one test."""

    path: str
    texts: frozenset[str]
    predicates: tuple[Predicate, ...]
    absent: bool
    """The field may be missing."""

    def places(self, event: FlatEvent) -> frozenset[Membership]:
        """Where in the event a wanted value is; worked out once per event."""
        found = event.verdicts.get(self)
        if found is None:
            leaves = event.at(self.path)
            found = frozenset(place for value, place in leaves if self._accepts(value))
            if self.absent and not leaves:
                found = _ANYWHERE
            event.verdicts[self] = found
        return found

    def _accepts(self, value: Any) -> bool:
        if type(value) is str and value in self.texts:
            return True
        return any(predicate(value) for predicate in self.predicates)


_ANYWHERE: frozenset[Membership] = frozenset({()})


class Pattern:
    """A compiled event pattern; immutable, safe to share between threads."""

    __slots__ = ("_branches", "paths")

    def __init__(self, branches: list[dict[str, FieldTest]]) -> None:
        self._branches = [_Branch(fields) for fields in branches]
        self.paths = frozenset(path for fields in branches for path in fields)
        """Every path that the pattern looks at."""

    @classmethod
    def compile(cls, source: Mapping[str, Any] | str) -> Pattern:
        """The pattern, from JSON text or from an object.

        Raises:
            InvalidPattern: EventBridge refuses it.
        """
        try:
            text = source if isinstance(source, str) else _write(source)
            return cls(_object([], None, _parse(text), inside_or=False))
        except RecursionError:
            raise InvalidPattern("", "The pattern is nested too deeply") from None

    def matches(self, event: FlatEvent) -> bool:
        """Whether the event matches; it must have been flattened for at least `paths`."""
        return any(branch.matches(event) for branch in self._branches)

    def matches_event(self, event: Mapping[str, Any]) -> bool:
        """Whether one event, as its JSON object, matches."""
        return self.matches(FlatEvent(event, Paths.of(self.paths)))


class _Branch:
    """One way to match: all these fields at once."""

    __slots__ = ("_by_path", "_cheapest_first")

    def __init__(self, fields: dict[str, FieldTest]) -> None:
        self._by_path = sorted(fields.values(), key=lambda test: test.path)
        # source and detail-type turn most events away; plain texts cost least.
        self._cheapest_first = sorted(
            self._by_path, key=lambda test: (test.path.count("."), len(test.predicates))
        )

    def matches(self, event: FlatEvent) -> bool:
        constrained = False
        for test in self._cheapest_first:
            places = test.places(event)
            if () not in places:
                if not places and not test.absent:
                    return False
                constrained = True
        return not constrained or self._consistent(event)

    def _consistent(self, event: FlatEvent) -> bool:
        """Whether one choice of array elements fits every field.

        The choices are carried from field to field; arrays that no later field is in are dropped
        from them, so that their number stays small.
        """
        later = self._arrays_read_later(event)
        choices: set[Membership] = {()}
        for test, arrays in zip(self._by_path, later, strict=True):
            following: set[Membership] = set()
            for choice in choices:
                for place in test.places(event):
                    merged = _merge(choice, place)
                    if merged is not None:
                        following.add(_only(merged, arrays))
                if test.absent and _is_absent(event.at(test.path), choice):
                    following.add(_only(choice, arrays))
            if not following:
                return False
            choices = following
        return True

    def _arrays_read_later(self, event: FlatEvent) -> list[set[int]]:
        """For each field, the arrays that the fields after it are in."""
        later: list[set[int]] = []
        arrays: set[int] = set()
        for test in reversed(self._by_path):
            later.append(set(arrays))
            for _, membership in event.at(test.path):
                arrays.update(array for array, _ in membership)
        return later[::-1]


def _merge(choice: Membership, membership: Membership) -> Membership | None:
    """Both, in one order; None where they are in different elements of one array."""
    if not membership:
        return choice
    if not choice or choice == membership:
        return membership
    elements = dict(choice)
    for array, index in membership:
        if elements.setdefault(array, index) != index:
            return None
    return tuple(sorted(elements.items()))


def _only(choice: Membership, arrays: set[int]) -> Membership:
    return tuple(pair for pair in choice if pair[0] in arrays) if choice else choice


def _is_absent(leaves: list[Leaf], choice: Membership) -> bool:
    return all(_merge(choice, membership) is None for _, membership in leaves)


def _write(pattern: Mapping[str, Any]) -> str:
    try:
        return json.dumps(pattern, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise InvalidPattern("", f"The pattern is not JSON: {error}") from None


def _parse(text: str) -> Any:
    if len(text) > MAX_LENGTH:
        raise InvalidPattern(
            "", f"The pattern has {len(text)} characters, the limit is {MAX_LENGTH}"
        )
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except ValueError as error:
        raise InvalidPattern("", f"The pattern is not JSON: {error}") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_Branches = list[dict[str, FieldTest]]


def _object(branches: _Branches, path: str | None, pattern: Any, *, inside_or: bool) -> _Branches:
    """The branches, each with the fields of one more object; the outermost has no path."""
    if not isinstance(pattern, dict):
        raise InvalidPattern(path or "", "Filter is not an object")
    if not pattern:
        raise InvalidPattern(path or "", "Empty objects are not allowed")
    for name, value in pattern.items():
        if name == "$or":
            branches = _either(branches, path, value)
            continue
        inner = name if path is None else f"{path}.{name}"
        if inside_or and name in _RESERVED:
            raise InvalidPattern(
                inner, f"{name} is Ruler reserved fieldName which cannot be used inside $or."
            )
        if isinstance(value, dict):
            branches = _object(branches, inner, value, inside_or=inside_or)
        elif isinstance(value, list):
            test = _field(inner, value)
            branches = [{**fields, inner: test} for fields in branches or [{}]]
        else:
            raise InvalidPattern(inner, f'"{name}" must be an object or an array')
    return branches


def _either(branches: _Branches, path: str | None, alternatives: Any) -> _Branches:
    place = "$or" if path is None else f"{path}.$or"
    if not isinstance(alternatives, list):
        raise InvalidPattern(place, "It must be an Array followed with $or.")
    combined: _Branches = []
    for alternative in alternatives:
        if not isinstance(alternative, dict):
            raise InvalidPattern(place, "Only JSON object is allowed in array of $or relationship.")
        combined += _object(branches, path, alternative, inside_or=True)
        if len(combined) > MAX_BRANCHES:
            raise InvalidPattern(place, f"The pattern has over {MAX_BRANCHES} combinations of $or")
    if len(alternatives) < 2:  # noqa: PLR2004 - AWS's own least number
        raise InvalidPattern(place, "There must have at least 2 Objects in $or relationship.")
    return combined


def _field(path: str, values: list[Any]) -> FieldTest:
    # The written form tells 1 from true and 1.0, which Python takes for equal.
    return _shared_test(path, json.dumps(values))


@lru_cache(maxsize=2048)
def _shared_test(path: str, written: str) -> FieldTest:
    values = json.loads(written)
    if not values:
        raise InvalidPattern(path, "Empty arrays are not allowed")
    texts: set[str] = set()
    predicates: list[Predicate] = []
    absent = False
    for value in values:
        if isinstance(value, dict):
            if list(value) == ["exists"] and value["exists"] is False:
                absent = True
            else:
                predicates.append(_condition(path, value))
        elif isinstance(value, list):
            raise InvalidPattern(path, "Match value must be String, number, true, false, or null")
        else:
            if isinstance(value, str):
                texts.add(value)
            predicate = literal(value)
            if predicate is not None:
                predicates.append(predicate)
    return FieldTest(path, frozenset(texts), tuple(predicates), absent)


def _condition(path: str, expression: dict[str, Any]) -> Predicate:
    try:
        return condition(expression)
    except Refusal as refusal:
        raise InvalidPattern(path, str(refusal)) from None

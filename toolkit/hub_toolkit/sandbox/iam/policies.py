"""The statements of a role, and whether they allow what a request needs.

From "Policy evaluation logic" and "IAM JSON policy elements" in the IAM user guide: nothing is
allowed unless a statement allows it, and a statement that denies wins. Of conditions there are the
operators that the template's roles use; any other is an error, not a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hub_toolkit.sandbox.iam.needs import Need
from hub_toolkit.sandbox.intrinsics import TemplateError

_Matches = Callable[[str, str], bool]
_KNOWN = frozenset({"Effect", "Action", "Resource", "Condition", "Sid"})


@lru_cache(maxsize=4096)
def _pattern(text: str, *, fold: bool) -> re.Pattern[str]:
    """A pattern with IAM's wildcards: ``*`` any characters, ``?`` one."""
    parts = {"*": ".*", "?": "."}
    made = "".join(parts.get(one, re.escape(one)) for one in text)
    return re.compile(made, re.DOTALL | (re.IGNORECASE if fold else 0))


def _like(pattern: str, value: str) -> bool:
    return _pattern(pattern, fold=False).fullmatch(value) is not None


def _equals(pattern: str, value: str) -> bool:
    return pattern == value


_OPERATORS: Mapping[str, _Matches] = {"StringEquals": _equals, "StringLike": _like}


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a role's policy.

    Attributes:
        conditions: (every value must match, the operator, the condition key, its patterns).
    """

    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[tuple[bool, _Matches, str, tuple[str, ...]], ...] = ()

    @classmethod
    def read(cls, statement: Mapping[str, Any]) -> Statement:
        """A statement of the resolved template.

        Raises:
            TemplateError: it holds what is not known here.
        """
        unknown = sorted(statement.keys() - _KNOWN)
        if unknown:
            raise TemplateError(f"the sandbox's IAM does not know {unknown[0]} in a statement")
        return cls(
            str(statement["Effect"]),
            _texts(statement["Action"]),
            _texts(statement["Resource"]),
            tuple(_conditions(statement.get("Condition", {}))),
        )

    def keys(self) -> dict[str, list[str]]:
        """The condition keys that it tests, with their patterns."""
        return {name: list(patterns) for _, _, name, patterns in self.conditions}

    def covers(self, need: Need) -> bool:
        """Whether the statement speaks of ``need``."""
        return (
            any(_pattern(one, fold=True).fullmatch(need.action) for one in self.actions)
            and (not need.resource or any(_like(one, need.resource) for one in self.resources))
            and all(_holds(condition, need.keys) for condition in self.conditions)
        )


def _holds(
    condition: tuple[bool, _Matches, str, tuple[str, ...]], keys: Mapping[str, Sequence[str]]
) -> bool:
    every, matches, name, patterns = condition
    values = keys.get(name, ())
    if not every and len(values) != 1:
        return False
    # ForAllValues holds where the request has no such key: so IAM does it.
    return all(any(matches(one, value) for one in patterns) for value in values)


def _conditions(
    given: Mapping[str, Mapping[str, Any]],
) -> Iterable[tuple[bool, _Matches, str, tuple[str, ...]]]:
    for operator, tests in given.items():
        quantifier, _, plain = operator.rpartition(":")
        if quantifier not in {"", "ForAllValues"} or plain not in _OPERATORS:
            raise TemplateError(f"the sandbox's IAM does not know the condition {operator}")
        for name, patterns in tests.items():
            yield bool(quantifier), _OPERATORS[plain], name, _texts(patterns)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)


def allowing(statements: Sequence[Statement], need: Need) -> list[int]:
    """Which statements allow ``need``; empty where none does, or where one denies it."""
    covering = [number for number, one in enumerate(statements) if one.covers(need)]
    denied = any(statements[number].effect == "Deny" for number in covering)
    return [] if denied else covering

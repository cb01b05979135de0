"""The rules of an event bus, their targets, and which of them an event matches."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hub_responder.patterns.flat_event import FlatEvent, Paths
from hub_responder.patterns.pattern import InvalidPattern, Pattern
from hub_toolkit.sandbox.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_TARGETS = 5
"""Targets of one rule (EventBridge quotas)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as PutRule gave it, with its targets by id."""

    name: str
    arn: str
    pattern_text: str = ""
    pattern: Pattern | None = None
    schedule: str = ""
    enabled: bool = True
    description: str = ""
    role_arn: str = ""
    targets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class Rules:
    """All rules of one bus, by name. Safe to use from many threads.

    Matching works on a snapshot that every change replaces, so it takes no lock.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: dict[str, Rule] = {}
        self._snapshot: tuple[Paths, tuple[tuple[Rule, Pattern], ...]] = (Paths(), ())

    def put(self, rule: Rule) -> None:
        """Add or replace a rule; a rule of the same name hands on its targets."""
        with self._lock:
            old = self._rules.get(rule.name)
            self._rules[rule.name] = replace(rule, targets=old.targets) if old else rule
            self._rebuild()

    def get(self, name: str) -> Rule:
        """A rule by name.

        Raises:
            AwsError: there is none.
        """
        rule = self._rules.get(name)
        if rule is None:
            raise AwsError(
                "ResourceNotFoundException", f"Rule {name} does not exist on EventBus default."
            )
        return rule

    def named(self, prefix: str = "") -> list[Rule]:
        """The rules whose names begin so, in order."""
        return [rule for name, rule in sorted(self._rules.items()) if name.startswith(prefix)]

    def remove(self, name: str) -> None:
        """Delete a rule that has no targets left; no error where there is none, as in AWS.

        Raises:
            AwsError: it has targets.
        """
        with self._lock:
            rule = self._rules.get(name)
            if rule is not None and rule.targets:
                raise AwsError("ValidationException", "Rule can't be deleted since it has targets.")
            self._rules.pop(name, None)
            self._rebuild()

    def discard(self, name: str) -> None:
        """Delete a rule with its targets; no error where there is none."""
        with self._lock:
            self._rules.pop(name, None)
            self._rebuild()

    def put_targets(self, name: str, targets: list[dict[str, Any]]) -> None:
        """Add targets, or replace those of the same ids.

        Raises:
            AwsError: no such rule, or it would have over `MAX_TARGETS`.
        """
        with self._lock:
            rule = self.get(name)
            merged = {**rule.targets, **{target["Id"]: target for target in targets}}
            if len(merged) > MAX_TARGETS:
                raise AwsError(
                    "LimitExceededException",
                    "The requested resource exceeds the maximum number"
                    f" allowed: {MAX_TARGETS} targets of a rule.",
                )
            self._rules[name] = replace(rule, targets=merged)
            self._rebuild()

    def remove_targets(self, name: str, ids: list[str]) -> list[str]:
        """Take targets away.

        Returns:
            The ids that the rule has no target of.

        Raises:
            AwsError: no such rule.
        """
        with self._lock:
            rule = self.get(name)
            left = {key: target for key, target in rule.targets.items() if key not in ids}
            self._rules[name] = replace(rule, targets=left)
            self._rebuild()
            return [key for key in ids if key not in rule.targets]

    def matching(self, event: Mapping[str, Any]) -> list[Rule]:
        """The enabled rules that an event matches, in the order of their names."""
        paths, patterns = self._snapshot
        flat = FlatEvent(event, paths)
        return [rule for rule, pattern in patterns if pattern.matches(flat)]

    def _rebuild(self) -> None:
        active = tuple(
            (rule, rule.pattern)
            for _, rule in sorted(self._rules.items())
            if rule.enabled and rule.pattern is not None
        )
        paths = Paths.of({path for _, pattern in active for path in pattern.paths})
        self._snapshot = (paths, active)


def compile_pattern(pattern: Mapping[str, Any] | str) -> Pattern:
    """`Pattern.compile` with the API's error.

    Raises:
        AwsError: EventBridge refuses the pattern.
    """
    try:
        return Pattern.compile(pattern)
    except InvalidPattern as error:
        place = f"\n at [{error.path}]" if error.path else ""
        raise AwsError(
            "InvalidEventPatternException",
            f"Event pattern is not valid. Reason: {error.reason}{place}",
        ) from None

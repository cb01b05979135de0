"""The audit records by playbook: what came, what was done, and what never matched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub_toolkit.trail.records import Record

_TAKEN = frozenset({"opened", "joined"})


@dataclass(slots=True)
class Activity:
    """What one playbook did.

    Attributes:
        findings: that it took up. rounds: passes of its steps that ended.
        skipped: findings that its conditions passed over. undecided: that it could not decide on.
        steps: (step, status) -> how often: done, skipped, failed, observed.
        conditions: expression -> how often it was true, and false.
        last: when it did anything (ISO 8601), or empty.
    """

    findings: int = 0
    rounds: int = 0
    skipped: int = 0
    undecided: int = 0
    steps: Counter[tuple[str, str]] = field(default_factory=Counter)
    conditions: dict[str, tuple[int, int]] = field(default_factory=dict)
    last: str = ""

    def count(self, status: str) -> int:
        """Steps that ended as ``status``."""
        return sum(number for (_, ended), number in self.steps.items() if ended == status)

    def one_sided(self) -> list[str]:
        """Conditions that were always true or always false, in words."""
        said = []
        for expression, (true, false) in self.conditions.items():
            if not true:
                said.append(f"never true: {expression}")
            elif not false:
                said.append(f"always true: {expression}")
        return said

    def add(self, record: Record) -> None:
        """Count one record."""
        kind, count = record["kind"], len(record.get("findings", ()))
        self.last = max(self.last, str(record.get("at", "")))
        if kind in _TAKEN:
            self.findings += count
        elif kind == "finished":
            self.rounds += 1
        elif kind == "skipped":
            self.skipped += count
        elif kind == "dead":
            self.undecided += count
        elif kind == "outcome" and not str(record.get("step", "_")).startswith("_"):
            self.steps[str(record["step"]), str(record.get("status", ""))] += 1
        for expression, value in record.get("conditions", {}).items():
            true, false = self.conditions.get(expression, (0, 0))
            self.conditions[expression] = (true + bool(value), false + (not value))


def by_playbook(records: Iterable[Record]) -> dict[str, Activity]:
    """The records' playbooks, each with what it did."""
    found: dict[str, Activity] = {}
    for record in records:
        found.setdefault(str(record.get("playbook", "")), Activity()).add(record)
    return found

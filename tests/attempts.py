"""Attempts and their outcomes, in any audit trail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def without_outcome(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """The effects (incident, generation, round, step) that have no OUTCOME after their last
    ATTEMPT; ``records`` are of one trail, oldest first."""
    open_: set[tuple[str, ...]] = set()
    for one in records:
        effect = tuple(str(one.get(name, "")) for name in ("incident", "gen", "round", "step"))
        if one["kind"] == "attempt":
            open_.add(effect)
        elif one["kind"] == "outcome":
            open_.discard(effect)
    return [" ".join(effect) for effect in sorted(open_)]

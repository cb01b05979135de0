"""Which transition of a workflow of Jira leads to where we want an issue.

Names of statuses are each site's own; what counts is the category of the status that a transition
leads to ("Get transitions" with ``expand=transitions.fields``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_DONE = frozenset({"done", "fixed", "resolved", "完了", "修正済み", "解決済み"})
"""Resolutions that are sent rather than others."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A transition's id, and what goes into its fields."""

    id: str
    fields: Mapping[str, Any]


def closing(transitions: Sequence[Mapping[str, Any]], declined: Collection[str]) -> Chosen | None:
    """The transition that closes an issue as done, if there is one that we can take.

    Args:
        declined: names, casefolded, of what we do not mean: neither as a resolution nor as a
            status, where there is another one.
    """

    def meant_otherwise(transition: Mapping[str, Any]) -> bool:
        names = (transition.get("name"), _mapping(transition.get("to")).get("name"))
        return any(str(name).casefold() in declined for name in names)

    for one in sorted(_leading_to(transitions, {"done"}), key=meant_otherwise):
        held = _mapping(_mapping(one.get("fields")).get("resolution"))
        resolution = _resolution(held.get("allowedValues"), declined)
        if resolution:
            return Chosen(str(one["id"]), {"resolution": {"id": resolution}})
        if not held.get("required"):
            return Chosen(str(one["id"]), {})
    return None


def opening(transitions: Sequence[Mapping[str, Any]]) -> Chosen | None:
    """The transition that opens an issue again: to what is to be done, else to what is begun."""
    for category in ("new", "indeterminate"):
        for one in _leading_to(transitions, {category}):
            if not _mapping(_mapping(one.get("fields")).get("resolution")).get("required"):
                return Chosen(str(one["id"]), {})
    return None


def _leading_to(
    transitions: Sequence[Mapping[str, Any]], categories: Collection[str]
) -> list[Mapping[str, Any]]:
    """Those whose demands we can meet: a resolution, and no other field without a default."""
    return [
        one
        for one in transitions
        if _mapping(_mapping(one.get("to")).get("statusCategory")).get("key") in categories
        and one.get("isAvailable") is not False
        and isinstance(one.get("id"), str)
        and not any(
            name != "resolution"
            and _mapping(field).get("required")
            and not _mapping(field).get("hasDefaultValue")
            for name, field in _mapping(one.get("fields")).items()
        )
    ]


def _resolution(allowed: Any, declined: Collection[str]) -> str:
    """The id of the resolution to send, or empty."""
    values = [value for value in allowed or () if isinstance(value, dict) and value.get("id")]
    good = [one for one in values if str(one.get("name")).casefold() not in declined]
    good.sort(key=lambda one: str(one.get("name")).casefold() not in _DONE)
    return str(good[0]["id"]) if good else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}

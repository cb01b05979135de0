"""The intrusion prevention rules.

A rule is given as ``POST /api/intrusionpreventionrules/search`` returns it. ``ID`` and ``name`` are
needed. ``CVE`` is a list, or a text with CVEs between commas or spaces. A date can be relative to
the clock, ``-P30D``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub_toolkit.sandbox.vendors.estate import EstateError, relative_time

DATES = ("originalIssue", "lastUpdated")
MAX_ID = 2**31 - 1
"""IDs are 32-bit integers in the OpenAPI description."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; ``item`` is never changed."""

    item: Mapping[str, Any]

    @property
    def id(self) -> int:
        """Its ID."""
        return int(self.item["ID"])

    @property
    def needs(self) -> Sequence[int]:
        """Rules that are assigned with it (``dependsOnRuleIDs``)."""
        return self.item.get("dependsOnRuleIDs") or ()

    def value(self, field: str, now: float) -> Any:
        """What a searchable field holds, or None."""
        return milliseconds(self.item.get(field), now)

    def shown(self, now: float) -> dict[str, Any]:
        """The rule as the API returns it."""
        return {
            key: milliseconds(value, now) if key in DATES else value
            for key, value in self.item.items()
        }


def milliseconds(value: Any, now: float) -> Any:
    """A relative time as the API writes times, in milliseconds; anything else as it is."""
    at = relative_time(value, now)
    return value if at is None else int(at * 1000)


def identifier(item: object, what: str) -> int:
    """The ``ID`` of an item of the estate; ``what`` is for the message.

    Raises:
        EstateError: the item is no object, or has no ID that the API could give.
    """
    if not isinstance(item, dict):
        raise EstateError(f"{what} is not an object")
    given = item.get("ID")
    if isinstance(given, bool) or not isinstance(given, int) or not 0 < given <= MAX_ID:
        raise EstateError(f"{what}: ID is not an integer from 1 to {MAX_ID}")
    return given


def whole_numbers(value: object) -> bool:
    """Whether ``value`` is a list of integers."""
    return isinstance(value, list) and all(
        isinstance(one, int) and not isinstance(one, bool) for one in value
    )


def rules(items: Sequence[object]) -> dict[int, Rule]:
    """Rules by ID, in their order.

    Raises:
        EstateError: an item cannot be a rule, or an ID comes twice; the text says which.
    """
    found: dict[int, Rule] = {}
    for position, item in enumerate(items):
        made = _rule(item, f"rule {position}")
        if made.id in found:
            raise EstateError(f"rule {position}: ID {made.id} comes twice")
        found[made.id] = made
    return found


def _rule(item: object, what: str) -> Rule:
    identifier(item, what)
    assert isinstance(item, dict)  # noqa: S101 - identifier has looked
    if not isinstance(item.get("name"), str) or not item["name"]:
        raise EstateError(f"{what} has no name")
    cves = item.get("CVE", [])
    if isinstance(cves, str):
        cves = [one for one in re.split(r"[\s,]+", cves) if one]
    if not isinstance(cves, list) or not all(isinstance(one, str) for one in cves):
        raise EstateError(f"{what}: CVE is neither a text nor a list of texts")
    if not whole_numbers(item.get("dependsOnRuleIDs", [])):
        raise EstateError(f"{what}: dependsOnRuleIDs is not a list of integers")
    return Rule({**item, "CVE": cves})

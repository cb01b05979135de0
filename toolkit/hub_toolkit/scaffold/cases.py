"""The test cases of a new playbook: what makes it act, and what does not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hub_responder.finding import INSTANCE
from hub_toolkit.scaffold.choices import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub_toolkit.scaffold.choices import Choices

_ELSEWHERE = "Another product"
_OTHER_TYPE = {INSTANCE: "AwsS3Bucket"}


@dataclass(frozen=True, slots=True)
class Case:
    """A case as the file holds it; empty parts are left out."""

    name: str
    expect: dict[str, Any]
    event: str = ""
    trigger: str = ""
    finding: dict[str, Any] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)

    def parts(self) -> Iterator[tuple[str, Any]]:
        """Key and value, in the order in which people read them."""
        for key in ("name", "event", "trigger", "finding", "given", "expect"):
            if value := getattr(self, key):
                yield key, value


def of(choices: Choices, event: str) -> Iterator[Case]:
    """The cases; ``event`` is the name of the file with an imported finding."""
    bad = _given("UNPROTECTED") if choices.has("coverage") else {}
    if choices.has("imported"):
        name = f"a finding that matches is told{' with the verdict' if bad else ''}"
        expect = {"matched": ["imported"], **_all(choices)}
        yield Case(name, expect, event, given=bad)
    if choices.has("click"):
        expect = {"matched": ["action"], **_all(choices)}
        yield Case("a click is answered", expect, event, trigger="click", given=bad)
    if choices.has("schedule") and not choices.insight:
        yield Case("its schedule starts it", _all(choices), trigger="schedule")
    if choices.has("coverage") and choices.has("ticket") and choices.triggers != ("schedule",):
        expect = {**_all(choices), "ticket": "skipped"}
        click = "" if choices.has("imported") else "click"
        name = "a protected instance gets no ticket"
        yield Case(name, expect, event, trigger=click, given=_given("PROTECTED"))
    nothing = {"matched": False}
    if choices.has("imported"):
        name, change = _other(choices)
        yield Case(name, nothing, event, finding=change)
    else:
        yield Case("an imported finding alone starts nothing", nothing, event, trigger="imported")


def _given(verdict: str) -> dict[str, Any]:
    return {"coverage": {"verdict": verdict}}


def _all(choices: Choices) -> dict[str, Any]:
    """What comes of a finding about an instance without an agent."""
    found: dict[str, Any] = {}
    if choices.steps == ("coverage",):
        found["coverage"] = {"verdict": "UNPROTECTED"}
    if choices.has("ticket"):
        found["ticket"] = "opened"
    if choices.has("notify"):
        found["tell"] = "sent"
    if choices.has("update"):
        found["workflow"] = "NOTIFIED"
    return found


def _other(choices: Choices) -> tuple[str, dict[str, Any]]:
    """A change to the finding that keeps the playbook from starting, and what it shows."""
    if choices.labels:
        below = SEVERITIES[SEVERITIES.index(choices.severity) - 1]
        return f"a {below} finding is left alone", {"Severity": {"Label": below}}
    if choices.resource_types:
        first = choices.resource_types[0]
        other = _OTHER_TYPE.get(first, "AwsEc2Instance")
        if other in choices.resource_types:
            other = "Other"
        return "another kind of resource is left alone", {"Resources": [{"Type": other}]}
    product = {"aws/securityhub/ProductName": _ELSEWHERE}
    return "another product's finding is left alone", {"ProductFields": product}

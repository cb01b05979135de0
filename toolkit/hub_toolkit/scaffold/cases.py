"""The test cases of a new playbook: what makes it act, and what does not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hub_responder.finding import INSTANCE
from hub_toolkit.scaffold.choices import SEVERITIES, cloudformation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub_toolkit.scaffold.choices import Choices

_ELSEWHERE = "Another product"
_OTHER_TYPE = {INSTANCE: ("AwsS3Bucket", "AWS::S3::Bucket")}
"""Another type, in ASFF and OCSF."""


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


def of(choices: Choices, event: str, event_v2: str) -> Iterator[Case]:
    """The cases; ``event`` and ``event_v2`` are the names of files with an imported finding."""
    bad = _given("UNPROTECTED") if choices.has("coverage") else {}
    verdict = " with the verdict" if bad else ""
    if choices.has("imported"):
        expect = {"matched": ["imported"], **_all(choices)}
        yield Case(f"a finding that matches is told{verdict}", expect, event, given=bad)
    if choices.has("imported_v2"):
        expect = {"matched": ["imported"], **_all(choices)}
        name = f"a finding of the new Security Hub is told{verdict}"
        yield Case(name, expect, event_v2, given=bad)
    if choices.has("click"):
        expect = {"matched": ["action"], **_all(choices)}
        yield Case("a click is answered", expect, event, trigger="click", given=bad)
    if choices.insight:
        expect = {"matched": ["schedule"], **_all(choices)}
        name = f"what the insight holds is told{verdict}"
        yield Case(name, expect, event, trigger="schedule", given=bad)
    elif choices.has("schedule"):
        yield Case("its schedule starts it", _all(choices), trigger="schedule")
    if choices.has("coverage") and choices.has("ticket"):
        expect = {**_all(choices), "ticket": "skipped"}
        file, trigger = _main(choices, event, event_v2)
        name = "a protected instance gets no ticket"
        yield Case(name, expect, file, trigger=trigger, given=_given("PROTECTED"))
    yield from _nothing(choices, event, event_v2)


def _main(choices: Choices, event: str, event_v2: str) -> tuple[str, str]:
    """The event and trigger that start it first of all."""
    if choices.imports:
        return (event if choices.has("imported") else event_v2), ""
    return event, "click" if choices.has("click") else "schedule"


def _nothing(choices: Choices, event: str, event_v2: str) -> Iterator[Case]:
    """What does not start it."""
    nothing = {"matched": False}
    name, change, change_v2 = _other(choices)
    if choices.has("imported"):
        yield Case(f"{name} is left alone", nothing, event, finding=change)
    if choices.has("imported_v2"):
        name = f"{name} of the new Security Hub is left alone"
        yield Case(name, nothing, event_v2, finding=change_v2)
    if not choices.imports:
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


def _other(choices: Choices) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """A change to the finding that keeps the playbook from starting, in ASFF and OCSF, and what it
    shows."""
    if choices.labels:
        below = SEVERITIES[SEVERITIES.index(choices.severity) - 1]
        return (
            f"a {below} finding",
            {"Severity": {"Label": below}},
            {"severity": below.capitalize()},
        )
    if choices.types:
        other = _OTHER_TYPE.get(choices.types[0], (INSTANCE, cloudformation(INSTANCE)))
        if other[0] in choices.types:
            other = ("Other", "Other")
        name = "a finding about another kind of resource"
        return name, {"Resources": [{"Type": other[0]}]}, {"resources": [{"type": other[1]}]}
    product = {"aws/securityhub/ProductName": _ELSEWHERE}
    changed = {"metadata": {"product": {"name": _ELSEWHERE}}}
    return "another product's finding", {"ProductFields": product}, changed

"""docs/coverage.md says what the code does: its tables are walked, every combination of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from factories import ACCOUNT, INSTANCE, NOW
from hub_responder import clock
from hub_responder.vision_one import coverage as verdicts
from hub_responder.vision_one.coverage import Demand
from hub_responder.vision_one.endpoint import UNREADABLE, Endpoint
from hub_responder.vision_one.matching import Absent, Match, Tier
from hub_responder.vision_one.modules import MODULES
from hub_responder.vision_one.wording import REASONS
from hub_responder.workload_security.computer import Computer

DOC = Path(__file__).parents[3] / "docs" / "coverage.md"
DAY = 86_400.0
MODULE = "intrusion_prevention"
DEMAND = Demand(DAY, [MODULE])

AGENTS: Mapping[str, dict[str, object]] = {
    "on": {"epp_status": "on", "epp_installed": True},
    "off": {"epp_status": "off", "epp_installed": True},
    "not told": {"epp_status": "unknown", "epp_installed": True},
}
CONTACTS: Mapping[str, str] = {
    "within the time": clock.iso(NOW - 300),
    "longer ago": clock.iso(NOW - 2 * DAY),
    "never": "",
    "in the future": clock.iso(NOW + DAY),
}
STATES: Mapping[str, dict[str, str]] = {
    "on": {MODULES[MODULE][0]: "enabled"},
    "off": {MODULES[MODULE][0]: "disabled"},
    "not told": {},
}
WITHOUT: Mapping[str, dict[str, object]] = {
    "none, the sensor alone": {"sensor_status": "enabled"},
    "none, the sensor off or none": {"sensor_status": "disabled"},
    "none, the sensor's state not told": {"sensor_status": "unknown"},
    "cannot be read": {"epp_status": UNREADABLE},
}
WEAK: Mapping[str, dict[str, object]] = {
    "components_outdated": {"component_version": "outdatedVersion"},
    "policy_missing": {"policy": ""},
    "isolated": {"isolation": "on"},
    "reboot_required": {"actions": ("rebootRequired",)},
    "upgrade_required": {"actions": ("sensorUpdateRequired",)},
    "action_required": {"actions": ("immediateActionRequired",)},
}
SAID: Mapping[str, dict[str, object]] = {
    "offline": {"messages": ("Managed (Offline)",)},
    "stale": {"last_contact": NOW - 2 * DAY},
    "module_off": {"ips_state": "off"},
    "reboot_required": {"messages": ("Reboot Required",)},
    "upgrade_required": {"messages": ("Upgrade Required",)},
    "activation_required": {"messages": ("Activation Required",)},
    "agent_error": {"agent_status": "error"},
    "unmanaged": {"has_agent": False},
}


def agent(**changes: object) -> Endpoint:
    """A record of the instance that nothing speaks against."""
    good = Endpoint(
        guid="g-1",
        name="web-01",
        account_id=ACCOUNT,
        instance_id=INSTANCE,
        policy="Linux",
        component_version="latestVersion",
        sensor_status="enabled",
        isolation="off",
    )
    return msgspec.structs.replace(good, **changes)


def running(**changes: object) -> Endpoint:
    """The same with an agent in full protection."""
    told = {**AGENTS["on"], "epp_contact": CONTACTS["within the time"], "features": STATES["on"]}
    return agent(**{**told, **changes})


def computer(**changes: object) -> Computer:
    """As Server & Workload Protection knows the same agent, with nothing to say against it."""
    good = Computer(
        id=7,
        guid="g-1",
        account_id=ACCOUNT,
        instance_id=INSTANCE,
        has_agent=True,
        agent_status="active",
        messages=("Managed (Online)",),
        last_contact=NOW - 300,
        ips_state="prevent",
        ips_active=True,
    )
    return msgspec.structs.replace(good, **changes)


def said(record: Endpoint, other: Computer | None = None) -> tuple[str, list[str]]:
    """The verdict on a record, with its reasons."""
    match = Match("instance_id", record, "instance id")
    found = verdicts.of(Absent(match) if record.bare else match, DEMAND, NOW, computer=other)
    return found.verdict, found.reasons


def row(*cells: str, verdict: tuple[str, list[str]]) -> str:
    reasons = ", ".join(f"`{reason}`" for reason in verdict[1])
    return f"| {' | '.join([*cells, verdict[0], reasons])} |".replace("|  |", "| |")


def combinations() -> Iterator[str]:
    """The rows of the table, every combination, as the code decides them."""
    for status, told in AGENTS.items():
        for contact, at in CONTACTS.items():
            for state, features in STATES.items():
                record = agent(**told, epp_contact=at, features=features)
                yield row(status, contact, state, verdict=said(record))
    for status, told in WITHOUT.items():
        yield row(status, "any", "any", verdict=said(agent(**told)))


def _table(heading: str) -> list[str]:
    """The rows of the table after a line, without its head."""
    lines = DOC.read_text(encoding="utf-8").splitlines()
    start = next(n for n in range(lines.index(heading), len(lines)) if lines[n].startswith("|"))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append(line)
    return found


def _first(line: str) -> str:
    return line.split("|")[1].strip().strip("`")


def test_the_table_has_every_combination_and_says_what_the_code_decides() -> None:
    assert _table("### Every combination") == list(combinations())


def test_no_combination_without_contact_and_modules_is_protected() -> None:
    protected = [line for line in combinations() if "| PROTECTED |" in line]
    assert protected == ["| on | within the time | on | PROTECTED | |"]


@pytest.mark.parametrize("line", _table("### What weakens a protection besides"))
def test_each_weakness_of_the_table_takes_full_protection_away(line: str) -> None:
    reason = _first(line)
    found = [said(running(**WEAK[reason]))] if reason in WEAK else []
    found += [said(running(), computer(**SAID[reason]))] if reason in SAID else []
    if reason == "not_in_vision_one":
        match = Match("workload_instance_id", running(), "instance id")
        told = verdicts.of(match, DEMAND, NOW, computer=computer())
        found.append((told.verdict, told.reasons))
    assert found
    for verdict, reasons in found:
        assert verdict == "DEGRADED"
        assert [one.partition(":")[0] for one in reasons] == [reason]


def test_the_record_that_the_weaknesses_change_is_protected() -> None:
    assert said(running(), computer()) == ("PROTECTED", [])


def test_the_tables_name_every_weakness_that_is_walked() -> None:
    named = {_first(line) for line in _table("### What weakens a protection besides")}
    assert named >= set(WEAK) | (set(SAID) - {"offline", "stale", "module_off"})


def test_every_reason_has_its_place() -> None:
    text = DOC.read_text(encoding="utf-8")
    assert [reason for reason in sorted(REASONS) if f"`{reason}" not in text] == []


def test_every_tier_has_its_row_in_the_order_in_which_they_are_tried() -> None:
    tiers = [_first(line) for line in _table("## Which agent is the instance's?")]
    assert sorted(tiers) == sorted(set(get_args(Tier)) - {""})

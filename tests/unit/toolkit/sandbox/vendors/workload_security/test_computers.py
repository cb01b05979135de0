"""Computers and rules of the Server & Workload Protection simulator."""

from __future__ import annotations

from typing import Any

import pytest

from hub_toolkit.sandbox.vendors.estate import EstateError
from hub_toolkit.sandbox.vendors.workload_security.computers import (
    GROUPS,
    Computer,
    ExpandError,
    computers,
    expanded,
)
from hub_toolkit.sandbox.vendors.workload_security.rules import rules

NOW = 1_795_000_000.0


def computer(**changes: Any) -> Computer:
    item: dict[str, Any] = {
        "ID": 7,
        "hostName": "web-01",
        "policyID": 3,
        "lastAgentCommunication": "-PT5M",
        "computerStatus": {"agentStatus": "active", "agentStatusMessages": ["Managed (Online)"]},
        "intrusionPrevention": {
            "state": "prevent",
            "moduleStatus": {"agentStatus": "active", "agentStatusMessage": "On, Prevent, 2 rules"},
            "ruleIDs": [5, 4],
        },
        "ec2VirtualMachineSummary": {"instanceID": "i-0a"},
        "_note": "ours",
        **changes,
    }
    return computers([item])[7]


def prevention(each: Computer) -> dict[str, Any]:
    shown: dict[str, Any] = each.shown(GROUPS, NOW)["intrusionPrevention"]
    return shown


def test_groups_are_shown_only_where_asked_for() -> None:
    plain = computer().shown(expanded(["none"]), NOW)
    assert set(plain) == {"ID", "hostName", "policyID", "lastAgentCommunication"}
    some = computer().shown(expanded(["computerStatus", "allVirtualMachineSummaries"]), NOW)
    assert set(some) - set(plain) == {"computerStatus", "ec2VirtualMachineSummary"}
    assert set(computer().shown(expanded([]), NOW)) == set(computer().shown(expanded(["all"]), NOW))
    assert "intrusionPrevention" in computer().shown(expanded(["allSecurityModules", "none"]), NOW)


def test_expand_takes_known_names_only() -> None:
    with pytest.raises(ExpandError, match="ComputerStatus"):
        expanded(["ComputerStatus"])


def test_times_are_milliseconds_that_follow_the_clock() -> None:
    assert computer().shown(GROUPS, NOW)["lastAgentCommunication"] == int(NOW - 300) * 1000
    assert computer().shown(GROUPS, NOW + 60)["lastAgentCommunication"] == int(NOW - 240) * 1000
    given = computer(lastAgentCommunication=1_700_000_000_000)
    assert given.shown(GROUPS, NOW)["lastAgentCommunication"] == 1_700_000_000_000
    assert computer(hostName="-PT5M").shown(GROUPS, NOW)["hostName"] == "-PT5M"


def test_an_untouched_computer_is_shown_as_given() -> None:
    assert prevention(computer())["ruleIDs"] == [5, 4]
    assert "ruleIDs" not in prevention(computer(intrusionPrevention={"state": "off"}))


def test_an_assigned_rule_shows_in_the_ids_and_in_the_message() -> None:
    shown = prevention(computer().assigned([9]))
    assert shown["ruleIDs"] == [4, 5, 9]
    assert shown["moduleStatus"]["agentStatusMessage"] == "On, Prevent, 3 rules"
    detect = computer(intrusionPrevention={"state": "detect"}).assigned([9])
    assert prevention(detect)["moduleStatus"]["agentStatusMessage"] == "On, Detect, 1 rule"


@pytest.mark.parametrize(
    "changes",
    [
        {"computerStatus": {"agentStatus": "error"}},
        {"intrusionPrevention": {"state": "off", "ruleIDs": [4]}},
    ],
)
def test_an_agent_that_is_away_or_a_module_that_is_off_does_not_take_it(
    changes: dict[str, Any],
) -> None:
    given = computer(**changes)
    shown = prevention(given.assigned([9]))
    assert shown["ruleIDs"][-1] == 9
    assert shown.get("moduleStatus") == prevention(given).get("moduleStatus")


def test_rules_are_the_policys_or_the_computers_own() -> None:
    assert (computer().own, computer().inherited) == ((), (5, 4))
    assert (computer(policyID=0).own, computer(policyID=0).inherited) == ((5, 4), ())
    assert computer().assigned([4, 9, 9]).own == (9,)


def test_a_hidden_module_has_no_rules() -> None:
    assert not computer(intrusionPrevention=None).has_prevention
    assert computer().has_prevention


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["text"], "computer 0 is not an object"),
        ([{}], "computer 0: ID"),
        ([{"ID": True}], "computer 0: ID"),
        ([{"ID": 0}], "computer 0: ID"),
        ([{"ID": 2**31}], "computer 0: ID"),
        ([{"ID": 1}, {"ID": 1}], "computer 1: ID 1 comes twice"),
        ([{"ID": 1, "intrusionPrevention": {"ruleIDs": ["4"]}}], "ruleIDs"),
    ],
)
def test_a_computer_that_is_none_is_named(wrong: list[Any], said: str) -> None:
    with pytest.raises(EstateError, match=said):
        computers(wrong)


def test_a_rules_cves_are_a_list_or_a_text() -> None:
    made = rules(
        [
            {"ID": 1, "name": "a", "CVE": "CVE-2026-1, CVE-2026-2 CVE-2026-3"},
            {"ID": 2, "name": "b", "CVE": ["CVE-2026-4"]},
            {"ID": 3, "name": "c", "lastUpdated": "-P1D"},
        ]
    )
    assert made[1].shown(NOW)["CVE"] == ["CVE-2026-1", "CVE-2026-2", "CVE-2026-3"]
    assert made[2].shown(NOW)["CVE"] == ["CVE-2026-4"]
    assert made[3].shown(NOW)["lastUpdated"] == int(NOW - 86_400) * 1000


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ([7], "rule 0 is not an object"),
        ([{"ID": 1}], "no name"),
        ([{"ID": 1, "name": "a", "CVE": 7}], "CVE"),
        ([{"ID": 1, "name": "a", "CVE": [7]}], "CVE"),
        ([{"ID": 1, "name": "a", "dependsOnRuleIDs": 7}], "dependsOnRuleIDs"),
        ([{"ID": 1, "name": "a"}, {"ID": 1, "name": "b"}], "rule 1: ID 1 comes twice"),
    ],
)
def test_a_rule_that_is_none_is_named(wrong: list[Any], said: str) -> None:
    with pytest.raises(EstateError, match=said):
        rules(wrong)

"""The estate that the sandbox starts with fits the events that the project ships."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hub_toolkit.sandbox.estate import load
from hub_toolkit.sandbox.members.ec2 import Instances
from hub_toolkit.sandbox.vendors.vision_one.inventory import Endpoint, endpoint
from hub_toolkit.sandbox.vendors.workload_security.computers import GROUPS, computers
from hub_toolkit.sandbox.vendors.workload_security.rules import rules

EVENTS = Path(__file__).parents[4] / "events"
NOW = 1_795_000_000.0


def estate() -> list[Endpoint]:
    return [endpoint(item, position) for position, item in enumerate(load().vision_one.endpoints)]


def of_instance(account: str, instance: str) -> list[Endpoint]:
    details = ("eppAgent", "virtualMachineDetails")
    return [
        each
        for each in estate()
        if each.at((*details, "cloudInstanceId"), NOW) == instance
        and each.at((*details, "cloudAccountId"), NOW) == account
    ]


def subject(event: str) -> tuple[str, str]:
    """Account and instance of the event's first finding."""
    raw: dict[str, Any] = json.loads((EVENTS / event).read_text())["detail"]["findings"][0]
    return raw["AwsAccountId"], raw["Resources"][0]["Id"].rpartition("/")[2]


def test_guids_are_unique_and_every_time_is_relative() -> None:
    guids = [each.guid for each in estate()]
    assert len(set(guids)) == len(guids)
    for each in estate():
        for path in (("eppAgent", "lastConnectedDateTime"), ("edrSensor", "lastConnectedDateTime")):
            assert each.at(path, NOW) in (None, "") or each.at(path, NOW) != each.at(path, NOW + 1)


def test_the_protected_instance_is_protected() -> None:
    (found,) = of_instance(*subject("inspector-critical-ec2-protected.json"))
    assert found.value("eppAgentStatus", NOW) == "on"
    assert found.value("eppAgentIntrusionPreventionSystem", NOW) == "enabled"
    assert found.value("eppAgentAntiMalwareScans", NOW) == "enabled"
    assert found.at(("eppAgent", "lastConnectedDateTime"), NOW) == "2026-11-18T11:01:40"


def test_the_degraded_instance_lacks_intrusion_prevention_only() -> None:
    (found,) = of_instance(*subject("inspector-high-ec2-degraded.json"))
    assert found.value("eppAgentStatus", NOW) == "on"
    assert found.value("eppAgentIntrusionPreventionSystem", NOW) == "disabled"
    assert found.value("eppAgentAntiMalwareScans", NOW) == "enabled"


def test_the_finance_accounts_instance_is_offline_for_three_days() -> None:
    (found,) = of_instance(*subject("inspector-critical-ec2-finance-account.json"))
    assert found.value("eppAgentStatus", NOW) == "off"
    assert found.at(("eppAgent", "lastConnectedDateTime"), NOW) == "2026-11-15T11:06:40"


@pytest.mark.parametrize(
    "event", ["inspector-critical-ec2-unprotected.json", "inspector-critical-ec2-hook-account.json"]
)
def test_no_agent_names_an_unprotected_instance(event: str) -> None:
    assert of_instance(*subject(event)) == []


def test_traps_are_there() -> None:
    names = [each.at(("endpointName",), NOW) for each in estate()]
    assert names.count("pay-02") == 2
    addresses = [each.at(("lastUsedIp",), NOW) for each in estate()]
    assert len(set(addresses)) < len(addresses)
    assert any("sensorOnly" in str(each.value("securityDeployment", NOW)) for each in estate())
    assert any("edrSensor" not in each.item for each in estate())


def test_ec2_knows_every_instance_that_vision_one_knows() -> None:
    instances = Instances(lambda: NOW)
    instances.replace(load().ec2.instances)
    known = {one.instance_id: one for one in instances.all()}
    details = ("eppAgent", "virtualMachineDetails")
    for each in estate():
        name = each.at((*details, "cloudInstanceId"), NOW)
        if name:
            assert known[str(name)].owner_id == each.at((*details, "cloudAccountId"), NOW)


def managed() -> dict[str, dict[str, Any]]:
    """Computers by instance id, all of them expanded."""
    found = {}
    for each in computers(load().workload_security.computers).values():
        shown = each.shown(GROUPS, NOW)
        machine = shown.get("ec2VirtualMachineSummary") or shown["noConnectorVirtualMachineSummary"]
        found[machine["instanceID"]] = shown
    return found


def rules_for(cve: str) -> set[int]:
    known = rules(load().workload_security.rules).values()
    return {rule.id for rule in known if cve in rule.item["CVE"]}


def test_both_of_trends_apis_tell_the_same_of_a_computer() -> None:
    by_guid = {each.guid: each for each in estate()}
    known = managed()
    details = ("eppAgent", "virtualMachineDetails", "cloudInstanceId")
    for instance, shown in known.items():
        if "agentFingerPrint" not in shown:
            assert "agentGUID" not in shown
            continue
        agent = by_guid[shown["agentGUID"]]
        assert agent.at(details, NOW) == instance
        assert agent.at(("eppAgent", "version"), NOW) == shown["agentVersion"]
        prevents = agent.value("eppAgentIntrusionPreventionSystem", NOW) == "enabled"
        assert (shown["intrusionPrevention"]["moduleStatus"]["agentStatus"] == "active") == prevents
    agents = [each for each in by_guid.values() if each.at(details, NOW)]
    assert len(agents) == sum("agentGUID" in shown for shown in known.values())


def test_instances_of_a_connected_account_are_known_without_an_agent_too() -> None:
    account, instance = subject("inspector-critical-ec2-unprotected.json")
    shown = managed()[instance]
    assert shown["ec2VirtualMachineSummary"]["accountID"] == account
    assert shown["computerStatus"]["agentStatusMessages"] == ["Unmanaged (Unknown)"]
    assert not rules_for("CVE-2026-1111")


@pytest.mark.parametrize(
    ("event", "cve", "state", "assigned"),
    [
        ("inspector-critical-ec2-protected.json", "CVE-2026-1112", "prevent", True),
        ("inspector-high-ec2-ocsf.json", "CVE-2026-1114", "detect", True),
        ("inspector-high-ec2-degraded.json", "CVE-2026-1113", "off", False),
        ("inspector-critical-ec2-finance-account.json", "CVE-2026-1115", "prevent", False),
    ],
)
def test_the_events_cves_are_shielded_in_every_way(
    event: str, cve: str, state: str, assigned: bool
) -> None:
    text = (EVENTS / event).read_text()
    assert cve in text
    (instance,) = {one for one in managed() if one in text}
    prevention = managed()[instance]["intrusionPrevention"]
    assert prevention["state"] == state
    assert bool(rules_for(cve) & set(prevention["ruleIDs"])) == assigned
    assert rules_for(cve)


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.json")), ids=lambda path: path.stem)
def test_ec2_knows_the_instances_of_the_events(path: Path) -> None:
    known = {(one["InstanceId"], one["OwnerId"]) for one in load().ec2.instances}
    arns = re.findall(r"arn:aws:ec2:us-east-1:(\d{12}):instance/(i-[0-9a-f]+)", path.read_text())
    assert {(name, account) for account, name in arns} <= known

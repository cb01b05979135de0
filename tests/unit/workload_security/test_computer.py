"""Computers as tenants send them, and as they should not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import ACCOUNT, INSTANCE, NOW
from hub_responder.workload_security import computer as module
from hub_responder.workload_security.computer import NO_VERSION, Computer
from workload import bare, by_agent, computer, ips


def read(item: object) -> Computer | None:
    return module.read(json.dumps(item).encode())


def one(item: object) -> Computer:
    found = read(item)
    assert found is not None
    return found


def test_an_instance_that_a_connector_tells_of() -> None:
    assert one(computer()) == Computer(
        id=34,
        guid=f"guid-{INSTANCE}",
        host="ip-10-20-1-12.ec2.internal",
        shown=INSTANCE,
        account_id=ACCOUNT,
        instance_id=INSTANCE,
        has_agent=True,
        agent_status="active",
        messages=("Managed (Online)",),
        last_contact=NOW - 300,
        agent_version="20.0.2.1234",
        policy_id=3,
        ips_state="prevent",
        ips_active=True,
        rules=(11, 12),
        am_state="on",
        power="POWER ON",
        connector=True,
    )


def test_an_instance_that_its_agent_tells_of() -> None:
    found = one(by_agent("I-0ABC1234DEF567890"))
    assert (found.account_id, found.instance_id) == (ACCOUNT, INSTANCE)
    assert (found.connector, found.has_agent) == (False, True)


def test_an_instance_without_an_agent_is_a_computer_too() -> None:
    found = one(bare())
    assert (found.instance_id, found.connector, found.has_agent) == (INSTANCE, True, False)
    assert (found.ips_state, found.ips_active, found.rules) == ("off", False, ())
    assert (found.last_contact, found.policy_id, found.guid) == (None, None, "")


UNMANAGED = {"agentStatus": "inactive", "agentStatusMessages": ["Unmanaged (Unknown)"]}
NO_AGENT = {"agentStatus": "inactive", "agentStatusMessages": ["No Agent"]}
OFFLINE = {"agentStatus": "inactive", "agentStatusMessages": ["Managed (Offline)"]}
ACTIVE = {"agentStatus": "active", "agentStatusMessages": []}
SILENT: dict[str, Any] = {}
PRINT, VERSION, ZERO = "F9:51", "20.0.2.1234", NO_VERSION


@pytest.mark.parametrize(
    ("version", "fingerprint", "status", "has_agent"),
    [
        (VERSION, PRINT, ACTIVE, True),
        (VERSION, PRINT, OFFLINE, True),
        (VERSION, PRINT, SILENT, True),
        (VERSION, PRINT, UNMANAGED, None),
        (VERSION, None, OFFLINE, True),
        (VERSION, None, UNMANAGED, False),
        (VERSION, None, SILENT, None),
        (ZERO, None, UNMANAGED, False),
        (ZERO, None, NO_AGENT, False),
        (ZERO, None, SILENT, False),
        (ZERO, "", SILENT, False),
        (ZERO, None, ACTIVE, None),
        (ZERO, PRINT, SILENT, None),
        (ZERO, PRINT, ACTIVE, True),
        (ZERO, PRINT, UNMANAGED, False),
        (None, None, UNMANAGED, False),
        (None, None, SILENT, None),
        ("", None, SILENT, None),
        (20, PRINT, ACTIVE, None),
        (VERSION, ["F9"], ACTIVE, None),
    ],
)
def test_whether_there_is_an_agent(
    version: object, fingerprint: object, status: dict[str, Any], has_agent: bool | None
) -> None:
    item = computer(agentVersion=version, agentFingerPrint=fingerprint, computerStatus=status)
    assert one(item).has_agent is has_agent


@pytest.mark.parametrize(
    ("overrides", "state", "active", "rules"),
    [
        (ips("detect"), "detect", True, (11, 12)),
        (ips("OFF", "inactive", []), "off", False, ()),
        (ips("prevent", "warning"), "prevent", None, (11, 12)),
        (ips("inherited"), "", True, (11, 12)),
        (ips(rules=None), "prevent", True, None),
        (ips(rules=[11, "12"]), "prevent", True, None),
        (ips(rules=[True]), "prevent", True, None),
        ({"intrusionPrevention": None}, "", None, None),
        ({"intrusionPrevention": {"state": 7, "moduleStatus": None}}, "", None, None),
    ],
)
def test_what_intrusion_prevention_does(
    overrides: dict[str, Any], state: str, active: bool | None, rules: tuple[int, ...] | None
) -> None:
    found = one(computer(**overrides))
    assert (found.ips_state, found.ips_active, found.rules) == (state, active, rules)


def test_a_computer_that_is_no_instance_has_none() -> None:
    found = one({"ID": 7, "hostName": "printer"})
    assert (found.id, found.host, found.instance_id, found.has_agent) == (7, "printer", "", None)


@pytest.mark.parametrize(
    "item",
    [
        None,
        [],
        {},
        {"ID": "34"},
        {"ID": None},
        computer(computerStatus=[]),
        computer(intrusionPrevention="prevent"),
        computer(ec2VirtualMachineSummary=["i-1"]),
        computer(ec2VirtualMachineSummary={"instanceID": 7}),
        computer(ec2VirtualMachineSummary={"instanceID": ["i-1"]}),
    ],
    ids=repr,
)
def test_what_could_be_any_instance_is_no_computer(item: object) -> None:
    assert read(item) is None


def test_one_of_another_shape_costs_itself_alone() -> None:
    items = [computer("i-1", ID=1), {"ID": 9, "computerStatus": 7}, "x", computer("i-2", ID=4)]
    page = module.read_page(json.dumps({"computers": items}).encode())
    assert [each and each.instance_id for each in page.computers] == ["i-1", None, None, "i-2"]
    assert page.last_id == 9


def test_texts_are_bounded() -> None:
    many = {"agentStatus": "a" * 999, "agentStatusMessages": ["m" * 999, 7, *["x"] * 99]}
    found = one(computer(hostName="h" * 999, displayName=7, computerStatus=many))
    assert (len(found.host), found.shown, len(found.agent_status)) == (256, "", 256)
    assert (len(found.messages), len(found.messages[0])) == (9, 80)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(sorted(computer())), json_values))
def test_whatever_is_sent_is_a_computer_or_none(overrides: dict[str, Any]) -> None:
    item = computer(**overrides)
    found = read(item)
    assert found is None or found.id == item["ID"]
    if found is not None and found.has_agent is False:
        version, marked = found.agent_version, str(item["agentFingerPrint"] or "").strip()
        assert version in ("", NO_VERSION) or not marked

"""One endpoint, seen by the list call and by the detail call."""

from __future__ import annotations

from typing import Any

import pytest

from hub_toolkit.sandbox.vendors.estate import EstateError
from hub_toolkit.sandbox.vendors.vision_one.inventory import endpoint

NOW = 1_795_000_000.0  # 2026-11-18T11:06:40 UTC


def item(**changes: Any) -> dict[str, Any]:
    return {
        "endpointName": "web-01",
        "agentGuid": "0f6c2a5e",
        "osName": "Amazon Linux 2023",
        "osPlatform": "linux",
        "osArchitecture": "x86_64",
        "osVersion": "2023.6",
        "osKernelVersion": "6.1",
        "ipAddresses": ["10.20.1.15"],
        "eppAgent": {
            "status": "on",
            "version": "20.0.2.1",
            "lastConnectedDateTime": "2026-02-14T09:19:11",
            "virtualMachineDetails": {
                "cloudProvider": "AWS",
                "cloudAccountId": "111122223333",
                "cloudInstanceId": "i-0123456789abcdef0",
            },
        },
        "edrSensor": {"status": "enabled"},
        **changes,
    }


def states(detail: dict[str, Any]) -> dict[str, str]:
    return {feature["name"]: feature["status"] for feature in detail["eppAgent"]["features"]}


def test_the_list_shows_machine_details_as_an_object_and_the_detail_as_pairs() -> None:
    web = endpoint(item(), 0)
    assert web.listed(NOW)["eppAgent"]["virtualMachineDetails"]["cloudInstanceId"].startswith("i-")
    pairs = web.detailed(NOW)["eppAgent"]["virtualMachineDetails"]
    assert {"key": "cloudAccountId", "value": "111122223333"} in pairs


def test_the_detail_nests_the_operating_system() -> None:
    detail = endpoint(item(), 0).detailed(NOW)
    assert detail["os"] == {
        "name": "Amazon Linux 2023",
        "platform": "linux",
        "architecture": "x86_64",
        "version": "2023.6",
        "kernelVersion": "6.1",
        "linuxDistribution": "Amazon Linux 2023",
    }
    assert "osName" not in detail
    assert detail["interfaces"][0]["ipAddresses"] == ["10.20.1.15"]


def test_features_stand_in_the_detail_only() -> None:
    web = endpoint(item(_features={"IntrusionPreventionSystem": "disabled"}), 0)
    listed = web.listed(NOW)
    assert "_features" not in listed
    assert "features" not in listed["eppAgent"]
    detail = web.detailed(NOW)
    assert "_features" not in detail
    assert states(detail) == {"IntrusionPreventionSystem": "disabled"}


def test_features_can_be_given_as_the_detail_shows_them() -> None:
    given = item()
    feature = {"name": "AntiMalware", "status": "enabled", "outdatedPatternIds": ["7"]}
    given["eppAgent"]["features"] = [feature]
    web = endpoint(given, 0)
    assert web.detailed(NOW)["eppAgent"]["features"] == [feature]
    assert "features" not in web.listed(NOW)["eppAgent"]
    assert web.value("eppAgentAntiMalware", NOW) == "enabled"


def test_an_item_that_says_nothing_of_features_follows_its_agents_state() -> None:
    assert states(endpoint(item(), 0).detailed(NOW))["IntrusionPreventionSystem"] == "enabled"
    off = item()
    off["eppAgent"]["status"] = "off"
    assert set(states(endpoint(off, 0).detailed(NOW)).values()) == {"disabled"}


def test_relative_times_follow_the_clock_and_others_stay() -> None:
    given = item()
    given["eppAgent"]["lastConnectedDateTime"] = "-P3DT1H2M3S"
    given["eppAgent"]["lastScannedDateTime"] = ""
    given["edrSensor"]["lastConnectedDateTime"] = "-PT5M"
    given["edrSensor"]["name"] = "-PT5M"
    web = endpoint(given, 0)
    assert web.listed(NOW)["eppAgent"]["lastConnectedDateTime"] == "2026-11-15T10:04:37"
    assert web.listed(NOW)["eppAgent"]["lastScannedDateTime"] == ""
    assert web.listed(NOW)["edrSensor"]["lastConnectedDateTime"] == "2026-11-18T11:01:40"
    assert web.listed(NOW + 60)["edrSensor"]["lastConnectedDateTime"] == "2026-11-18T11:02:40"
    assert web.listed(NOW)["edrSensor"]["name"] == "-PT5M"
    assert web.detailed(NOW)["eppAgent"]["lastConnectedDateTime"] == "2026-11-15T10:04:37"


@pytest.mark.parametrize(
    "odd",
    [
        {"eppAgent": {}},
        {"eppAgent": None, "edrSensor": None},
        {"eppAgent": {"virtualMachineDetails": [{"key": "a", "value": "b"}]}},
        {"ipAddresses": None},
        {"eppAgent": {"lastConnectedDateTime": "2026-02-14T09:19:11Z", "policyName": ""}},
        {"eppAgent": {"lastConnectedDateTime": "-P999999999D"}},
        {"eppAgent": "not an object"},
    ],
)
def test_odd_shapes_are_shown_as_given(odd: dict[str, Any]) -> None:
    web = endpoint(item(**odd), 0)
    listed = web.listed(NOW)
    assert {key: listed[key] for key in odd} == odd
    assert web.detailed(NOW)["agentGuid"] == "0f6c2a5e"


def test_a_missing_sensor_stays_missing() -> None:
    given = item()
    del given["edrSensor"]
    assert "edrSensor" not in endpoint(given, 0).detailed(NOW)


def test_answers_do_not_change_the_estate() -> None:
    given = item()
    web = endpoint(given, 0)
    web.listed(NOW)["eppAgent"]["status"] = "off"
    web.detailed(NOW)
    assert given == item()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("text", "endpoint 3 is not an object"),
        ({"endpointName": "web-01"}, "endpoint 3 has no agentGuid"),
        ({"agentGuid": ""}, "no agentGuid"),
        ({"agentGuid": "g", "_features": ["IntrusionPreventionSystem"]}, "_features"),
        ({"agentGuid": "g", "_features": {"AntiMalware": True}}, "_features"),
        ({"agentGuid": "g", "_availableActions": "unmanaged"}, "_availableActions"),
    ],
)
def test_an_item_that_is_no_endpoint_is_named(wrong: object, said: str) -> None:
    with pytest.raises(EstateError, match=said):
        endpoint(wrong, 3)

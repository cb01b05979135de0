"""Reading items of any shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estates import endpoint
from factories import NOW
from hub_responder.vision_one.endpoint import (
    NO_VERSION,
    UNREADABLE,
    Endpoint,
    merged,
    read,
    read_page,
)


def reading(item: object) -> Endpoint | None:
    return read(json.dumps(item).encode())


def known(item: object) -> Endpoint:
    found = reading(item)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "text", ["2026-11-22T00:00:00", "2026-11-22T00:00:00Z", "2026-11-22T09:00:00+09:00"]
)
def test_a_time_without_a_zone_is_utc(text: str) -> None:
    assert known(endpoint(lastConnectedDateTime=text)).epp_last_connected == NOW


@pytest.mark.parametrize("text", ["", "never", "0001-01-01T00:00:00", None, 7, "9" * 5000])
def test_a_time_that_is_none_is_none(text: object) -> None:
    assert known(endpoint(lastConnectedDateTime=text)).epp_last_connected is None


@pytest.mark.parametrize(
    ("agent", "installed"),
    [
        ({}, True),
        ({"version": "", "protectionManager": ""}, True),  # it has been in contact
        ({"version": "", "lastConnectedDateTime": ""}, True),
        ({"version": "", "protectionManager": "", "lastConnectedDateTime": ""}, False),
        ({"version": NO_VERSION[1], "lastConnectedDateTime": ""}, False),
    ],
)
def test_an_agent_is_there_if_something_of_it_is(agent: dict[str, str], installed: bool) -> None:
    assert known(endpoint(**agent)).epp_installed is installed


@pytest.mark.parametrize("field", ["status", "version", "protectionManager"])
def test_what_is_said_of_the_agent_in_another_type_is_unreadable(field: str) -> None:
    assert known(endpoint(**{field: 20})).epp_status == UNREADABLE


def test_a_sensor_of_another_shape_costs_only_the_sensor() -> None:
    found = known(endpoint("i-1", edrSensor="enabled"))
    assert (found.sensor_status, found.instance_id, found.epp_status) == (UNREADABLE, "i-1", "on")


@pytest.mark.parametrize("sensor", [{}, None])
def test_no_sensor_is_none(sensor: object) -> None:
    assert known(endpoint(edrSensor=sensor)).sensor_status == ""


@pytest.mark.parametrize("item", [None, 7, "x", [], {"eppAgent": []}, {"eppAgent": "on"}])
def test_an_item_of_another_shape_is_no_endpoint(item: object) -> None:
    assert reading(item) is None


@pytest.mark.parametrize(
    ("machine", "account", "instance", "identified"),
    [
        (None, "", "", True),
        ({"cloudProvider": "AWS", "cloudInstanceId": ""}, "", "", False),
        ({}, "", "", True),
        ({"cloudProvider": "", "cloudAccountId": "", "cloudInstanceId": ""}, "", "", True),
        ({"cloudAccountId": "1", "cloudInstanceId": " I-0A "}, "1", "i-0a", True),
        ([{"key": "cloudInstanceId", "value": "i-1"}], "", "i-1", True),
        ([{"key": "Instance", "value": "i-1"}], "", "", False),
        ({"cloudAccountId": "1", "cloudInstanceId": ""}, "1", "", False),
        ({"cloudAccountId": "1"}, "1", "", False),
        ({"cloudInstanceId": 7}, "", "", False),
        ("i-1", "", "", False),
        (7, "", "", False),
    ],
)
def test_an_instance_is_identified_or_said_not_to_be(
    machine: object, account: str, instance: str, identified: bool
) -> None:
    found = known(endpoint(virtualMachineDetails=machine))
    assert (found.account_id, found.instance_id, found.identified) == (
        account,
        instance,
        identified,
    )


@pytest.mark.parametrize(
    ("names", "addresses", "marks"),
    [
        (("Web-01.corp.example", ""), ["10.0.0.7"], {"web-01.corp.example", "web-01", "10.0.0.7"}),
        (("10.0.0.7", None), None, {"10.0.0.7"}),
        (("10.0.0.7 (web) [i-0ABC1234]", 7), [7, "", "FD00::7"], {"i-0abc1234", "fd00::7"}),
        (("xi-0abc1234", "ip-0abc12345"), {}, {"xi-0abc1234", "ip-0abc12345"}),
    ],
)
def test_without_an_instance_id_names_and_addresses_are_kept(
    names: tuple[object, object], addresses: object, marks: set[str]
) -> None:
    outer = {"endpointName": names[0], "displayName": names[1], "ipAddresses": addresses}
    found = known(endpoint(virtualMachineDetails=None) | outer).marks
    assert marks <= set(found)
    assert not any(mark.isdigit() for mark in found)
    assert known(endpoint("i-1") | outer).marks == ()


def test_the_case_of_a_state_does_not_matter() -> None:
    features = [{"name": " Firewall ", "status": "notSupported"}, {"name": ""}, {"status": "x"}, 7]
    found = known(
        endpoint(type="Desktop", isolationStatus="ON", status="On ", features=features)
        | {"edrSensor": {"status": "Enabled"}}
    )
    assert (found.type, found.isolation, found.epp_status, found.sensor_status) == (
        "desktop",
        "on",
        "on",
        "enabled",
    )
    assert found.features == {"Firewall": "notsupported"}


def test_texts_are_bounded() -> None:
    assert len(known(endpoint(policyName="x" * 9999)).policy or "") == 256


@pytest.mark.parametrize(
    ("name", "more", "policy"),
    [
        ("A", {}, "A"),
        ("", {}, ""),
        ("", {"securityPolicy": "B"}, "B"),
        (None, {}, None),
        (None, {"securityPolicy": ""}, ""),
    ],
)
def test_a_missing_policy_is_told_from_an_untold_one(
    name: object, more: dict[str, str], policy: str | None
) -> None:
    assert known(endpoint(policyName=name) | more).policy == policy


def test_one_bad_item_costs_no_other() -> None:
    body = {"items": [endpoint("i-1"), 7, endpoint("i-2")], "totalCount": 3, "nextLink": "x"}
    page = read_page(json.dumps(body).encode())
    assert [each and each.instance_id for each in page.items] == ["i-1", None, "i-2"]
    assert (page.total, page.next_link) == (3, "x")


def test_a_detail_adds_what_it_says_and_takes_nothing_away() -> None:
    listed = known(endpoint("i-1"))
    detail = Endpoint(guid="guid-i-1", epp_status="off", features={"Firewall": "enabled"})
    both = merged(listed, detail, shared=False)
    assert (both.epp_status, both.features, both.policy) == (
        "off",
        {"Firewall": "enabled"},
        listed.policy,
    )


@pytest.mark.parametrize(
    "other",
    [
        {"guid": "g"},
        {"guid": "guid-i-1", "instance_id": "i-2"},
        {"guid": "guid-i-1", "account_id": "9"},
    ],
)
def test_a_detail_of_a_clone_says_nothing(other: dict[str, str]) -> None:
    listed = known(endpoint("i-1"))
    detail = Endpoint(**other, features={"Firewall": "enabled"})  # type: ignore[arg-type]
    assert merged(listed, detail, shared=False) == listed


def test_a_detail_of_a_shared_guid_counts_only_if_it_names_its_instance() -> None:
    listed = known(endpoint("i-1"))
    detail = Endpoint(guid="guid-i-1", epp_status="off")
    assert merged(listed, detail, shared=True) == listed
    own = Endpoint(guid="guid-i-1", epp_status="off", instance_id="i-1")
    assert merged(listed, own, shared=True).epp_status == "off"


_json: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "agentGuid",
                    "eppAgent",
                    "edrSensor",
                    "status",
                    "virtualMachineDetails",
                    "features",
                    "key",
                    "value",
                    "name",
                    "cloudInstanceId",
                    "cloudAccountId",
                    "version",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


@given(_json)
@settings(max_examples=200, deadline=None)
def test_no_json_breaks_the_reading(item: object) -> None:
    found = reading(item)
    assert found is None or isinstance(found.instance_id, str)
    page = read_page(json.dumps({"items": [item, endpoint("i-1")]}).encode())
    assert page.items[0] == found

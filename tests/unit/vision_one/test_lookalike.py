"""Servers without an instance id that could be the instance of a finding."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estates import Tenant, endpoint
from factories import INSTANCE, resource
from hub_responder.finding import Resource
from hub_responder.vision_one import lookalike
from hub_responder.vision_one.client import Client
from hub_responder.vision_one.inventory import walk

ADDRESSES = {"IpV4Addresses": ["203.0.113.9", "10.20.1.12"]}


def sensor_only(**shown: Any) -> dict[str, Any]:
    """A server of which Vision One has no cloud details."""
    nothing = {"eppAgent": {}, "endpointName": "srv", "displayName": "", "ipAddresses": []}
    return endpoint("x") | nothing | shown


@pytest.mark.parametrize(
    ("shown", "details"),
    [
        ({"endpointName": "WEB-01"}, {}),
        ({"endpointName": "web-01.corp.example"}, {}),
        ({"displayName": "web-01"}, {}),
        ({"endpointName": f"{INSTANCE}.ec2.internal"}, {}),
        ({"endpointName": f"10.0.0.1 (web) [{INSTANCE}]"}, {}),
        ({"displayName": INSTANCE.upper()}, {}),
        ({"endpointName": "ip-10-20-1-12.ec2.internal"}, ADDRESSES),
        ({"endpointName": "10.20.1.12"}, ADDRESSES),
        ({"ipAddresses": ["172.17.0.1", "10.20.1.12"]}, ADDRESSES),
        ({"ipAddresses": ["FD00::1"]}, {"IpV6Addresses": ["fd00::1"]}),
        ({"ipAddresses": ["10.20.1.12"]}, {"ip": "10.20.1.12"}),
        ({"ipAddresses": ["10.20.1.12"]}, {"ip_addresses": ["10.20.1.12"]}),
        ({"endpointName": "app7"}, {"hostname": "app7.corp.example"}),
    ],
)
def test_a_name_or_an_address_in_common_is_a_likeness(
    tenant: Tenant, client: Client, shown: dict[str, Any], details: dict[str, Any]
) -> None:
    tenant.holds(sensor_only(**shown))
    found = walk(client).resembling(resource(details=details))
    assert found is not None
    assert found.guid == "guid-x"


@pytest.mark.parametrize(
    "item",
    [
        sensor_only(endpointName="web-011"),
        sensor_only(endpointName="srv.web-01"),
        sensor_only(endpointName=f"{INSTANCE}0"),
        sensor_only(endpointName="10.20.1.13"),
        sensor_only(endpointName="ip-10-20-1-1"),
        sensor_only(ipAddresses=["10.20.1.1"]),
        sensor_only(ipAddresses="10.20.1.12"),
        sensor_only(lastUsedIp="10.20.1.12"),  # may be a proxy's that many share
        endpoint("i-0def", endpointName="web-01"),  # another instance, and known to be
    ],
)
def test_anything_else_is_none(tenant: Tenant, client: Client, item: dict[str, Any]) -> None:
    tenant.holds(item)
    assert walk(client).resembling(resource(details=ADDRESSES)) is None


def test_a_finding_without_names_resembles_nothing(tenant: Tenant, client: Client) -> None:
    tenant.holds(sensor_only(endpointName="", ipAddresses=["", None]))
    assert walk(client).resembling(Resource("AwsEc2Instance", "x")) is None


_json = st.recursive(
    st.none() | st.integers() | st.text(max_size=4), lambda inner: st.lists(inner, max_size=3)
)


@given(
    st.dictionaries(
        st.sampled_from(["IpV4Addresses", "IpV6Addresses", "ip_addresses", "ip", "hostname"]), _json
    ),
    st.text(max_size=8),
    _json,
)
@settings(max_examples=200, deadline=None)
def test_no_details_break_it(details: dict[str, Any], name: str, addresses: Any) -> None:
    marks = list(lookalike.of_resource(resource(details=details, tags={"Name": name})))
    assert INSTANCE in marks
    assert "" not in marks
    assert "" not in lookalike.of_endpoint((name, ""), addresses)

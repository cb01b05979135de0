"""What a finding, and EC2 where it was asked, tell of an instance."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import ACCOUNT, INSTANCE, resource
from hub_responder.compact import to_compact
from hub_responder.finding import Finding, Resource
from hub_responder.vision_one import clues
from hub_responder.vision_one.clues import Clues

EC2 = {
    "instance": INSTANCE,
    "name": "web-01",
    "private_ip": "10.20.1.12",
    "public_ip": "203.0.113.9",
    "private_dns": "ip-10-20-1-12.eu-central-1.compute.internal",
    "macs": ("02:1c:42:be:22:5f", "nonsense"),
    "launched_at": "2026-11-20T00:00:00Z",
}


def test_a_finding_tells_name_and_addresses() -> None:
    found = clues.of(
        resource(
            instance_id=INSTANCE.upper(),
            details={
                "IpV4Addresses": ["10.20.1.12", "203.0.113.9"],
                "IpV6Addresses": ["FD00::1"],
                "LaunchedAt": "2026-11-20T00:00:00Z",
            },
        )
    )
    assert found == Clues(
        instance_id=INSTANCE,
        account=ACCOUNT,
        names=("web-01",),
        hosts=("ip-10-20-1-12", "ip-203-0-113-9"),
        addresses=("10.20.1.12", "203.0.113.9", "fd00::1"),
        launched=1795132800.0,
    )


def test_a_finding_in_ocsf_tells_of_its_interfaces() -> None:
    interface = {
        "private_ip_address": "10.20.1.14",
        "private_dns_name": "ip-10-20-1-14.ec2.internal",
    }
    details = {"network_interfaces": [interface, 7], "launch_time": 1795132800000, "hostname": "A7"}
    found = clues.of(resource(tags={}, details=details))
    assert found.names == ("a7",)
    assert found.hosts == ("ip-10-20-1-14.ec2.internal", "ip-10-20-1-14")
    assert (found.addresses, found.launched) == (("10.20.1.14",), 1795132800.0)


def test_ec2_tells_what_the_finding_does_not() -> None:
    found = clues.of(resource(tags={}), EC2)
    assert found.names == ("web-01",)
    assert found.hosts[:2] == ("ip-10-20-1-12.eu-central-1.compute.internal", "ip-10-20-1-12")
    assert found.addresses == ("10.20.1.12", "203.0.113.9")
    assert found.macs == ("021c42be225f",)
    assert found.launched == 1795132800.0


def test_the_computers_own_name_is_one_more() -> None:
    found = clues.of(resource(tags={}), EC2 | {"computer_name": "WIN-0A1B"})
    assert found.names == ("web-01", "win-0a1b")


def test_what_ec2_tells_of_another_instance_is_none() -> None:
    assert clues.of(resource(tags={}), EC2 | {"instance": "i-0def"}) == clues.of(resource(tags={}))


@pytest.mark.parametrize("name", ["ip-10-20-1-12", f"{INSTANCE}.ec2.internal", "ip-0a14010c"])
def test_a_name_tag_that_is_made_of_the_address_is_no_second_fact(name: str) -> None:
    found = clues.of(resource(tags={"Name": name}))
    assert (found.names, found.hosts[0]) == ((), name)


def test_a_name_that_every_machine_has_is_no_name() -> None:
    assert clues.of(resource(tags={"Name": "localhost"})).names == ()


def test_marks_are_what_a_record_may_be_found_by() -> None:
    found = clues.of(resource(tags={"Name": "Web-01.corp.example"}), EC2 | {"name": ""})
    assert set(found.marks()) == {
        INSTANCE,
        "web-01.corp.example",
        "web-01",
        "ip-10-20-1-12.eu-central-1.compute.internal",
        "ip-10-20-1-12",
        "ip-203-0-113-9",
        "10.20.1.12",
        "203.0.113.9",
    }
    assert list(clues.of(Resource("AwsEc2Instance", "x")).marks()) == [""]


def test_the_ledgers_form_of_a_finding_tells_the_same(any_finding: Finding) -> None:
    kept = Finding.from_compact(to_compact(any_finding))
    assert clues.of(kept.resource) == clues.of(any_finding.resource)


@pytest.fixture(
    params=[
        {"IpV4Addresses": ["10.20.1.12"], "IpV6Addresses": ["fd00::1"], "LaunchedAt": "2026-11-20"},
        {
            "hostname": "app7",
            "ip": "10.1.2.3",
            "ip_addresses": ["10.1.2.4"],
            "launch_time": 1795132800000,
            "network_interfaces": [
                {"private_ip_address": "10.1.2.5", "private_dns_name": "ip-10-1-2-5.ec2.internal"}
            ],
        },
    ],
    ids=["ASFF", "OCSF"],
)
def any_finding(request: pytest.FixtureRequest) -> Finding:
    from factories import finding

    return finding(resources=(resource(details=request.param),))


_json = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
)
_KEYS = (
    "IpV4Addresses",
    "IpV6Addresses",
    "ip_addresses",
    "ip",
    "hostname",
    "network_interfaces",
    "LaunchedAt",
    "launch_time",
)


@given(st.dictionaries(st.sampled_from(_KEYS), _json), st.text(max_size=8))
@settings(max_examples=300, deadline=None)
def test_no_details_break_it(details: dict[str, Any], name: str) -> None:
    found = clues.of(resource(details=details, tags={"Name": name}))
    told = list(found.marks())
    assert told[0] == INSTANCE
    assert "" not in told

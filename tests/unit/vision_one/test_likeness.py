"""What speaks for a record being the instance's, and what against."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from factories import ACCOUNT, INSTANCE, NOW
from hub_responder import clock
from hub_responder.vision_one.clues import Clues
from hub_responder.vision_one.endpoint import Endpoint, Interface
from hub_responder.vision_one.likeness import RECENT_S, likeness

MAC, OTHER_MAC = "021c42be225f", "06aabbccddee"
CLUES = Clues(
    instance_id=INSTANCE,
    account=ACCOUNT,
    names=("web-01",),
    hosts=("ip-10-20-1-12.ec2.internal", "ip-10-20-1-12"),
    addresses=("10.20.1.12", "203.0.113.9"),
)


def record(*marks: str, **more: Any) -> Endpoint:
    values = {"guid": "g", "epp_status": "on", "epp_contact": clock.iso(NOW - 60)}
    return Endpoint(marks=marks, **values | more)


def clues(**changes: Any) -> Clues:
    return msgspec.structs.replace(CLUES, **changes)


def interface(mac: str, *addresses: str) -> tuple[Interface, ...]:
    return (Interface(mac, addresses),)


@pytest.mark.parametrize(
    ("known", "held", "agrees"),
    [
        (CLUES, record(INSTANCE), {"instance_id"}),
        (CLUES, record("x", instance_id=INSTANCE), {"instance_id"}),
        (clues(macs=(MAC,)), record("x", interfaces=interface(MAC)), {"mac"}),
    ],
)
def test_the_instance_id_and_a_mac_address_prove_it(
    known: Clues, held: Endpoint, agrees: set[str]
) -> None:
    found = likeness(known, held, NOW)
    assert (found.agrees, found.proven) == (agrees, True)


def test_a_proof_needs_no_recent_contact() -> None:
    assert likeness(CLUES, record(INSTANCE, epp_contact=""), NOW).proven


@pytest.mark.parametrize(
    "marks",
    [
        ("web-01", "10.20.1.12"),
        ("web-01.corp.example", "web-01", "172.17.0.1", "10.20.1.12"),
        ("web-01", "ip-10-20-1-12"),
    ],
)
def test_a_name_and_an_address_corroborate_each_other(marks: tuple[str, ...]) -> None:
    found = likeness(CLUES, record(*marks), NOW)
    assert (found.corroborated, found.proven) == (True, False)


@pytest.mark.parametrize(
    "marks",
    [
        ("web-01",),
        ("10.20.1.12",),
        # EC2 makes the name of the address: that is one fact, told twice.
        ("ip-10-20-1-12.ec2.internal", "ip-10-20-1-12", "10.20.1.12"),
    ],
)
def test_one_fact_alone_is_none(marks: tuple[str, ...]) -> None:
    found = likeness(CLUES, record(*marks), NOW)
    assert found.agrees
    assert (found.corroborated, found.proven, found.against) == (False, False, "")


def test_two_full_names_that_differ_are_not_one_by_their_first_label() -> None:
    full = clues(names=("web-01.a.example",))
    same = ("web-01.b.example", "web-01", "10.20.1.12")
    assert likeness(full, record(*same), NOW).agrees == {"address"}
    assert likeness(full, record("web-01", "10.20.1.12"), NOW).corroborated


@pytest.mark.parametrize(
    ("known", "held", "against"),
    [
        (CLUES, record("web-01", "10.20.1.12", instance_id="i-0def"), "instance_id"),
        (CLUES, record("web-01", "10.20.1.12", "i-0def456789abcdef"), "instance_id"),
        (CLUES, record("web-01", "10.20.1.12", account_id="444455556666"), "account"),
        (CLUES, record(INSTANCE, account_id="444455556666"), "account"),
        (
            clues(macs=(MAC,)),
            record("web-01", "10.20.1.12", interfaces=interface(OTHER_MAC, "10.20.1.12")),
            "mac",
        ),
    ],
)
def test_another_id_account_or_mac_address_is_another_machine(
    known: Clues, held: Endpoint, against: str
) -> None:
    found = likeness(known, held, NOW)
    assert (found.against, found.certain) == (against, True)
    assert (found.proven, found.corroborated) == (False, False)


@pytest.mark.parametrize(
    ("known", "held", "against"),
    [
        (CLUES, record("web-01", "10.9.9.9"), "address"),
        (CLUES, record(INSTANCE, "10.9.9.9"), "address"),  # a clone keeps its host name
        (
            clues(macs=(MAC,)),
            record("web-01", "10.20.1.12", interfaces=interface(OTHER_MAC, "172.17.0.1")),
            "mac",
        ),
        # The record of the machine that had name and address before this instance was started.
        (clues(launched=NOW - 30), record("web-01", "10.20.1.12"), "contact"),
        (CLUES, record("web-01", "10.20.1.12", epp_contact=clock.iso(NOW - 1801)), "contact"),
        (CLUES, record("web-01", "10.20.1.12", epp_contact=""), "contact"),
    ],
)
def test_other_contradictions_leave_a_doubt(known: Clues, held: Endpoint, against: str) -> None:
    found = likeness(known, held, NOW)
    assert (found.against, found.certain) == (against, False)
    assert (found.proven, found.corroborated) == (False, False)


def test_contact_since_the_start_counts_however_long_ago_it_was() -> None:
    old = record("web-01", "10.20.1.12", epp_contact=clock.iso(NOW - 5 * RECENT_S))
    assert likeness(clues(launched=NOW - 6 * RECENT_S), old, NOW).corroborated
    assert not likeness(CLUES, old, NOW).corroborated


def test_addresses_that_one_side_does_not_tell_contradict_nothing() -> None:
    assert not likeness(CLUES, record("web-01"), NOW).against
    assert not likeness(clues(addresses=()), record("web-01", "10.9.9.9"), NOW).against
    assert not likeness(clues(account=""), record("web-01", account_id="4"), NOW).against

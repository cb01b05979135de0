"""Which record is the instance's: by its id, by likeness, or in doubt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from factories import ACCOUNT, INSTANCE, NOW
from hub_responder import clock
from hub_responder.errors import TransientError
from hub_responder.vision_one.clues import Clues
from hub_responder.vision_one.endpoint import UNREADABLE, Endpoint, Interface
from hub_responder.vision_one.inventory import Inventory
from hub_responder.vision_one.matching import (
    MOST,
    Absent,
    Candidates,
    Doubt,
    Found,
    Match,
    by_instance,
    by_likeness,
)

OTHER_ACCOUNT = "444455556666"
MAC, OTHER_MAC = "021c42be225f", "06aabbccddee"
CLUES = Clues(instance_id=INSTANCE, account=ACCOUNT, names=("web-01",), addresses=("10.20.1.12",))
WITH_MAC = msgspec.structs.replace(CLUES, macs=(MAC,))
AGENT = Endpoint(
    guid="g-1",
    name="web-01",
    account_id=ACCOUNT,
    instance_id=INSTANCE,
    epp_status="on",
    epp_installed=True,
    epp_contact=clock.iso(NOW - 300),
)
BARE = Endpoint(guid="g-2", account_id=ACCOUNT, instance_id=INSTANCE)


def but(of: Endpoint = AGENT, **changes: Any) -> Endpoint:
    return msgspec.structs.replace(of, **changes)


def nameless(guid: str, *marks: str, **changes: Any) -> Endpoint:
    """A record without an instance id."""
    return but(guid=guid, account_id="", instance_id="", marks=marks, **changes)


LIKE = nameless("g-3", "web-01", "10.20.1.12")


# The instance's id


def found(*records: Endpoint, **changes: Any) -> Found:
    known = Inventory(NOW, {INSTANCE: records} if records else {})
    return by_instance(known, msgspec.structs.replace(CLUES, **changes))


def test_an_instance_without_a_record_is_absent() -> None:
    assert found() == Absent()


@pytest.mark.parametrize(
    ("told", "recorded"), [("", OTHER_ACCOUNT), (ACCOUNT, ""), (ACCOUNT, ACCOUNT)]
)
def test_an_account_that_one_side_does_not_tell_fits(told: str, recorded: str) -> None:
    match = found(but(account_id=recorded), account=told)
    assert isinstance(match, Match)
    assert match.tier == "instance_id"
    assert match.by == ("cloud instance id and account" if recorded else "instance id")


def test_the_same_instance_id_in_another_account_is_a_doubt() -> None:
    doubt = found(but(account_id=OTHER_ACCOUNT))
    assert doubt == Doubt("account_mismatch", {"other_account": OTHER_ACCOUNT})


def test_a_record_of_another_account_does_not_stand_for_the_own_one() -> None:
    match = found(but(account_id=OTHER_ACCOUNT), but(epp_status="off"))
    assert isinstance(match, Match)
    assert match.endpoint.epp_status == "off"


@pytest.mark.parametrize(
    "best_first",
    [
        [AGENT, but(guid="older", epp_contact=clock.iso(NOW - 900))],
        [AGENT, but(guid="off", epp_status="off", epp_contact=clock.iso(NOW))],
        [but(epp_status="off"), but(BARE, sensor_contact=clock.iso(NOW))],
        [but(epp_status="unknown"), BARE],
        # What may have an agent counts before what plainly has none.
        [but(BARE, epp_status=UNREADABLE), BARE],
        [but(BARE, sensor_status="enabled"), BARE],
        # The sensor's contact makes no agent's record the latest.
        [AGENT, but(guid="x", epp_contact="", sensor_contact=clock.iso(NOW + 60))],
    ],
)
def test_of_several_records_the_one_with_the_agent_counts(best_first: list[Endpoint]) -> None:
    for records in (best_first, best_first[::-1]):
        match = found(*records)
        assert isinstance(match, Match)
        assert match.endpoint == best_first[0]


def test_a_record_without_an_agent_ends_nothing() -> None:
    absent = found(BARE, but(BARE, guid="g-9"))
    assert isinstance(absent, Absent)
    assert absent.bare is not None
    assert absent.bare.endpoint == BARE


# Likeness


def alike(
    *records: Endpoint,
    clues: Clues = CLUES,
    unseen: int = 0,
    detailed: Callable[[Endpoint], Endpoint] | None = None,
) -> Found:
    return by_likeness(clues, Candidates(records, unseen, NOW), detailed)


def matched(answer: Found) -> tuple[str, str, str]:
    assert isinstance(answer, Match), answer
    return answer.endpoint.guid, answer.tier, answer.by


def doubted(answer: Found) -> str:
    assert isinstance(answer, Doubt), answer
    return answer.reason


def test_nothing_alike_is_absent() -> None:
    assert alike() == Absent()


def test_an_id_in_the_name_matches() -> None:
    named = nameless("g-4", INSTANCE, "app")
    assert matched(alike(named)) == ("g-4", "host_name", "instance id in its name")


def test_a_name_and_an_address_match() -> None:
    assert matched(alike(LIKE)) == ("g-3", "host_name", "host name and address")


@pytest.mark.parametrize("mark", ["web-01", "10.20.1.12"])
def test_a_name_or_an_address_alone_is_a_doubt(mark: str) -> None:
    doubt = alike(nameless("g-4", mark))
    assert isinstance(doubt, Doubt)
    assert (doubt.reason, doubt.passing) == ("lookalike", False)
    assert doubt.evidence["agent_guid"] == "g-4"
    assert doubt.evidence["agrees"] == ["name" if mark == "web-01" else "address"]


@pytest.mark.parametrize(
    "second",
    [
        nameless("g-4", "web-01", "10.20.1.12"),
        nameless("g-4", "web-01"),
        nameless("g-4", "10.20.1.12"),
    ],
)
def test_two_that_fit_are_ambiguous(second: Endpoint) -> None:
    doubt = alike(LIKE, second)
    assert isinstance(doubt, Doubt)
    assert doubt.reason == "ambiguous"
    assert doubt.evidence["candidates"] == 2
    assert doubt.evidence["endpoints"] == ["web-01", "web-01"]


def test_two_with_the_instances_id_in_their_names_are_ambiguous() -> None:
    assert doubted(alike(nameless("a", INSTANCE), nameless("b", INSTANCE))) == "ambiguous"


def test_a_proven_one_counts_before_all_that_fit() -> None:
    named = nameless("g-4", INSTANCE)
    assert matched(alike(LIKE, named, unseen=3))[0] == "g-4"


def test_what_contradicts_stands_in_no_ones_way() -> None:
    stranger = nameless("g-4", "web-01", "10.20.1.12", "i-0def456789abcdef")
    elsewhere = nameless("g-5", "web-01", "10.9.9.9")
    assert matched(alike(stranger, elsewhere, LIKE))[0] == "g-3"
    assert alike(stranger) == Absent()
    assert doubted(alike(elsewhere)) == "lookalike"


def test_what_could_not_be_read_could_be_the_instance() -> None:
    doubt = alike(unseen=2)
    assert doubt == Doubt("incomplete", {"unreadable": 2}, passing=True)
    assert doubted(alike(LIKE, unseen=1)) == "incomplete"


def test_a_proven_record_without_an_agent_is_no_agent() -> None:
    bare = Endpoint(guid="g-4", name="app", marks=(INSTANCE,))
    absent = alike(bare)
    assert isinstance(absent, Absent)
    assert absent.bare is not None
    assert absent.bare.endpoint == bare
    assert matched(alike(bare, LIKE))[0] == "g-3"
    assert doubted(alike(bare, nameless("g-5", "web-01"))) == "lookalike"


# MAC addresses


def with_macs(**macs: tuple[str, str]) -> Callable[[Endpoint], Endpoint]:
    """Details that show for each GUID a MAC address and the address of its interface."""

    def detailed(listed: Endpoint) -> Endpoint:
        told = macs.get(listed.guid.replace("-", "_"))
        return but(listed, interfaces=(Interface(told[0], (told[1],)),)) if told else listed

    return detailed


def test_a_mac_address_tells_twins_apart() -> None:
    """Two machines of one name and address in two accounts, neither record with an id."""
    twin = nameless("g-4", "web-01", "10.20.1.12")
    macs = with_macs(g_3=(OTHER_MAC, "10.20.1.12"), g_4=(MAC, "10.20.1.12"))
    answer = alike(LIKE, twin, clues=WITH_MAC, detailed=macs)
    assert matched(answer) == ("g-4", "host_name", "MAC address, host name and address")
    assert alike(LIKE, clues=WITH_MAC, detailed=macs) == Absent()


def test_an_address_with_its_mac_address_matches_without_a_name() -> None:
    unnamed = nameless("g-4", "10.20.1.12")
    answer = alike(unnamed, clues=WITH_MAC, detailed=with_macs(g_4=(MAC, "10.20.1.12")))
    assert matched(answer) == ("g-4", "private_ip", "MAC address and address")


def test_a_mac_address_of_another_interface_leaves_a_doubt() -> None:
    bridge = with_macs(g_3=(OTHER_MAC, "172.17.0.1"))
    assert doubted(alike(LIKE, clues=WITH_MAC, detailed=bridge)) == "lookalike"


def test_a_record_that_tells_no_mac_address_is_compared_by_the_rest() -> None:
    assert matched(alike(LIKE, clues=WITH_MAC, detailed=with_macs()))[0] == "g-3"


def test_mac_addresses_that_were_not_asked_for_leave_a_doubt() -> None:
    assert doubted(alike(LIKE, clues=WITH_MAC)) == "lookalike"


def test_details_are_asked_for_only_where_they_can_tell_and_not_without_end() -> None:
    asked = []

    def detailed(listed: Endpoint) -> Endpoint:
        asked.append(listed.guid)
        return listed

    alike(LIKE, detailed=detailed)
    assert asked == []
    crowd = [nameless(f"g-{n}", "web-01") for n in range(2 * MOST)]
    stranger = nameless("x", "web-01", "i-0def456789abcdef")
    assert doubted(alike(stranger, *crowd, clues=WITH_MAC, detailed=detailed)) == "ambiguous"
    assert asked == [f"g-{n}" for n in range(MOST)]


def test_trouble_with_a_detail_is_raised() -> None:
    def detailed(_listed: Endpoint) -> Endpoint:
        raise TransientError("no", target="vision_one")

    with pytest.raises(TransientError):
        alike(LIKE, clues=WITH_MAC, detailed=detailed)

"""Which computers instances are in Server & Workload Protection, and what they say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from factories import ACCOUNT, NOW
from hub_responder.deadline import Deadline
from hub_responder.errors import (
    DeniedError,
    HubResponderError,
    IncompleteError,
    TransientError,
)
from hub_responder.vision_one import computers
from hub_responder.workload_security.client import Client
from hub_responder.workload_security.computer import Computer
from loopback import Loopback, Reply
from workload import KEY, Workload, bare, by_agent, computer

OTHER = "444455556666"


@pytest.fixture
def workload() -> Iterator[Workload]:
    server = Loopback()
    yield Workload(server)
    server.close()


@pytest.fixture
def client(workload: Workload) -> Client:
    headers = {"Authorization": f"ApiKey {KEY}"}
    url = workload.server.url
    return Client("workload", url, lambda call: call(headers), Deadline.after(60))


def ids(found: Any) -> list[int]:
    assert not isinstance(found, HubResponderError), found
    return [one.id for one in found]


def test_instances_are_found_with_and_without_a_connector(
    workload: Workload, client: Client
) -> None:
    workload.holds(computer("i-1", ID=1), by_agent("i-2", ID=2), bare("i-3", ID=3))
    found = computers.look_up(client, ["i-1", "i-2", "i-3", "i-4", "i-1"])
    assert {name: ids(told) for name, told in found.items()} == {
        "i-1": [1], "i-2": [2], "i-3": [3], "i-4": [],
    }  # fmt: skip
    assert computers.look_up(client, []) == {}


def test_many_instances_are_looked_up_in_a_walk(workload: Workload, client: Client) -> None:
    workload.holds(*(computer(f"i-{n}", ID=n + 1) for n in range(30)), by_agent("i-99", ID=99))
    wanted = [f"i-{n}" for n in range(29)] + ["i-99", "i-nowhere"]
    found = computers.look_up(client, wanted)
    assert len(workload.server.requests) <= 2
    assert (ids(found["i-0"]), ids(found["i-99"]), ids(found["i-nowhere"])) == ([1], [99], [])


@pytest.mark.parametrize("number", [3, computers.WALK_FROM])
@pytest.mark.parametrize(
    ("reply", "kind"),
    [(Reply(403), DeniedError), (Reply(429), TransientError)],
)
def test_trouble_is_said_of_all_and_asked_for_once(
    workload: Workload, client: Client, number: int, reply: Reply, kind: type[Exception]
) -> None:
    workload.replies = [reply]
    wanted = [f"i-{n}" for n in range(number)]
    found = computers.look_up(client, wanted)
    assert [type(found[name]) for name in wanted] == [kind] * number
    assert len(workload.server.requests) == 1


def test_a_computer_that_cannot_be_read_could_be_any_that_is_not_found(
    workload: Workload, client: Client
) -> None:
    odd = {"ID": 2, "ec2VirtualMachineSummary": {"instanceID": 7}}
    workload.replies = [Reply(200, {"computers": [computer("i-0", ID=1), odd]})]
    found = computers.look_up(client, [f"i-{n}" for n in range(computers.WALK_FROM)])
    assert ids(found["i-0"]) == [1]
    assert isinstance(found["i-1"], IncompleteError)


def one(**values: Any) -> Computer:
    return Computer(**{"id": 1, "account_id": ACCOUNT, **values})


def test_the_one_with_an_agent_counts_and_of_those_the_latest() -> None:
    without = one(id=1, has_agent=False)
    unsure = one(id=2)
    old = one(id=3, has_agent=True, agent_status="active", last_contact=NOW - 90)
    off = one(id=4, has_agent=True, agent_status="inactive", last_contact=NOW)
    new = one(id=5, has_agent=True, agent_status="active", last_contact=NOW - 60, guid="g")
    held = [without, unsure, old, off, new]
    for number in range(5):
        best = computers.best([*held[number:], *held[:number]], ACCOUNT)
        assert best is not None
        assert best.id == 5
    assert computers.best([without, unsure], ACCOUNT) == unsure
    assert computers.best([], ACCOUNT) is None


def test_the_agents_own_computer_counts_before_a_better_one() -> None:
    better = one(id=1, has_agent=True, agent_status="active", guid="other")
    own = one(id=2, has_agent=False, guid="g-1")
    assert computers.best([better, own], ACCOUNT, "G-1") == own
    assert computers.best([better, own], ACCOUNT, "g-9") == better


def test_computers_of_another_account_are_not_the_instances() -> None:
    assert computers.best([one(account_id=OTHER)], ACCOUNT) is None
    assert computers.best([one(account_id=OTHER)], "") is not None
    assert computers.best([one(account_id="")], ACCOUNT) is not None


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ({"ips_state": "prevent", "ips_active": True}, "enabled"),
        ({"ips_state": "detect", "ips_active": True}, "enabled"),
        ({"ips_state": "prevent", "ips_active": None}, ""),
        ({"ips_state": "prevent", "ips_active": False}, "disabled"),
        ({"ips_state": "off", "ips_active": True}, "disabled"),
        ({}, ""),
    ],
)
def test_a_module_is_on_where_it_runs(told: dict[str, Any], state: str) -> None:
    assert computers.state(one(**told), "intrusion_prevention") == state
    malware = {name.replace("ips", "am"): value for name, value in told.items()}
    malware = {k: "on" if v in ("prevent", "detect") else v for k, v in malware.items()}
    assert computers.state(one(**malware), "anti_malware") == state
    assert computers.state(one(**told), "firewall") == ""


def test_what_it_says_is_one_bounded_line() -> None:
    found = one(agent_status="active", messages=("Managed (Online)",), ips_state="prevent")
    assert computers.said(found) == "active: Managed (Online); intrusion prevention prevent"
    long = msgspec.structs.replace(found, messages=("x" * 80,) * 10)
    assert len(computers.said(long)) == 160
    assert computers.said(one()) == "not told"

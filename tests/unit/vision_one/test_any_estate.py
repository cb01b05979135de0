"""Over estates and faults of all kinds: nobody who has an agent is called unprotected, and nobody
without one protected.

An estate is made of machines of which it is known whether an agent runs there; what Vision One and
Server & Workload Protection show of them is drawn from every trap that is known of. What cannot be
told apart by anything is left out, as `docs/coverage.md` says it: two machines of one name and one
address whose MAC addresses nobody tells; an agent whose record shares no fact with its instance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from estates import Tenant, endpoint
from factories import ACCOUNT, NOW, REGION, resource
from hub_responder import clock
from hub_responder.deadline import Deadline
from hub_responder.inventory.walk import walk
from hub_responder.vision_one import asking, clues, inventory, snapshot
from hub_responder.vision_one.asking import Question, answers
from hub_responder.vision_one.client import Client
from hub_responder.vision_one.coverage import Coverage, Demand
from hub_responder.vision_one.likeness import RECENT_S
from hub_responder.workload_security.client import Client as WorkloadClient
from hub_toolkit.sandbox.moto_store import MotoStore
from loopback import Loopback, Reply
from member_cloud import MemberCloud
from workload import KEY, Workload, bare, by_agent, computer

BUCKET = "inventory-1"
ACCOUNTS = (ACCOUNT, "444455556666")
NAMES = ("web-01", "受付-03", "")
ADDRESSES = ("10.0.0.1", "10.0.0.2", "10.0.0.3")
KINDS = (
    "cloud",
    "pairs",
    "no account",
    "clone",
    "named",
    "alike",
    "address",
    "desktop",
    "odd",
)
"""What Vision One shows of an agent: with the instance's id (in three shapes, or with the GUID of
the image that it was made of); with the id in its name; with the instance's name and address; with
its address alone; the same as a desktop; of another shape."""
BESIDE = ("", "", "listed", "empty", "sensor")
"""What it shows besides: the instance as a connector lists it; with nothing of an agent; the sensor
alone."""
FAULTS = (
    Reply(401),
    Reply(403, {"error": {"code": "AccessDenied"}}),
    Reply(400, {"error": {"code": "BadRequest"}}),
    Reply(429, {"code": "TooManyRequests"}),
    Reply(429, {"error": {"code": "TooManyRequests"}}, {"Retry-After": "40"}),
    Reply(500, {"error": {"code": "InternalServerError"}}),
    Reply(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"}),
    Reply(200, b'{"items": [{"agentGuid": "'),
    Reply(200, b"<html>proxy</html>"),
    Reply(200, {"items": [7], "totalCount": 1, "count": 1}),
    Reply(200, {"items": [], "nextLink": "https://elsewhere.example/v3.0/x"}),
    Reply(hang_up=True),
)
_NEVER = {"version": "", "status": "", "protectionManager": "", "lastConnectedDateTime": ""}


@dataclass(frozen=True)
class Machine:
    """An instance, and what is known of it.

    Attributes:
        number: makes its id and its agent's GUID.
        agent: whether an agent runs there. kind: what Vision One shows of it, where one does.
        beside: what it shows besides.
        before: a machine of the same name and address was there before, and its record still is.
        since: an agent was installed after the snapshot. launched, macs: told by the finding.
        second: what Server & Workload Protection shows: ``connector``, ``agent`` or nothing.
    """

    number: int
    account: str
    name: str
    address: str
    agent: bool
    kind: str
    beside: str
    before: str
    since: bool
    launched: bool
    macs: bool
    clicked: bool
    second: str

    @property
    def id(self) -> str:
        return f"i-{self.number:017x}"

    @property
    def guid(self) -> str:
        return f"{self.number:08x}-0000-4000-8000-000000000000"

    @property
    def mac(self) -> str:
        return f"02:00:00:00:00:{self.number:02x}"

    @property
    def place(self) -> tuple[str, str]:
        return self.name, self.address

    def question(self) -> Question:
        details: dict[str, Any] = {"IpV4Addresses": [self.address]}
        if self.launched:
            details["LaunchedAt"] = clock.iso(NOW - 7200)
        of = resource(
            instance_id=self.id,
            account=self.account,
            details=details,
            tags={"Name": self.name} if self.name else {},
        )
        known = {"instance": self.id, "macs": [self.mac]} if self.macs else None
        return Question(clues.of(of, known), clicked=self.clicked)


def _machines() -> st.SearchStrategy[list[Machine]]:
    one = st.builds(
        Machine,
        number=st.just(0),
        account=st.sampled_from(ACCOUNTS),
        name=st.sampled_from(NAMES),
        address=st.sampled_from(ADDRESSES),
        agent=st.booleans(),
        kind=st.sampled_from(KINDS),
        beside=st.sampled_from(BESIDE),
        before=st.sampled_from(("", "", "known", "nameless")),
        since=st.booleans(),
        launched=st.booleans(),
        macs=st.booleans(),
        clicked=st.booleans(),
        second=st.sampled_from(("", "connector", "agent")),
    )
    return st.lists(one, min_size=1, max_size=5).map(_numbered)


def _numbered(machines: Sequence[Machine]) -> list[Machine]:
    """Each with a number; MAC addresses are told of those that nothing else tells apart."""
    numbered = [replace(one, number=number) for number, one in enumerate(machines, 1)]
    places = [one.place for one in numbered]
    return [replace(one, macs=one.macs or places.count(one.place) > 1) for one in numbered]


# What the systems show


def _records(one: Machine) -> Iterator[dict[str, Any]]:
    if one.agent:
        yield _of_agent(one)
    if one.beside:
        yield _beside(one)
    if one.before:
        yield _of_earlier(one)


def _of_agent(one: Machine) -> dict[str, Any]:
    made = endpoint(
        one.id,
        one.account,
        agentGuid="guid-image" if one.kind == "clone" else one.guid,
        endpointName=f"ip-{one.address.replace('.', '-')}.ec2.internal",
        ipAddresses=["172.17.0.1", one.address],
        _macAddresses=[one.mac],
    )
    own = {"cloudAccountId": one.account, "cloudInstanceId": one.id}
    machine: dict[str, Any] = {
        "pairs": [{"key": key, "value": value} for key, value in own.items()],
        "no account": {"cloudInstanceId": one.id},
        "odd": 7,
    }
    if one.kind in ("cloud", "clone"):
        return made
    made["eppAgent"] = {**made["eppAgent"], "virtualMachineDetails": machine.get(one.kind)}
    if one.kind == "named":
        made["displayName"] = f"app [{one.id}]"
    if one.kind == "alike":
        made["endpointName"] = one.name or "host"
    if one.kind == "desktop":
        made |= {"type": "desktop", "_securityDeployment": ["userProtection"]}
    return made


def _beside(one: Machine) -> dict[str, Any]:
    made = endpoint(
        one.id,
        one.account,
        agentGuid=f"beside-{one.number}",
        endpointName=f"ip-{one.address.replace('.', '-')}.ec2.internal",
        ipAddresses=[one.address],
        edrSensor={"status": "enabled" if one.beside == "sensor" else "disabled"},
        **_NEVER,
    )
    return made | ({"eppAgent": {}} if one.beside == "empty" else {})


def _of_earlier(one: Machine) -> dict[str, Any]:
    """The record of the machine that had name and address before, and is gone. It was last in
    contact before this one was started; where that is not told, half an hour ago at least."""
    contact = NOW - 7260 if one.launched else NOW - RECENT_S - 60
    made = endpoint(
        f"i-1{one.number:016x}",
        one.account,
        agentGuid=f"before-{one.number}",
        endpointName=one.name or f"ip-{one.address.replace('.', '-')}",
        ipAddresses=[one.address],
        lastConnectedDateTime=clock.iso(contact)[:19],
        edrSensor=None,
        _macAddresses=[f"06:00:00:00:00:{one.number:02x}"],
    )
    if one.before == "nameless":
        made["eppAgent"] = {**made["eppAgent"], "virtualMachineDetails": None}
    return made


def _computers(one: Machine) -> Iterator[dict[str, Any]]:
    known = {"ID": one.number, "agentGUID": one.guid if one.agent else None}
    if one.second == "agent" and one.agent:
        yield by_agent(one.id, one.account, **known)
    if one.second == "connector":
        made = computer if one.agent else bare
        yield made(one.id, one.account, **known)


ELSEWHERE = endpoint(
    "i-0fffffffffffffff0",
    "999988887777",
    agentGuid="ffffffff-0000-4000-8000-000000000000",
    endpointName="elsewhere",
    ipAddresses=["192.168.9.9"],
)


# The property


class World:
    """Both systems, a bucket of snapshots, and a process that knows nothing yet."""

    def __init__(self, tenant: Tenant, workload: Workload, client: Client) -> None:
        self.tenant = tenant
        self.workload = workload
        headers = {"Authorization": f"ApiKey {KEY}"}
        url = workload.server.url
        self._client = replace(client, deadline=Deadline(lambda: 60.0))
        self._second = WorkloadClient(
            "workload", url, lambda call: call(headers), Deadline(lambda: 60.0)
        )

    def holds(self, machines: Sequence[Machine]) -> None:
        """Both systems hold these, and nothing is remembered."""
        self.tenant.replies.clear()
        self.workload.replies.clear()
        self.tenant.holds(ELSEWHERE, *(each for one in machines for each in _records(one)))
        self.workload.holds(*(each for one in machines for each in _computers(one)))
        inventory.forget()
        asking.forget()
        snapshot.forget()

    def walk(self, machines: Sequence[Machine], *, linked: bool) -> None:
        """The scheduled walk, before some of the agents were installed."""
        self.holds([replace(one, agent=one.agent and not one.since) for one in machines])
        found = walk(self._client, self._second if linked else None, ["i-nowhere"])
        snapshot.save(self._client.name, found.snapshot, Deadline.after(60))

    def forget_the_walk(self) -> None:
        """The last one is two hours ago."""
        old = snapshot.Snapshot(self._client.base_url, inventory.Inventory(NOW - 7200, {}))
        snapshot.save(self._client.name, old, Deadline.after(60))

    def ask(self, machines: Sequence[Machine], demand: Demand, *, linked: bool) -> list[Coverage]:
        """The verdicts on the machines."""
        of = asking.Tenant(replace(self._client), self._second if linked else None)
        return answers(of, [one.question() for one in machines], demand)


@pytest.fixture
def world(
    tenant: Tenant,
    client: Client,
    members: MemberCloud,
    slept: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[World]:
    moto = MotoStore(ACCOUNT, REGION)
    moto.create_bucket(BUCKET)
    moto.load()
    members.other = moto.app
    monkeypatch.setenv("INVENTORY_BUCKET", BUCKET)
    server = Loopback()
    yield World(tenant, Workload(server), client)
    server.close()
    moto.reset()


@dataclass(frozen=True)
class Circumstances:
    """What surrounds a question: ``faults`` are answered first, None lets the systems answer."""

    linked: bool
    walked: bool
    demand: Demand
    faults: list[Reply | None]
    second: list[Reply | None]


_FAULTY = st.lists(st.none() | st.sampled_from(FAULTS), max_size=6)
_AROUND = st.builds(
    Circumstances,
    linked=st.booleans(),
    walked=st.booleans(),
    demand=st.sampled_from([Demand(86_400), Demand(86_400, ["anti_malware"])]),
    faults=_FAULTY,
    second=_FAULTY,
)
_FIXTURE = HealthCheck.function_scoped_fixture


@given(machines=_machines(), around=_AROUND)
@settings(max_examples=300, deadline=None, suppress_health_check=[_FIXTURE])
def test_no_estate_and_no_fault_makes_a_verdict_wrong(
    world: World, machines: list[Machine], around: Circumstances
) -> None:
    if around.walked:
        world.walk(machines, linked=around.linked)
    else:
        world.forget_the_walk()
    world.holds(machines)
    world.tenant.replies[:] = around.faults
    world.workload.replies[:] = around.second
    found = world.ask(machines, around.demand, linked=around.linked)
    for one, coverage in zip(machines, found, strict=True):
        event(f"{coverage.verdict} {coverage.tier}")
        if one.agent:
            assert coverage.verdict != "UNPROTECTED", (one, coverage)
        else:
            assert coverage.verdict != "PROTECTED", (one, coverage)
            assert coverage.verdict != "DEGRADED" or one.beside == "sensor", (one, coverage)


def test_the_estates_have_what_they_are_made_for(world: World) -> None:
    """Without faults, each kind of record leads to what it should, so that nothing is vacuous."""
    one = Machine(
        number=1, account=ACCOUNT, name="web-01", address="10.0.0.1", agent=True, kind="cloud",
        beside="", before="", since=False, launched=True, macs=False, clicked=False, second="",
    )  # fmt: skip

    def told(machine: Machine, *, linked: bool = False) -> tuple[str, str]:
        world.forget_the_walk()
        world.holds([machine])
        (found,) = world.ask([machine], Demand(86_400), linked=linked)
        return found.verdict, found.tier

    for kind in ("cloud", "pairs", "no account", "clone"):
        assert told(replace(one, kind=kind)) == ("PROTECTED", "instance_id")
    assert told(replace(one, kind="named")) == ("PROTECTED", "host_name")
    assert told(replace(one, kind="alike")) == ("PROTECTED", "host_name")
    assert told(replace(one, kind="address")) == ("UNKNOWN", "")
    assert told(replace(one, kind="address", macs=True)) == ("PROTECTED", "private_ip")
    assert told(replace(one, kind="desktop", macs=True)) == ("PROTECTED", "private_ip")
    assert told(replace(one, kind="odd")) == ("UNKNOWN", "")
    by_guid = replace(one, kind="address", second="agent")
    assert told(by_guid, linked=True) == ("PROTECTED", "workload_agent_guid")
    without = replace(one, agent=False)
    assert told(without) == ("UNPROTECTED", "")
    assert told(replace(without, beside="listed")) == ("UNPROTECTED", "instance_id")
    assert told(replace(without, beside="sensor")) == ("DEGRADED", "instance_id")
    assert told(replace(without, before="known")) == ("UNPROTECTED", "")
    assert told(replace(without, before="nameless")) == ("UNKNOWN", "")
    assert told(replace(without, before="nameless", macs=True)) == ("UNPROTECTED", "")

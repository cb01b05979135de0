"""Over estates and faults of all kinds: nobody who has an agent is called unprotected, and nobody
without one protected.

An estate is made of machines of which it is known whether an agent runs there; what Vision One and
Server & Workload Protection show of them is drawn from every trap that is known of. What cannot be
told apart by anything is left out, as `docs/coverage.md` says it: two machines of one name and one
address whose MAC addresses nobody tells; an agent whose record shares no fact with its instance.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from estates import LIST, Tenant, endpoint
from factories import ACCOUNT, NOW, REGION, resource
from hub_responder import clock
from hub_responder.deadline import Deadline
from hub_responder.errors import HubResponderError
from hub_responder.inventory.walk import walk
from hub_responder.vision_one import asking, clues, inventory, snapshot
from hub_responder.vision_one.asking import Question, answers
from hub_responder.vision_one.client import Client
from hub_responder.vision_one.coverage import Coverage, Demand
from hub_responder.vision_one.likeness import RECENT_S
from hub_responder.workload_security.client import Client as WorkloadClient
from hub_toolkit.sandbox.moto_store import MotoStore
from loopback import Loopback, Reply, Request
from member_cloud import MemberCloud
from workload import KEY, Workload, bare, by_agent, computer

EXAMPLES = int(os.environ.get("HUB_RESPONDER_ESTATES", "400"))
BUCKET = "inventory-1"
ACCOUNTS = (ACCOUNT, "444455556666")
NAMES = ("web-01", "受付-03", "")
ADDRESSES = ("10.0.0.1", "10.0.0.2", "10.0.0.3", "")
"""The last: the finding tells none."""
KINDS = (
    "cloud",
    "pairs",
    "no account",
    "clone",
    "named",
    "alike",
    "address",
    "desktop",
    "desktop",
    "elsewhere",
    "odd",
)
"""What Vision One shows of an agent: with the instance's id (in three shapes, or with the GUID of
the image that it was made of); with the id in its name; with the instance's name and address; with
its address alone; the same as a desktop; nothing, since only Server & Workload Protection shows it;
of another shape."""
BESIDE = ("", "", "listed", "twice", "empty", "sensor")
"""What it shows besides: the instance as a connector lists it, once or twice; with nothing of an
agent; the sensor alone."""
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
    Reply(200, {"items": [], "totalCount": 5, "count": 0}),
    Reply(hang_up=True),
)
ROUTES = {"list": LIST, "detail": LIST + "/", "search": "/v3.0/eiqs/endpoints"}
ODD: tuple[Any, ...] = (7, None, {}, {"agentGuid": 7}, {"agentGuid": "x", "endpointName": ["y"]})
"""Items of another shape."""
_NEVER = {"version": "", "status": "", "protectionManager": "", "lastConnectedDateTime": ""}


@dataclass(frozen=True)
class Machine:
    """An instance, and what is known of it.

    Attributes:
        number: makes its id and its agent's GUID.
        agent: whether an agent runs there. kind: what Vision One shows of it, where one does.
        beside: what it shows besides.
        before: a machine of the same name and address was there before, and its record still is.
        since: an agent was installed after the snapshot. launched: told by the finding. macs: EC2
            was asked, which tells MAC addresses and the private one.
        second: what Server & Workload Protection shows: ``connector``, ``agent``, what an earlier
            agent ``left``, or nothing.
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
    def apart(self) -> bool:
        """Whether the finding has nothing in common with the agent's record."""
        by_address = self.kind in ("address", "desktop") or (self.kind, self.name) == ("alike", "")
        return by_address and not self.address

    @property
    def mac(self) -> str:
        return f"02:00:00:00:00:{self.number:02x}"

    @property
    def at(self) -> str:
        """Its address, whether the finding tells it or not."""
        return self.address or f"10.0.9.{self.number}"

    def question(self) -> Question:
        details: dict[str, Any] = {"IpV4Addresses": [self.address] if self.address else []}
        if self.launched:
            details["LaunchedAt"] = clock.iso(NOW - 7200)
        of = resource(
            instance_id=self.id,
            account=self.account,
            details=details,
            tags={"Name": self.name} if self.name else {},
        )
        known = {"instance": self.id, "macs": [self.mac], "private_ip": self.at}
        return Question(clues.of(of, known if self.macs else None), clicked=self.clicked)


ONE = Machine(
    number=1, account=ACCOUNT, name="web-01", address="10.0.0.1", agent=True, kind="cloud",
    beside="", before="", since=False, launched=True, macs=False, clicked=False, second="",
)  # fmt: skip


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
        second=st.sampled_from(("", "connector", "agent", "left")),
    )
    return st.lists(one, min_size=1, max_size=5).map(_numbered)


def _numbered(machines: Sequence[Machine]) -> list[Machine]:
    """Each with a number; EC2 was asked about those that nothing else tells apart, and about those
    of whose agent's record the finding tells nothing."""
    numbered = [replace(one, number=number) for number, one in enumerate(machines, 1)]
    numbered = [
        replace(one, second="agent") if one.kind == "elsewhere" else one for one in numbered
    ]
    return [
        replace(one, macs=one.macs or one.apart or _resembled(one, numbered)) for one in numbered
    ]


def _as_cloud(one: Machine, kind: str) -> Machine:
    """A machine of that kind as one with cloud details."""
    return replace(one, kind="cloud") if one.kind == kind else one


def _resembled(one: Machine, machines: Sequence[Machine]) -> bool:
    """Whether another has its name, and its address as far as that is told."""
    others = [other for other in machines if other.number != one.number]
    same = [other for other in others if other.name == one.name]
    return any(not one.address or other.address in ("", one.address) for other in same)


# What the systems show


def _records(one: Machine) -> Iterator[dict[str, Any]]:
    if one.agent and one.kind != "elsewhere":
        yield _of_agent(one)
    if one.beside:
        yield _beside(one)
    if one.beside == "twice":
        yield _beside(one) | {"agentGuid": f"beside-too-{one.number}"}
    if one.before:
        yield _of_earlier(one)


def _of_agent(one: Machine) -> dict[str, Any]:
    made = endpoint(
        one.id,
        one.account,
        agentGuid="guid-image" if one.kind == "clone" else one.guid,
        endpointName=f"ip-{one.at.replace('.', '-')}.ec2.internal",
        ipAddresses=["172.17.0.1", one.at],
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
        endpointName=f"ip-{one.at.replace('.', '-')}.ec2.internal",
        ipAddresses=[one.at],
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
        endpointName=one.name or f"ip-{one.at.replace('.', '-')}",
        ipAddresses=[one.at],
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
    if one.second == "left":
        summary = {"accountID": one.account, "instanceID": one.id}
        yield bare(one.id, one.account, ID=one.number) | {
            "ec2VirtualMachineSummary": None,
            "noConnectorVirtualMachineSummary": summary,
        }


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
        """The scheduled walk, before some of the agents were installed; none, where it fails."""
        self.holds([replace(one, agent=one.agent and not one.since) for one in machines])
        try:
            found = walk(self._client, self._second if linked else None, ["i-nowhere"])
        except HubResponderError:
            self.forget_the_walk()
            return
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
class Spoilt:
    """What happens to every answer of one route, throughout.

    Attributes:
        route: one of `ROUTES`. how: it is a ``fault``; an item of it is ``odd``, or is not there
            though it is counted (``short``); who asks for an agent finds nothing (``nobody``).
        fault, odd: what stands in its place. place: which of the items, counted round.
    """

    route: str
    how: str
    fault: Reply
    odd: Any
    place: int

    def __call__(self, request: Request, answer: Reply) -> Reply:
        path = request.path.partition("?")[0]
        mine = path == ROUTES[self.route]
        if self.route == "detail":
            mine = path.startswith(ROUTES[self.route])
        if not mine or answer.status != 200:
            return answer
        if self.how == "fault" or self.route == "detail":
            return self.fault
        page = json.loads(answer.encoded())
        if self.how == "nobody":
            asked = request.headers.get("tmv1-filter", "") + request.headers.get("tmv1-query", "")
            return Reply(200, {"items": []}) if "agentGuid" in asked else answer
        if not page["items"] or (self.how == "short" and self.route == "search"):
            return answer  # the search counts nothing: what it leaves out, nobody can tell
        place = self.place % len(page["items"])
        page["items"][place : place + 1] = [self.odd] if self.how == "odd" else []
        return Reply(200, page)


@dataclass(frozen=True)
class Trouble:
    """What goes wrong with the answers.

    Attributes:
        first, second: answered first by Vision One and Server & Workload Protection; None lets
            them answer. spoilt: throughout. early: to the scheduled walk too.
    """

    first: Sequence[Reply | None] = ()
    second: Sequence[Reply | None] = ()
    spoilt: Sequence[Spoilt] = ()
    early: bool = False

    def __call__(self, request: Request, answer: Reply) -> Reply:
        for one in self.spoilt:
            answer = one(request, answer)
        return answer


@dataclass(frozen=True)
class Circumstances:
    """What surrounds a question. ``search``: the tenant offers the search by address."""

    linked: bool
    walked: bool
    search: bool
    demand: Demand
    trouble: Trouble


_FAULTY = st.lists(st.none() | st.sampled_from(FAULTS), max_size=6)
_SPOILT = st.builds(
    Spoilt,
    route=st.sampled_from(("list", "list", "search", "search", "detail")),
    how=st.sampled_from(("odd", "short", "nobody", "fault")),
    fault=st.sampled_from(FAULTS),
    odd=st.sampled_from(ODD),
    place=st.integers(0, 5),
)
_TROUBLE = st.one_of(
    st.just(Trouble()),
    st.builds(Trouble, first=_FAULTY, second=_FAULTY),
    st.builds(Trouble, spoilt=st.lists(_SPOILT, min_size=1, max_size=2), early=st.booleans()),
)
_AROUND = st.builds(
    Circumstances,
    linked=st.booleans(),
    walked=st.booleans(),
    search=st.booleans(),
    demand=st.sampled_from([Demand(86_400), Demand(86_400, ["anti_malware"])]),
    trouble=_TROUBLE,
)
_AS_AGENT = {"agentGuid": "x", "endpointName": ["y"]}


def _odd(route: str, odd: Any, **around: bool) -> Circumstances:
    """One that hypothesis seldom comes to: the only trace of an agent cannot be read."""
    trouble = Trouble(spoilt=[Spoilt(route, "odd", FAULTS[0], odd, place) for place in (0, 1)])
    made = Circumstances(
        linked=False, walked=False, search=True, demand=Demand(86_400), trouble=trouble
    )
    return replace(made, **around)


_NOT_OFFERED = Spoilt("search", "fault", Reply(404, {"error": {"code": "NotFound"}}), None, 0)
_FIXTURE = HealthCheck.function_scoped_fixture


@given(machines=_machines(), around=_AROUND)
@example(machines=[replace(ONE, kind="desktop")], around=_odd("search", 7))
@example(machines=[replace(ONE, kind="desktop")], around=_odd("search", _AS_AGENT))
@example(machines=[ONE], around=_odd("list", _AS_AGENT, search=False))
@example(machines=[ONE], around=_odd("list", {}, search=False))
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=[_FIXTURE])
def test_no_estate_and_no_fault_makes_a_verdict_wrong(
    world: World, machines: list[Machine], around: Circumstances
) -> None:
    trouble = around.trouble
    if not around.search:  # without it, a desktop without cloud details is seen by nobody
        machines = [_as_cloud(one, "desktop") for one in machines]
        trouble = replace(trouble, spoilt=[*trouble.spoilt, _NOT_OFFERED])
    if not around.linked:
        machines = [_as_cloud(one, "elsewhere") for one in machines]
    world.tenant.spoilt = trouble if trouble.early else None
    if around.walked:
        world.walk(machines, linked=around.linked)
    else:
        world.forget_the_walk()
    world.holds(machines)
    world.tenant.replies[:] = trouble.first
    world.workload.replies[:] = trouble.second
    world.tenant.spoilt = trouble
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

    def told(machine: Machine, *, linked: bool = False) -> tuple[str, str]:
        world.forget_the_walk()
        world.holds([machine])
        (found,) = world.ask([machine], Demand(86_400), linked=linked)
        return found.verdict, found.tier

    for kind in ("cloud", "pairs", "no account", "clone"):
        assert told(replace(ONE, kind=kind)) == ("PROTECTED", "instance_id")
    assert told(replace(ONE, kind="named")) == ("PROTECTED", "host_name")
    assert told(replace(ONE, kind="alike")) == ("PROTECTED", "host_name")
    assert told(replace(ONE, kind="address")) == ("UNKNOWN", "")
    assert told(replace(ONE, kind="address", macs=True)) == ("PROTECTED", "private_ip")
    assert told(replace(ONE, kind="desktop", macs=True)) == ("PROTECTED", "private_ip")
    assert told(replace(ONE, kind="odd")) == ("UNKNOWN", "")
    by_guid = replace(ONE, kind="address", second="agent")
    assert told(by_guid, linked=True) == ("PROTECTED", "workload_agent_guid")
    only_there = replace(ONE, kind="elsewhere", second="agent")
    assert told(only_there, linked=True) == ("DEGRADED", "workload_instance_id")
    without = replace(ONE, agent=False)
    assert told(without) == ("UNPROTECTED", "")
    assert told(replace(without, beside="listed")) == ("UNPROTECTED", "instance_id")
    assert told(replace(without, beside="sensor")) == ("DEGRADED", "instance_id")
    assert told(replace(without, before="known")) == ("UNPROTECTED", "")
    assert told(replace(without, before="nameless")) == ("UNKNOWN", "")
    assert told(replace(without, before="nameless", macs=True)) == ("UNPROTECTED", "")

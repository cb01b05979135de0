"""With a snapshot: what is answered from it, and how the rest is confirmed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from estates import Tenant, endpoint
from factories import ACCOUNT, NOW, REGION, resource
from hub_responder.deadline import Deadline
from hub_responder.inventory.walk import walk
from hub_responder.vision_one import asking, clues, inventory, snapshot
from hub_responder.vision_one.asking import Question, answers
from hub_responder.vision_one.client import Client
from hub_responder.vision_one.coverage import Coverage, Demand
from hub_responder.vision_one.filters import MAX_CHARACTERS
from hub_responder.workload_security import shields
from hub_responder.workload_security.client import Client as WorkloadClient
from hub_responder.workload_security.shields import Shield
from hub_toolkit.sandbox.moto_store import MotoStore
from loopback import Loopback, Reply, Request
from member_cloud import MemberCloud
from workload import KEY, Workload, computer, rule

BUCKET = "inventory-1"
DAY = 86_400.0
PLAIN = Demand(DAY)
MODULES = Demand(DAY, ["anti_malware", "intrusion_prevention"])
CVE = "CVE-2026-1111"


@pytest.fixture
def bucket(members: MemberCloud, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The bucket of snapshots; nothing is in it yet."""
    moto = MotoStore(ACCOUNT, REGION)
    moto.create_bucket(BUCKET)
    moto.load()
    members.other = moto.app
    monkeypatch.setenv("INVENTORY_BUCKET", BUCKET)
    yield
    moto.reset()


@pytest.fixture
def alone(bucket: None, client: Client) -> asking.Tenant:
    return asking.Tenant(client)


@pytest.fixture
def workload() -> Iterator[Workload]:
    shields.forget()
    server = Loopback()
    made = Workload(server)
    made.holds(rules=[rule(11, CVE), rule(12, CVE)])
    yield made
    server.close()
    shields.forget()


@pytest.fixture
def linked(bucket: None, client: Client, workload: Workload) -> asking.Tenant:
    headers = {"Authorization": f"ApiKey {KEY}"}
    url = workload.server.url
    second = WorkloadClient("workload", url, lambda call: call(headers), Deadline.after(60))
    return asking.Tenant(client, second)


def taken(tenant: Tenant, of: asking.Tenant) -> None:
    """The scheduled walk; what it asked is forgotten, and so is what the process knew."""
    second = of.workload if isinstance(of.workload, WorkloadClient) else None
    found = walk(of.client, second, ["i-nowhere"])
    snapshot.save(of.client.name, found.snapshot, Deadline.after(60))
    fresh(tenant)


def fresh(tenant: Tenant) -> None:
    """A process that knows nothing."""
    snapshot.forget()
    inventory.forget()
    asking.forget()
    tenant.server.requests.clear()


def name(number: int) -> str:
    return f"i-{number:017x}"


def address(number: int) -> str:
    return f"10.20.{number // 250}.{number % 250 + 1}"


def protected(number: int, **more: Any) -> dict[str, Any]:
    values = {
        "agentGuid": f"{number:08x}-0000-4000-8000-000000000000",
        "ipAddresses": [address(number)],
        "endpointName": f"host-{number}",
    }
    return endpoint(name(number), **values | more)


def about(number: int, *cves: str, clicked: bool = False, **more: Any) -> Question:
    details = {"IpV4Addresses": [address(number)]}
    told = {"instance_id": name(number), "details": details, "tags": {}} | more
    return Question(clues.of(resource(**told)), cves, clicked)


def ask(tenant: asking.Tenant, *questions: Question, demand: Demand = PLAIN) -> list[Coverage]:
    return answers(tenant, questions, demand)


def told(found: Coverage) -> tuple[str, list[str]]:
    return found.verdict, found.reasons


def paths(tenant: Tenant) -> list[str]:
    """What was asked: ``list``, ``search`` or ``detail`` for each request."""
    return [_kind(request) for request in tenant.server.requests]


def _kind(request: Request) -> str:
    if "/eiqs/" in request.path:
        return "search"
    return "list" if "?" in request.path else "detail"


def is_walk(tenant: Tenant) -> bool:
    return any("not (type" in r.headers.get("tmv1-filter", "") for r in tenant.server.requests)


# Numbers


@pytest.mark.parametrize("demand", [PLAIN, MODULES])
def test_a_storm_over_protected_instances_asks_vision_one_nothing(
    tenant: Tenant, alone: asking.Tenant, demand: Demand
) -> None:
    tenant.holds(*map(protected, range(200)))
    taken(tenant, alone)
    for start in range(0, 1000, 50):
        tenant.now += 5
        some = [about(n % 200) for n in range(start, start + 50)]
        assert {told(found)[0] for found in ask(alone, *some, demand=demand)} == {"PROTECTED"}
    assert tenant.server.requests == []


@pytest.mark.parametrize("unprotected", [10, 20, 50, 200])
@pytest.mark.parametrize("fleet", [50, 3000])
def test_a_storm_over_unprotected_instances_asks_once_per_ten(
    tenant: Tenant, alone: asking.Tenant, unprotected: int, fleet: int
) -> None:
    """1,000 findings over 200 instances, 50 in a batch, a batch every five seconds."""
    tenant.holds(*(protected(n) for n in range(1000, 1000 + fleet)))
    taken(tenant, alone)
    for start in range(0, 1000, 50):
        tenant.now += 5
        wanted = [n % 200 for n in range(start, start + 50)]
        some = [about(n if n < unprotected else 1000 + n % fleet) for n in wanted]
        found = [told(one)[0] for one in ask(alone, *some)]
        assert found == ["UNPROTECTED" if n < unprotected else "PROTECTED" for n in wanted]
    assert len(tenant.server.requests) <= math.ceil(unprotected / 10)


def test_agents_that_are_known_are_confirmed_several_with_one_filter(
    tenant: Tenant, alone: asking.Tenant
) -> None:
    fleet = [protected(n) for n in range(100, 4100)]
    tenant.holds(*fleet, *(protected(n, status="off") for n in range(40)))
    taken(tenant, alone)
    found = ask(alone, *map(about, range(40)))
    assert {told(one)[1][0] for one in found} == {"offline"}
    assert paths(tenant) == ["list"] * 3
    assert all(len(r.headers["tmv1-filter"]) <= MAX_CHARACTERS for r in tenant.lists)


# From the snapshot


def test_the_answer_says_how_old_it_is(tenant: Tenant, alone: asking.Tenant) -> None:
    tenant.holds(protected(1), protected(2, status="off"))
    taken(tenant, alone)
    tenant.now += 600
    kept, confirmed = ask(alone, about(1), about(2))
    assert (kept.checked_at, kept.evidence["age_s"]) == (NOW, 600)
    assert (confirmed.checked_at, confirmed.evidence["age_s"]) == (NOW + 600, 0)


def test_contact_counts_from_now_and_not_from_the_snapshot(
    tenant: Tenant, alone: asking.Tenant
) -> None:
    tenant.holds(protected(1, lastConnectedDateTime="2026-11-21T23:55:00"))
    taken(tenant, alone)
    tenant.now += 600
    assert told(ask(alone, about(1), demand=Demand(901))[0]) == ("PROTECTED", [])
    assert tenant.server.requests == []
    assert told(ask(alone, about(1), demand=Demand(899))[0]) == ("DEGRADED", ["stale"])
    assert paths(tenant) == ["list"]


def test_a_snapshot_that_is_too_old_answers_nothing(tenant: Tenant, alone: asking.Tenant) -> None:
    tenant.holds(protected(1))
    taken(tenant, alone)
    tenant.now += 1801
    assert told(ask(alone, about(1))[0]) == ("PROTECTED", [])
    assert is_walk(tenant)


# Confirmed


def test_a_click_is_always_confirmed(tenant: Tenant, alone: asking.Tenant) -> None:
    tenant.holds(protected(1))
    taken(tenant, alone)
    tenant.holds(protected(1, status="off"))
    assert told(ask(alone, about(1))[0]) == ("PROTECTED", [])
    assert tenant.server.requests == []
    assert told(ask(alone, about(1, clicked=True))[0]) == ("DEGRADED", ["offline"])
    assert not is_walk(tenant)


def test_a_click_tells_what_is_recommended_to_do(tenant: Tenant, alone: asking.Tenant) -> None:
    reboot = ["rebootRequired", "swpMaintenanceRecommended"]
    tenant.holds(protected(1, _recommendedActions=reboot))
    taken(tenant, alone)
    (found,) = ask(alone, about(1, clicked=True), demand=MODULES)
    assert told(found) == ("DEGRADED", ["reboot_required"])
    assert found.evidence["recommended"] == reboot


def test_a_click_is_not_answered_by_what_was_confirmed_before(
    tenant: Tenant, alone: asking.Tenant
) -> None:
    tenant.holds(protected(9))
    taken(tenant, alone)
    assert told(ask(alone, about(1))[0]) == ("UNPROTECTED", ["no_endpoint"])
    tenant.holds(protected(9), protected(1))
    assert told(ask(alone, about(1))[0]) == ("UNPROTECTED", ["no_endpoint"])
    assert told(ask(alone, about(1, clicked=True))[0]) == ("PROTECTED", [])
    assert told(ask(alone, about(1))[0]) == ("PROTECTED", [])


def test_what_was_confirmed_stands_for_two_minutes(tenant: Tenant, alone: asking.Tenant) -> None:
    tenant.holds(protected(9))
    taken(tenant, alone)
    ask(alone, about(1))
    tenant.now += 119
    (found,) = ask(alone, about(1))
    assert (found.evidence["age_s"], len(tenant.server.requests)) == (119, 1)
    tenant.now += 1
    (found,) = ask(alone, about(1))
    assert (found.evidence["age_s"], len(tenant.server.requests)) == (0, 2)


def test_an_agent_that_came_meanwhile_is_found_by_its_address(
    tenant: Tenant, alone: asking.Tenant
) -> None:
    tenant.holds(protected(9))
    taken(tenant, alone)
    tenant.holds(protected(9), protected(1))
    assert told(ask(alone, about(1))[0]) == ("PROTECTED", [])
    assert paths(tenant) == ["search", "list"]


def test_an_agent_that_went_meanwhile_is_gone(tenant: Tenant, alone: asking.Tenant) -> None:
    tenant.holds(protected(9), protected(1, status="off"))
    taken(tenant, alone)
    tenant.holds(protected(9))
    (found,) = ask(alone, about(1))
    assert told(found) == ("UNPROTECTED", ["no_endpoint"])
    assert "search" in paths(tenant) or is_walk(tenant)


def test_an_agent_that_was_installed_anew_meanwhile_is_found(
    tenant: Tenant, alone: asking.Tenant
) -> None:
    tenant.holds(protected(9), protected(1, status="off"))
    taken(tenant, alone)
    tenant.holds(protected(9), protected(1, agentGuid="another"))
    assert told(ask(alone, about(1))[0]) == ("PROTECTED", [])


def test_a_doubt_is_confirmed_with_the_records_that_make_it(
    tenant: Tenant, alone: asking.Tenant
) -> None:
    alike = protected(5, virtualMachineDetails=None, ipAddresses=[address(1)])
    tenant.holds(protected(9), alike)
    taken(tenant, alone)
    assert told(ask(alone, about(1))[0]) == ("UNKNOWN", ["lookalike"])
    assert paths(tenant)[:2] == ["list", "search"]
    assert not is_walk(tenant)
    tenant.holds(protected(9))
    fresh(tenant)
    assert told(ask(alone, about(1))[0]) == ("UNPROTECTED", ["no_endpoint"])


@pytest.mark.parametrize(
    ("estate", "question"),
    [
        ([protected(9)], about(1, details={})),  # no address to search by
        ([protected(9, agentGuid="o'brien"), protected(8, status="off")], about(1)),  # no canary
        ([protected(9), protected(1, agentGuid="o'brien", status="off")], about(1)),
        (
            [protected(9), endpoint(virtualMachineDetails={"cloudAccountId": ACCOUNT})],
            about(1),
        ),
    ],
)
def test_where_questions_cannot_tell_the_inventory_is_walked(
    tenant: Tenant, alone: asking.Tenant, estate: list[Any], question: Question
) -> None:
    tenant.holds(*estate)
    taken(tenant, alone)
    ask(alone, question)
    assert is_walk(tenant)


def test_a_walk_is_chosen_where_it_is_cheaper(tenant: Tenant, alone: asking.Tenant) -> None:
    tenant.holds(protected(999), *(protected(n, status="off") for n in range(60)))
    taken(tenant, alone)
    ask(alone, *map(about, range(60)))
    assert is_walk(tenant)
    assert len(tenant.server.requests) <= 2


@pytest.mark.parametrize(
    "reply",
    [Reply(200, {"items": []}), Reply(404, {"error": {"code": "NotFound"}})],
    ids=["finds nothing", "not offered"],
)
def test_a_search_without_the_canary_proves_nothing(
    tenant: Tenant, alone: asking.Tenant, reply: Reply
) -> None:
    tenant.holds(protected(9))
    taken(tenant, alone)
    tenant.holds(protected(9), protected(1))
    answer = tenant.server.answer
    tenant.server.answer = lambda r: reply if "/eiqs/" in r.path else answer(r)
    assert told(ask(alone, about(1))[0]) == ("PROTECTED", [])
    assert is_walk(tenant)


def test_a_filter_without_the_canary_proves_nothing(tenant: Tenant, alone: asking.Tenant) -> None:
    tenant.holds(protected(9), protected(1, status="off"))
    taken(tenant, alone)
    tenant.replies = [Reply(200, {"items": [], "totalCount": 0, "count": 0})]
    assert told(ask(alone, about(1))[0]) == ("DEGRADED", ["offline"])
    assert is_walk(tenant)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(429, {"code": "TooManyRequests"}), ("rate_limited", 60.0)),
        (Reply(429, None, {"Retry-After": "37"}), ("rate_limited", 37.0)),
        (Reply(401), ("denied_401", None)),
        (Reply(403), ("denied_403", None)),
        (Reply(503), ("vision_one_unreachable", 60.0)),
        (Reply(200, b"<html>"), ("incomplete", 60.0)),
    ],
)
@pytest.mark.usefixtures("slept")
def test_what_cannot_be_confirmed_is_unknown(
    tenant: Tenant, alone: asking.Tenant, reply: Reply, expected: tuple[str, float | None]
) -> None:
    for number in (1, 2):
        tenant.holds(protected(9), protected(1))
        taken(tenant, alone)
        tenant.replies = [reply] * 9
        (kept, asked) = ask(alone, about(9), about(number, clicked=True))
        assert told(kept) == ("PROTECTED", [])
        assert (told(asked), asked.retry_after) == (("UNKNOWN", [expected[0]]), expected[1])
        tenant.replies = []


def test_trouble_is_not_remembered(tenant: Tenant, alone: asking.Tenant) -> None:
    tenant.holds(protected(9))
    taken(tenant, alone)
    tenant.replies = [Reply(403)]
    assert told(ask(alone, about(1))[0]) == ("UNKNOWN", ["denied_403"])
    assert told(ask(alone, about(1))[0]) == ("UNPROTECTED", ["no_endpoint"])


def test_a_demand_is_not_answered_by_what_another_found(
    tenant: Tenant, alone: asking.Tenant
) -> None:
    tenant.holds(protected(9), protected(1, lastConnectedDateTime="-PT2H"))
    taken(tenant, alone)
    assert told(ask(alone, about(1), demand=Demand(3600))[0]) == ("DEGRADED", ["stale"])
    assert told(ask(alone, about(1), demand=Demand(1800))[0]) == ("DEGRADED", ["stale"])
    assert told(ask(alone, about(1))[0]) == ("PROTECTED", [])


# With Server & Workload Protection


def test_shields_of_protected_instances_come_from_the_snapshots_computers(
    tenant: Tenant, workload: Workload, linked: asking.Tenant
) -> None:
    tenant.holds(protected(1))
    workload.holds(computer(name(1), agentGUID=protected(1)["agentGuid"]))
    taken(tenant, linked)
    workload.server.requests.clear()
    (found,) = ask(linked, about(1, CVE))
    assert (found.verdict, found.computer) == ("PROTECTED", 34)
    assert found.cves == [Shield(CVE, "shielded", (11, 12))]
    assert tenant.server.requests == []
    assert workload.asked("/api/computers/search") == []


def test_computers_are_asked_for_anew_where_an_answer_is_confirmed(
    tenant: Tenant, workload: Workload, linked: asking.Tenant
) -> None:
    tenant.holds(protected(9))
    workload.holds(computer(name(9), ID=9, agentGUID=protected(9)["agentGuid"]))
    taken(tenant, linked)
    workload.holds(computer(name(1), ID=2, agentGUID="new"))
    tenant.holds(protected(9), protected(1, agentGuid="new", virtualMachineDetails=None,
                                         ipAddresses=[], endpointName="x"))  # fmt: skip
    (found,) = ask(linked, about(1))
    assert told(found) == ("PROTECTED", [])
    assert (found.tier, found.computer) == ("workload_agent_guid", 2)


def test_computers_that_the_snapshot_lacks_are_a_reason_to_ask(
    tenant: Tenant, workload: Workload, linked: asking.Tenant
) -> None:
    tenant.holds(protected(9))
    workload.replies = [Reply(403)]
    taken(tenant, linked)
    held = snapshot.load("vision-one", tenant.server.url, Deadline.after(60))
    assert held is not None
    assert not held.computers_complete
    assert told(ask(linked, about(1))[0]) == ("UNPROTECTED", ["no_endpoint"])
    workload.replies = [Reply(403)] * 9
    fresh(tenant)
    assert told(ask(linked, about(1))[0]) == ("UNKNOWN", ["workload_security"])


def test_two_tenants_of_one_process_are_told_apart(tenant: Tenant, alone: asking.Tenant) -> None:
    tenant.holds(protected(9))
    taken(tenant, alone)
    ask(alone, about(1))
    other = replace(alone, client=replace(alone.client, name="other"))
    tenant.holds(protected(9), protected(1))
    assert told(ask(other, about(1))[0]) == ("PROTECTED", [])
    assert told(ask(alone, about(1))[0]) == ("UNPROTECTED", ["no_endpoint"])


def test_an_instance_that_is_asked_about_twice_is_answered_twice(
    tenant: Tenant, alone: asking.Tenant
) -> None:
    tenant.holds(protected(9))
    taken(tenant, alone)
    both = ask(alone, about(1), about(9), about(1), about(9))
    assert [told(found)[0] for found in both] == ["UNPROTECTED", "PROTECTED"] * 2


def test_a_bare_record_does_not_hide_an_agent_of_the_same_instance(
    tenant: Tenant, alone: asking.Tenant
) -> None:
    """The connector lists the instance without an agent; its agent is a desktop's, without it."""
    mac = "02:00:00:00:00:01"
    empty = protected(
        1,
        agentGuid="listed-1",
        edrSensor=None,
        version="",
        status="",
        protectionManager="",
        lastConnectedDateTime="",
    )
    agent = protected(
        1,
        type="desktop",
        virtualMachineDetails=None,
        _macAddresses=[mac],
        _securityDeployment=["userProtection"],
    )
    canary = protected(9)
    tenant.holds(canary, empty, agent)
    taken(tenant, alone)
    of = resource(instance_id=name(1), details={"IpV4Addresses": [address(1)]}, tags={})
    question = Question(clues.of(of, {"instance": name(1), "macs": [mac]}))
    (found,) = ask(alone, question)
    assert told(found) == ("PROTECTED", []), found

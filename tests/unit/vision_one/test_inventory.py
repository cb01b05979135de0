"""One walk for a batch: what it may prove, and for how long."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from msgspec import structs

from estates import Tenant, endpoint
from factories import ACCOUNT, INSTANCE, NOW
from hub_responder.errors import DeniedError, IncompleteError, PermanentError, TransientError
from hub_responder.vision_one.client import Client
from hub_responder.vision_one.filters import CLOUD_DESKTOPS, DESKTOPS, SERVERS
from hub_responder.vision_one.inventory import CONFIRM_S, FRESH_S, Inventory, inventory, walk
from loopback import Reply

EMPTY = Reply(200, {"totalCount": 0, "count": 0, "items": []})


def asked(tenant: Tenant) -> list[str]:
    return [request.headers.get("tmv1-filter", "") for request in tenant.lists]


def page(*items: object, **counts: object) -> Reply:
    return Reply(200, {"items": list(items), **counts})


def test_instances_are_found_whatever_the_case_of_their_id(tenant: Tenant, client: Client) -> None:
    tenant.holds(endpoint("i-0A"), endpoint("i-1"), endpoint("i-2", type="desktop"))
    found = walk(client)
    assert (found.read_at, found.walked) == (NOW, 2)
    assert [each.guid for each in found.find("I-0a")] == ["guid-i-0A"]
    assert not found.find("i-2")
    assert found.unseen(ACCOUNT) == 0


def test_all_records_of_an_instance_are_kept(tenant: Tenant, client: Client) -> None:
    tenant.holds(endpoint("i-1", agentGuid="a"), endpoint("i-1", agentGuid="b"))
    assert [each.guid for each in walk(client).find("i-1")] == ["a", "b"]


def test_guids_that_clones_share_are_known(tenant: Tenant, client: Client) -> None:
    tenant.holds(endpoint("i-1", agentGuid="a"), endpoint("i-2", agentGuid="a"), endpoint("i-3"))
    assert walk(client).shared == {"a"}


@pytest.mark.parametrize(
    ("replies", "missing"),
    [
        ([page(endpoint("i-1"), totalCount=1, count=1)], 0),
        ([page(endpoint("i-1"))], 0),  # nothing counted: nothing missing
        ([page(endpoint("i-1"), totalCount=3)], 2),
        ([page(endpoint("i-1"), count=2)], 1),
        ([page(endpoint("i-1"), totalCount="3", count=None)], 0),
        ([page(endpoint("i-1"), totalCount=True)], 0),
        ([page(endpoint("i-1"), totalCount=-5)], 0),
    ],
)
def test_servers_that_are_counted_but_not_shown_are_missing(
    tenant: Tenant, client: Client, replies: list[Reply], missing: int
) -> None:
    tenant.replies = [*replies]
    found = walk(client)
    assert (found.missing, found.unseen(ACCOUNT), found.unseen("")) == (missing, missing, missing)


def test_a_server_removed_between_two_pages_is_missing(tenant: Tenant, client: Client) -> None:
    link = f"{tenant.server.url}/v3.0/endpointSecurity/endpoints?skipToken=x"
    tenant.replies = [
        page(endpoint("i-1"), totalCount=3, count=1, nextLink=link),
        page(endpoint("i-3"), totalCount=2, count=1),
    ]
    assert walk(client).missing == 1


def test_what_cannot_be_read_could_be_any_instance_of_its_account(
    tenant: Tenant, client: Client
) -> None:
    tenant.replies = [
        page(
            7,
            endpoint(virtualMachineDetails={"cloudAccountId": ACCOUNT}),
            endpoint(virtualMachineDetails={"cloudAccountId": "444455556666"}),
            endpoint("i-1"),
        )
    ]
    found = walk(client)
    assert found.unseen(ACCOUNT) == found.unseen("444455556666") == 2
    assert found.unseen("777788889999") == 1
    assert found.unseen("") == 3


def test_no_endpoint_at_all_is_an_answer(tenant: Tenant, client: Client) -> None:
    found = walk(client, [INSTANCE])
    assert (found.walked, found.unseen("")) == (0, 0)
    assert asked(tenant) == [SERVERS, "", CLOUD_DESKTOPS]


def test_desktops_only_is_an_answer(tenant: Tenant, client: Client) -> None:
    tenant.holds(*(endpoint(f"d-{n}", type="desktop") for n in range(3)))
    assert walk(client).walked == 0
    tenant.holds(*(endpoint(f"d-{n}", type="desktop") for n in range(1001)))
    assert walk(client).walked == 0
    assert asked(tenant)[-2:] == ["", DESKTOPS]


@pytest.mark.parametrize(
    "answers",
    [
        [page(endpoint("i-1"))],
        [page(endpoint("i-1", type=None))],
        [page(None)],
        # Only desktops to be seen, and more on pages that are not read: the numbers must agree.
        [page(endpoint("d-1", type="desktop"), totalCount=3), page(totalCount=2)],
        [page(endpoint("d-1", type="desktop"), nextLink="{url}"), page()],
        [page(totalCount=3), page(totalCount=0)],
    ],
)
def test_a_filter_that_finds_nothing_where_servers_may_be_proves_nothing(
    tenant: Tenant, client: Client, answers: list[Reply]
) -> None:
    tenant.replies = [EMPTY, *answers]
    with pytest.raises(IncompleteError, match="does not find the servers"):
        walk(client)


def test_a_mac_is_looked_for_among_cloud_desktops(tenant: Tenant, client: Client) -> None:
    mac = endpoint("i-1", type="desktop", _securityDeployment=["workloadProtection"])
    tenant.holds(mac, endpoint("d-1", type="desktop"), endpoint("i-2"))
    found = inventory(client, ["i-1", "i-2"])
    assert found.find("i-1")
    assert not found.find("d-1")
    assert asked(tenant) == [SERVERS, CLOUD_DESKTOPS]


def test_cloud_desktops_are_not_asked_for_if_all_are_servers(
    tenant: Tenant, client: Client
) -> None:
    tenant.holds(endpoint("i-1"))
    inventory(client, ["i-1"])
    assert asked(tenant) == [SERVERS]
    assert inventory(client, ["i-1", "i-2"]).find("i-1")  # the kept walk does not know desktops
    assert asked(tenant) == [SERVERS, SERVERS, CLOUD_DESKTOPS]


def test_a_tenant_that_refuses_the_desktops_filter_has_none(tenant: Tenant, client: Client) -> None:
    tenant.holds(endpoint("i-1"))
    tenant.replies = [None, Reply(400, {"error": {"code": "BadRequest"}})]
    assert inventory(client, ["i-1", "i-2"]).unseen("") == 0


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [(Reply(429), TransientError), (Reply(403), DeniedError), (Reply(410), PermanentError)],
)
def test_trouble_with_the_desktops_is_trouble(
    tenant: Tenant, client: Client, trouble: Reply, kind: type[Exception]
) -> None:
    tenant.holds(endpoint("i-1"))
    tenant.replies = [None, trouble]
    with pytest.raises(kind):
        inventory(client, ["i-1", "i-2"])
    tenant.replies = []
    assert inventory(client, ["i-1", "i-2"]).complete  # and nothing of it was kept


def test_presence_is_answered_for_a_minute_and_absence_for_seconds(
    tenant: Tenant, client: Client
) -> None:
    tenant.holds(endpoint("i-1"))
    first = inventory(client, ["i-1", "i-2"])
    tenant.holds(endpoint("i-1"), endpoint("i-2"))
    tenant.now += CONFIRM_S - 0.1
    assert inventory(client, ["i-2"]) is first
    tenant.now += 0.2
    assert inventory(client, ["i-1"]) is first
    second = inventory(client, ["i-1", "i-2"])
    assert second.find("i-2")
    tenant.now += FRESH_S - 0.1
    assert inventory(client, ["i-1", "i-2"]) is second
    tenant.now += 0.2
    assert inventory(client, ["i-1"]) is not second


def test_a_clock_that_was_put_back_makes_no_walk_younger(tenant: Tenant, client: Client) -> None:
    tenant.holds(endpoint("i-1"))
    first = inventory(client, ["i-1"])
    tenant.now -= 3600
    assert inventory(client, ["i-1"]) is not first


def test_a_walk_that_failed_is_not_kept_and_the_one_before_is(
    tenant: Tenant, client: Client
) -> None:
    tenant.holds(endpoint("i-1"))
    first = inventory(client, ["i-1"])
    tenant.replies = [Reply(403)]
    with pytest.raises(DeniedError):
        inventory(client, ["i-2"])
    assert inventory(client, ["i-1"]) is first


def test_two_connections_are_two_tenants_at_one_address(tenant: Tenant, client: Client) -> None:
    tenant.holds(endpoint("i-1"))
    inventory(client, ["i-1"])
    inventory(replace(client, name="other"), ["i-1"])
    assert len(tenant.lists) == 2


def test_threads_that_ask_at_once_share_a_walk(tenant: Tenant, client: Client) -> None:
    tenant.holds(endpoint("i-1"))
    start, found = threading.Barrier(5), []

    def ask() -> None:
        start.wait()
        found.append(inventory(client, ["i-1"]))

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tenant.lists) == 1
    assert {id(each) for each in found} == {id(found[0])}


def test_an_inventory_of_nothing_knows_nothing() -> None:
    assert not Inventory(NOW, {}).find("i-1")


def test_endpoints_can_be_replaced_by_what_more_is_known_of_them(
    tenant: Tenant, client: Client
) -> None:
    tenant.holds(endpoint("i-1"), endpoint("i-2"), endpoint(virtualMachineDetails=None))
    found = walk(client)
    assert [each.agent_version for each in found.endpoints()] == ["20.0.2.1234"] * 3
    newer = [structs.replace(each, epp_status="off") for each in found.endpoints()]
    again = found.with_endpoints(newer)
    assert again.find("i-2")[0].epp_status == "off"
    assert again.by_mark.keys() == found.by_mark.keys() != set()
    assert (again.walked, again.shared) == (found.walked, found.shared)
    assert again.endpoints() == newer

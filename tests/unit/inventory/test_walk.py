"""One tenant's fleet: what is read of it with how many questions, and what trouble costs."""

from __future__ import annotations

import pytest

from estates import Tenant, endpoint
from factories import INSTANCE
from hub_responder.errors import IncompleteError, TransientError
from hub_responder.inventory.walk import walk
from hub_responder.vision_one.client import Client
from hub_responder.vision_one.filters import CLOUD_DESKTOPS, SERVERS
from hub_responder.workload_security.client import Client as SecurityClient
from loopback import Reply
from workload import Workload, bare, computer

RUNNING = {"antiMalware": {"state": "on", "moduleStatus": {"agentStatus": "active"}}}
ON = {"_features": {"AntiMalwareScans": "enabled", "IntrusionPreventionSystem": "enabled"}}


def asked(tenant: Tenant) -> list[str]:
    return [request.headers.get("tmv1-filter", "")[:23] for request in tenant.lists]


def test_without_computers_the_list_is_asked_once_and_once_for_each_module(
    tenant: Tenant, client: Client
) -> None:
    tenant.holds(endpoint(**ON), endpoint("i-2", _features={"AntiMalwareScans": "disabled"}))
    found = walk(client, None, [INSTANCE])
    assert asked(tenant) == [SERVERS[:23]] * 3
    (first,), (second,) = (found.snapshot.inventory.find(each) for each in (INSTANCE, "i-2"))
    assert first.features == ON["_features"]
    assert second.features == {}
    snapshot = found.snapshot
    assert (snapshot.tenant, snapshot.computers) == (tenant.server.url, {})
    assert (snapshot.computers_complete, len(snapshot.modules)) == (True, 2)
    assert found.left_out == []


def test_a_fleet_of_thousands_is_read_a_thousand_at_a_time(tenant: Tenant, client: Client) -> None:
    tenant.holds(*(endpoint(f"i-{number:017x}") for number in range(3000)))
    found = walk(client, None, [f"i-{7:017x}"])
    assert found.snapshot.inventory.walked == 3000
    pages = [r for r in tenant.lists if r.headers["tmv1-filter"] == SERVERS]
    assert len(pages) == 3


def test_desktops_are_asked_for_where_a_running_instance_is_no_server(
    tenant: Tenant, client: Client
) -> None:
    mac = endpoint("i-2", type="desktop", _securityDeployment=["workloadProtection"])
    tenant.holds(endpoint(), mac)
    found = walk(client, None, [INSTANCE, "i-2"])
    assert asked(tenant)[:2] == [SERVERS[:23], CLOUD_DESKTOPS[:23]]
    assert found.snapshot.inventory.find("i-2")


def test_computers_tell_of_modules_and_are_kept_by_instance(
    tenant: Tenant, client: Client, workload: Workload, security: SecurityClient
) -> None:
    tenant.holds(endpoint(), endpoint("i-2", status="off"))
    workload.holds(computer(INSTANCE, ID=1, **RUNNING), bare("i-2", ID=2), bare("i-3", ID=3))
    found = walk(client, security, [INSTANCE])
    assert len(tenant.lists) == 1
    snapshot = found.snapshot
    (protected,) = snapshot.inventory.find(INSTANCE)
    assert protected.features == {
        "AntiMalware": "enabled", "IntrusionPreventionSystem": "enabled",
    }  # fmt: skip
    assert {name: [one.id for one in held] for name, held in snapshot.computers.items()} == {
        INSTANCE: [1], "i-2": [2], "i-3": [3],
    }  # fmt: skip
    assert (snapshot.computers_complete, found.left_out) == (True, [])


def test_agents_that_are_no_computers_are_asked_for_in_the_list(
    tenant: Tenant, client: Client, workload: Workload, security: SecurityClient
) -> None:
    tenant.holds(endpoint(), endpoint("i-2", **ON), endpoint("i-3", status="off"))
    workload.holds(computer(INSTANCE, ID=1, **RUNNING | {"antiMalware": {"state": "off"}}))
    found = walk(client, security, [INSTANCE])
    assert len(tenant.lists) == 3
    first, second = (found.snapshot.inventory.find(each)[0] for each in (INSTANCE, "i-2"))
    assert second.features == ON["_features"]
    # what the computer says of itself counts before the list
    assert first.features == {"AntiMalware": "disabled", "IntrusionPreventionSystem": "enabled"}


def test_trouble_with_the_computers_costs_only_what_they_tell(
    tenant: Tenant, client: Client, workload: Workload, security: SecurityClient
) -> None:
    tenant.holds(endpoint())
    workload.replies = [Reply(403)]
    found = walk(client, security, [])
    assert found.snapshot.inventory.find(INSTANCE)
    assert not found.snapshot.computers_complete
    (said,) = found.left_out
    assert said.startswith("computers: ")


def test_a_computer_that_cannot_be_read_is_counted(
    tenant: Tenant, client: Client, workload: Workload, security: SecurityClient
) -> None:
    odd = {"ID": 2, "computerStatus": "active"}
    workload.replies = [Reply(200, {"computers": [computer(ID=1), odd]}), None]
    found = walk(client, security, [])
    assert list(found.snapshot.computers) == [INSTANCE]
    assert not found.snapshot.computers_complete
    assert found.left_out == ["1 computers that cannot be read"]


@pytest.mark.parametrize("reply", [Reply(429), Reply(502), Reply(200, b'{"items": [')])
def test_endpoints_that_cannot_be_read_to_their_end_are_no_walk(
    tenant: Tenant, client: Client, reply: Reply
) -> None:
    link = f"{tenant.server.url}/v3.0/endpointSecurity/endpoints?skipToken=x"
    tenant.replies = [Reply(200, {"items": [endpoint()], "nextLink": link}), reply, reply]
    with pytest.raises((IncompleteError, TransientError)):
        walk(client, None, [])

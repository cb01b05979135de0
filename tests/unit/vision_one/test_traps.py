"""No odd shape of one endpoint costs another."""

from __future__ import annotations

import pytest

import traps
from estates import Tenant, endpoint
from hub_responder.vision_one.client import Client
from hub_responder.vision_one.inventory import walk

BESIDE = "i-0000000000000beef"
TELLS_NO_INSTANCE = {"sensor_only", "nothing_installed", "machine_missing", "machine_null"}


@pytest.mark.parametrize("name", traps.ENDPOINTS)
def test_every_endpoint_is_read_and_its_neighbour_too(
    name: str, tenant: Tenant, client: Client
) -> None:
    items = traps.ENDPOINTS[name]
    tenant.holds(*items, endpoint(BESIDE, agentGuid="guid-beside"))
    found = walk(client)
    assert found.walked == len(items) + 1
    assert [each.guid for each in found.find(BESIDE)] == ["guid-beside"]
    assert bool(found.find(traps.INSTANCE)) == (name not in TELLS_NO_INSTANCE)

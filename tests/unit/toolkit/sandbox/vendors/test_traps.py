"""The simulators show the shapes of real data as they are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.test import Client as Wsgi

import traps
from estates import LIST, Api
from hub_toolkit.sandbox.vendors.workload_security import WorkloadSecurity


@pytest.mark.parametrize("name", traps.ENDPOINTS)
def test_an_endpoint_is_listed_with_its_odd_shape(name: str) -> None:
    api, items = Api(), traps.ENDPOINTS[name]
    api.tenant.replace_endpoints(items)
    listed = api.get().get_json()
    assert listed["totalCount"] == len(items)
    assert [_timeless(item) for item in listed["items"]] == [_timeless(item) for item in items]
    for item in items:
        detail = api.get(f"{LIST}/{item['agentGuid']}")
        assert detail.status_code == 200
        assert ("edrSensor" in detail.get_json()) == ("edrSensor" in item)


def test_machine_details_are_an_object_in_the_list_and_pairs_in_the_detail() -> None:
    api = Api()
    api.tenant.replace_endpoints(traps.ENDPOINTS["status_unknown"])
    (listed,) = api.get().get_json()["items"]
    detail = api.get(f"{LIST}/{listed['agentGuid']}").get_json()
    machine = listed["eppAgent"]["virtualMachineDetails"]
    pairs = detail["eppAgent"]["virtualMachineDetails"]
    assert {pair["key"]: pair["value"] for pair in pairs} == machine


@pytest.mark.parametrize("name", traps.COMPUTERS)
def test_a_computer_is_found_with_its_odd_shape(name: str) -> None:
    tenant, items = WorkloadSecurity(lambda: 0.0, api_key="k"), traps.COMPUTERS[name]
    tenant.replace_computers(items)
    headers = {"Authorization": "ApiKey k", "api-version": "v1"}
    found = Wsgi(tenant.app).post("/api/computers/search", json={}, headers=headers).get_json()
    assert [_timeless(one) for one in found["computers"]] == [_timeless(item) for item in items]


def _timeless(item: dict[str, Any]) -> str:
    """An item without its times, which follow the clock."""

    def kept(held: Any) -> Any:
        if not isinstance(held, dict):
            return held
        times = ("DateTime", "Communication")
        return {key: kept(value) for key, value in held.items() if not key.endswith(times)}

    return json.dumps(kept(item), sort_keys=True)

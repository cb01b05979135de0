from __future__ import annotations

import pytest
import requests

from hub_toolkit.sandbox.vision_one_alone import serve

ENDPOINTS = "/v3.0/endpointSecurity/endpoints"


def test_the_simulator_is_served_by_itself_with_endpoints_that_can_be_replaced() -> None:
    with serve() as simulator, requests.Session() as session:
        session.trust_env = False
        url = f"{simulator.endpoint}/_sandbox/vision_one/endpoints"
        item = {"agentGuid": "g-1", "endpointName": "web-01"}
        assert session.put(url, json=[item], timeout=10).status_code == 200
        headers = {"Authorization": f"Bearer {simulator.token}"}
        listed = session.get(simulator.url + ENDPOINTS, headers=headers, timeout=10).json()
        assert [one["endpointName"] for one in listed["items"]] == ["web-01"]
        assert session.get(simulator.url + ENDPOINTS, timeout=10).status_code == 401


def test_nothing_listens_afterwards() -> None:
    with serve() as simulator:
        endpoint = simulator.endpoint
    with requests.Session() as session:
        session.trust_env = False
        with pytest.raises(requests.ConnectionError):
            session.get(endpoint, timeout=10)

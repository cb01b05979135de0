from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from hub_toolkit.sandbox import estate
from hub_toolkit.sandbox.vision_one_alone import Alone, serve

ENDPOINTS = "/v3.0/endpointSecurity/endpoints"
COMPUTERS = "/api/computers/search"


class Client:
    """Calls both simulators with their keys."""

    def __init__(self, where: Alone) -> None:
        self.where = where
        self._session = requests.Session()
        self._session.trust_env = False

    def close(self) -> None:
        self._session.close()

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        url = f"{self.where.url}{path}"
        return self._session.request(method, url, json=body, headers=headers, timeout=10)

    def endpoints(self, token: str = "") -> requests.Response:
        return self.call("GET", ENDPOINTS, Authorization=f"Bearer {token or self.where.token}")

    def computers(self) -> requests.Response:
        headers = {"Authorization": f"ApiKey {self.where.api_key}", "api-version": "v1"}
        return self.call("POST", COMPUTERS, {}, **headers)


@pytest.fixture
def client() -> Iterator[Client]:
    with serve() as where:
        client = Client(where)
        yield client
        client.close()


def test_both_simulators_answer_with_the_sandboxs_estate(client: Client) -> None:
    known = estate.load()
    listed = client.endpoints().json()
    assert listed["totalCount"] == len(known.vision_one.endpoints)
    found = client.computers().json()["computers"]
    assert len(found) == len(known.workload_security.computers)
    assert client.endpoints("wrong").status_code == 401


@pytest.mark.parametrize(
    ("path", "item"),
    [
        ("vision_one/endpoints", {"agentGuid": "g-1", "endpointName": "web-01"}),
        ("vision_one/alerts", {"id": "WB-1"}),
        ("workload_security/computers", {"ID": 1}),
        ("workload_security/rules", {"ID": 1, "name": "a"}),
    ],
)
def test_what_they_hold_can_be_replaced(client: Client, path: str, item: dict[str, Any]) -> None:
    answer = client.call("PUT", f"/_sandbox/{path}", [item])
    assert answer.json() == {path.rpartition("/")[2]: 1}
    assert client.call("PUT", f"/_sandbox/{path}", [{}]).status_code == 400


def test_each_fails_as_scripted(client: Client) -> None:
    faults = [
        {"target": "vision_one", "status": 502, "body": "<html>Bad Gateway</html>"},
        {"target": "workload_security", "status": 429, "body": {"message": "Too many"}},
    ]
    assert len(client.call("POST", "/_sandbox/faults", faults).json()) == 2
    gateway = client.endpoints()
    assert (gateway.status_code, gateway.text) == (502, "<html>Bad Gateway</html>")
    assert client.computers().status_code == 429
    assert (client.endpoints().status_code, client.computers().status_code) == (200, 200)


def test_nothing_listens_afterwards() -> None:
    with serve() as where:
        client = Client(where)
        assert client.endpoints().status_code == 200
    client.close()
    with pytest.raises(requests.ConnectionError):
        client.endpoints()
    client.close()

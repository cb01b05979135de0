"""pytmv1, Trend's own client of Vision One, against the simulator: `make conformance`.

It runs in an environment of its own with nothing of ours, so that it sees the simulator only over
HTTP. ``python pytmv1_client.py HUB_RESPONDER`` starts ``HUB_RESPONDER sandbox vision-one``.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytmv1
import requests

ESTATE = Path(__file__).parents[2] / "toolkit/hub_toolkit/sandbox/estate.json"
FLEET = 250
"""More than two pages of pytmv1's 100."""

Client = Any
Items = list[dict[str, Any]]


def main(hub: str) -> None:
    """Run every check; an AssertionError tells what does not agree."""
    logging.disable(logging.CRITICAL)  # pytmv1 logs whole answers
    for name in ("HTTP_PROXY", "http_proxy"):
        os.environ.pop(name, None)  # it would send even a loopback request there
    with simulator(hub) as (url, token):
        estate = json.loads(ESTATE.read_text(encoding="utf-8"))["vision_one"]
        items = fleet(estate["endpoints"])
        put(f"{url}/_sandbox/vision_one/endpoints", items)
        client = pytmv1.init("conformance", token, url)
        for check in (connects, pages, filters, details, queries, isolates, refuses):
            check(client, items)
            print(f"{check.__name__}: pytmv1 and the simulator agree", flush=True)
        alerts(client, estate["alerts"])
        print("alerts: pytmv1 and the simulator agree", flush=True)


@contextmanager
def simulator(hub: str) -> Iterator[tuple[str, str]]:
    """The simulator's address and key; it ends with the block."""
    command = [hub, "sandbox", "vision-one", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, "the simulator did not start; see what it said above"
            where = json.loads(line)
            yield where["url"], where["token"]
        finally:
            process.terminate()


def put(url: str, items: Items) -> None:
    """Replace what the simulator holds."""
    with requests.Session() as session:
        session.trust_env = False
        assert session.put(url, json=items, timeout=30).status_code == 200


def fleet(endpoints: Items) -> Items:
    """The sandbox's estate, odd shapes included, and copies of a server until they are many."""
    model = json.dumps(endpoints[0])
    more = []
    for number in range(FLEET - len(endpoints)):
        item = json.loads(model)
        item["agentGuid"] = f"{number:08x}-0000-4000-8000-000000000000"
        item["endpointName"] = f"fleet-{number:03}"
        item["ipAddresses"] = [f"10.99.{number // 250}.{number % 250 + 1}"]
        more.append(item)
    return endpoints + more


def ok(result: Any) -> Any:
    """The response of a result that must be a success."""
    assert result.result_code == pytmv1.ResultCode.SUCCESS, result
    return result.response


def connects(client: Client, _items: Items) -> None:
    """The probe answers."""
    assert ok(client.system.check_connectivity()).status == "available"


def shown(item: dict[str, Any]) -> dict[str, Any]:
    """What is compared of an endpoint as the estate has it."""
    agent, sensor = item.get("eppAgent") or {}, item.get("edrSensor") or {}
    machine = agent.get("virtualMachineDetails") or {}
    return {
        "guid": item["agentGuid"],
        "name": item["endpointName"],
        "addresses": item["ipAddresses"],
        "agent": (agent.get("status"), agent.get("version"), agent.get("policyName")),
        "instance": (machine.get("cloudAccountId"), machine.get("cloudInstanceId")),
        "sensor": sensor.get("status"),
        "isolation": item["isolationStatus"],
    }


def parsed(endpoint: Any) -> dict[str, Any]:
    """The same of an endpoint as pytmv1 has it."""
    agent, sensor = endpoint.epp_agent, endpoint.edr_sensor
    machine = agent and agent.virtual_machine_details
    return {
        "guid": endpoint.agent_guid,
        "name": endpoint.endpoint_name,
        "addresses": endpoint.ip_addresses,
        "agent": (agent.status, agent.version, agent.policy_name) if agent else (None,) * 3,
        "instance": (machine.cloud_account_id, machine.cloud_instance_id)
        if machine
        else (None, None),
        "sensor": sensor.status if sensor else None,
        "isolation": endpoint.isolation_status,
    }


def pages(client: Client, items: Items) -> None:
    """All endpoints over several pages, each once and as the estate has it."""
    seen: list[Any] = []
    result = ok(client.endpoint.consume_endpoints(seen.append))
    assert result.total_consumed == len(items)
    assert [parsed(one) for one in seen] == [shown(item) for item in items]
    first = ok(client.endpoint.list_endpoints(top=50, order_by="agentGuid desc"))
    assert (first.total_count, first.count, len(first.items)) == (len(items), 50, 50)
    guids = sorted((item["agentGuid"] for item in items), reverse=True)
    assert [one.agent_guid for one in first.items] == guids[:50]


def filters(client: Client, items: Items) -> None:
    """Filters that are sent with every page."""
    linux = [item["agentGuid"] for item in items if item["osPlatform"] == "linux"]
    assert 200 < len(linux) < len(items)
    seen: list[Any] = []
    ok(client.endpoint.consume_endpoints(seen.append, osPlatform="linux"))
    assert [one.agent_guid for one in seen] == linux
    both = {"endpointName": "pay-02", "eppAgentStatus": "on"}
    named = ok(client.endpoint.list_endpoints(**both)).items
    assert [one.endpoint_name for one in named] == ["pay-02"] * 2
    unfilterable = {"cloudInstanceId": "i-0b2c3d4e5f6071829"}
    assert client.endpoint.list_endpoints(**unfilterable).error.status == 400


def details(client: Client, items: Items) -> None:
    """Every endpoint of the estate in detail, where machine details are pairs."""
    for item in items[:12]:
        detail = ok(client.endpoint.get_endpoint(item["agentGuid"])).data
        assert (detail.endpoint_name, detail.os.platform) == (
            item["endpointName"],
            item["osPlatform"],
        )
        machine = (item.get("eppAgent") or {}).get("virtualMachineDetails") or {}
        agent = detail.epp_agent
        pairs = agent.virtual_machine_details if agent else []
        assert {pair.key: pair.value for pair in pairs} == machine
        states = item.get("_features", {})
        told = {one.name: one.status for one in agent.features} if agent else {}
        assert states.items() <= told.items()
    assert client.endpoint.get_endpoint("no-such-guid").error.status == 404


def queries(client: Client, items: Items) -> None:
    """Endpoints found by address, by name, and by several of both over pages."""
    address = items[0]["ipAddresses"][0]
    owners = [item["agentGuid"] for item in items if address in item["ipAddresses"]]
    assert len(owners) > 1
    found = ok(client.endpoint.list_data(ip=address)).items
    assert [one.agent_guid for one in found] == owners
    (named,) = ok(client.endpoint.list_data(endpointName="fleet-007")).items
    assert named.ip.value == ["10.99.0.8"]
    seen: list[Any] = []
    ok(client.endpoint.consume_data(seen.append, pytmv1.QueryOp.AND, osName="Linux"))
    linux = [item["agentGuid"] for item in items if item["osPlatform"] == "linux"]
    assert [one.agent_guid for one in seen] == linux


def isolates(client: Client, items: Items) -> None:
    """An isolation and its end, followed through their tasks."""
    guid = items[0]["agentGuid"]
    for act, action, status in (
        (client.endpoint.isolate, "isolate", "on"),
        (client.endpoint.restore, "restoreIsolate", "off"),
    ):
        request = pytmv1.EndpointRequest(agent_guid=guid, description="conformance")
        (started,) = ok(act(request)).items
        assert started.status == 202
        again = act(request)
        assert (again.errors[0].code, again.errors[0].task_id) == ("TaskError", started.task_id)
        assert ok(client.task.get_result(started.task_id, poll=False)).status in (
            pytmv1.Status.QUEUED,
            pytmv1.Status.RUNNING,
        )
        task = ok(client.task.get_result(started.task_id, poll_time_sec=60))
        assert (task.status, task.action) == (pytmv1.Status.SUCCEEDED, action)
        assert (task.agent_guid, task.endpoint_name) == (guid, items[0]["endpointName"])
        assert ok(client.endpoint.get_endpoint(guid)).data.isolation_status == status


def refuses(client: Client, items: Items) -> None:
    """Items of one request are refused one by one."""
    targets = [
        pytmv1.EndpointRequest(agent_guid="no-such-guid"),
        pytmv1.EndpointRequest(endpoint_name="pay-02"),
    ]
    result = client.endpoint.isolate(*targets)
    assert [(one.status, one.message) for one in result.errors] == [(400, "Target not found.")] * 2
    assert client.task.get_result("99999999", poll=False).error.status == 404


def alerts(client: Client, known: Items) -> None:
    """Alerts are listed, changed by who knows their state, and get notes."""
    seen: list[Any] = []
    ok(client.alert.consume(seen.append))
    assert [one.id for one in seen] == [item["id"] for item in known]
    name = known[0]["id"]
    found = ok(client.alert.get(name))
    assert (found.data.model, found.data.severity) == (known[0]["model"], known[0]["severity"])
    progress = pytmv1.AlertStatus.IN_PROGRESS
    ok(client.alert.update_status(name, found.etag, status=progress))
    assert ok(client.alert.get(name)).data.status == progress
    late = client.alert.update_status(name, found.etag, status=pytmv1.AlertStatus.CLOSED)
    assert (late.error.status, late.error.code) == (412, "ConditionNotMet")
    note = ok(client.note.create(name, "Seen by conformance."))
    assert ok(client.note.get(name, note.note_id)).data.content == "Seen by conformance."


if __name__ == "__main__":
    main(sys.argv[1])

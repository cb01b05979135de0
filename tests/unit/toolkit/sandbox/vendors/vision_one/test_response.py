"""Isolating and restoring endpoints in the Vision One simulator."""

from __future__ import annotations

from typing import Any

import pytest

from estates import LIST, Api, endpoint
from hub_toolkit.sandbox.vendors.estate import EstateError

ISOLATE, RESTORE = "/v3.0/response/endpoints/isolate", "/v3.0/response/endpoints/restore"


@pytest.fixture
def api() -> Api:
    return holding(endpoint("i-0a", agentGuid="g-a", endpointName="web-01"))


def holding(*items: dict[str, Any]) -> Api:
    api = Api()
    api.tenant.replace_endpoints(items)
    return api


def started(api: Api, path: str = ISOLATE, **target: Any) -> dict[str, Any]:
    """The only item's answer."""
    answer = api.call("POST", path, [target or {"agentGuid": "g-a"}])
    assert answer.status_code == 207, answer.text
    (item,) = answer.get_json()
    return item


def location(item: dict[str, Any]) -> str:
    (header,) = item["headers"]
    assert header["name"] == "Operation-Location"
    value: str = header["value"]
    return value


def task(api: Api, item: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api.get(location(item).removeprefix("http://localhost")).get_json()
    return found


def isolation(api: Api) -> str:
    (item,) = api.get().get_json()["items"]
    status: str = api.get(f"{LIST}/{item['agentGuid']}").get_json()["isolationStatus"]
    assert status == item["isolationStatus"]
    return status


def test_an_isolation_is_a_task_that_ends_with_the_endpoint_isolated(api: Api) -> None:
    item = started(api, agentGuid="g-a", description="incident 7")
    assert item["status"] == 202
    first = task(api, item)
    assert first == {
        "id": "00000001",
        "status": "queued",
        "createdDateTime": "2026-11-18T11:06:40Z",
        "lastActionDateTime": "2026-11-18T11:06:40Z",
        "description": "incident 7",
        "action": "isolate",
        "account": "API key",
        "agentGuid": "g-a",
        "endpointName": "web-01",
    }
    api.now += 3
    assert (task(api, item)["status"], isolation(api)) == ("running", "off")
    api.now += 7
    assert (task(api, item)["status"], isolation(api)) == ("succeeded", "on")
    assert [one["agentGuid"] for one in api.filtered("isolationStatus eq 'on'").get_json()["items"]]
    restored = started(api, RESTORE)
    api.now += 10
    assert task(api, restored)["action"] == "restoreIsolate"
    assert isolation(api) == "off"


def test_an_endpoint_is_named_by_guid_or_by_a_name_of_its_own() -> None:
    api = holding(
        endpoint("i-0a", agentGuid="g-a", endpointName="web-01"),
        endpoint("i-0b", agentGuid="g-b", endpointName="pay-02"),
        endpoint("i-0c", agentGuid="g-c", endpointName="pay-02"),
    )
    assert task(api, started(api, endpointName="web-01"))["agentGuid"] == "g-a"
    for target in ({"endpointName": "pay-02"}, {"agentGuid": "g-z"}):
        assert started(api, **target) == {
            "status": 400,
            "body": {"error": {"code": "BadRequest", "message": "Target not found."}},
        }


def test_a_second_request_names_the_task_that_is_under_way(api: Api) -> None:
    first = started(api)
    second = started(api)
    assert (second["status"], second["body"]["error"]) == (
        400,
        {"code": "TaskError", "message": "Task duplication."},
    )
    assert location(second) == location(first)
    assert started(api, RESTORE)["status"] == 202
    api.now += 10
    assert location(started(api)) != location(first)


@pytest.mark.parametrize(
    ("scripted", "status", "code", "message"),
    [
        ("notSupported", 400, "NotSupported", "Action not supported."),
        ("outOfScope", 403, "AccessDenied", "not in the user's management scope"),
        ("disabled", 403, "AccessDenied", "Feature disabled."),
    ],
)
def test_an_endpoint_can_be_refused(scripted: str, status: int, code: str, message: str) -> None:
    item = started(holding(endpoint("i-0a", agentGuid="g-a", _response=scripted)))
    assert (item["status"], item["body"]["error"]["code"]) == (status, code)
    assert message in item["body"]["error"]["message"]
    assert "headers" not in item


def test_an_endpoint_without_agent_and_sensor_is_not_supported() -> None:
    item = started(holding({"agentGuid": "g-a", "endpointName": "web-01", "eppAgent": {}}))
    assert item["body"]["error"]["code"] == "NotSupported"


@pytest.mark.parametrize("end", ["failed", "rejected", "canceled", "pendingApproval", "running"])
def test_a_task_can_end_or_stay_elsewhere_and_nothing_is_isolated(end: str) -> None:
    api = holding(endpoint("i-0a", agentGuid="g-a", isolationStatus="off", _response=end))
    item = started(api)
    api.now += 3600
    found = task(api, item)
    assert (found["status"], isolation(api)) == (end, "off")
    assert ("error" in found) == (end == "failed")
    assert (started(api)["status"] == 400) == (end in ("pendingApproval", "running"))


def test_a_task_waits_for_a_sensor_that_is_disconnected() -> None:
    sensor = {"status": "enabled", "connectivity": "disconnected"}
    api = holding(endpoint("i-0a", agentGuid="g-a", edrSensor=sensor))
    item = started(api)
    api.now += 3600
    assert (task(api, item)["status"], isolation(api)) == ("queued", "off")


def test_answers_are_in_the_order_of_the_request(api: Api) -> None:
    targets = [{"agentGuid": "none"}, {"agentGuid": "g-a"}, {"endpointName": "none"}]
    answers = api.call("POST", ISOLATE, targets).get_json()
    assert [item["status"] for item in answers] == [400, 202, 400]


@pytest.mark.parametrize(
    "body",
    [None, {}, [], [{}], [{"description": "d"}], ["g-a"], [{"agentGuid": 7}], [{"guid": "g-a"}]],
)
def test_a_request_of_another_shape_is_400_and_starts_nothing(api: Api, body: Any) -> None:
    assert api.call("POST", ISOLATE, body).status_code == 400
    assert api.get("/v3.0/response/tasks/00000001").status_code == 404


def test_a_new_estate_knows_nothing_of_isolations_before(api: Api) -> None:
    started(api)
    api.now += 10
    assert isolation(api) == "on"
    api.tenant.replace_endpoints([endpoint("i-0a", agentGuid="g-a")])
    assert isolation(api) == "off"


def test_a_script_that_there_is_not_is_refused(api: Api) -> None:
    with pytest.raises(EstateError, match="_response"):
        api.tenant.replace_endpoints([endpoint("i-0a", _response="isolated")])
    assert isolation(api) == "off"

"""Response tasks: begun once, followed by their id, read defensively."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from estates import Tenant, endpoint
from hub_responder.errors import (
    CallError,
    DeniedError,
    IncompleteError,
    PermanentError,
    TransientError,
)
from hub_responder.vision_one import response
from hub_responder.vision_one.client import Client
from hub_responder.vision_one.response import Task
from loopback import Reply

ISOLATE = "/v3.0/response/endpoints/isolate"
TASK = "https://api.example.com/v3.0/xdr/response/tasks/00000004"


def answer(status: int, body: Any = None, location: str = "", **headers: str) -> Reply:
    named = {**({"Operation-Location": location} if location else {}), **headers}
    item = {
        "status": status,
        "headers": [{"name": name, "value": value} for name, value in named.items()],
        "body": body,
    }
    return Reply(207, [item])


def error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def begin(client: Client) -> tuple[str, bool]:
    return response.begin(client, "isolate", "guid-i-1", "why")


def test_a_task_is_begun_and_ends(tenant: Tenant, client: Client) -> None:
    tenant.holds(endpoint("i-1"))
    task, new = begin(client)
    (request,) = tenant.server.requests
    assert (request.method, request.path) == ("POST", ISOLATE)
    assert request.json == [{"agentGuid": "guid-i-1", "description": "why"}]
    assert new
    told = response.follow(client, task)
    assert (told.status in response.RUNNING, told.does("isolate", "GUID-i-1")) == (True, True)
    assert not told.does("restore", "guid-i-1")
    assert not told.does("isolate", "guid-i-2")
    tenant.now += 60
    assert response.follow(client, task).status == response.DONE
    assert client.detail("guid-i-1").isolation == "on"


def test_a_second_request_finds_the_task_that_is_under_way(tenant: Tenant, client: Client) -> None:
    tenant.holds(endpoint("i-1"))
    task, _ = begin(client)
    assert begin(client) == (task, False)


@pytest.mark.parametrize(
    ("location", "task"),
    [
        (TASK, "00000004"),
        (f"{TASK}/?x=/../etc#/z", "00000004"),
        ("/v3.0/response/tasks/a-1", "a-1"),
        ("00000004", "00000004"),
    ],
)
def test_only_the_last_segment_of_a_tasks_address_counts(
    tenant: Tenant, client: Client, location: str, task: str
) -> None:
    tenant.replies = [answer(202, location=location)]
    assert begin(client) == (task, True)


@pytest.mark.parametrize(
    "location", ["", "https://[", f"{TASK}%2F..", "https://x/", f"https://x/{'9' * 65}", "a b"]
)
def test_an_answer_that_names_no_task_is_in_doubt(
    tenant: Tenant, client: Client, location: str
) -> None:
    tenant.replies = [answer(202, location=location, Other="x")]
    with pytest.raises(TransientError, match="without naming") as raised:
        begin(client)
    assert raised.value.sent


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (
            answer(400, error("BadRequest", "Target not found.")),
            PermanentError,
            "does not isolate it (400): Target not found.",
        ),
        (
            answer(400, error("NotSupported", "Action not supported.\nInstall or upgrade.")),
            PermanentError,
            "(400): Action not supported. Install or upgrade.",
        ),
        (answer(403, error("AccessDenied", "Feature disabled.")), DeniedError, "Feature disabled."),
        (answer(400, error("TaskError", "Broken.")), PermanentError, "Broken."),
        (answer(400, "Bad"), PermanentError, "(400)"),
        (answer(400, error("X", "m" * 999)), PermanentError, "m" * 100),
        (Reply(403, error("AccessDenied", "no")), DeniedError, "403"),
        (Reply(400), PermanentError, "400"),
    ],
)
def test_a_refusal_is_for_good_and_says_why(
    tenant: Tenant, client: Client, reply: Reply, kind: type[CallError], said: str
) -> None:
    tenant.replies = [reply]
    with pytest.raises(kind) as raised:
        begin(client)
    assert said in str(raised.value)
    assert len(str(raised.value)) < 300
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("reply", "doubt"),
    [
        (Reply(429, {"code": "TooManyRequests"}), False),
        (answer(429, error("TooManyRequests", "Too many requests")), False),
        (answer(500, error("InternalServerError", "x")), True),
        (Reply(503), True),
        (Reply(504), True),
        (Reply(hang_up=True), True),
        (Reply(207, b"<html>"), True),
        (Reply(207, []), True),
        (Reply(207, [{"status": 202}, {"status": 202}]), True),
        (Reply(207, {"status": 202}), True),
        (Reply(207, [{"status": "202"}]), True),
    ],
    ids=repr,
)
def test_a_request_is_never_repeated_and_said_to_be_in_doubt_where_it_is(
    tenant: Tenant, client: Client, slept: list[float], reply: Reply, *, doubt: bool
) -> None:
    tenant.replies = [reply, reply]
    with pytest.raises(TransientError) as raised:
        begin(client)
    assert raised.value.sent is doubt
    assert (len(tenant.server.requests), slept) == (1, [])


def test_a_task_is_read_with_why_it_failed(tenant: Tenant, client: Client) -> None:
    body = {
        "id": "00000004",
        "status": "failed",
        "action": "isolate",
        "agentGuid": "g-1",
        "endpointName": "web-01",
        "error": {"code": "TaskError", "number": 4009999, "message": "Agent\noffline"},
    }
    tenant.replies = [Reply(200, body)]
    assert response.follow(client, "00000004") == Task(
        "00000004", "failed", "isolate", "g-1", "web-01", "Agent offline"
    )
    assert tenant.server.requests[0].path == "/v3.0/response/tasks/00000004"


@pytest.mark.parametrize(
    "body", [[], {}, {"id": "00000005", "status": "running"}, {"id": "00000004"}, {"id": 4}]
)
def test_a_task_of_another_shape_is_no_answer(
    tenant: Tenant, client: Client, slept: list[float], body: object
) -> None:
    tenant.server.replies(Reply(200, json.dumps(body).encode()))
    with pytest.raises(IncompleteError):
        response.follow(client, "00000004")


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(max_size=80))
def test_no_address_leads_anywhere_but_to_a_task(
    tenant: Tenant, client: Client, location: str
) -> None:
    tenant.replies = [answer(202, location=location or "/")]
    try:
        task, _ = begin(client)
    except CallError:
        return
    assert re.fullmatch("[A-Za-z0-9_-]+", task)

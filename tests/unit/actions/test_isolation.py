"""``endpoint.isolate`` and ``endpoint.restore``: with leave only, the sure one only, once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from estates import TOKEN, Tenant, endpoint
from factories import INSTANCE, finding, incident, playbook, resource, runtime, work
from hub_responder.actions import get
from hub_responder.actions.base import Outcome, Work
from hub_responder.actions.isolation import REF, Params
from hub_responder.errors import ConfigurationError
from hub_responder.runtime import Runtime
from loopback import Cloud, Reply

ISOLATE, RESTORE = get("endpoint.isolate"), get("endpoint.restore")
RESPONSE = "/v3.0/response/endpoints/"
OTHER = "i-0fed9876cba543210"


@pytest.fixture
def allowed(tenant: Tenant, cloud: Cloud) -> Runtime:
    """A run whose connection allows isolation."""
    cloud.secrets["hub-responder/test/vision-one"] = {"token": TOKEN}
    return with_(tenant, isolation=True)


def with_(tenant: Tenant, language: str = "en", **settings: Any) -> Runtime:
    own = {"type": "vision_one", "base_url": tenant.server.url, **settings}
    connections = {"vision-one": own, "chat": {"type": "sns"}}
    return runtime(playbook=playbook(connections=connections, language=language))


def about(params: Params | None = None, **more: Any) -> Work:
    return work(params or Params(), **more)


def run(run_time: Runtime, of: Work | None = None, action: Any = ISOLATE) -> Outcome:
    (outcome,) = action.run([of or about()], run_time)
    assert isinstance(outcome, Outcome)
    return outcome


def again(outcome: Outcome, **more: Any) -> Work:
    """The work of the next attempt, after a deferral."""
    assert outcome.status == "deferred"
    return about(of=incident(refs=outcome.refs), in_doubt=outcome.in_doubt, **more)


def requests(tenant: Tenant) -> list[str]:
    """What was asked for of endpoints, as isolate or restore."""
    paths = [r.path for r in tenant.server.requests if r.method == "POST"]
    assert all(path.startswith(RESPONSE) for path in paths)
    return [path.removeprefix(RESPONSE) for path in paths]


def test_an_instance_is_isolated_and_its_task_followed(allowed: Runtime, tenant: Tenant) -> None:
    tenant.holds(endpoint(), endpoint(OTHER))
    outcome = run(allowed)
    assert (outcome.status, outcome.in_doubt, outcome.retry_after) == ("deferred", True, 30.0)
    assert "its end is awaited" in outcome.detail
    outcome = run(allowed, again(outcome))
    assert outcome.status == "deferred"
    tenant.now += 60
    outcome = run(allowed, again(outcome))
    assert outcome.status == "done"
    result = outcome.result
    assert (result["status"], result["agent_guid"]) == ("succeeded", f"guid-{INSTANCE}")
    assert outcome.detail == result["summary"]
    assert outcome.detail == (
        f"web-01 ({INSTANCE}) is isolated from the network (task {result['task']})"
    )
    assert requests(tenant) == ["isolate"]
    (request,) = [r for r in tenant.server.requests if r.method == "POST"]
    assert request.json == [
        {"agentGuid": f"guid-{INSTANCE}", "description": "hub-responder inspector-coverage"}
    ]


def test_it_comes_back(allowed: Runtime, tenant: Tenant) -> None:
    tenant.holds(endpoint(isolationStatus="on"))
    outcome = run(allowed, about(Params(reason="cleaned")), RESTORE)
    tenant.now += 60
    outcome = run(allowed, again(outcome), RESTORE)
    assert outcome.status == "done"
    assert outcome.detail.startswith(f"web-01 ({INSTANCE}) is back on the network")
    assert requests(tenant) == ["restore"]
    told = [r.json[0]["description"] for r in tenant.server.requests if r.method == "POST"]
    assert told == ["cleaned hub-responder inspector-coverage"]


@pytest.mark.parametrize(
    ("action", "state", "said"),
    [
        (ISOLATE, "on", "was isolated from the network already"),
        (RESTORE, "off", "is not isolated from the network"),
    ],
)
def test_what_is_so_already_is_done(
    allowed: Runtime, tenant: Tenant, action: Any, state: str, said: str
) -> None:
    tenant.holds(endpoint(isolationStatus=state))
    outcome = run(allowed, action=action)
    assert (outcome.status, outcome.result["status"]) == ("done", "already")
    assert said in outcome.detail
    assert requests(tenant) == []


def test_it_is_said_in_japanese(tenant: Tenant, cloud: Cloud, allowed: Runtime) -> None:
    tenant.holds(endpoint(isolationStatus="on"))
    outcome = run(with_(tenant, "ja", isolation=True))
    assert outcome.detail == f"web-01 ({INSTANCE})は既にネットワークから隔離されています"


@pytest.mark.parametrize("settings", [{}, {"isolation": False}])
@pytest.mark.parametrize("action", [ISOLATE, RESTORE])
def test_without_leave_nothing_is_asked(
    tenant: Tenant, cloud: Cloud, settings: dict[str, Any], action: Any
) -> None:
    outcome = run(with_(tenant, **settings), action=action)
    assert outcome.status == "failed"
    assert "isolation: true" in outcome.detail
    with pytest.raises(ConfigurationError, match="isolation: true"):
        action.plan(about(), with_(tenant, **settings))
    assert tenant.server.requests == []


def test_a_connection_of_another_type_is_refused(allowed: Runtime, tenant: Tenant) -> None:
    outcome = run(allowed, about(Params(connection="chat")))
    assert outcome.status == "failed"
    assert tenant.server.requests == []


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ([endpoint(OTHER)], "no endpoint with the instance id"),
        ([endpoint(account="444455556666")], "in account 444455556666, not in 111122223333"),
        ([endpoint(account="")], "in account none"),
        ([endpoint(), endpoint(agentGuid="g-2")], "2 endpoints with the instance id"),
        ([endpoint(), endpoint(OTHER, agentGuid=f"guid-{INSTANCE}")], "share the agent GUID"),
    ],
    ids=["none", "other account", "no account", "two records", "clone"],
)
def test_only_the_endpoint_that_surely_is_the_instance_is_touched(
    allowed: Runtime, tenant: Tenant, held: list[Any], said: str
) -> None:
    tenant.holds(endpoint("i-0unrelated"), *held)
    outcome = run(allowed)
    assert outcome.status == "failed"
    assert said in outcome.detail
    assert requests(tenant) == []


def test_an_endpoint_without_a_guid_is_not_touched(allowed: Runtime, tenant: Tenant) -> None:
    tenant.replies = [Reply(200, {"items": [endpoint(agentGuid="")]})]
    outcome = run(allowed)
    assert outcome.status == "failed"
    assert "no agent GUID" in outcome.detail
    assert requests(tenant) == []


def test_a_name_or_an_address_in_common_is_not_enough(allowed: Runtime, tenant: Tenant) -> None:
    alike = endpoint(virtualMachineDetails=None, endpointName="web-01", displayName=INSTANCE)
    tenant.holds(endpoint(OTHER), alike)
    assert run(allowed).status == "failed"
    assert requests(tenant) == []


def test_an_instance_without_account_is_not_sure(allowed: Runtime, tenant: Tenant) -> None:
    tenant.holds(endpoint())
    nowhere = incident(findings=(finding(resources=(resource(account=""),)),))
    assert run(allowed, about(of=nowhere)).status == "failed"
    assert requests(tenant) == []


def test_an_agent_that_is_another_instances_now_is_not_touched(
    allowed: Runtime, tenant: Tenant
) -> None:
    tenant.holds(endpoint())
    moved = endpoint(OTHER, agentGuid=f"guid-{INSTANCE}")
    tenant.replies = [None, Reply(200, moved)]
    outcome = run(allowed)
    assert outcome.status == "failed"
    assert "another instance's now" in outcome.detail
    assert requests(tenant) == []


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("failed", "task 00000004 failed: Agent offline"),
        ("rejected", "was rejected by whoever approves"),
        ("canceled", "was canceled"),
    ],
)
def test_a_task_that_came_to_nothing_is_a_failure(
    allowed: Runtime, tenant: Tenant, status: str, said: str
) -> None:
    outcome = followed(allowed, tenant, status, error={"message": "Agent offline"})
    assert outcome.status == "failed"
    assert said in outcome.detail
    assert requests(tenant) == []


def followed(run_time: Runtime, tenant: Tenant, status: str, **more: Any) -> Outcome:
    """The next attempt, where task 00000004 was begun and is in this status now."""
    told = {"id": "00000004", "status": status, "action": "isolate", **more}
    tenant.replies = [Reply(200, told)]
    kept = incident(refs={REF: {"isolate": f"{'ab' * 20} 00000004"}})
    return run(run_time, about(of=kept, in_doubt=True))


@pytest.mark.parametrize(
    ("status", "said", "seconds"),
    [
        ("queued", "task 00000004 is queued", 30.0),
        ("running", "task 00000004 is running", 30.0),
        ("pendingApproval", "waits for approval", 300.0),
        ("waitForApproval", "waits for approval", 300.0),
        ("paused", "task 00000004 is paused", 30.0),
    ],
)
def test_a_task_that_goes_on_is_looked_at_again(
    allowed: Runtime, tenant: Tenant, status: str, said: str, seconds: float
) -> None:
    outcome = followed(allowed, tenant, status)
    assert (outcome.status, outcome.retry_after) == ("deferred", seconds)
    assert said in outcome.detail
    assert len(tenant.server.requests) == 1


def test_the_task_of_another_effect_is_not_followed(allowed: Runtime, tenant: Tenant) -> None:
    tenant.holds(endpoint())
    kept = incident(refs={REF: {"isolate": f"{'cd' * 20} 00000004", "restore": "x 00000005"}})
    assert run(allowed, about(of=kept)).status == "deferred"
    assert requests(tenant) == ["isolate"]


def test_an_attempt_that_died_before_it_was_recorded_makes_no_second_task(
    allowed: Runtime, tenant: Tenant
) -> None:
    tenant.holds(endpoint())
    first = run(allowed)
    outcome = run(allowed, about(in_doubt=True))
    assert outcome.refs == first.refs
    tenant.now += 60
    outcome = run(allowed, about(in_doubt=True))
    assert (outcome.status, outcome.result["status"]) == ("done", "already")
    assert requests(tenant) == ["isolate", "isolate"]


def test_a_task_that_does_something_else_to_it_is_waited_for(
    allowed: Runtime, tenant: Tenant
) -> None:
    tenant.holds(endpoint())
    duplicate = {
        "status": 400,
        "headers": [{"name": "Operation-Location", "value": "https://x/tasks/00000009"}],
        "body": {"error": {"code": "TaskError", "message": "Task duplication."}},
    }
    told = {"id": "00000009", "status": "running", "action": "restoreIsolate"}

    def answer(request: Any) -> Reply:
        if request.method == "POST":
            return Reply(207, [duplicate])
        if "/tasks/" in request.path:
            return Reply(200, told)
        return tenant._answer(request)

    tenant.server.answer = answer
    outcome = run(allowed)
    assert (outcome.status, outcome.refs) == ("deferred", {})
    assert "restoreIsolate" in outcome.detail


@pytest.mark.parametrize(
    ("scripted", "said"),
    [
        ("notSupported", "Action not supported"),
        ("outOfScope", "not in the user's management scope"),
        ("disabled", "Feature disabled"),
    ],
)
def test_a_refusal_says_why(allowed: Runtime, tenant: Tenant, scripted: str, said: str) -> None:
    tenant.holds(endpoint(_response=scripted))
    outcome = run(allowed)
    assert outcome.status == "failed"
    assert said in outcome.detail
    assert requests(tenant) == ["isolate"]


def test_an_inventory_that_cannot_be_read_touches_nothing(
    allowed: Runtime, tenant: Tenant, slept: list[float]
) -> None:
    tenant.server.replies(Reply(503))
    outcome = run(allowed)
    assert (outcome.status, outcome.in_doubt) == ("deferred", False)


def test_what_is_no_instance_is_skipped(allowed: Runtime, tenant: Tenant) -> None:
    bucket = incident(findings=(finding(resources=(resource(type="AwsS3Bucket"),)),))
    assert run(allowed, about(of=bucket)).status == "skipped"
    assert ISOLATE.plan is not None
    assert ISOLATE.plan(about(of=bucket), allowed).startswith("would isolate nothing")
    assert tenant.server.requests == []


def test_observed_it_says_what_it_would_do(allowed: Runtime, tenant: Tenant) -> None:
    for action, word in ((ISOLATE, "isolate"), (RESTORE, "restore")):
        assert action.plan is not None
        said = action.plan(about(), allowed)
        assert said == f"would {word} the endpoint of {INSTANCE} in 111122223333"
    assert tenant.server.requests == []


def test_its_role_reads_the_one_secret_that_it_needs_and_keeps_the_pace() -> None:
    connections = {
        "vision-one": {"type": "vision_one", "workload_security": "workload"},
        "workload": {"type": "workload_security"},
    }
    statement, pace = ISOLATE.permissions({}, connections)
    assert "pace#vision-one'" in str(pace["Condition"])
    (place,) = statement["Resource"]
    assert place["Fn::Sub"].endswith("/vision-one-??????")


def test_its_result_is_what_it_declares(allowed: Runtime, tenant: Tenant) -> None:
    tenant.holds(endpoint(isolationStatus="on"))
    msgspec.convert(run(allowed).result, ISOLATE.result)

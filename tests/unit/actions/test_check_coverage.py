"""``vision_one.check_coverage`` over HTTP: secret, inventory, modules, verdict and sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from estates import LIST, TOKEN, Tenant, endpoint
from factories import ACCOUNT, INSTANCE, NOW, finding, incident, playbook, resource, runtime, work
from hub_responder.actions import check_coverage, get
from hub_responder.actions.base import Outcome, Work
from hub_responder.actions.check_coverage import Params
from hub_responder.deadline import Deadline
from hub_responder.expressions import StepView
from hub_responder.playbook import Route, Step
from hub_responder.runtime import Runtime
from loopback import Cloud, Loopback, Reply, error

SECRET = "hub-responder/test/vision-one"
IPS = "intrusion_prevention"
BOTH = ["anti_malware", IPS]
OTHER = "i-0fed9876cba543210"


@pytest.fixture
def run_time(tenant: Tenant, cloud: Cloud) -> Runtime:
    cloud.secrets[SECRET] = {"token": TOKEN}
    return with_connections({"vision-one": {"type": "vision_one", "base_url": tenant.server.url}})


def with_connections(connections: dict[str, dict[str, Any]], **more: Any) -> Runtime:
    return runtime(playbook=playbook(connections=connections, **more))


def about(instance: str = INSTANCE, params: Params | None = None, **more: Any) -> Work:
    """The work on an incident of one instance."""
    of = resource(instance_id=instance, id=f"arn:aws:ec2:x:{ACCOUNT}:instance/{instance}", **more)
    return work(params or Params(), incident(findings=(finding(resources=(of,)),)))


def check(run_time: Runtime, *works: Work) -> list[Mapping[str, Any]]:
    """The results; each is done, and says in its detail what its summary says."""
    outcomes = check_coverage.run(works, run_time)
    assert len(outcomes) == len(works)
    for outcome in outcomes:
        assert isinstance(outcome, Outcome)
        assert outcome.status == "done"
        assert outcome.detail == outcome.result["summary"]
        assert outcome.detail.startswith(f"{outcome.result['verdict']}: ")
        assert outcome.retry_after == outcome.result["retry_after"]
    return [outcome.result for outcome in outcomes]


def told(result: Mapping[str, Any]) -> tuple[str, list[str]]:
    return result["verdict"], result["reasons"]


def test_the_action_reads_only_and_documents_itself() -> None:
    action = get("vision_one.check_coverage")
    assert (action.effects, action.connection_kinds) == (False, {"connection": ("vision_one",)})
    assert f"uses: {action.name}" in action.example
    for kind in (action.params, action.result):
        assert kind.__doc__
        msgspec.json.schema(kind)


def test_a_protected_instance(run_time: Runtime, tenant: Tenant) -> None:
    tenant.holds(endpoint())
    (result,) = check(run_time, about())
    assert told(result) == ("PROTECTED", [])
    assert result["summary"] == (
        f"PROTECTED: Vision One agent running, last contact 11-21 23:55 on web-01 ({INSTANCE}),"
        " 00:00:00 UTC, matched by instance id"
    )
    assert result["evidence"]["agent_guid"] == f"guid-{INSTANCE}"
    assert result["checked_at"] == NOW


def test_one_walk_and_one_question_answer_for_a_batch(run_time: Runtime, tenant: Tenant) -> None:
    off = {"_features": {"AntiMalwareScans": "enabled", "IntrusionPreventionSystem": "disabled"}}
    tenant.holds(
        endpoint("i-1"),
        endpoint("i-2", **off),
        endpoint("i-3", status="off"),
        endpoint("i-4", version="", protectionManager="", status="", lastConnectedDateTime=""),
        endpoint("i-6", account="444455556666"),
        endpoint("i-7", status="unknown", agentGuid="g-7", **off),
    )
    params = Params(modules=BOTH)
    bucket = work(
        params,
        incident(
            findings=(
                finding(
                    resources=(resource(type="AwsS3Bucket", instance_id="", id="arn:aws:s3:::b"),)
                ),
            )
        ),
    )
    works = [about(f"i-{number}", params) for number in range(1, 8)]
    results = check(run_time, *works[:3], bucket, about("", params), *works[3:])
    assert [told(result) for result in results] == [
        ("PROTECTED", []),
        ("DEGRADED", [f"module_off:{IPS}"]),
        ("DEGRADED", ["offline", "module_off:anti_malware", f"module_off:{IPS}"]),
        ("NOT_APPLICABLE", ["not_an_instance:AwsS3Bucket", "storage"]),
        ("UNKNOWN", ["no_instance_id"]),
        ("DEGRADED", ["sensor_only"]),
        ("UNPROTECTED", ["no_endpoint"]),
        ("UNKNOWN", ["account_mismatch"]),
        ("DEGRADED", [f"module_off:{IPS}", "agent_status_unknown"]),
    ]
    assert [request.headers["tmv1-filter"][:9] for request in tenant.lists] == [
        "not (type",
        "type eq '",
        "(agentGui",
    ]
    assert len(tenant.details) == 3


def test_two_incidents_of_one_instance_are_both_answered(run_time: Runtime, tenant: Tenant) -> None:
    tenant.holds(endpoint())
    one, two = check(run_time, about(), about())
    assert told(one) == told(two) == ("PROTECTED", [])


def test_nothing_is_asked_where_there_is_no_instance(
    run_time: Runtime, tenant: Tenant, cloud: Cloud
) -> None:
    check(run_time, about(""), about("", type="AwsLambdaFunction"))
    assert tenant.server.requests == []
    assert cloud.calls == []


def test_steps_that_demand_differently_are_judged_differently(
    run_time: Runtime, tenant: Tenant
) -> None:
    tenant.holds(endpoint(lastConnectedDateTime="-PT2H"))
    strict, lax = check(
        run_time, about(params=Params(stale_after=3600)), about(params=Params(stale_after=7201))
    )
    assert told(strict) == ("DEGRADED", ["stale"])
    assert told(lax) == ("PROTECTED", [])
    assert len(tenant.lists) == 1


def test_a_server_that_could_be_the_instance_is_not_passed_over(
    run_time: Runtime, tenant: Tenant
) -> None:
    tenant.holds(endpoint("x", eppAgent={}, endpointName="ip-10-20-1-12.ec2.internal"))
    details = {"IpV4Addresses": ["10.20.1.12"]}
    result, other = check(run_time, about(details=details), about(OTHER, tags={}))
    assert told(result) == ("UNKNOWN", ["lookalike"])
    assert "ip-10-20-1-12.ec2.internal" in result["summary"]
    assert told(other) == ("UNPROTECTED", ["no_endpoint"])


def test_what_a_step_before_has_asked_ec2_about_the_instance_is_gone_by(
    run_time: Runtime, tenant: Tenant
) -> None:
    """Two machines of one address in two accounts: neither record tells which it is."""
    nameless = {"virtualMachineDetails": None, "endpointName": "host"}
    mine = endpoint("x", agentGuid="a", _macAddresses=["02:1C:42:BE:22:5F"], **nameless)
    other = endpoint("y", agentGuid="b", _macAddresses=["06:AA:BB:CC:DD:EE"], status="off",
                     **nameless)  # fmt: skip
    tenant.holds(mine, other)
    steps = (Step("ec2", "enrich.ec2"), Step("coverage", "vision_one.check_coverage"))
    settings = run_time.playbook.connections
    enriched = with_connections(settings, steps=steps)
    known = {"instance": INSTANCE, "name": "", "private_ip": "10.20.1.12", "public_ip": "",
             "private_dns": "", "launched_at": "", "macs": ["02:1c:42:be:22:5f"]}  # fmt: skip

    def asked(status: str, result: dict[str, Any]) -> tuple[str, list[str]]:
        tenant.now += 61
        one = about(details={"IpV4Addresses": ["10.20.1.12"]})
        one = replace(one, scope={**one.scope, "ec2": StepView("ec2", status, result)})
        return told(check(enriched, one)[0])

    assert asked("done", known) == ("PROTECTED", [])
    # Of another instance, of an earlier version, or not at all: as if it had not been asked.
    for status, result in (
        ("done", known | {"instance": OTHER}),
        ("done", {name: value for name, value in known.items() if name != "macs"}),
        ("failed", {}),
    ):
        assert asked(status, result) == ("UNKNOWN", ["ambiguous"])


def test_clones_do_not_lend_each_other_their_modules(run_time: Runtime, tenant: Tenant) -> None:
    off = {"_features": {"AntiMalwareScans": "enabled", "IntrusionPreventionSystem": "disabled"}}
    tenant.holds(endpoint(INSTANCE, agentGuid="g"), endpoint(OTHER, agentGuid="g", **off))
    params = Params(modules=BOTH)
    first, second = check(run_time, about(params=params), about(OTHER, params))
    assert told(first) == ("PROTECTED", [])
    assert told(second) == ("UNKNOWN", ["module_unknown:anti_malware", f"module_unknown:{IPS}"])


def test_an_endpoint_removed_meanwhile_costs_no_other(run_time: Runtime, tenant: Tenant) -> None:
    off = {"_features": {"IntrusionPreventionSystem": "disabled"}}
    tenant.holds(endpoint(INSTANCE, **off), endpoint(OTHER, **off))
    answer = tenant.server.answer

    def remove(request: Any) -> Reply:
        if request.path.endswith(f"guid-{INSTANCE}"):
            return Reply(404, {"error": {"code": "NotFound"}})
        return answer(request)

    tenant.server.answer = remove
    params = Params(modules=[IPS])
    gone, there = check(run_time, about(params=params), about(OTHER, params))
    assert told(gone) == ("UNKNOWN", ["endpoint_gone"])
    assert gone["retry_after"] == 60.0
    assert told(there) == ("DEGRADED", [f"module_off:{IPS}"])


@pytest.mark.parametrize(
    ("replies", "reason", "again"),
    [
        ([Reply(401)], "denied_401", None),
        ([Reply(403)], "denied_403", None),
        ([Reply(400)], "vision_one_refused", None),
        ([Reply(302, None, {"Location": "https://x.example"})], "vision_one_refused", None),
        ([Reply(429, {"code": "TooManyRequests"})], "rate_limited", 60.0),
        ([Reply(429, {"error": {}}, {"Retry-After": "37"})], "rate_limited", 37.0),
        ([Reply(429, None, {"Retry-After": "99999"})], "rate_limited", 900.0),
        ([Reply(503)] * 2, "vision_one_unreachable", 60.0),
        ([Reply(hang_up=True)] * 2, "vision_one_unreachable", 60.0),
        ([Reply(200, b"<html>")] * 2, "incomplete", 60.0),
        ([Reply(200, b'{"items": [{')] * 2, "incomplete", 60.0),
        ([Reply(200, {"items": [], "nextLink": "https://x.example/"})], "incomplete", 60.0),
        ([Reply(200, {"items": [], "totalCount": 3})] * 2, "incomplete", 60.0),
        ([Reply(200, {"items": [], "nextLink": "http://u:p@{host}/"})], "incomplete", 60.0),
    ],
)
def test_trouble_is_unknown_for_all_and_never_unprotected(
    run_time: Runtime, tenant: Tenant, replies: list[Reply], reason: str, again: float | None
) -> None:
    tenant.holds(endpoint())
    host = tenant.server.url.removeprefix("http://")
    tenant.replies = [replace(each, body=_filled(each.body, host)) for each in replies]
    for result in check(run_time, about(), about(OTHER)):
        assert told(result) == ("UNKNOWN", [reason])
        assert result["retry_after"] == again
        assert result["evidence"]["cause"]
        assert TOKEN not in str(result)


def _filled(body: Any, host: str) -> Any:
    if not isinstance(body, dict) or "nextLink" not in body:
        return body
    return body | {"nextLink": body["nextLink"].replace("{host}", host)}


def test_trouble_that_passed_is_forgotten(run_time: Runtime, tenant: Tenant) -> None:
    tenant.holds(endpoint())
    tenant.replies = [Reply(403)]
    assert told(check(run_time, about())[0]) == ("UNKNOWN", ["denied_403"])
    assert told(check(run_time, about())[0]) == ("PROTECTED", [])


def test_a_server_that_is_not_there_is_unreachable(run_time: Runtime, tenant: Tenant) -> None:
    gone = Loopback()
    gone.close()
    settings = {"type": "vision_one", "base_url": gone.url}
    (result,) = check(with_connections({"vision-one": settings}), about())
    assert told(result) == ("UNKNOWN", ["vision_one_unreachable"])


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        (None, "secret_missing"),
        ("no json", "secret_missing"),
        ({"api_key": "x"}, "secret_missing"),
        ({"token": "  "}, "secret_missing"),
        ({"token": "a\r\nX-Evil: 1"}, "secret_missing"),
        ({"token": "t\u00f6ken"}, "secret_missing"),
        ({"token": "to ken"}, "secret_missing"),
        (error("AccessDeniedException"), "secret_missing"),
        (error("InternalServiceError", status=500), "secret_unreachable"),
    ],
)
def test_without_a_usable_secret_nothing_is_asked_and_nothing_is_known(
    run_time: Runtime, tenant: Tenant, cloud: Cloud, secret: Any, reason: str
) -> None:
    cloud.secrets[SECRET] = secret
    (result,) = check(run_time, about())
    assert told(result) == ("UNKNOWN", [reason])
    assert tenant.server.requests == []
    assert "Evil" not in str(result)


def test_a_rotated_token_is_read_again(run_time: Runtime, tenant: Tenant, cloud: Cloud) -> None:
    tenant.holds(endpoint())
    cloud.secrets[SECRET] = {"token": "0ld"}
    assert told(check(run_time, about())[0]) == ("UNKNOWN", ["denied_401"])
    cloud.secrets[SECRET] = {"token": TOKEN}
    assert told(check(run_time, about())[0]) == ("PROTECTED", [])
    assert {r.headers["authorization"] for r in tenant.lists} == {"Bearer 0ld", f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("connections", "params"),
    [
        ({}, Params()),
        ({"vision-one": {}}, Params()),
        ({"vision-one": {"type": "opscenter"}}, Params()),
        ({"vision-one": {"type": "vision_one", "region": "mars"}}, Params()),
        ({"vision-one": {"type": "vision_one", "url": "https://x.example"}}, Params()),
        ({"vision-one": {"type": "vision_one", "base_url": "http://x.example"}}, Params()),
        ({"vision-one": {"type": "vision_one", "base_url": "http://169.254.169.254"}}, Params()),
        ({"vision-one": {"type": "vision_one"}}, Params(modules=["ips"])),
        ({"vision-one": {"type": "vision_one"}}, Params(stale_after=0)),
        ({"vision-one": {"type": "vision_one"}}, Params(stale_after=float("nan"))),
    ],
)
def test_a_wrong_configuration_is_unknown_and_says_so(
    run_time: Runtime, cloud: Cloud, connections: dict[str, dict[str, Any]], params: Params
) -> None:
    (result,) = check(with_connections(connections), about(params=params))
    assert told(result) == ("UNKNOWN", ["configuration"])
    assert "the configuration is wrong" in result["summary"]
    assert result["retry_after"] is None


def test_a_route_chooses_the_tenant_for_each_incident(
    run_time: Runtime, tenant: Tenant, cloud: Cloud
) -> None:
    tenant.holds(endpoint())
    second = Loopback()
    try:
        other = Tenant(second, NOW)
        other.holds(endpoint(OTHER, status="off"))
        cloud.secrets |= {
            "hub-responder/test/one": {"token": TOKEN},
            "hub-responder/test/two": {"token": TOKEN},
        }
        there = {
            "one": {"type": "vision_one", "base_url": tenant.server.url},
            "two": {"type": "vision_one", "base_url": second.url},
        }
        route = Route("incident.resource.instance_id", {INSTANCE: "one", OTHER: "two"}, "one")
        broken = Route("no_such_name", {}, "one")
        routed = with_connections(there, routes={"tenants": route, "broken": broken})
        params, lost = Params(connection="tenants"), Params(connection="broken")
        results = check(routed, about(OTHER, params), about(params=lost), about(params=params))
    finally:
        second.close()
    assert [told(result) for result in results] == [
        ("DEGRADED", ["offline"]),
        ("UNKNOWN", ["configuration"]),
        ("PROTECTED", []),
    ]


def test_too_many_questions_of_all_functions_are_not_asked(
    run_time: Runtime, tenant: Tenant, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_TABLE", "ledger-1")
    ahead = {"meter": {"N": str(int(NOW * 1000) + 60_000)}}
    cloud.script["UpdateItem"] = [error("ConditionalCheckFailedException", Item=ahead)]
    (result,) = check(run_time, about())
    assert told(result) == ("UNKNOWN", ["rate_limited"])
    assert result["retry_after"] > 45
    assert not tenant.lists


def test_its_role_may_read_the_secrets_that_it_reaches_and_snapshots() -> None:
    reached = {name: {"type": "vision_one"} for name in ("one", "two")}
    action = get("vision_one.check_coverage")
    found = action.permissions({"connection": "route"}, reached)
    granted = {name: one["Resource"] for one in found for name in one["Action"]}
    assert set(granted) == {
        "autoscaling:DescribeAutoScalingGroups", "dynamodb:UpdateItem", "ec2:DescribeInstances",
        "ecs:DescribeContainerInstances", "ecs:DescribeTasks", "s3:GetObject",
        "secretsmanager:GetSecretValue",
    }  # fmt: skip
    assert action.in_members
    secrets = str(granted["secretsmanager:GetSecretValue"])
    assert [name in secrets for name in ("/one-", "/two-")] == [True, True]
    (paced,) = [one["Condition"] for one in found if one["Action"] == ["dynamodb:UpdateItem"]]
    (keys,) = paced.values()
    assert keys == {"dynamodb:LeadingKeys": ["pace#one", "pace#two"]}
    assert granted["s3:GetObject"] == [{"Fn::Sub": "${InventoryBucket.Arn}/current/*"}]


@pytest.mark.parametrize(("left", "kept"), [(60.0, 20.0), (30.0, 15.0), (9.0, 4.5)])
def test_however_slow_vision_one_is_the_steps_after_have_time(
    run_time: Runtime, tenant: Tenant, left: float, kept: float
) -> None:
    """Each answer takes seconds, on a clock of the test's own: the walk ends before the run."""
    remaining = [left]
    links = (f"{tenant.server.url}{LIST}?skipToken={number}" for number in range(99))

    def slow(_request: object) -> Reply:
        remaining[0] -= 1.9
        return Reply(200, {"items": [], "nextLink": next(links)})

    tenant.server.answer = slow
    short = runtime(playbook=run_time.playbook, deadline=Deadline(lambda: remaining[0]))
    (result,) = check(short, about())
    assert told(result) == ("UNKNOWN", ["vision_one_unreachable"])
    assert "no time left" in result["evidence"]["cause"]
    assert kept < remaining[0] < kept + 4.1


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_sentence_is_in_the_playbooks_language(
    run_time: Runtime, tenant: Tenant, language: str
) -> None:
    settings = run_time.playbook.connections
    speaking: Callable[..., Runtime] = with_connections
    (outcome,) = check_coverage.run(
        [about()], speaking(settings, language=language, timezone="Asia/Tokyo")
    )
    begins = {"en": "UNPROTECTED: no Vision One agent", "ja": "【未保護】web-01"}
    assert outcome.detail.startswith(begins[language])
    assert "09:00:00 JST" in outcome.detail


def test_a_hostile_record_costs_no_other_its_verdict(run_time: Runtime, tenant: Tenant) -> None:
    far = {"lastConnectedDateTime": "9999-12-31T23:59:59Z", "status": "on"}
    tenant.holds(endpoint(INSTANCE, **far), endpoint(OTHER))
    east = with_connections(run_time.playbook.connections, timezone="Asia/Tokyo")
    odd, fine = check(east, about(), about(OTHER))
    assert told(odd) == ("UNKNOWN", ["contact_unknown"])
    assert told(fine) == ("PROTECTED", [])

"""``vision_one.check_coverage`` of tasks, groups and nodes, over AWS and Vision One."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import pytest

from estates import TOKEN, Tenant, endpoint
from factories import (
    ACCOUNT,
    INSTANCE,
    REGION,
    finding,
    incident,
    playbook,
    resource,
    runtime,
    work,
)
from hub_responder.actions import check_coverage, get
from hub_responder.actions.base import Work
from hub_responder.actions.check_coverage import Params
from hub_responder.behind.kinds import STAND_INS
from hub_responder.finding import Resource
from hub_responder.runtime import Runtime
from hub_toolkit.sandbox.aws_json import JSON_1_1, respond_ok
from hub_toolkit.sandbox.wsgi import Environ, StartResponse
from member_cloud import MEMBER, ROLE, MemberCloud, instance

OTHER = "i-0fed9876cba543210"
GROUP = "AwsAutoScalingAutoScalingGroup"
TASK = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/shop/{7:032x}"


def _secret(_environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    held = {"Name": "x", "SecretString": msgspec.json.encode({"token": TOKEN}).decode()}
    return respond_ok(start_response, held, JSON_1_1)


@pytest.fixture
def run_time(members: MemberCloud, tenant: Tenant) -> Runtime:
    members.other = _secret
    connections = {"vision-one": {"type": "vision_one", "base_url": tenant.server.url}}
    return runtime(playbook=playbook(connections=connections, member_role=ROLE))


def about(kind: str, name: str, *others: Resource, account: str = ACCOUNT) -> Work:
    of = Resource(kind, name, account=account, region=REGION)
    return work(Params(), incident(findings=(finding(resources=(of, *others)),)))


def check(run_time: Runtime, *works: Work) -> list[Mapping[str, Any]]:
    outcomes = check_coverage.run(works, run_time)
    assert [outcome.status for outcome in outcomes] == ["done"] * len(works)
    return [outcome.result for outcome in outcomes]


def told(result: Mapping[str, Any]) -> tuple[str, list[str]]:
    return result["verdict"], result["reasons"]


def grouped(members: MemberCloud, *names: str, account: str = ACCOUNT) -> None:
    members.holds(*(instance(name, OwnerId=account) for name in names))
    machines = [{"InstanceId": name} for name in names]
    item = {"AutoScalingGroupName": "web", "OwnerId": account, "Region": REGION}
    members.members.groups.replace([{**item, "Instances": machines}])


def test_it_is_about_instances_and_what_stands_for_them() -> None:
    assert get("vision_one.check_coverage").about == ("AwsEc2Instance", *STAND_INS)


def test_the_instance_beside_a_cluster_is_judged_without_asking_aws(
    run_time: Runtime, members: MemberCloud, tenant: Tenant
) -> None:
    tenant.holds(endpoint())
    (result,) = check(run_time, about("AwsEksCluster", "prod", resource()))
    assert told(result) == ("PROTECTED", [])
    assert f"on web-01 ({INSTANCE} behind prod)" in result["summary"]
    assert result["evidence"]["behind"]["known_by"] == "resources[1]"
    assert members.calls == ["secretsmanager.GetSecretValue"]


def test_one_walk_answers_for_all_that_is_behind_a_batch(
    run_time: Runtime, members: MemberCloud, tenant: Tenant
) -> None:
    grouped(members, INSTANCE, OTHER)
    tenant.holds(endpoint(), endpoint("i-7", status="off"))
    whole, bucket, plain, single = check(
        run_time,
        about(GROUP, "web"),
        about("AwsS3Bucket", "arn:aws:s3:::b"),
        work(Params(), incident()),
        about("AwsEksCluster", "x", resource(instance_id="i-7")),
    )
    assert told(whole) == ("UNPROTECTED", ["no_endpoint"])
    assert whole["evidence"]["behind"]["verdicts"] == {"UNPROTECTED": 1, "PROTECTED": 1}
    assert whole["evidence"]["behind"]["instance"] == OTHER
    assert told(bucket) == ("NOT_APPLICABLE", ["not_an_instance:AwsS3Bucket", "storage"])
    assert told(plain) == ("PROTECTED", [])
    assert told(single) == ("DEGRADED", ["offline"])
    assert len(tenant.lists) == 2


def test_an_instance_of_a_member_account_is_looked_for_there(
    run_time: Runtime, members: MemberCloud, tenant: Tenant
) -> None:
    grouped(members, INSTANCE, account=MEMBER)
    tenant.holds(endpoint(account=MEMBER))
    (result,) = check(run_time, about(GROUP, "web", account=MEMBER))
    assert told(result) == ("PROTECTED", [])


def test_a_server_that_could_be_one_of_the_group_is_not_passed_over(
    run_time: Runtime, members: MemberCloud, tenant: Tenant
) -> None:
    grouped(members, INSTANCE)
    tenant.holds(endpoint("x", eppAgent={}, endpointName="ip-10-0-0-5.ec2.internal"))
    (result,) = check(run_time, about(GROUP, "web"))
    assert told(result) == ("UNKNOWN", ["lookalike"])


@pytest.mark.parametrize("status", [403, 400, 503])
@pytest.mark.parametrize("operation", ["DescribeAutoScalingGroups", "DescribeInstances"])
def test_trouble_of_aws_is_never_unprotected(
    run_time: Runtime, members: MemberCloud, tenant: Tenant, operation: str, status: int
) -> None:
    grouped(members, INSTANCE)
    tenant.holds(endpoint())
    service = "ec2" if operation == "DescribeInstances" else "autoscaling"
    fault = {"target": f"{service}.{operation}", "status": status, "times": 9}
    members.faults.add([fault])
    result, other = check(run_time, about(GROUP, "web"), work(Params(), incident()))
    assert result["verdict"] == "UNKNOWN"
    assert result["reasons"][0].startswith("behind_")
    assert f"{service}.{operation}" in result["evidence"]["cause"]
    assert (result["retry_after"] is not None) == (status == 503)
    assert told(other) == ("PROTECTED", [])


def test_without_a_role_the_other_accounts_resource_is_unknown(
    run_time: Runtime, members: MemberCloud, tenant: Tenant
) -> None:
    grouped(members, INSTANCE, account=MEMBER)
    played = msgspec.structs.replace(run_time.playbook, member_role="")
    (result,) = check(runtime(playbook=played), about(GROUP, "web", account=MEMBER))
    assert told(result) == ("UNKNOWN", ["behind_configuration"])
    assert "member_role" in result["evidence"]["cause"]


def test_trouble_of_vision_one_is_unknown_for_all_behind_it(
    run_time: Runtime, members: MemberCloud, tenant: Tenant
) -> None:
    grouped(members, INSTANCE, OTHER)
    members.other = lambda _environ, start: respond_ok(start, {"SecretString": "{}"}, JSON_1_1)
    (result,) = check(run_time, about(GROUP, "web"))
    assert told(result) == ("UNKNOWN", ["secret_missing"])
    assert result["evidence"]["behind"]["verdicts"] == {"UNKNOWN": 2}


def test_a_task_on_fargate_is_not_asked_of_vision_one(
    run_time: Runtime, members: MemberCloud, tenant: Tenant
) -> None:
    members.members.ecs.replace_tasks([{"taskArn": TASK, "launchType": "FARGATE"}])
    (result,) = check(run_time, about("AwsEcsTask", TASK))
    assert told(result) == ("NOT_APPLICABLE", ["not_an_instance:AwsEcsTask", "fargate"])
    assert tenant.server.requests == []

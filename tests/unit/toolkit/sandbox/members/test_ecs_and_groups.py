"""ECS and EC2 Auto Scaling of the member accounts, through AWS's own client library."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from factories import ACCOUNT, REGION
from hub_toolkit.sandbox import estate
from member_cloud import MEMBER, ROLE, MemberCloud, instance

CLUSTER = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/shop"


def client(cloud: MemberCloud, service: str, key: str = "any", region: str = REGION) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=cloud.url,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}),
    )


def in_member(cloud: MemberCloud, service: str) -> Any:
    cloud.holds(instance(OwnerId=MEMBER))
    role = f"arn:aws:iam::{MEMBER}:role/{ROLE}"
    answer = client(cloud, "sts").assume_role(RoleArn=role, RoleSessionName="test")
    return client(cloud, service, answer["Credentials"]["AccessKeyId"])


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def task(number: int, account: str = ACCOUNT) -> str:
    return f"arn:aws:ecs:{REGION}:{account}:task/shop/{number:032x}"


def host(number: int, account: str = ACCOUNT) -> str:
    return f"arn:aws:ecs:{REGION}:{account}:container-instance/shop/{number:032x}"


def test_tasks_are_told_by_arn_or_id_and_those_that_are_not_there_are_failures(
    members: MemberCloud,
) -> None:
    ecs = members.members.ecs
    on_ec2 = {"taskArn": task(1), "launchType": "EC2", "containerInstanceArn": host(1)}
    ecs.replace_tasks([on_ec2, {"taskArn": task(2), "launchType": "FARGATE"}])
    told = client(members, "ecs").describe_tasks(
        cluster=CLUSTER, tasks=[task(1), f"{2:032x}", task(3)]
    )
    assert told["tasks"] == [
        {**on_ec2, "lastStatus": "RUNNING"},
        {"taskArn": task(2), "launchType": "FARGATE", "lastStatus": "RUNNING"},
    ]
    assert told["failures"] == [{"arn": task(3), "reason": "MISSING"}]


def test_container_instances_tell_their_machines(members: MemberCloud) -> None:
    item = {"containerInstanceArn": host(1), "ec2InstanceId": "i-1"}
    members.members.ecs.replace_container_instances([item])
    told = client(members, "ecs").describe_container_instances(
        cluster="shop", containerInstances=[host(1), host(2)]
    )
    assert told["containerInstances"] == [{**item, "status": "ACTIVE"}]
    assert told["failures"] == [{"arn": host(2), "reason": "MISSING"}]


def test_accounts_and_regions_have_clusters_of_their_own(members: MemberCloud) -> None:
    members.members.ecs.replace_tasks([{"taskArn": task(1, MEMBER), "launchType": "FARGATE"}])
    asked = {"cluster": "shop", "tasks": [f"{1:032x}"]}
    assert in_member(members, "ecs").describe_tasks(**asked)["tasks"]
    for elsewhere in (client(members, "ecs"), client(members, "ecs", region="us-west-2")):
        with pytest.raises(ClientError) as error:
            elsewhere.describe_tasks(**asked)
        assert code(error) == "ClusterNotFoundException"


def test_too_many_tasks_at_once_are_refused(members: MemberCloud) -> None:
    members.members.ecs.replace_tasks([{"taskArn": task(1), "launchType": "FARGATE"}])
    ecs = client(members, "ecs")
    assert ecs.describe_tasks(cluster="shop", tasks=[task(1)] * 100)["tasks"]
    for tasks in ([], [task(1)] * 101):
        with pytest.raises(ClientError) as error:
            ecs.describe_tasks(cluster="shop", tasks=tasks)
        assert code(error) == "InvalidParameterException"


def group(name: str, *machines: str, account: str = ACCOUNT) -> dict[str, Any]:
    items = [{"InstanceId": one} for one in machines]
    return {
        "AutoScalingGroupName": name,
        "OwnerId": account,
        "Region": REGION,
        "Instances": items,
    }


def test_groups_are_told_by_name_with_their_instances(members: MemberCloud) -> None:
    waiting = {"InstanceId": "i-2", "LifecycleState": "Pending:Wait"}
    web = group("web & co", "i-1")
    web["Instances"].append(waiting)
    members.members.groups.replace([web, group("api"), group("web", account=MEMBER)])
    autoscaling = client(members, "autoscaling")
    named = ["web & co", "gone"]
    (told,) = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=named)[
        "AutoScalingGroups"
    ]
    states = [(one["InstanceId"], one["LifecycleState"]) for one in told["Instances"]]
    assert states == [("i-1", "InService"), ("i-2", "Pending:Wait")]
    assert told["AutoScalingGroupARN"].endswith(":autoScalingGroupName/web & co")
    assert told["CreatedTime"].year == 2026
    (only,) = in_member(members, "autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert (only["AutoScalingGroupName"], only["Instances"]) == ("web", [])


def test_groups_come_in_pages_and_no_more_names_are_taken(members: MemberCloud) -> None:
    names = [f"g-{number}" for number in range(60)]
    members.members.groups.replace([group(name) for name in names])
    autoscaling = client(members, "autoscaling")
    pages = list(autoscaling.get_paginator("describe_auto_scaling_groups").paginate())
    assert [len(page["AutoScalingGroups"]) for page in pages] == [50, 10]
    with pytest.raises(ClientError) as error:
        autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=names)
    assert code(error) == "ValidationError"
    more = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=names, MaxRecords=100)
    assert len(more["AutoScalingGroups"]) == 60
    for wrong in ({"MaxRecords": 101}, {"NextToken": "x"}):
        with pytest.raises(ClientError):
            autoscaling.describe_auto_scaling_groups(**wrong)


def test_the_sandboxs_tasks_and_groups_lead_to_instances_that_ec2_knows() -> None:
    known = estate.load()
    instances = {one["InstanceId"] for one in known.ec2.instances}
    hosts = {one["containerInstanceArn"]: one for one in known.ecs.container_instances}
    for one in known.ecs.tasks:
        assert one["launchType"] == "FARGATE" or one["containerInstanceArn"] in hosts
    assert {one["ec2InstanceId"] for one in hosts.values()} <= instances
    for one in known.autoscaling.groups:
        assert {machine["InstanceId"] for machine in one["Instances"]} <= instances

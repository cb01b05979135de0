"""The instances behind resources, asked of the member accounts as the sandbox has them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from factories import ACCOUNT, INSTANCE, REGION, finding, incident, resource
from hub_responder.behind.answer import MAX_INSTANCES, Behind, merged
from hub_responder.behind.resolve import behind
from hub_responder.deadline import Deadline
from hub_responder.errors import ConfigurationError, DeniedError, PermanentError, TransientError
from hub_responder.finding import Clue, Resource
from hub_responder.incident import Incident
from member_cloud import MEMBER, ROLE, MemberCloud, instance

OTHER = "i-0fed9876cba543210"
THIRD = "i-0123456789abcdef0"
DESCRIBE = "ec2.DescribeInstances"
TASKS, HOSTS = "ecs.DescribeTasks", "ecs.DescribeContainerInstances"
GROUPS = "autoscaling.DescribeAutoScalingGroups"


def task(number: int, cluster: str = "shop", account: str = ACCOUNT, region: str = REGION) -> str:
    return f"arn:aws:ecs:{region}:{account}:task/{cluster}/{number:032x}"


def host(number: int, cluster: str = "shop", account: str = ACCOUNT, region: str = REGION) -> str:
    return f"arn:aws:ecs:{region}:{account}:container-instance/{cluster}/{number:032x}"


def group(name: str = "web", account: str = ACCOUNT, region: str = REGION) -> str:
    head = f"arn:aws:autoscaling:{region}:{account}:autoScalingGroup:6e5d4c3b:autoScalingGroupName"
    return f"{head}/{name}"


def about(
    kind: str, name: str, *others: Resource, account: str = ACCOUNT, **details: Any
) -> Incident:
    """An incident of a finding about a resource, beside ``others``."""
    of = Resource(kind, name, account=account, region=REGION, details=details)
    return incident(findings=(finding(resources=(of, *others)),))


def on_task(number: int, **more: Any) -> Incident:
    return about("AwsEcsTask", task(number, **more), account=more.get("account", ACCOUNT))


def of_group(name: str = "web", **more: Any) -> Incident:
    return about("AwsAutoScalingAutoScalingGroup", group(name, **more))


def found(*incidents: Incident, role: str = ROLE, seconds: float = 60.0) -> list[Behind]:
    answers = behind(incidents, role, Deadline.after(seconds))
    assert len(answers) == len(incidents)
    return answers


def names(answer: Behind) -> list[str]:
    return [one.instance_id for one in answer.instances]


def runs_on(members: MemberCloud, *machines: str) -> None:
    """Task N runs on container instance N, which is the Nth of ``machines``."""
    tasks, hosts = [], []
    for number, machine in enumerate(machines):
        tasks.append(
            {
                "taskArn": task(number),
                "launchType": "EC2",
                "containerInstanceArn": host(number),
            }
        )
        hosts.append({"containerInstanceArn": host(number), "ec2InstanceId": machine})
    members.members.ecs.replace_tasks(tasks)
    members.members.ecs.replace_container_instances(hosts)


def grouped(members: MemberCloud, name: str = "web", **states: str) -> None:
    machines = [
        {"InstanceId": f"i-{key}", "LifecycleState": state} for key, state in states.items()
    ]
    item = {"AutoScalingGroupName": name, "OwnerId": ACCOUNT, "Region": REGION}
    members.members.groups.replace([{**item, "Instances": machines}])


def test_an_instance_is_itself_and_nobody_is_asked(members: MemberCloud) -> None:
    (answer,) = found(incident())
    assert (answer.instances, answer.itself) == ((resource(),), True)
    assert members.calls == []


def test_an_instance_that_the_finding_names_is_taken_as_it_is_there(members: MemberCloud) -> None:
    beside, bare, mute = found(
        about("AwsEksCluster", "prod", resource()),
        about("AwsEksCluster", "prod", InstanceId=OTHER),
        about("AwsEksCluster", "arn:aws-cn:eks:x:1:cluster/prod"),
    )
    assert beside.instances == (resource(),)
    assert (beside.known_by, beside.itself) == ("resources[1]", False)
    assert bare.instances == (
        Resource(
            "AwsEc2Instance",
            f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{OTHER}",
            OTHER,
            ACCOUNT,
            REGION,
        ),
    )
    assert (mute.instances, mute.reason) == ((), "no_instance_named")
    assert members.calls == []


def test_what_one_finding_names_counts_for_the_incidents_others(members: MemberCloud) -> None:
    of = Resource("AwsEcsTask", task(0), account=ACCOUNT, region=REGION)
    silent, named = finding(resources=(of,)), finding(resources=(of, resource()))
    (answer,) = found(incident(findings=(silent, named)))
    assert names(answer) == [INSTANCE]
    assert members.calls == []


def test_instances_over_what_a_finding_may_name_are_left_out_and_counted() -> None:
    kept = finding(
        resources=(Resource("AwsEcsCluster", "shop", account=ACCOUNT, region=REGION),),
        clues=(Clue("instance", INSTANCE, "x"), Clue("more", "3", "x")),
    )
    (answer,) = found(incident(findings=(kept,)))
    assert (names(answer), answer.left_out) == ([INSTANCE], 3)


def test_a_task_leads_to_its_instance_as_ec2_knows_it(members: MemberCloud) -> None:
    members.holds(instance())
    runs_on(members, INSTANCE)
    (answer,) = found(on_task(0))
    assert members.calls == ["sts.GetCallerIdentity", TASKS, HOSTS, DESCRIBE]
    (machine,) = answer.instances
    assert (machine.instance_id, machine.name) == (INSTANCE, "web-01")
    assert machine.details == {"IpV4Addresses": ["10.0.0.5"]}
    assert (answer.known_by, answer.reason, answer.left_out) == ("ecs:DescribeTasks", "", 0)


def test_a_container_instance_leads_to_its_instance(members: MemberCloud) -> None:
    members.holds(instance())
    runs_on(members, INSTANCE)
    (answer,) = found(about("AwsEcsContainerInstance", host(0)))
    assert names(answer) == [INSTANCE]
    assert answer.known_by == "ecs:DescribeContainerInstances"
    assert members.count(TASKS) == 0


def test_many_incidents_are_asked_for_together(members: MemberCloud) -> None:
    machines = [f"i-{number:017x}" for number in range(150)]
    members.holds(*(instance(name) for name in machines))
    runs_on(members, *machines)
    answers = found(*(on_task(number) for number in range(150)), on_task(0))
    assert [names(answer) for answer in answers[:150]] == [[name] for name in machines]
    assert names(answers[150]) == machines[:1]
    assert (members.count(TASKS), members.count(HOSTS), members.count(DESCRIBE)) == (2, 2, 1)


def test_on_fargate_there_is_none(members: MemberCloud) -> None:
    members.members.ecs.replace_tasks(
        [
            {"taskArn": task(0), "launchType": "FARGATE"},
            {"taskArn": task(1), "launchType": "EC2", "capacityProviderName": "FARGATE_SPOT"},
        ]
    )
    told = found(on_task(0), on_task(1), about("AwsEcsService", "x", LaunchType="FARGATE"))
    assert [(answer.instances, answer.reason) for answer in told] == [((), "fargate")] * 3
    assert members.count(DESCRIBE) == 0


def test_what_ecs_does_not_know_or_has_not_placed_leaves_it_open(members: MemberCloud) -> None:
    runs_on(members, INSTANCE)  # whose instance EC2 does not know any more
    members.members.ecs.replace_tasks(
        [
            {"taskArn": task(0), "launchType": "EC2", "containerInstanceArn": host(0)},
            {"taskArn": task(1), "launchType": "EC2", "lastStatus": "PROVISIONING"},
            {"taskArn": task(3), "launchType": "EC2", "containerInstanceArn": host(9)},
        ]
    )
    told = found(*map(on_task, range(4)))
    assert [answer.reason for answer in told] == ["gone", "instances_starting", "gone", "gone"]
    assert not any(answer.instances for answer in told)


def test_a_machine_outside_ec2_is_not_taken_for_an_instance(members: MemberCloud) -> None:
    runs_on(members, "mi-0abc1234def567890")
    told = found(on_task(0), about("AwsEcsCluster", "x", ec2InstanceId="mi-0abc1234def567890"))
    assert [(answer.instances, answer.reason) for answer in told] == [((), "outside_ec2")] * 2


def test_a_group_leads_to_its_instances_at_work(members: MemberCloud) -> None:
    states = {
        "a1": "InService",
        "b2": "Standby",
        "c3": "Pending:Wait",
        "d4": "Terminating:Proceed",
        "e5": "Detached",
        "f6": "Warmed:Stopped",
        "a7": "ReplacingRootVolume",
        "b8": "InService",
    }
    grouped(members, **states)
    ended = instance("i-b8", State="terminated")
    members.holds(*(instance(f"i-{key}") for key in states if key != "b8"), ended)
    (answer,) = found(of_group())
    assert names(answer) == ["i-a1", "i-a7", "i-b2"]
    assert (answer.starting, answer.left_out) == (1, 0)
    assert answer.known_by == GROUPS.replace(".", ":")
    assert members.calls == ["sts.GetCallerIdentity", GROUPS, DESCRIBE]


@pytest.mark.parametrize(
    ("states", "reason", "starting"),
    [
        ({}, "no_instances", 0),
        ({"a1": "Terminating"}, "no_instances", 0),
        ({"a1": "Pending", "b2": "Pending"}, "instances_starting", 2),
        ({"a1": "InService"}, "gone", 0),
    ],
)
def test_a_group_without_instances_at_work(
    members: MemberCloud, states: dict[str, str], reason: str, starting: int
) -> None:
    grouped(members, **states)
    (answer,) = found(of_group())
    assert (answer.instances, answer.reason, answer.starting) == ((), reason, starting)


def test_a_group_that_is_not_there(members: MemberCloud) -> None:
    grouped(members, a1="InService")
    (answer,) = found(of_group("api"))
    assert (answer.instances, answer.reason) == ((), "gone")


def test_a_group_of_many_findings_is_counted_once(members: MemberCloud) -> None:
    keys = [f"{number:08x}" for number in range(MAX_INSTANCES + 3)]
    grouped(members, c3="Pending", **dict.fromkeys(keys, "InService"))
    members.holds(*(instance(f"i-{key}") for key in keys))
    one = of_group().findings[0]
    (answer,) = found(incident(findings=(one, replace(one, id="other"))))
    assert (len(answer.instances), answer.left_out, answer.starting) == (MAX_INSTANCES, 3, 1)


def test_a_large_group_is_looked_at_in_part_and_the_rest_is_counted(members: MemberCloud) -> None:
    keys = [f"{number:08x}" for number in range(MAX_INSTANCES + 30)]
    grouped(members, **dict.fromkeys(keys, "InService"))
    members.holds(*(instance(f"i-{key}") for key in keys))
    (answer,) = found(of_group())
    assert (len(answer.instances), answer.left_out) == (MAX_INSTANCES, 30)


def test_a_node_is_found_by_its_private_name(members: MemberCloud) -> None:
    name = "ip-10-0-0-5.ec2.internal"
    members.holds(
        instance(), instance(OTHER, State="terminated"), instance(THIRD, PrivateDnsName="")
    )
    one, none = found(
        about("Container", "x", nodeName=name),
        about("Container", "x", nodeName="ip-10-0-0-6.ec2.internal"),
    )
    assert (names(one), one.known_by) == ([INSTANCE], "ec2:DescribeInstances")
    assert none.reason == "gone"
    assert members.count(DESCRIBE) == 1
    members.holds(instance(), instance(OTHER))  # the same address in two networks
    (two,) = found(about("Container", "x", nodeName=name))
    assert (two.instances, two.reason) == ((), "ambiguous_node")


def test_a_group_that_is_called_like_a_node_is_no_node(members: MemberCloud) -> None:
    name = "ip-10-0-0-5.ec2.internal"
    members.holds(instance())
    grouped(members, name, a1="Pending")
    group_, node = found(
        about("AwsAutoScalingAutoScalingGroup", name), about("Container", "x", nodeName=name)
    )
    assert (group_.reason, names(node)) == ("instances_starting", [INSTANCE])


def test_each_account_and_region_is_asked_on_its_own(members: MemberCloud) -> None:
    places = [(ACCOUNT, REGION), (MEMBER, REGION), (ACCOUNT, "us-east-1")]
    machines = [f"i-{number:08x}" for number in range(3)]
    arns = [(task(9, account=a, region=r), host(9, account=a, region=r)) for a, r in places]
    members.members.ecs.replace_tasks(
        [
            {"taskArn": arn, "launchType": "EC2", "containerInstanceArn": where}
            for arn, where in arns
        ]
    )
    members.members.ecs.replace_container_instances(
        [
            {"containerInstanceArn": where, "ec2InstanceId": name}
            for (_, where), name in zip(arns, machines, strict=True)
        ]
    )
    members.holds(
        *(
            instance(name, OwnerId=account, Region=region)
            for (account, region), name in zip(places, machines, strict=True)
        )
    )
    told = found(*(on_task(9, account=account, region=region) for account, region in places))
    assert [names(answer) for answer in told] == [[name] for name in machines]
    assert [(one.account, one.region) for a in told for one in a.instances] == places


def test_trouble_in_one_account_costs_no_other(members: MemberCloud) -> None:
    members.holds(instance(), instance(OTHER, OwnerId=MEMBER))
    runs_on(members, INSTANCE)
    good, elsewhere = found(on_task(0), on_task(0, account="777788889999"))
    assert names(good) == [INSTANCE]
    assert isinstance(elsewhere.error, DeniedError)
    (no_role,) = found(on_task(0, account=MEMBER), role="")
    assert isinstance(no_role.error, ConfigurationError)
    (no_account,) = found(about("AwsAutoScalingAutoScalingGroup", "web", account="xxxx"))
    assert isinstance(no_account.error, PermanentError)


@pytest.mark.parametrize("operation", [TASKS, HOSTS, DESCRIBE])
@pytest.mark.parametrize(
    ("status", "kind"), [(403, DeniedError), (400, PermanentError), (503, TransientError)]
)
def test_a_call_that_fails_leaves_it_open(
    members: MemberCloud, operation: str, status: int, kind: type[Exception]
) -> None:
    members.holds(instance())
    runs_on(members, INSTANCE)
    members.faults.add([{"target": operation, "status": status, "times": 9}])
    (answer,) = found(on_task(0))
    assert type(answer.error) is kind
    assert answer.instances == ()


def test_a_group_call_that_fails_leaves_it_open(members: MemberCloud) -> None:
    members.faults.add([{"target": GROUPS, "status": 403, "times": 9}])
    (answer,) = found(of_group())
    assert isinstance(answer.error, DeniedError)


def test_a_hostile_cluster_costs_only_what_names_it(members: MemberCloud) -> None:
    members.holds(instance())
    runs_on(members, INSTANCE)
    good, bad = found(on_task(0), on_task(0, cluster="no-such-cluster"))
    assert names(good) == [INSTANCE]
    assert isinstance(bad.error, PermanentError)


def test_nothing_is_asked_when_no_time_is_left(members: MemberCloud) -> None:
    runs_on(members, INSTANCE)
    (answer,) = found(on_task(0), seconds=0.0)
    assert isinstance(answer.error, TransientError)
    assert members.count(TASKS) == 0


def part(*ids: str, **more: Any) -> Behind:
    return Behind(tuple(resource(instance_id=name) for name in ids), "x" if ids else "", **more)


TROUBLE = TransientError("no answer", target="x")


@pytest.mark.parametrize(
    ("parts", "instances", "left_out", "reason", "error"),
    [
        ([part("i-1"), part("i-2"), part("i-1")], 2, 0, "", None),
        ([part("i-1"), part(reason="gone")], 1, 0, "", None),
        ([part("i-1"), part(reason="fargate")], 1, 0, "", None),
        ([part("i-1"), part(reason="outside_ec2")], 1, 1, "", None),
        ([part("i-1"), part(error=TROUBLE)], 1, 1, "", TROUBLE),
        ([part("i-1", left_out=4), part(left_out=2)], 1, 6, "", None),
        ([part(reason="fargate"), part(reason="gone")], 0, 0, "gone", None),
        ([part(reason="fargate"), part(error=TROUBLE)], 0, 0, "fargate", TROUBLE),
        ([part(*(f"i-{number}" for number in range(MAX_INSTANCES + 2)))], 200, 2, "", None),
    ],
)
def test_what_is_uncertain_of_one_is_not_hidden_by_the_others(
    parts: list[Behind], instances: int, left_out: int, reason: str, error: Exception | None
) -> None:
    whole = merged(parts)
    assert len(whole.instances) == instances
    assert (whole.left_out, whole.reason, whole.error) == (left_out, reason, error)

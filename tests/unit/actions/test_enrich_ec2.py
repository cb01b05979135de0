"""``enrich.ec2``: what EC2 knows of instances in several accounts, in how few calls."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factories import ACCOUNT, INSTANCE, REGION, finding, incident, playbook, resource, runtime
from factories import work as work_of
from hub_responder.actions import enrich_ec2
from hub_responder.actions.base import Outcome, Work
from hub_responder.actions.enrich_ec2 import Params
from hub_responder.deadline import Deadline
from member_cloud import MEMBER, ROLE, MemberCloud, instance


def work(name: str = INSTANCE, account: str = ACCOUNT, region: str = REGION, **own: Any) -> Work:
    arn = f"arn:aws:ec2:{region}:{account}:instance/{name}"
    of = resource(id=arn, instance_id=name, account=account, region=region, **own)
    return work_of(Params(), incident(findings=(finding(resources=(of,)),)))


def enrich(*works: Work, role: str = ROLE, **overrides: Any) -> list[Outcome]:
    played = playbook(member_role=role)
    return enrich_ec2.run(works, runtime(playbook=played, **overrides))


def test_an_instance_is_told_whole(members: MemberCloud) -> None:
    profile = f"arn:aws:iam::{ACCOUNT}:instance-profile/web"
    members.holds(
        instance(
            ImageId="ami-1",
            ImageName="golden-2026",
            InstanceType="m7g.large",
            PublicIpAddress="203.0.113.7",
            VpcId="vpc-1",
            SubnetId="subnet-1",
            IamInstanceProfile=profile,
            MacAddress="02:1c:42:be:22:5f",
        )
    )
    (outcome,) = enrich(work())
    assert (outcome.status, outcome.detail) == ("done", f"{INSTANCE} is running, owner pay")
    assert outcome.result == {
        "instance": INSTANCE,
        "state": "running",
        "exists": True,
        "name": "web-01",
        "owner": "pay",
        "type": "m7g.large",
        "image": "ami-1",
        "image_name": "golden-2026",
        "private_ip": "10.0.0.5",
        "public_ip": "203.0.113.7",
        "private_dns": "ip-10-0-0-5.ec2.internal",
        "vpc": "vpc-1",
        "subnet": "subnet-1",
        "launched_at": "2026-01-01T00:00:00.000Z",
        "profile": profile,
        "platform": "",
        "tags": {"Name": "web-01", "Owner": "pay"},
        "macs": ("02:1c:42:be:22:5f",),
        "computer_name": "",
    }


def test_systems_manager_is_asked_for_the_computers_name_where_it_is_wanted(
    members: MemberCloud,
) -> None:
    managed = [instance(f"i-{number}", ComputerName=f"WIN-{number}") for number in range(60)]
    members.holds(*managed, instance("i-a"))
    works = [*map(work, (one["InstanceId"] for one in managed)), work("i-a")]
    assert {one.result["computer_name"] for one in enrich(*works)} == {""}
    assert members.count("ssm.DescribeInstanceInformation") == 0
    named = [work_of(Params(systems_manager=True), one.incident) for one in works]
    names = [one.result["computer_name"] for one in enrich(*named)]
    assert names == [*(f"WIN-{number}" for number in range(60)), ""]
    assert members.count("ssm.DescribeInstanceInformation") == 2


def test_a_name_that_is_wanted_and_not_told_is_trouble(members: MemberCloud) -> None:
    members.holds(instance())
    members.faults.add([{"target": "ssm.DescribeInstanceInformation", "status": 400,
                         "body": {"__type": "AccessDeniedException"}}])  # fmt: skip
    (outcome,) = enrich(work_of(Params(systems_manager=True), work().incident))
    assert outcome.status == "failed"
    assert "ssm.DescribeInstanceInformation" in outcome.detail


def test_systems_manager_is_permitted_only_where_it_is_asked() -> None:
    (usual,) = enrich_ec2.permissions({}, {})
    (more,) = enrich_ec2.permissions({"systems_manager": True}, {})
    assert set(more["Action"]) - set(usual["Action"]) == {"ssm:DescribeInstanceInformation"}


def test_a_batch_is_asked_once_for_each_account_and_region(members: MemberCloud) -> None:
    members.holds(
        *(instance(f"i-a{number}") for number in range(20)),
        *(instance(f"i-b{number}", OwnerId=MEMBER) for number in range(20)),
        instance("i-c", OwnerId=MEMBER, Region="us-west-2"),
    )
    works = [work(f"i-a{number}") for number in range(20)]
    works += [work(f"i-b{number}", MEMBER) for number in range(20)]
    works += [work("i-c", MEMBER, "us-west-2")]
    outcomes = enrich(*works)
    assert [one.result["instance"] for one in outcomes] == [
        one.incident.resource.instance_id for one in works
    ]
    assert {one.result["state"] for one in outcomes} == {"running"}
    assert members.count("ec2.DescribeInstances") == 3
    assert members.count("sts.AssumeRole") == 1


def test_more_than_a_filter_takes_are_asked_in_parts(members: MemberCloud) -> None:
    names = [f"i-{number}" for number in range(201)]
    members.holds(*map(instance, names))
    outcomes = enrich(*map(work, names))
    assert all(one.result["exists"] for one in outcomes)
    assert members.count("ec2.DescribeInstances") == 2


def test_terminated_unknown_and_no_instance_are_told_apart(members: MemberCloud) -> None:
    members.holds(instance("i-1", State="terminated"), instance("i-2", State="stopped"))
    bucket = work(type="AwsS3Bucket", name="")
    outcomes = enrich(work("i-1"), work("i-2"), work("i-3"), bucket)
    assert [one.status for one in outcomes] == ["done"] * 4
    told = [(one.result["state"], one.result["exists"]) for one in outcomes]
    assert told == [
        ("terminated", False),
        ("stopped", True),
        ("unknown", False),
        ("not_applicable", False),
    ]


def test_the_owner_is_the_first_tag_of_those_named(members: MemberCloud) -> None:
    members.holds(instance(Tags={"team": "ops", "Owner": "", "owner": "pay"}))
    (outcome,) = enrich(work())
    assert outcome.result["owner"] == "pay"
    of = work_of(Params(owner_tags=("team",)), work().incident)
    (outcome,) = enrich(of)
    assert outcome.result["owner"] == "ops"


def test_one_account_that_cannot_be_asked_costs_the_others_nothing(members: MemberCloud) -> None:
    members.holds(instance())
    denied, fine = enrich(work("i-9", "999988887777"), work())
    assert denied.status == "failed"
    assert "999988887777" in denied.detail
    assert fine.result["state"] == "running"


def test_without_a_role_a_member_account_fails_and_says_what_to_set(members: MemberCloud) -> None:
    (outcome,) = enrich(work("i-9", MEMBER), role="")
    assert outcome.status == "failed"
    assert "member_role" in outcome.detail


def test_trouble_that_passes_defers(members: MemberCloud) -> None:
    members.holds(instance())
    members.faults.add([{"target": "ec2.DescribeInstances", "status": 503, "times": 3}])
    (outcome,) = enrich(work())
    assert outcome.status == "deferred"
    (outcome,) = enrich(work(), deadline=Deadline.after(0))
    assert outcome.status == "deferred"


def test_an_image_that_cannot_be_told_costs_only_its_name(members: MemberCloud) -> None:
    members.holds(instance(ImageName="golden"))
    members.faults.add([{"target": "ec2.DescribeImages", "status": 403}])
    (outcome,) = enrich(work())
    assert (outcome.result["state"], outcome.result["image_name"]) == ("running", "")


@settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tags=st.dictionaries(st.text(min_size=1, max_size=128), st.text(max_size=256), max_size=50))
def test_hostile_tags_stay_small_and_in_one_line(
    members: MemberCloud, tags: dict[str, str]
) -> None:
    members.holds(instance(Tags={**tags, "Owner": "x\n" + "".join(tags)}))
    (outcome,) = enrich(work())
    assert outcome.status == "done"
    assert len(outcome.detail) <= 300
    assert "\n" not in outcome.detail
    size = sum(
        len(key.encode()) + len(value.encode()) for key, value in outcome.result["tags"].items()
    )
    assert size <= 4000


def test_the_role_may_describe_and_nothing_else() -> None:
    assert enrich_ec2.ACTION.in_members
    assert not enrich_ec2.ACTION.effects
    (statement,) = enrich_ec2.ACTION.permissions({}, {})
    assert statement["Action"] == ["ec2:DescribeImages", "ec2:DescribeInstances"]


@pytest.mark.parametrize("name", ["mi-0123", ""])
def test_a_managed_node_is_no_instance_of_ec2(members: MemberCloud, name: str) -> None:
    (outcome,) = enrich(work(name))
    assert outcome.result["state"] == "not_applicable"
    assert members.calls == []

"""Which resources stand for instances, which of a finding's count, and why others have no agent."""

from __future__ import annotations

import pytest

from factories import finding, playbook, resource
from hub_responder.behind import words
from hub_responder.behind.kinds import STAND_INS, stands_for_instances, telling, why_not
from hub_responder.engine.grouping import subjects
from hub_responder.finding import Resource
from hub_responder.identifiers import asff_type


def of(*types: str) -> list[Resource]:
    return [Resource(name, f"{name}-{number}") for number, name in enumerate(types)]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("AWS::Lambda::Function", "serverless"),
        ("AWS::S3::Bucket", "storage"),
        ("AwsS3Object", "storage"),
        ("AWS::IAM::AccessKey", "identity"),
        ("AwsIamUser", "identity"),
        ("AWS::RDS::DBInstance", "managed_service"),
        ("AWS::DynamoDB::Table", "managed_service"),
        ("AWS::ECR::Repository", "image_in_registry"),
        ("AwsEcrContainerImage", "image_in_registry"),
        ("AWS::EC2::SecurityGroup", "network"),
        ("AWS::EC2::VPCEndpointService", "network"),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "network"),
        ("AwsAccount", "account"),
        ("AWS::CodeBuild::Project", "build"),
        ("CodeRepository", "build"),
        ("AwsEksCluster", "no_instance_named"),
        ("AwsKmsKey", ""),
        ("Other", ""),
        ("", ""),
    ],
)
def test_why_a_resource_has_no_agent(name: str, why: str) -> None:
    assert why_not(asff_type(name)) == why
    assert why in ("", *words.EN)


def test_what_can_stand_for_an_instance() -> None:
    assert all(map(stands_for_instances, (*STAND_INS, "Other")))
    assert not any(map(stands_for_instances, ("AwsS3Bucket", "AwsEc2Instance", "")))


@pytest.mark.parametrize(
    ("types", "kept"),
    [
        (["AwsEksCluster", "AwsEc2Instance", "Container"], ["AwsEc2Instance"]),
        (["AwsEc2Instance", "AwsEc2Instance"], ["AwsEc2Instance", "AwsEc2Instance"]),
        (["AwsEcsCluster", "Container", "AwsEcsTask"], ["AwsEcsTask"]),
        (["AwsEksCluster", "Container"], ["Container"]),
        (["AwsS3Bucket", "AwsEcsCluster", "AwsEc2Instance"], ["AwsS3Bucket", "AwsEc2Instance"]),
        (["AwsS3Bucket", "AwsEksCluster"], ["AwsS3Bucket", "AwsEksCluster"]),
        ([], []),
    ],
)
def test_of_what_stands_for_one_thing_one_counts(types: list[str], kept: list[str]) -> None:
    assert [one.type for one in telling(of(*types))] == kept


def test_a_container_and_its_instance_are_one_incident() -> None:
    threat = finding(resources=(*of("AwsEksCluster", "Container"), resource()))
    played = playbook(resource_types=("AwsEc2Instance", *STAND_INS))
    (subject,) = subjects(threat, played)
    assert subject.resource == resource()
    (subject,) = subjects(threat, playbook(resource_types=STAND_INS))
    assert subject.resource.type == "Container"

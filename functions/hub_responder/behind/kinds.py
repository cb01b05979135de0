"""Resources that stand for EC2 instances, and why the others have no agent that could be asked of.

Names are ASFF's (Security Hub user guide, "Resources ASFF object"); those of resources that ASFF
does not know are made of CloudFormation's by `identifiers.asff_type`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hub_responder.finding import INSTANCE

if TYPE_CHECKING:
    from hub_responder.finding import Resource

GROUP = "AwsAutoScalingAutoScalingGroup"
IMAGE = "AwsEcrContainerImage"
STAND_INS = (
    "AwsEcsContainerInstance",
    "AwsEcsTask",
    "AwsEcsContainer",
    "Container",
    "AwsEcsService",
    "AwsEcsCluster",
    "AwsEksCluster",
    GROUP,
    "AwsEc2NetworkInterface",
    "AwsEc2Volume",
    IMAGE,
)
"""Those that an instance can be behind; before others those that tell more about which one."""
_OTHER = "Other"
"""ASFF's type for what it has no type for: some products put machines there."""

_WHY: Sequence[tuple[str, tuple[str, ...]]] = (
    ("serverless", ("AwsLambda",)),
    ("image_in_registry", ("AwsEcr",)),
    ("storage", ("AwsS3", "AwsEfs", "AwsBackup")),
    ("identity", ("AwsIam",)),
    ("account", ("AwsAccount",)),
    ("build", ("AwsCodeBuild", "AwsCodePipeline", "AwsCodeCommit", "CodeRepository")),
    (
        "network",
        (
            "AwsApiGateway",
            "AwsCloudFront",
            "AwsEc2ClientVpn",
            "AwsEc2Eip",
            "AwsEc2NetworkAcl",
            "AwsEc2RouteTable",
            "AwsEc2SecurityGroup",
            "AwsEc2Subnet",
            "AwsEc2TransitGateway",
            "AwsEc2Vp",  # VPCs and their peering, endpoints and VPN connections
            "AwsElb",
            "AwsNetworkFirewall",
            "AwsRoute53",
            "AwsWaf",
        ),
    ),
    (
        "managed_service",
        (
            "AwsAmazonMq",
            "AwsDms",
            "AwsDocDb",
            "AwsDynamoDb",
            "AwsElastiCache",
            "AwsElasticsearch",
            "AwsKinesis",
            "AwsMsk",
            "AwsNeptune",
            "AwsOpenSearch",
            "AwsRds",
            "AwsRedshift",
            "AwsSageMaker",
        ),
    ),
)
"""Beginnings of types, by why there is no agent."""


def stands_for_instances(resource_type: str) -> bool:
    """Whether an instance can be behind a resource of this type."""
    return resource_type in STAND_INS or resource_type == _OTHER


def why_not(resource_type: str) -> str:
    """Why a resource of this type has no agent and no instance behind it; empty: just no instance.

    Of those that can stand for an instance: why the finding leads to none.
    """
    for reason, beginnings in _WHY:
        if resource_type.startswith(beginnings):
            return reason
    return "no_instance_named" if resource_type in STAND_INS else ""


def telling(resources: Sequence[Resource]) -> Sequence[Resource]:
    """Those of a finding's resources that it is about, where some stand for the others.

    GuardDuty names the instance, the cluster and the container of one threat: that is one subject.
    The instance is kept; where there is none, the stand-ins that tell most about it.
    """
    types = {one.type for one in resources}
    standing = [name for name in STAND_INS if name in types]
    kept = standing[:1] if INSTANCE not in types else []
    left_out = [name for name in standing if name not in kept]
    return [one for one in resources if one.type not in left_out]

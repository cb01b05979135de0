"""What finding the instances behind other resources needs, in its own account or in the role of
another."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub_responder.actions.base import Statement


def looking_behind() -> list[Statement]:
    """Describing groups and instances, which knows no resources, and what is in ECS clusters."""
    anywhere = ["autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInstances"]
    ecs = "arn:${AWS::Partition}:ecs:*:${AWS::AccountId}:"
    return [
        {"Effect": "Allow", "Action": anywhere, "Resource": ["*"]},
        {
            "Effect": "Allow",
            "Action": ["ecs:DescribeContainerInstances", "ecs:DescribeTasks"],
            "Resource": [{"Fn::Sub": f"{ecs}{kind}/*"} for kind in ("container-instance", "task")],
        },
    ]

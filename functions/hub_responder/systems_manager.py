"""What Systems Manager knows of instances: the names that they have themselves.

DescribeInstanceInformation with the filter ``InstanceIds`` passes over instances that it does not
manage (https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html:
at most 50 items a page, at most 100 values of a filter).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub_responder.values import clean

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline

PERMISSION = "ssm:DescribeInstanceInformation"
AT_ONCE = 50


def computer_names(
    client: Any, ids: Sequence[str], target: str, deadline: Deadline
) -> Mapping[str, str]:
    """Instance id -> the computer's own name, for those that Systems Manager manages.

    Raises:
        TransientError: no time is left. botocore's errors come as they are.
    """
    names: dict[str, str] = {}
    for start in range(0, len(ids), AT_ONCE):
        wanted = [{"Key": "InstanceIds", "Values": list(ids[start : start + AT_ONCE])}]
        request: dict[str, Any] = {"Filters": wanted, "MaxResults": AT_ONCE}
        while True:
            deadline.timeout(10.0, target=target)
            answer = client.describe_instance_information(**request)
            for one in answer.get("InstanceInformationList", ()):
                names[str(one.get("InstanceId", ""))] = clean(str(one.get("ComputerName", "")), 256)
            if not answer.get("NextToken"):
                break
            request["NextToken"] = answer["NextToken"]
    return names

"""EC2's DescribeInstances: page by page, and its instances as findings name them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub_responder.finding import INSTANCE, Resource
from hub_responder.identifiers import instance_arn
from hub_responder.values import clean

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline

Place = tuple[str, str]
"""Account and region."""
PAGE = 1000
"""Instances of one call at most (DescribeInstances reference, MaxResults)."""


def described(
    client: Any, filters: Sequence[Mapping[str, Any]], target: str, deadline: Deadline
) -> Iterator[dict[str, Any]]:
    """The instances that ``filters`` name, as EC2 tells of them.

    Raises:
        TransientError: no time is left. botocore's errors come as they are.
    """
    request: dict[str, Any] = {"Filters": list(filters), "MaxResults": PAGE}
    while True:
        deadline.timeout(10.0, target=target)
        answer = client.describe_instances(**request)
        for reservation in answer.get("Reservations", ()):
            yield from reservation.get("Instances", ())
        if not answer.get("NextToken"):
            return
        request["NextToken"] = answer["NextToken"]


def resource_of(item: Mapping[str, Any], place: Place, partition: str) -> Resource:
    """An instance that EC2 told of, with its tags; its details hold its private address."""
    account, region = place
    name = clean(str(item.get("InstanceId", "")), 64)
    address = clean(str(item.get("PrivateIpAddress") or ""), 64)
    return Resource(
        type=INSTANCE,
        id=instance_arn(partition, region, account, name),
        instance_id=name,
        account=account,
        region=region,
        tags={clean(tag["Key"], 128): clean(tag["Value"], 256) for tag in item.get("Tags", ())},
        details={"IpV4Addresses": [address]} if address else {},
    )

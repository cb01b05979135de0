"""EC2's DescribeInstances, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline

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

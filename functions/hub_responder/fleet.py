"""The running instances of accounts and regions, as EC2 tells of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub_responder import aws, member
from hub_responder.errors import HubResponderError
from hub_responder.instances import Place, described, resource_of
from hub_responder.values import clean

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline
    from hub_responder.finding import Resource

MAX_INSTANCES = 20_000
"""Instances that are held at once: 20,000 of them take about 40 MB."""
THREADS = 8
_RUNNING = [{"Name": "instance-state-name", "Values": ["running"]}]


@dataclass(frozen=True, slots=True)
class Machine:
    """A running instance.

    Attributes:
        resource: as findings name it, with its tags; its details hold its private address.
        kind: the instance type. launched: epoch seconds.
    """

    resource: Resource
    kind: str = ""
    launched: float | None = None


@dataclass(frozen=True, slots=True)
class Fleet:
    """What was found.

    Attributes:
        left_out: what could not be read, and why, for people.
        unread: the places of which something is left out.
        error: the first error of a place; None: all were read.
    """

    machines: list[Machine]
    left_out: list[str]
    error: HubResponderError | None = None
    unread: Set[Place] = frozenset()


def places(accounts: Sequence[str], regions: Sequence[str], deadline: Deadline) -> list[Place]:
    """The accounts (none: this one) in the regions (none: this one).

    Raises:
        CallError: STS does not tell which account this is.
    """
    accounts = accounts or (member.own_account(deadline),)
    regions = regions or (str(aws.client("sts").meta.region_name),)
    return [(account, region) for account in accounts for region in regions]


def running(places: Sequence[Place], role: str, deadline: Deadline) -> Fleet:
    """The running instances of ``places``; a place that cannot be read costs only itself.

    Args:
        role: the name of the role to assume in member accounts; empty: there is none.
        deadline: no page is asked for after its end.
    """
    if not places:
        return Fleet([], [])
    with ThreadPoolExecutor(max_workers=min(THREADS, len(places))) as pool:
        parts = list(pool.map(lambda place: _of_place(place, role, deadline), places))
    machines = [machine for found, _ in parts for machine in found]
    errors = [(place, error) for place, (_, error) in zip(places, parts, strict=True) if error]
    left_out = [f"{account} {region}: {error}" for (account, region), error in errors]
    unread = {place for place, _ in errors}
    if len(machines) > MAX_INSTANCES:
        left_out.append(f"{len(machines) - MAX_INSTANCES} instances over {MAX_INSTANCES:,}")
        unread = set(places)
    error = errors[0][1] if errors else None
    return Fleet(machines[:MAX_INSTANCES], left_out, error, unread)


def _of_place(
    place: Place, role: str, deadline: Deadline
) -> tuple[list[Machine], HubResponderError | None]:
    """The instances of one account and region that could be read, and why not all were."""
    account, region = place
    target = f"ec2.DescribeInstances in {account} {region}"
    found: list[Machine] = []
    try:
        client = member.client("ec2", account, region, role=role, deadline=deadline)
        partition = str(client.meta.partition)
        for item in described(client, _RUNNING, target, deadline):
            found += [_machine(item, place, partition)]
    except aws.ERRORS as error:
        return found, aws.translate(error, target)
    except HubResponderError as error:
        return found, error
    return found, None


def _machine(item: Mapping[str, Any], place: Place, partition: str) -> Machine:
    launched = item.get("LaunchTime")
    kind = clean(str(item.get("InstanceType", "")), 64)
    resource = resource_of(item, place, partition)
    return Machine(resource, kind, launched.timestamp() if launched is not None else None)

"""What AWS tells, in one account and region, of the instances that clues lead to.

A task tells its container instance, that its EC2 instance; a group tells its instances; a node is
found by its private DNS name. Each is asked for many at once. What is found so is described by EC2
too: names and addresses are needed to recognize an agent, and what has ended is left out.

Sources: "DescribeTasks" and "DescribeContainerInstances" (Amazon ECS API reference; 100 of one
cluster at once, those that are not there come as failures), "DescribeAutoScalingGroups" and
"Amazon EC2 Auto Scaling instance lifecycle" (50 names at once, those that are not there are passed
over), "DescribeInstances" (Amazon EC2 API reference; 200 values of a filter).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from hub_responder import aws, member
from hub_responder.behind.answer import Behind
from hub_responder.behind.clues import GROUP_NAME
from hub_responder.errors import HubResponderError
from hub_responder.identifiers import instance_id
from hub_responder.instances import Place, described, resource_of

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline
    from hub_responder.finding import Clue, Resource

MAX_OF_GROUP = 200
"""Instances of one group that are looked at; the others are counted."""
_ECS_AT_ONCE = 100
_GROUPS_AT_ONCE = 50
_VALUES_AT_ONCE = 200
_LEAVING = ("Terminat", "Detach", "Warmed")
"""How lifecycle states begin of instances that leave the group, or wait outside it."""
_STARTING = "Pending"
_THERE = {
    "Name": "instance-state-name",
    "Values": ["pending", "running", "stopping", "stopped"],
}
Said = TypeVar("Said")


def ask(place: Place, clues: Iterable[Clue], role: str, deadline: Deadline) -> Mapping[str, Behind]:
    """The answers by the clues' names; a call that fails costs only those that it was made for.

    Args:
        role: the name of the role to assume in member accounts; empty: there is none.
        deadline: no call is begun after its end.
    """
    asked = _Asked(place, role, deadline)
    named: dict[str, list[str]] = {}
    for clue in clues:
        named.setdefault(clue.kind, []).append(clue.name)
    hosts = asked.hosts_of_tasks(named.get("task", ()))
    asked.known_by |= dict.fromkeys(hosts, "ecs:DescribeTasks")
    hosts |= {arn: arn for arn in named.get("container_instance", ())}
    asked.take(
        {
            **{clue: (name,) for clue, name in asked.instances_of_hosts(hosts).items()},
            **asked.instances_of_groups(named.get("group", ())),
        }
    )
    asked.take_nodes(named.get("node", ()))
    return asked.answers


@dataclass(slots=True)
class _Asked:
    """The calls of one place, and what is known by the clues' names."""

    place: Place
    role: str
    deadline: Deadline
    answers: dict[str, Behind] = field(default_factory=dict)
    known_by: dict[str, str] = field(default_factory=dict)
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)

    def hosts_of_tasks(self, tasks: Sequence[str]) -> dict[str, str]:
        """Task -> the ARN of its container instance, of those that have one."""
        hosts = {}
        for cluster, arns in _by_cluster(tasks).items():
            for batch in _batches(arns, _ECS_AT_ONCE):
                said = self._said("ecs", "DescribeTasks", batch, cluster=cluster, tasks=batch)
                if said is None:
                    continue
                told = {_tail(one.get("taskArn")): one for one in said.get("tasks", ())}
                for arn in batch:
                    task = told.get(_tail(arn), {})
                    if task.get("containerInstanceArn"):
                        hosts[arn] = str(task["containerInstanceArn"])
                    else:
                        self.answers[arn] = _unplaced(task)
        return hosts

    def instances_of_hosts(self, hosts: Mapping[str, str]) -> dict[str, str]:
        """Clue -> instance id, of those clues whose container instance has one in EC2."""
        clues_of: dict[str, list[str]] = {}
        for clue, arn in hosts.items():
            clues_of.setdefault(arn, []).append(clue)
        found = {}
        for cluster, arns in _by_cluster(clues_of).items():
            for batch in _batches(arns, _ECS_AT_ONCE):
                concerned = [clue for arn in batch for clue in clues_of[arn]]
                said = self._said(
                    "ecs",
                    "DescribeContainerInstances",
                    concerned,
                    cluster=cluster,
                    containerInstances=batch,
                )
                if said is None:
                    continue
                told = {
                    _tail(one.get("containerInstanceArn")): str(one.get("ec2InstanceId") or "")
                    for one in said.get("containerInstances", ())
                }
                for arn in batch:
                    name = instance_id(told.get(_tail(arn), ""))
                    for clue in clues_of[arn]:
                        if name.startswith("i-"):
                            found[clue] = name
                        else:
                            # ECS Anywhere: a machine that Systems Manager calls mi-...
                            self.answers[clue] = Behind(reason="outside_ec2" if name else "gone")
        return found

    def instances_of_groups(self, groups: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Clue -> the instance ids of the group, of those groups that have any at work."""
        clues_of: dict[str, list[str]] = {}
        for clue in groups:
            clues_of.setdefault(_group_name(clue), []).append(clue)
        found = {}
        for batch in _batches(list(clues_of), _GROUPS_AT_ONCE):
            concerned = [clue for name in batch for clue in clues_of[name]]
            said = self._said(
                "autoscaling",
                "DescribeAutoScalingGroups",
                concerned,
                AutoScalingGroupNames=batch,
                MaxRecords=_GROUPS_AT_ONCE,
            )
            if said is None:
                continue
            told = {one.get("AutoScalingGroupName"): one for one in said["AutoScalingGroups"]}
            for name in batch:
                for clue in clues_of[name]:
                    if name not in told:
                        self.answers[clue] = Behind(reason="gone")
                    elif ids := self._of_group(clue, told[name]):
                        found[clue] = ids
        return found

    def _of_group(self, clue: str, group: Mapping[str, Any]) -> tuple[str, ...]:
        """The instances at work of one group; where there are none, that is the answer."""
        states = {
            str(one.get("InstanceId", "")): str(one.get("LifecycleState", ""))
            for one in group.get("Instances", ())
        }
        passed_over = (*_LEAVING, _STARTING)
        ids = sorted(name for name, state in states.items() if not state.startswith(passed_over))
        starting = sum(state.startswith(_STARTING) for state in states.values())
        if not ids:
            reason = "instances_starting" if starting else "no_instances"
            self.answers[clue] = Behind(reason=reason, starting=starting)
        self.known_by[clue] = "autoscaling:DescribeAutoScalingGroups"
        self.counts[clue] = max(0, len(ids) - MAX_OF_GROUP), starting
        return tuple(ids[:MAX_OF_GROUP])

    def take(self, ids: Mapping[str, Sequence[str]]) -> None:
        """Describe the instances that clues led to; those that have ended are left out."""
        clues_of: dict[str, list[str]] = {}
        for clue, names in ids.items():
            for name in names:
                clues_of.setdefault(name, []).append(clue)
        machines: dict[str, Resource] = {}
        for batch in _batches(list(clues_of), _VALUES_AT_ONCE):
            concerned = [clue for name in batch for clue in clues_of[name]]
            for machine, _ in self._described(concerned, "instance-id", batch):
                machines[machine.instance_id] = machine
        for clue, names in ids.items():
            if clue in self.answers:
                continue
            there = tuple(machines[name] for name in names if name in machines)
            left_out, starting = self.counts.get(clue, (0, 0))
            known_by = self.known_by.get(clue, "ecs:DescribeContainerInstances")
            reason = "" if there else "gone"
            self.answers[clue] = Behind(there, known_by, left_out, starting, reason)

    def take_nodes(self, names: Sequence[str]) -> None:
        """Find nodes by their private DNS names, which repeat between networks."""
        for batch in _batches(names, _VALUES_AT_ONCE):
            found: dict[str, list[Resource]] = {}
            for machine, name in self._described(batch, "private-dns-name", batch):
                found.setdefault(name, []).append(machine)
            for name in batch:
                if name in self.answers:
                    continue
                there = tuple(found.get(name, ()))
                if len(there) > 1:
                    self.answers[name] = Behind(reason="ambiguous_node")
                else:
                    reason = "" if there else "gone"
                    self.answers[name] = Behind(there, "ec2:DescribeInstances", reason=reason)

    def _described(
        self, clues: Sequence[str], filter_name: str, values: Sequence[str]
    ) -> list[tuple[Resource, str]]:
        """The instances that are there by a filter, each with its private DNS name."""
        target = self._target("ec2", "DescribeInstances")
        filters = [{"Name": filter_name, "Values": list(values)}, _THERE]

        def all_pages() -> list[tuple[Resource, str]]:
            client = self._client("ec2")
            partition = str(client.meta.partition)
            return [
                (resource_of(item, self.place, partition), str(item.get("PrivateDnsName") or ""))
                for item in described(client, filters, target, self.deadline)
            ]

        return self._tried(target, clues, all_pages) or []

    def _said(
        self, service: str, operation: str, clues: Iterable[str], **request: Any
    ) -> dict[str, Any] | None:
        """The answer of one call; None where it failed, which is then known of ``clues``."""
        method = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()

        def call() -> dict[str, Any]:
            answer: dict[str, Any] = getattr(self._client(service), method)(**request)
            return answer

        return self._tried(self._target(service, operation), clues, call)

    def _tried(self, target: str, clues: Iterable[str], call: Callable[[], Said]) -> Said | None:
        try:
            self.deadline.timeout(10.0, target=target)
            return call()
        except aws.ERRORS as error:
            failure: HubResponderError = aws.translate(error, target)
        except HubResponderError as error:
            failure = error
        self.answers |= {clue: Behind(error=failure) for clue in clues}
        return None

    def _client(self, service: str) -> Any:
        return member.client(service, *self.place, role=self.role, deadline=self.deadline)

    def _target(self, service: str, operation: str) -> str:
        account, region = self.place
        return f"{service}.{operation} in {account[:64]} {region}"


def _unplaced(task: Mapping[str, Any]) -> Behind:
    """Of a task without a container instance: on Fargate, not yet anywhere, or not known."""
    provider = str(task.get("capacityProviderName") or "")
    if task.get("launchType") == "FARGATE" or provider.startswith("FARGATE"):
        return Behind(reason="fargate")
    return Behind(reason="instances_starting" if task else "gone", starting=1 if task else 0)


def _by_cluster(arns: Iterable[str]) -> dict[str, list[str]]:
    """ARNs of tasks or container instances by their clusters; older ARNs do not name it."""
    found: dict[str, list[str]] = {}
    for arn in arns:
        parts = arn.split("/")
        cluster = parts[1] if len(parts) > 2 else "default"  # noqa: PLR2004 - task/CLUSTER/ID
        found.setdefault(cluster, []).append(arn)
    return found


def _tail(arn: object) -> str:
    return str(arn).rsplit("/", 1)[-1]


def _group_name(clue: str) -> str:
    return clue.rpartition(GROUP_NAME)[2]


def _batches(names: Sequence[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(names), size):
        yield list(names[start : start + size])

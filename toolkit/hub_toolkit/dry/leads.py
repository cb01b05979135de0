"""What AWS must know so that a case's findings lead to instances: tasks, groups, nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hub_responder.behind.clues import GROUP_NAME, clues
from hub_responder.identifiers import arn_region

if TYPE_CHECKING:
    from hub_responder.finding import Clue, Finding, Resource

Item = dict[str, Any]
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)


@dataclass(slots=True)
class Leads:
    """Items as the sandbox's routes take them."""

    instances: list[Item] = field(default_factory=list)
    tasks: list[Item] = field(default_factory=list)
    container_instances: list[Item] = field(default_factory=list)
    groups: list[Item] = field(default_factory=list)


def named(findings: Sequence[Finding]) -> dict[str, str]:
    """The accounts of the instances that findings name, by their ids."""
    found = {
        clue.name: resource.account
        for resource, clue in _clues(findings)
        if clue.kind == "instance"
    }
    own = {one.instance_id: one.account for finding in findings for one in finding.resources}
    return {name: account for name, account in (found | own).items() if name}


def invented(findings: Sequence[Finding]) -> Leads:
    """An instance for each clue that leads to one."""
    made = Leads()
    leads = {clue.name: (resource, clue) for resource, clue in _clues(findings)}
    for number, (resource, clue) in enumerate(leads.values(), 1):
        _lead(made, f"i-{number:017x}", resource, clue)
    return made


def _clues(findings: Sequence[Finding]) -> Iterator[tuple[Resource, Clue]]:
    for finding in findings:
        for resource in finding.resources:
            for clue in clues(finding.with_resource(resource)):
                yield resource, clue


def _lead(made: Leads, name: str, resource: Resource, clue: Clue) -> None:
    """Let ``clue`` lead to the instance ``name``, in an account that can be one."""
    if not _ACCOUNT.fullmatch(resource.account):
        return
    region = arn_region(clue.name) or resource.region
    place = {"OwnerId": resource.account, "Region": region}
    instance = {"InstanceId": name, **place}
    if clue.kind == "group":
        group = {"AutoScalingGroupName": clue.name.rpartition(GROUP_NAME)[2], **place}
        made.groups.append({**group, "Instances": [{"InstanceId": name}]})
    elif clue.kind == "node":
        instance["PrivateDnsName"] = clue.name
    elif clue.kind in ("task", "container_instance") and clue.name.count("/") > 1:
        head, kind, rest = clue.name.partition(f":{clue.kind.replace('_', '-')}/")
        host = f"{head}:container-instance/{rest}"
        made.container_instances.append({"containerInstanceArn": host, "ec2InstanceId": name})
        if clue.kind == "task":
            task = {"taskArn": head + kind + rest, "launchType": "EC2"}
            made.tasks.append({**task, "containerInstanceArn": host})
    else:
        return
    made.instances.append(instance)

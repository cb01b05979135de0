"""What a finding says about the EC2 instances behind its resource.

The instance itself where it names one: in the resource's own details, as another resource beside a
container or a cluster, or in its other fields. Else what leads to it: an ECS container instance or
task, an EKS node's private DNS name, an Auto Scaling group; or that it runs on Fargate, where there
is none.

Sources: ``InstanceId`` of the attachments of network interfaces and volumes, ``LaunchType`` of
services (Security Hub API reference, "ResourceDetails"); ``ec2InstanceUids``, ``launchType``
(GuardDuty API reference, "EcsCluster", "EksCluster", "AutoscalingAutoScalingGroup", "EcsTask"), in
OCSF written as ``ec2_instance_uids``; ``device.instance_uid`` (OCSF schema, object "Device").
GuardDuty's own findings of containers hold the instance beside the cluster (there ``Resource`` has
``instanceDetails`` and ``eksClusterDetails``); how Security Hub writes them is known of one OCSF
finding only, which names the instance alone. What third parties write is known by the usual
spellings of the same names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from hub_responder.behind.kinds import GROUP, stands_for_instances
from hub_responder.finding import INSTANCE, Clue
from hub_responder.identifiers import arn_account, instance_id

if TYPE_CHECKING:
    from hub_responder.finding import Finding, Resource

MAX_INSTANCES = 25
"""Instances of one finding; GuardDuty names 25 of a cluster or group at most."""
_MAX_VALUES = 2000
_MAX_DEPTH = 8
_MAX_TEXT = 512
GROUP_NAME = ":autoScalingGroupName/"
"""What the name of an Auto Scaling group follows in its ARN."""
_MAX_GROUP = 255
"""Characters of an Auto Scaling group's name; a longer one would be refused with its neighbours."""
INDIRECT = ("container_instance", "task", "node", "group", "fargate")
"""Kinds of clues that lead to an instance; before others those that lead there more directly."""

_NOT_LETTERS = re.compile(r"[^a-z0-9]")
_POSITION = re.compile(r"\.\d+_?$")
"""Lists in ProductFields: GuardDuty writes ``recentApiCalls.0_/api``."""
_INSTANCE_KEYS = frozenset(
    f"{of}instance{what}"
    for of in ("", "ec2", "host")
    for what in ("id", "ids", "uid", "uids", "arn")
)
_TASK = re.compile(
    r"arn:[a-z-]+:ecs:([a-z0-9-]+):\d{12}:(task|container-instance)/"
    r"(?:[a-zA-Z0-9_-]{1,255}/)?[0-9a-fA-F-]{32,36}"
)
_NODE = re.compile(r"(fargate-)?ip(-\d{1,3}){4}(\.[a-z0-9-]{1,63}){1,10}")
"""A private DNS name of EC2 (its user guide, "EC2 instance hostnames and domains"); EKS calls its
nodes so, on Fargate with ``fargate-`` before."""
_NODE_BY_ID = re.compile(r"(m?i-[0-9a-f]{8,17})\.[a-z0-9.-]{1,200}")


def clues(finding: Finding) -> tuple[Clue, ...]:
    """What leads from ``finding.resource`` to instances, best first, all of one kind.

    Instances come with a clue ``more`` where over 25 are named.
    """
    return finding.clues or _read(finding)


def _read(finding: Finding) -> tuple[Clue, ...]:
    resource = finding.resource
    if not stands_for_instances(resource.type):
        return ()
    own = list(_own(finding, resource))
    around = list(_around(finding))
    for named in (_instances(own), _beside(finding), _instances(around)):
        if found := _each_once(named):
            more = len(found) - MAX_INSTANCES
            left = (Clue("more", str(more), found[0].field),) if more > 0 else ()
            return (*found[:MAX_INSTANCES], *left)
    leads = [*_itself(resource), *_leads(own), *_others(finding), *_leads(around)]
    usable = [clue for clue in leads if arn_account(clue.name) in ("", resource.account)]
    for kind in INDIRECT:
        if of_kind := _each_once(clue for clue in usable if clue.kind == kind):
            return of_kind[:MAX_INSTANCES]
    return ()


def _each_once(found: Iterable[Clue]) -> tuple[Clue, ...]:
    """The first of each name."""
    first: dict[str, Clue] = {}
    for clue in found:
        first.setdefault(clue.name, clue)
    return tuple(first.values())


_Named = tuple[str, str, str]
"""A text value: the path to it, the last name in that in small letters and digits, and the value"""


def _own(finding: Finding, resource: Resource) -> Iterator[_Named]:
    """The texts in the resource's own details."""
    items = finding.raw.get("Resources") if finding.schema == "ASFF" else None
    if not isinstance(items, list):
        yield from _texts(resource.details, "resource.details")
        return
    for index, item in enumerate(items[:32]):
        if isinstance(item, dict) and item.get("Id") == resource.id:
            yield from _texts(item.get("Details"), f"Resources[{index}].Details")


def _around(finding: Finding) -> Iterator[_Named]:
    """The texts beside the resources, that are about the machine."""
    raw = finding.raw
    yield from _texts(raw.get("ProductFields"), "ProductFields")
    yield from _texts(raw.get("device"), "device")
    evidences = raw.get("evidences")
    for index, one in enumerate(evidences[:10] if isinstance(evidences, list) else ()):
        if isinstance(one, dict):
            yield from _texts(one.get("device"), f"evidences[{index}].device")


def _beside(finding: Finding) -> Iterator[Clue]:
    for index, one in enumerate(finding.resources):
        if one.type == INSTANCE and one.instance_id:
            yield Clue("instance", one.instance_id, f"resources[{index}]")


def _itself(resource: Resource) -> Iterator[Clue]:
    """The resource itself, where it is a lead."""
    yield from _leads([("resource.id", "", resource.id)])
    head, _, name = resource.id.rpartition(GROUP_NAME)
    if resource.type == GROUP and name.isprintable() and 0 < len(name) <= _MAX_GROUP:
        yield Clue("group", f"{head}{GROUP_NAME}{name}", "resource.id")


def _others(finding: Finding) -> Iterator[Clue]:
    named = enumerate(finding.resources)
    yield from _leads((f"resources[{index}].id", "", one.id) for index, one in named)


def _instances(texts: Iterable[_Named]) -> Iterator[Clue]:
    for path, key, value in texts:
        if key in _INSTANCE_KEYS and (name := instance_id(value)):
            yield Clue("instance", name, path)
        elif _is_node(key) and (node := _NODE_BY_ID.fullmatch(value)):
            yield Clue("instance", node[1], path)


def _leads(texts: Iterable[_Named]) -> Iterator[Clue]:
    for path, key, value in texts:
        if arn := _TASK.fullmatch(value):
            yield Clue(arn[2].replace("-", "_"), value, path)
        elif key == "launchtype" and value.upper() == "FARGATE":
            yield Clue("fargate", value.upper(), path)
        elif _is_node(key) and (node := _NODE.fullmatch(value)):
            yield Clue("fargate" if node[1] else "node", value, path)


def _is_node(key: str) -> bool:
    return key == "node" or key.endswith("nodename")


def _texts(node: object, path: str) -> Iterator[_Named]:
    """The first of the texts below ``node``, whatever it is, with what they are called."""
    waiting: list[tuple[object, str, str, int]] = [(node, path, "", 0)]
    for _ in range(_MAX_VALUES):
        if not waiting:
            return
        value, at, key, depth = waiting.pop()
        if type(value) is str:
            if 0 < len(value) <= _MAX_TEXT:
                yield at, key, value
        elif depth < _MAX_DEPTH:
            inner = _within(value, at, key)
            waiting += [(held, where, name, depth + 1) for held, where, name in inner]


def _within(value: object, at: str, key: str) -> list[tuple[object, str, str]]:
    """What a list or an object holds, the last first."""
    if isinstance(value, list):
        items = list(enumerate(value[:200]))
        return [(held, f"{at}[{index}]", key) for index, held in reversed(items)]
    if isinstance(value, Mapping):
        pairs = [(str(name)[:200], held) for name, held in list(value.items())[:200]]
        return [(held, f"{at}.{name}", _plain(name)) for name, held in reversed(pairs)]
    return []


def _plain(key: str) -> str:
    """A name's last part in small letters and digits: ``aws/x/instance_id`` is ``instanceid``."""
    last = _POSITION.sub("", re.split("[/:]", key)[-1])
    return _NOT_LETTERS.sub("", last.lower())

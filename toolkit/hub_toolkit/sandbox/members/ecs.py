"""ECS's tasks and container instances in all accounts: DescribeTasks, DescribeContainerInstances.

Items are those of ``PUT /_sandbox/ecs/tasks`` (``taskArn``, ``launchType`` and optionally
``containerInstanceArn``, ``capacityProviderName``, ``lastStatus``) and of
``PUT /_sandbox/ecs/container-instances`` (``containerInstanceArn``, ``ec2InstanceId`` and
optionally ``status``), as the calls return them. Account, region and cluster are in the ARN. A
cluster is there as long as something is in it. Errors and failures are worded by the Amazon ECS API
reference; that a list of over 100 is an InvalidParameterException is a guess.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import msgspec

from hub_toolkit.sandbox.aws_json import JSON_1_1, read_request, respond_failed, respond_ok
from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.wsgi import header

if TYPE_CHECKING:
    from hub_toolkit.sandbox.members.accounts import Caller
    from hub_toolkit.sandbox.wsgi import Environ, StartResponse

OPERATIONS = ("DescribeTasks", "DescribeContainerInstances")
MAX_NAMES = 100
_ARN = r"^arn:aws:ecs:[a-z0-9-]{1,32}:\d{12}:%s/[\w-]{1,255}/[0-9a-fA-F-]{32,36}$"


class Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A task of a cluster."""

    task_arn: Annotated[str, msgspec.Meta(pattern=_ARN % "task")]
    launch_type: Literal["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"]
    container_instance_arn: str = ""
    capacity_provider_name: str = ""
    last_status: str = "RUNNING"

    @property
    def arn(self) -> str:
        """Its ARN."""
        return self.task_arn


class ContainerInstance(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A machine of a cluster; outside EC2 its id is that of Systems Manager, ``mi-...``."""

    container_instance_arn: Annotated[str, msgspec.Meta(pattern=_ARN % "container-instance")]
    ec2_instance_id: Annotated[str, msgspec.Meta(pattern=r"^m?i-[0-9a-z]{1,40}$")]
    status: str = "ACTIVE"

    @property
    def arn(self) -> str:
        """Its ARN."""
        return self.container_instance_arn


Item = TypeVar("Item", Task, ContainerInstance)


class Ecs:
    """Tasks and container instances over WSGI. Safe for threads.

    Args:
        caller: tells in which account and region a request is made.
    """

    def __init__(self, caller: Callable[[Environ], Caller]) -> None:
        self._caller = caller
        self._tasks: list[Task] = []
        self._hosts: list[ContainerInstance] = []
        self._lock = threading.Lock()

    def replace_tasks(self, items: object) -> int:
        """Hold these tasks and no others; how many there are.

        Raises:
            ValueError: an item is not as above.
        """
        found = msgspec.convert(items, list[Task])
        with self._lock:
            self._tasks = found
        return len(found)

    def replace_container_instances(self, items: object) -> int:
        """Hold these container instances and no others; how many there are.

        Raises:
            ValueError: an item is not as above.
        """
        found = msgspec.convert(items, list[ContainerInstance])
        with self._lock:
            self._hosts = found
        return len(found)

    def app(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI application."""
        operation = header(environ, "X-Amz-Target").rpartition(".")[2]
        try:
            caller, request = self._caller(environ), read_request(environ)
            with self._lock:
                tasks, hosts = self._tasks, self._hosts
            if operation == "DescribeTasks":
                answer = _described(tasks, [*tasks, *hosts], caller, request, "tasks")
            else:
                answer = _described(hosts, [*tasks, *hosts], caller, request, "containerInstances")
        except AwsError as error:
            return respond_failed(start_response, error, JSON_1_1)
        return respond_ok(start_response, answer, JSON_1_1)


def _described(
    items: list[Item],
    all_items: Iterable[Task | ContainerInstance],
    caller: Caller,
    request: Mapping[str, Any],
    key: str,
) -> dict[str, Any]:
    """The items that the request names by id or ARN, and a failure for each that is not there."""
    names = request.get(key)
    if not isinstance(names, list) or not 1 <= len(names) <= MAX_NAMES:
        raise AwsError("InvalidParameterException", f"{key} must have 1 to {MAX_NAMES} elements")
    cluster = str(request.get("cluster") or "default").rsplit("/", 1)[-1]
    if not any(_is_in(one.arn, caller, cluster) for one in all_items):
        raise AwsError("ClusterNotFoundException", "Cluster not found.")
    there = {one.arn.rsplit("/", 1)[-1]: one for one in items if _is_in(one.arn, caller, cluster)}
    found, failures = [], []
    for name in names:
        one = there.get(str(name).rsplit("/", 1)[-1])
        if one is None:
            failures.append({"arn": str(name), "reason": "MISSING"})
        else:
            found.append({k: v for k, v in msgspec.to_builtins(one).items() if v})
    return {key: found, "failures": failures}


def _is_in(arn: str, caller: Caller, cluster: str) -> bool:
    _, _, _, region, account, path = arn.split(":", 5)
    return (account, region, path.split("/")[1]) == (caller.account, caller.region, cluster)

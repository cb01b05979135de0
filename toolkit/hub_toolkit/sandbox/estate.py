"""The estate that the sandbox starts with: a small invented one, in ``estate.json``.

``{"vision_one": {"endpoints": [...], "alerts": [...]}, "workload_security": {"computers": [...],
"rules": [...]}, "ec2": {"instances": [...]}, "ecs": {"tasks": [...], "container_instances": [...]},
"autoscaling": {"groups": [...]}}``. What AWS knows are items as ``PUT /_sandbox/ec2/instances`` and
its like take them; the others as the routes named like them do: as the vendor's list or search call
returns them, with the keys of ours that the modules ``inventory`` and ``workbench`` of
``vendors.vision_one``, and ``computers`` and ``rules`` of ``vendors.workload_security`` name. A
time such as ``-PT5M`` stays so: it means five minutes before whatever the sandbox's clock then
says, so an agent that reports goes on reporting when the clock jumps, and one that is three days
offline stays so.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hub_toolkit.sandbox.members.plane import Members
    from hub_toolkit.sandbox.vendors.vision_one import VisionOne
    from hub_toolkit.sandbox.vendors.workload_security import WorkloadSecurity


class VisionOneEstate(msgspec.Struct, forbid_unknown_fields=True):
    """What Vision One knows."""

    endpoints: list[dict[str, Any]]
    alerts: list[dict[str, Any]]


class WorkloadSecurityEstate(msgspec.Struct, forbid_unknown_fields=True):
    """What Server & Workload Protection knows."""

    computers: list[dict[str, Any]]
    rules: list[dict[str, Any]]


class Ec2Estate(msgspec.Struct, forbid_unknown_fields=True):
    """What EC2 knows, in all accounts."""

    instances: list[dict[str, Any]]


class EcsEstate(msgspec.Struct, forbid_unknown_fields=True):
    """What ECS knows, in all accounts."""

    tasks: list[dict[str, Any]]
    container_instances: list[dict[str, Any]]


class AutoScalingEstate(msgspec.Struct, forbid_unknown_fields=True):
    """What EC2 Auto Scaling knows, in all accounts."""

    groups: list[dict[str, Any]]


class Estate(msgspec.Struct, forbid_unknown_fields=True):
    """What the simulated systems know."""

    vision_one: VisionOneEstate
    workload_security: WorkloadSecurityEstate
    ec2: Ec2Estate
    ecs: EcsEstate
    autoscaling: AutoScalingEstate

    def furnish(
        self,
        vision_ones: Iterable[VisionOne],
        workload_securities: Iterable[WorkloadSecurity],
    ) -> None:
        """Let Trend's simulators hold what the estate says of them."""
        for tenant in vision_ones:
            tenant.replace_endpoints(self.vision_one.endpoints)
            tenant.replace_alerts(self.vision_one.alerts)
        for manager in workload_securities:
            manager.replace_rules(self.workload_security.rules)
            manager.replace_computers(self.workload_security.computers)

    def provide(self, members: Members) -> None:
        """Let the member accounts hold what the estate says of them."""
        members.instances.replace(self.ec2.instances)
        members.ecs.replace_tasks(self.ecs.tasks)
        members.ecs.replace_container_instances(self.ecs.container_instances)
        members.groups.replace(self.autoscaling.groups)


def load() -> Estate:
    """The estate of ``estate.json``."""
    file = resources.files("hub_toolkit.sandbox") / "estate.json"
    return msgspec.json.decode(file.read_bytes(), type=Estate)

"""The member accounts as a whole, and the operations that they answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.members import (
    accounts,
    autoscaling,
    ec2,
    ecs,
    inspector,
    managed_nodes,
    run_command,
)
from hub_toolkit.sandbox.members.accounts import Accounts
from hub_toolkit.sandbox.members.autoscaling import Groups
from hub_toolkit.sandbox.members.ec2 import Instances
from hub_toolkit.sandbox.members.ecs import Ecs
from hub_toolkit.sandbox.members.inspector import Inspector
from hub_toolkit.sandbox.members.managed_nodes import ManagedNodes
from hub_toolkit.sandbox.members.run_command import RunCommand
from hub_toolkit.sandbox.members.tagging import Tagging

if TYPE_CHECKING:
    from hub_toolkit.sandbox.wsgi import App


class Members:
    """The accounts and what is in them.

    Args:
        clock: returns epoch seconds.
        account, region: the sandbox's own.
        finding: returns the ASFF finding of an id that Security Hub holds, or None.

    Attributes:
        instances, ecs, groups: the estate. accounts: who may assume which role.
        operations: the applications by ``SERVICE.Operation``.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        account: str,
        region: str,
        finding: Callable[[str], Mapping[str, Any] | None],
    ) -> None:
        self.instances = Instances(clock)
        self.accounts = Accounts(clock, account, region, self.instances.accounts)
        self.instances.caller = self.accounts.caller
        self.ecs = Ecs(self.accounts.caller)
        self.groups = Groups(self.accounts.caller)
        tagging = Tagging(self.instances, self.accounts.caller)
        commands = RunCommand(clock, self.instances, self.accounts.caller)
        managed = ManagedNodes(self.instances, self.accounts.caller)
        inspecting = Inspector(finding, self.accounts.caller, account)
        self.operations: Mapping[str, App] = {
            **{f"sts.{name}": self.accounts.app for name in accounts.OPERATIONS},
            **{f"ec2.{name}": self.instances.app for name in ec2.OPERATIONS},
            **{f"ecs.{name}": self.ecs.app for name in ecs.OPERATIONS},
            **{f"autoscaling.{name}": self.groups.app for name in autoscaling.OPERATIONS},
            "tagging.GetResources": tagging.app,
            **{f"ssm.{name}": commands.app for name in run_command.OPERATIONS},
            **{f"ssm.{name}": managed.app for name in managed_nodes.OPERATIONS},
            **{f"inspector2.{name}": inspecting.app for name in inspector.OPERATIONS},
        }

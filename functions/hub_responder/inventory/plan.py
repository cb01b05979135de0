"""What the scheduled walk looks at: written by `hub-responder build`, carried in a layer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from hub_responder import planned
from hub_responder.connections.resolve import Connection
from hub_responder.connections.settings import VisionOne, read

FILE = "inventory.json"


class Watch(msgspec.Struct, frozen=True, omit_defaults=True):
    """A playbook that tells whether instances are protected, and what it demands.

    Attributes:
        connection: the Vision One that it asks. group_by, mode: name its incidents.
        stale_after: seconds without contact that are too long. modules: those that must be on.
    """

    playbook: str
    connection: str
    group_by: tuple[str, ...] = ()
    mode: str = "live"
    stale_after: float = 86_400.0
    modules: tuple[str, ...] = ()


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """The tenants and the accounts of a stage.

    Attributes:
        connections: of type vision_one, and those that they are linked to: name -> type and
            settings, no secrets.
        accounts: whose instances are listed; empty: this one's.
        regions: where; empty: this one.
        member_role: name of the role to assume in other accounts; empty: there is none.
        watches: the playbooks that are told where coverage is restored.
    """

    connections: dict[str, dict[str, Any]] = {}
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    member_role: str = ""
    watches: tuple[Watch, ...] = ()

    def tenants(self) -> Iterator[Connection]:
        """The connections of type vision_one."""
        for name, settings in self.connections.items():
            if settings.get("type") == "vision_one":
                yield Connection(name, "vision_one", settings)

    def security_of(self, tenant: Connection) -> str:
        """The connection to the tenant's Server & Workload Protection, or empty.

        Raises:
            ConfigurationError: the tenant's settings are wrong.
        """
        return read(tenant.settings, VisionOne, tenant.name).workload_security


def load(directory: Path) -> Plan:
    """Read ``directory/inventory.json``.

    Raises:
        ConfigurationError: the file is missing or is no such plan.
    """
    return planned.read(directory / FILE, Plan, "the inventory's layer")

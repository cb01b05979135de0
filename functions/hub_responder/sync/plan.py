"""Whose tickets are followed: written by `hub-responder build`, carried in a layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from hub_responder import planned

FILE = "sync.json"


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """The playbooks of a stage that open tickets, and where.

    Attributes:
        playbooks: name -> the language of its notes.
        connections: to ticket systems that tell what has become of a ticket: name -> type and
            settings, no secrets.
    """

    playbooks: dict[str, str] = {}
    connections: dict[str, dict[str, Any]] = {}

    @property
    def hooked(self) -> dict[str, dict[str, Any]]:
        """Those of the connections whose systems send webhooks."""
        return {name: one for name, one in self.connections.items() if one.get("webhook") is True}


def load(directory: Path) -> Plan:
    """Read ``directory/sync.json``.

    Raises:
        ConfigurationError: the file is missing or is no such plan.
    """
    return planned.read(directory / FILE, Plan, "the layer of the tickets' plan")

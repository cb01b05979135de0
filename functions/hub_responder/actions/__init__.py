"""What a step can do: a registry by name that imports an action only when it is used.

- ``base``  what an action is
- ``own``   a playbook's own actions, in its ``actions.py``
- one module for each action; each exposes ``ACTION``
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from hub_responder.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hub_responder.actions.base import Action

OWN = "own."
"""How the names of a playbook's own actions begin; no built-in one does."""
_MODULES = {
    "call": "call_webhook",
    "endpoint.isolate": "isolate_endpoint",
    "endpoint.restore": "restore_endpoint",
    "enrich.ec2": "enrich_ec2",
    "enrich.inspector": "enrich_inspector",
    "finding.suppress": "suppress_finding",
    "finding.update": "update_finding",
    "forward": "forward",
    "insight.expand": "expand_insight",
    "lambda.invoke": "invoke_lambda",
    "notify": "notify",
    "ssm.run_document": "run_document",
    "stepfunctions.start": "start_execution",
    "ticket.open": "open_ticket",
    "vision_one.apply_ips_rules": "apply_ips_rules",
    "vision_one.check_coverage": "check_coverage",
    "vision_one.fleet_report": "fleet_report",
}


def names() -> tuple[str, ...]:
    """The names that a step's ``uses`` can have."""
    return tuple(_MODULES)


def get(name: str) -> Action:
    """The action called ``name``; its module is imported now.

    Raises:
        ConfigurationError: there is none of that name.
    """
    module = _MODULES.get(name)
    if module is None:
        raise ConfigurationError(f"there is no action {name!r}; there is {', '.join(names())}")
    return cast("Action", import_module(f"hub_responder.actions.{module}").ACTION)


def finder(directory: Path) -> Callable[[str], Action]:
    """`get`, which also finds the own actions of the playbook in ``directory`` (``own.NAME``)."""

    def find(name: str) -> Action:
        if not name.startswith(OWN):
            return get(name)
        # Imported here: most playbooks have none.
        from hub_responder.actions import own

        found = own.load(directory)
        if name not in found:
            there = ", ".join(sorted(found)) or "none"
            raise ConfigurationError(f"there is no action {name!r} in actions.py; there is {there}")
        return found[name]

    return find

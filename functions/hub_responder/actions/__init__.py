"""What a step can do: a registry by name that imports an action only when it is used.

- ``base``  what an action is
- one module for each action; each exposes ``ACTION``
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from hub_responder.errors import ConfigurationError

if TYPE_CHECKING:
    from hub_responder.actions.base import Action

_MODULES = {
    "call": "call_webhook",
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
    "vision_one.check_coverage": "check_coverage",
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

"""The scheduled function that walks the fleet: every 15 minutes a snapshot, and its history."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from hub_responder import observability
from hub_responder.deadline import Deadline
from hub_responder.inventory import plan
from hub_responder.inventory.run import run

NAME = "inventory"


def handler(_event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Walk every tenant of the stage; returns what became of each, by connection.

    Raises:
        ConfigurationError: the layer with the plan is missing.
    """
    deadline = Deadline(lambda: context.get_remaining_time_in_millis() / 1000)
    observability.begin(context.aws_request_id, NAME, 0)
    planned = plan.load(Path(os.environ["INVENTORY_DIR"]))
    taken = run(planned, os.environ["STAGE"], deadline)
    observability.flush()
    told: dict[str, Any] = msgspec.to_builtins(taken)
    return told

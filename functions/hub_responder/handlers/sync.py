"""The scheduled function that follows tickets: what people decide there reaches the findings.

It walks the tickets of incidents that have not ended, asks each ticket system for many at once, and
goes on in the next run where this one had to stop.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hub_responder import observability
from hub_responder.audit import try_of
from hub_responder.deadline import Deadline
from hub_responder.sync import plan
from hub_responder.sync.follow import NAME, Follower
from hub_responder.sync.walk import Walk

_METRICS = {
    "TicketsAsked": "asked",
    "TicketDecisions": "written",
    "SilentTicketSystems": "unanswered",
}
"""Metric -> what it counts in a run that came to its end. The last one has an alarm, for which runs
that did not are as bad as those that could not ask."""
_TRIGGER = {"kind": "schedule", "event_id": ""}


def handler(_event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """Follow the tickets of the stage; returns how many were asked about, and what was decided.

    Raises:
        ConfigurationError: the layer with the plan is missing.
        CallError: the ledger cannot be read.
    """
    deadline = Deadline(lambda: context.get_remaining_time_in_millis() / 1000)
    observability.begin(context.aws_request_id, NAME, 0)
    planned = plan.load(Path(os.environ["SYNC_DIR"]))
    follower = Follower(planned, deadline, try_of(context.aws_request_id), _TRIGGER)
    Walk(planned, follower, deadline).run()
    follower.settle()
    for metric, name in _METRICS.items():
        observability.count(metric, follower.counts[name])
    observability.flush()
    return dict(follower.counts)

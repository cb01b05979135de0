"""The scheduled function that moves the audit trail into its archive and signs it, hour by hour."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from hub_responder import observability
from hub_responder.archive.delivery import deliver
from hub_responder.archive.run import run
from hub_responder.deadline import Deadline

NAME = "archive"


def handler(_event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Seal the hours that are over, then bring Security Lake its copies where it is registered.

    Returns how many hours, the records in them, and how many objects went to the lake.

    Raises:
        CallError: something cannot be read, written or signed; what is sealed stays.
    """
    deadline = Deadline(lambda: context.get_remaining_time_in_millis() / 1000)
    observability.begin(context.aws_request_id, NAME, 0)
    try:
        done = run(os.environ, deadline)
        copied = deliver(os.environ, deadline, done.first)
    finally:
        observability.flush()
    return {
        "periods": done.periods,
        "records": done.records,
        "behind_s": done.behind_s,
        "copied": copied,
    }

"""The scheduled function that names findings which no rule saw."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hub_responder import observability, reconcile
from hub_responder.audit import Audit, try_of
from hub_responder.deadline import Deadline
from hub_responder.playbook import Playbook, Triggers
from hub_responder.reconcile import NAME, Done, Reconciler


def handler(_event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """Look at what is due; returns how many hours, findings in them, and those that nobody saw.

    Raises:
        ConfigurationError: the layer with the plan is missing.
        CallError: something cannot be read or written now; the next run goes on there.
    """
    deadline = Deadline(lambda: context.get_remaining_time_in_millis() / 1000)
    observability.begin(context.aws_request_id, NAME, 0)
    playbook = Playbook(name=NAME, summary="Reconciles", steps=(), on=Triggers(), version="")
    audit = Audit(os.environ["AUDIT_TABLE"], playbook, try_of(context.aws_request_id))
    ledger, trail = os.environ["LEDGER_TABLE"], os.environ["AUDIT_TABLE"]
    planned, done = reconcile.load(Path(os.environ["RECONCILE_DIR"])), Done()
    try:
        Reconciler(planned, ledger, trail, audit, deadline).run(done)
    finally:
        observability.count("UnseenFindings", done.unseen)
        observability.count("FindingsReconciled", done.findings)
        observability.flush()
    return {"hours": done.hours, "findings": done.findings, "unseen": done.unseen}

"""Records of what an operator does by hand: who, what and why, beside those of the functions."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from hub_responder import clock
from hub_responder.audit import Audit, lines_of
from hub_responder.playbook import Playbook, Triggers
from hub_toolkit.stack import DeploymentError, is_local
from hub_toolkit.trail.records import TABLE

if TYPE_CHECKING:
    from hub_toolkit.stack import Stack

MAX_WHY = 200
MAX_SKEW_S = 300.0
"""What the clock of an operator's machine may differ from AWS's: an hour is sealed 20 minutes after
its end, and `audit verify` names times that disagree by more than five."""


class Operator:
    """Whoever runs the command, as AWS knows them.

    Raises:
        DeploymentError: AWS does not say who it is, there is no audit table, or this machine's
            clock, which the records go by, is wrong.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._table = stack.table(TABLE)
        told = stack.call("sts", "get_caller_identity")
        self.arn = str(told["Arn"])
        if not is_local(stack.endpoint):  # a sandbox has a clock of its own, and its own trail
            _check_clock(told["ResponseMetadata"]["HTTPHeaders"].get("date", ""))
        self._command = uuid.uuid4().hex
        self._trails: dict[str, Audit] = {}

    def record(
        self, playbook: str, kind: str, items: Sequence[Mapping[str, Any]] = (), **fields: Any
    ) -> None:
        """Write a record about ``playbook``, together with ``items`` of a transaction.

        Raises:
            DeploymentError: it cannot be written; then nothing of it happened.
        """
        audit = self._trail(playbook)
        lines = lines_of(audit.record(kind, actor=self.arn, **fields))
        appended = audit.append(lines)
        request = [*items, *appended.items]
        self._stack.call("dynamodb", "transact_write_items", TransactItems=request)
        audit.keep(appended)

    def _trail(self, playbook: str) -> Audit:
        """The records about one playbook are a run of their own."""
        if playbook not in self._trails:
            named = Playbook(name=playbook, summary="", steps=(), on=Triggers(), version="")
            run = f"{self._command}-{len(self._trails)}"
            self._trails[playbook] = Audit(self._table, named, run)
        return self._trails[playbook]


def _check_clock(date: str) -> None:
    """Hold this machine's clock against AWS's.

    Args:
        date: the header Date of an answer that came just now (RFC 9110, section 6.6.1).
    """
    try:
        told = parsedate_to_datetime(date).timestamp()
    except ValueError:
        raise DeploymentError("AWS's answer does not tell its time: try again") from None
    ahead = clock.now() - told
    if abs(ahead) > MAX_SKEW_S:
        text = f"{abs(ahead) / 60:.0f} minutes {'ahead of' if ahead > 0 else 'behind'} AWS's"
        raise DeploymentError(f"this machine's clock is {text}: set it, the trail goes by it")

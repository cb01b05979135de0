"""Records of what an operator does by hand: who, what and why, beside those of the functions."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub_responder.audit import Audit, lines_of
from hub_responder.playbook import Playbook, Triggers
from hub_toolkit.trail.records import TABLE

if TYPE_CHECKING:
    from hub_toolkit.stack import Stack

MAX_WHY = 200


class Operator:
    """Whoever runs the command, as AWS knows them.

    Raises:
        DeploymentError: AWS does not say who it is, or there is no audit table.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._table = stack.table(TABLE)
        self.arn = str(stack.call("sts", "get_caller_identity")["Arn"])
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

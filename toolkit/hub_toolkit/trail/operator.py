"""Records of what an operator does by hand: who, what and why, beside those of the functions."""

from __future__ import annotations

import uuid
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
        self._command = str(uuid.uuid4())

    def item(self, playbook: str, kind: str, **fields: Any) -> dict[str, Any]:
        """The item of a transaction that records something about ``playbook``."""
        named = Playbook(name=playbook, summary="", steps=(), on=Triggers(), version="")
        audit = Audit(self._table, named, f"{self._command}-{uuid.uuid4().hex[:8]}")
        return audit.put(lines_of(audit.record(kind, actor=self.arn, **fields)))

    def record(self, playbook: str, kind: str, **fields: Any) -> None:
        """Write a record.

        Raises:
            DeploymentError: it cannot be written.
        """
        item = self.item(playbook, kind, **fields)
        self._stack.call("dynamodb", "transact_write_items", TransactItems=[item])

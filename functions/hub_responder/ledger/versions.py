"""Which version of a playbook ran last: when another one begins, the trail has it, once.

A process looks as it starts: one read. Who deployed the version is in CloudTrail.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hub_responder import observability
from hub_responder.errors import CallError
from hub_responder.ledger.transaction import Part

if TYPE_CHECKING:
    from hub_responder.audit import Audit
    from hub_responder.ledger.store import Ledger
    from hub_responder.playbook import Playbook

_SK = "V"


def note(played: Playbook, ledger: Ledger, audit: Audit) -> None:
    """Record that this version of a playbook runs, where another one ran before it or none did.

    Where the ledger cannot be read or written now, the next process of the version does it.
    """
    pk = f"{played.name}#version"
    try:
        held = ledger.item(pk, _SK)
        before = held["ran"]["S"] if held else ""
        if before == played.version:
            return
        item = {"pk": {"S": pk}, "sk": {"S": _SK}, "ran": {"S": played.version}}
        move = {
            "Put": {"TableName": os.environ["LEDGER_TABLE"], "Item": item, **_condition(before)}
        }
        result = {"before": before} if before else {}
        record = audit.record("config", detail=_said(before), result=result)
        ledger.submit([Part([move], [record])])  # lost: another process of it was first
    except CallError as error:
        observability.logger().warning("the version is not noted", extra={"error": str(error)})


def _condition(before: str) -> Mapping[str, Any]:
    if not before:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    values = {":before": {"S": before}}
    return {"ConditionExpression": "ran = :before", "ExpressionAttributeValues": values}


def _said(before: str) -> str:
    return f"another version runs: {before} ran before it" if before else "its first version runs"

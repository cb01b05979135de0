"""Findings that a playbook suppressed and that still are, with owner, reason and end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder.actions.suppress_finding import BY, UNTIL, WHY
from hub_responder.handlers.lapsed import SUPPRESSED

if TYPE_CHECKING:
    from hub_toolkit.stack import Stack


class Suppression(msgspec.Struct, frozen=True, order=True):
    """One suppressed finding; ``since`` and ``until`` in ISO 8601, ``since`` empty if unknown."""

    until: str
    owner: str
    why: str
    finding: str
    title: str
    severity: str
    resource: str
    since: str


def read(stack: Stack) -> list[Suppression]:
    """Those that end first come first.

    Raises:
        DeploymentError: Security Hub cannot be asked.
    """
    return sorted(map(_suppression, _findings(stack)))


def _findings(stack: Stack) -> Iterator[dict[str, Any]]:
    request: dict[str, Any] = {"Filters": SUPPRESSED, "MaxResults": 100}
    while True:
        answer = stack.call("securityhub", "get_findings", **request)
        yield from answer["Findings"]
        if not answer.get("NextToken"):
            return
        request["NextToken"] = answer["NextToken"]


def _suppression(raw: dict[str, Any]) -> Suppression:
    fields = raw.get("UserDefinedFields", {})
    return Suppression(
        until=fields.get(UNTIL, ""),
        owner=fields.get(BY, ""),
        why=fields.get(WHY, ""),
        finding=raw.get("Id", ""),
        title=raw.get("Title", ""),
        severity=raw.get("Severity", {}).get("Label", ""),
        resource=(raw.get("Resources") or [{}])[0].get("Id", ""),
        since=fields.get("hubResponderAt", ""),
    )

"""An incident to its end and on: its ticket is closed, its thread told; what comes reopens it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from live import ACCOUNT, Live


def leave(live: Live, *findings: dict[str, Any]) -> None:
    """An analyst resolves the findings, and everything settles."""
    named = [{"Id": one["Id"], "ProductArn": one["ProductArn"]} for one in findings]
    answer = live.client("securityhub").batch_update_findings(
        FindingIdentifiers=named, Workflow={"Status": "RESOLVED"}
    )
    assert answer["UnprocessedFindings"] == []
    live.settle()


@pytest.mark.parametrize("account", [ACCOUNT, "444455556666"])
def test_the_ticket_ends_with_the_last_finding_and_comes_back_with_the_next(
    live: Live, account: str
) -> None:
    instance = live.instance()
    letters = len(live.control("GET", "dlq"))
    findings = [live.finding(instance, account=account) for _ in range(2)]
    live.imported(*findings)
    live.settle()
    (ticket,) = live.tickets(instance)
    assert ticket["state"] == "open"
    leave(live, findings[0])
    assert live.tickets(instance)[0]["state"] == "open"
    told = len(live.messages(instance))
    leave(live, findings[1])
    (ticket,) = live.tickets(instance)
    assert ticket["state"] == "done"
    assert "RESOLVED 2" in json.dumps(ticket)
    last = live.messages(instance)[told:]
    assert len(last) == 1
    assert "All findings have left" in json.dumps(last[0]["body"])
    live.imported(live.finding(instance, account=account))
    live.settle()
    (ticket,) = live.tickets(instance)
    assert ticket["state"] == "open"
    assert len(live.control("GET", "dlq")) == letters

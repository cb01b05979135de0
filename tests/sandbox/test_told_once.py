"""Many findings are one message and one ticket for each instance, whatever the targets do."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from live import Live

BURST = 100
"""Findings of one BatchImportFindings at most."""


def burst(live: Live, findings: Sequence[dict[str, Any]]) -> None:
    """Import findings, and wait for nothing."""
    for start in range(0, len(findings), BURST):
        answer = live.client("securityhub").batch_import_findings(
            Findings=findings[start : start + BURST]
        )
        assert answer["FailedCount"] == 0, answer


def threads(live: Live, about: str) -> list[dict[str, Any]]:
    """The messages about an instance that begin a thread."""
    return [
        one
        for one in live.messages(about)
        if one["path"].endswith("chat.postMessage") and "thread_ts" not in one["body"]
    ]


def finished(live: Live, ids: set[str]) -> set[str]:
    """Those of these findings with which a round came to its end, as the trail says."""
    records = [one for one in live.control("GET", "audit") if one["kind"] == "finished"]
    return {found for one in records for found in one["findings"]} & ids


def test_403_findings_on_two_instances_are_two_threads_and_two_tickets(live: Live) -> None:
    """Slack answers 429 every other time; Jira's search is 30 s behind."""
    many, few = live.instance(), live.instance()
    findings = [live.finding(many) for _ in range(400)] + [live.finding(few) for _ in range(3)]
    before = len(live.control("GET", "inbox"))
    letters = len(live.control("GET", "dlq"))
    limited = {"target": "slack", "status": 429, "retry_after": 2}
    live.control("POST", "faults", [limited, {"target": "slack", "delay_s": 0.001}] * 20)
    burst(live, findings[:150])
    burst(live, findings[400:])
    burst(live, findings[150:300])
    live.settle()
    burst(live, findings[300:400])
    live.settle()
    refused = 20 - sum(one.get("status") == 429 for one in live.control("GET", "faults"))
    assert refused >= 1
    assert [len(threads(live, instance)) for instance in (many, few)] == [1, 1]
    (large,), (small,) = live.tickets(many), live.tickets(few)
    assert "300: 300 critical" in large["body"]
    assert "and 250 more" in large["body"]
    assert "100 of 400: 100 critical" in json.dumps(large["comments"])
    assert "and 50 more" in json.dumps(large["comments"])
    assert "3: 3 critical" in small["body"]
    assert small["comments"] == []
    ids = {finding["Id"] for finding in findings}
    assert finished(live, ids) == ids
    assert len(live.control("GET", "dlq")) == letters
    sent = live.control("GET", "inbox")[before:]
    calls = Counter(one["system"] for one in sent)
    assert len(sent) + refused <= 0.2 * len(findings), calls


def test_an_outage_of_two_hours_ends_with_everything_delivered_once(live: Live) -> None:
    instances = [live.instance() for _ in range(4)]
    findings = [live.finding(instance) for instance in instances]
    letters = len(live.control("GET", "dlq"))
    live.fault(target="jira", status=502, body="<html>bad gateway</html>", times=100_000)
    burst(live, findings)
    live.settle()
    for _ in range(12):
        live.control("POST", "clock", {"advance_s": 600})
        live.settle()
    assert not any(live.tickets(instance) for instance in instances)
    live.control("DELETE", "faults", [])
    for _ in range(2):
        live.control("POST", "clock", {"advance_s": 900})
        live.settle()
    for instance, finding in zip(instances, findings, strict=True):
        assert len(live.tickets(instance)) == 1
        assert len(threads(live, instance)) == 1
        assert live.held(finding)["Workflow"] == {"Status": "NOTIFIED"}
        done = [one["step"] for one in live.records(finding, "outcome") if one["status"] == "done"]
        assert sorted(done) == ["answer", "coverage", "tell", "ticket"], "no step was repeated"
    assert len(live.control("GET", "dlq")) == letters

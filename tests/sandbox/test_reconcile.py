"""What Security Hub holds and no rule passed is found, with the real template's rules."""

from __future__ import annotations

from datetime import UTC, datetime

from live import Live


def test_a_finding_whose_event_never_came_is_named_and_one_that_came_is_not(live: Live) -> None:
    now = live.begin_hour()
    at = f"{datetime.fromtimestamp(now - 4 * 3600, UTC):%Y-%m-%dT%H}:30:00.000Z"
    came = live.finding(live.instance(), UpdatedAt=at)
    live.imported(came)
    lost = live.finding(live.instance(), UpdatedAt=at)
    event = {
        "version": "0",
        "id": "lost",
        "detail-type": "An event of which no rule wants to hear",
        "source": "aws.securityhub",
        "account": lost["AwsAccountId"],
        "time": at,
        "region": "us-east-1",
        "resources": [],
        "detail": {"findings": [lost]},
    }
    assert live.control("POST", "events", event)["rules"] == []
    live.control("POST", "tick", {"function": "reconcile"})
    live.settle()
    unseen = [one for one in live.control("GET", "audit") if one["kind"] == "unseen"]
    assert {tuple(one["findings"]) for one in unseen} == {(lost["Id"],)}
    rules = {one["playbook"] for one in unseen}
    took = {one["playbook"] for one in live.records(came, "opened", "skipped", "repeat")}
    assert rules == took != set()
    (looked,) = [one for one in live.control("GET", "audit") if one["kind"] == "reconciled"]
    assert looked["result"]["unseen"] == len(unseen)

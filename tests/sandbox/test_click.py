"""An analyst asks: the answer stands on the finding."""

from __future__ import annotations

from live import ACTION, FINANCE, Live


def medium(live: Live, instance: str, **fields: str) -> dict[str, object]:
    """A finding that only a click starts."""
    return live.finding(instance, Severity={"Label": "MEDIUM"}, **fields)


def test_a_click_on_findings_of_two_accounts_acts_on_both(live: Live) -> None:
    ours, theirs = live.instance(), live.instance()
    findings = [medium(live, ours), medium(live, theirs, account=FINANCE)]
    live.imported(*findings)
    live.clicked(*findings)
    for finding in findings:
        held = live.held(finding)
        assert held["Note"]["Text"].startswith("UNPROTECTED")
        assert held["Workflow"] == {"Status": "NOTIFIED"}
    assert [one["connection"] for one in live.messages(ours)] == ["slack-bot"]
    assert [one["connection"] for one in live.messages(theirs)] == ["amazon-q"]
    assert [one["system"] for one in live.tickets(ours)] == ["jira"]
    assert [one["system"] for one in live.tickets(theirs)] == ["opscenter"]


def test_insight_results_expand_to_their_findings(live: Live) -> None:
    instances = [live.instance(), live.instance()]
    findings = [medium(live, instance) for instance in instances]
    live.imported(*findings)
    ids = [{"Value": finding["Id"], "Comparison": "EQUALS"} for finding in findings]
    insight = live.client("securityhub").create_insight(
        Name="Mine", Filters={"Id": ids}, GroupByAttribute="ResourceId"
    )
    body = {"action_id": ACTION, "insight_arn": insight["InsightArn"]}
    live.control("POST", "insight", body)
    live.settle()
    for finding in findings:
        assert live.verdict(finding)["verdict"] == "UNPROTECTED"
        assert live.held(finding)["Note"]["Text"].startswith("UNPROTECTED")


def test_a_click_on_something_that_is_no_instance_is_answered(live: Live) -> None:
    bucket = {"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::reports"}
    finding = live.finding(Resources=[bucket])
    live.imported(finding)
    live.clicked(finding)
    assert live.verdict(finding)["verdict"] == "NOT_APPLICABLE"
    assert live.held(finding)["Note"]["Text"]

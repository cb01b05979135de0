"""Which findings start a playbook and which close, by the event plane's own matcher."""

from __future__ import annotations

from typing import Any

import pytest

from hub_responder.patterns.pattern import Pattern
from hub_responder.playbook import Triggers
from hub_toolkit.playbooks import rules

TRIGGERS = Triggers(
    imported={
        "Severity": {"Label": ["CRITICAL", "HIGH"]},
        "Compliance": {"Status": ["FAILED"]},
        "Resources": {"Type": ["AwsEc2Instance"]},
    },
    imported_v2={"severity": ["Critical"], "resources": {"type": ["AWS::EC2::Instance"]}},
)


def _asff(**changed: Any) -> dict[str, Any]:
    finding = {
        "Severity": {"Label": "HIGH"},
        "Compliance": {"Status": "FAILED"},
        "Resources": [{"Type": "AwsEc2Instance"}],
        "RecordState": "ACTIVE",
        "Workflow": {"Status": "NEW"},
    }
    return _event(rules.ASFF_EVENT, {**finding, **changed})


def _ocsf(**changed: Any) -> dict[str, Any]:
    finding = {
        "severity": "Critical",
        "resources": [{"type": "AWS::EC2::Instance"}],
        "activity_name": "Update",
        "status": "New",
    }
    return _event(rules.OCSF_EVENT, {**finding, **changed})


def _event(detail_type: str, finding: dict[str, Any]) -> dict[str, Any]:
    return {
        "source": "aws.securityhub",
        "detail-type": detail_type,
        "detail": {"findings": [finding]},
    }


def _passed(pattern: dict[str, Any] | None, event: dict[str, Any]) -> bool:
    assert pattern is not None
    return Pattern.compile(pattern).matches_event(event)


@pytest.mark.parametrize(
    ("event", "starts", "closes"),
    [
        (_asff(), True, False),
        (_asff(Workflow={"Status": "NOTIFIED"}), True, False),
        (_asff(Severity={"Label": "LOW"}), False, False),
        (_asff(Resources=[{"Type": "AwsS3Bucket"}]), False, False),
        (_asff(RecordState="ARCHIVED"), False, True),
        (_asff(Workflow={"Status": "RESOLVED"}), False, True),
        (_asff(Workflow={"Status": "SUPPRESSED"}), False, True),
        # A control that passes: Security Hub makes its finding INFORMATIONAL.
        (_asff(Compliance={"Status": "PASSED"}, Severity={"Label": "INFORMATIONAL"}), False, True),
        (_asff(RecordState="ARCHIVED", Severity={"Label": "LOW"}), False, False),
        (_asff(RecordState="ARCHIVED", Compliance={"Status": "WARNING"}), False, True),
        (_asff(RecordState="ARCHIVED", Resources=[{"Type": "AwsS3Bucket"}]), False, False),
        (_ocsf(), True, False),
        (_ocsf(status="In Progress"), True, False),
        (_ocsf(severity="Low"), False, False),
        (_ocsf(activity_name="Close"), False, True),
        (_ocsf(status="Resolved"), False, True),
        (_ocsf(status="Suppressed"), False, True),
        (_ocsf(compliance={"status": "Pass"}, severity="Informational"), False, True),
        ({**_asff(), "source": "my.source"}, False, False),
        ({**_asff(), "detail-type": rules.ACTION_EVENTS[0]}, False, False),
    ],
)
def test_live_findings_start_and_ended_ones_close(
    event: dict[str, Any], starts: bool, closes: bool
) -> None:
    assert _passed(rules.imported(TRIGGERS), event) is starts
    assert _passed(rules.lifecycle(TRIGGERS), event) is closes


def test_a_match_with_or_keeps_its_meaning_in_both_rules() -> None:
    either = {"$or": [{"Title": ["a"]}, {"Severity": {"Label": ["HIGH"]}}]}
    triggers = Triggers(imported=either)
    for event, wanted in (
        (_asff(Title="a", Severity={"Label": "LOW"}), True),
        (_asff(Title="b"), True),
        (_asff(Title="b", Severity={"Label": "LOW"}), False),
    ):
        assert _passed(rules.imported(triggers), event) is wanted
        event["detail"]["findings"][0]["RecordState"] = "ARCHIVED"
        assert _passed(rules.lifecycle(triggers), event) is wanted
        assert _passed(rules.imported(triggers), event) is False


def test_what_passed_closes_only_for_the_control_that_was_matched() -> None:
    triggers = Triggers(
        imported={"Compliance": {"Status": ["FAILED"], "SecurityControlId": ["EC2.19"]}}
    )
    for control, wanted in (("EC2.19", True), ("EC2.2", False)):
        event = _asff(Compliance={"Status": "PASSED", "SecurityControlId": control})
        assert _passed(rules.lifecycle(triggers), event) is wanted


def test_an_or_within_an_or_keeps_its_meaning_when_it_closes() -> None:
    inner = {"Title": ["b"], "$or": [{"Id": ["1"]}, {"Id": ["2"]}]}
    pattern = rules.lifecycle(Triggers(imported={"$or": [{"Title": ["a"]}, inner]}))
    for title, number, wanted in (("a", "9", True), ("b", "2", True), ("b", "9", False)):
        assert _passed(pattern, _asff(Title=title, Id=number, RecordState="ARCHIVED")) is wanted


def test_the_action_rule_takes_clicks_and_insights_of_its_action_only() -> None:
    pattern = rules.action("arn:mine")
    for detail_type in rules.ACTION_EVENTS:
        event = {
            "source": "aws.securityhub",
            "detail-type": detail_type,
            "resources": ["arn:other", "arn:mine"],
        }
        assert _passed(pattern, event)
        assert not _passed(pattern, {**event, "resources": ["arn:other"]})


def test_a_playbook_with_a_button_only_has_no_finding_rules() -> None:
    assert rules.imported(Triggers()) is None
    assert rules.lifecycle(Triggers()) is None


def test_combinations_of_or_multiply() -> None:
    two = [{"a": ["1"]}, {"b": ["1"]}]
    assert rules.combinations({"x": {"$or": two}, "$or": [*two, {"c": {"$or": two}}]}) == 8
    assert rules.combinations({"a": ["1", "2"]}) == 1

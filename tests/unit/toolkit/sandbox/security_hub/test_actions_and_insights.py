"""Custom actions and insights: their API, their limits, and the events of the console."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hub_toolkit.sandbox.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub_toolkit.sandbox.security_hub.hub import SecurityHub

    Make = Callable[..., dict[str, Any]]

ACTION = "arn:aws:securityhub:ap-northeast-1:111122223333:action/custom/CheckCoverage"


def add_action(hub: SecurityHub, action_id: str = "CheckCoverage") -> None:
    request = {"Name": "Check coverage", "Description": "Ask Vision One", "Id": action_id}
    hub.handle("CreateActionTarget", request)


def test_actions_are_created_listed_changed_and_deleted(client: Any) -> None:
    made = client.create_action_target(Name="Check", Description="d", Id="CheckCoverage")
    assert made["ActionTargetArn"] == ACTION
    client.update_action_target(ActionTargetArn=ACTION, Name="Other")
    shown = client.describe_action_targets(ActionTargetArns=[ACTION])["ActionTargets"]
    assert shown == [{"ActionTargetArn": ACTION, "Name": "Other", "Description": "d"}]
    with pytest.raises(client.exceptions.ResourceConflictException):
        client.create_action_target(Name="Check", Description="d", Id="CheckCoverage")
    client.delete_action_target(ActionTargetArn=ACTION)
    assert client.describe_action_targets()["ActionTargets"] == []
    for call in (client.delete_action_target, client.update_action_target):
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            call(ActionTargetArn=ACTION)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_action_targets(ActionTargetArns=[ACTION])


@pytest.mark.parametrize(
    "wrong", [{"Name": "x" * 21}, {"Id": "x" * 21}, {"Id": "a-b"}, {"Description": " "}]
)
def test_actions_have_limits(hub: SecurityHub, wrong: dict[str, str]) -> None:
    with pytest.raises(AwsError, match="InvalidInputException"):
        hub.handle("CreateActionTarget", {"Name": "n", "Description": "d", "Id": "i", **wrong})


def test_an_account_has_fifty_actions(hub: SecurityHub) -> None:
    for number in range(50):
        add_action(hub, f"a{number}")
    with pytest.raises(AwsError, match="LimitExceededException"):
        add_action(hub, "a50")


def test_a_click_sends_one_event_for_each_finding(
    hub: SecurityHub, emitted: list[dict[str, Any]], finding: Make
) -> None:
    add_action(hub)
    for account in ("444455556666", "777788889999"):
        hub.seed(finding(Id=account, AwsAccountId=account))
    events = hub.click("CheckCoverage", ["777788889999", "444455556666"])
    assert emitted == events
    assert [event["detail"]["findings"][0]["Id"] for event in events] == [
        "777788889999",
        "444455556666",
    ]
    event = events[0]
    assert event["detail-type"] == "Security Hub Findings - Custom Action"
    assert event["resources"] == [ACTION]
    assert event["detail"]["actionName"] == "Check coverage"
    assert event["detail"]["actionDescription"] == "Ask Vision One"
    assert event["detail"]["findings"] == [hub.get("777788889999")]


def test_a_click_can_send_many_findings_in_one_event(hub: SecurityHub, finding: Make) -> None:
    add_action(hub)
    for number in range(25):
        hub.seed(finding(Id=str(number)))
    events = hub.click(ACTION, [str(number) for number in range(25)], per_event=20)
    assert [len(event["detail"]["findings"]) for event in events] == [20, 5]


def test_a_click_on_nothing_is_refused(
    hub: SecurityHub, emitted: list[dict[str, Any]], finding: Make
) -> None:
    hub.seed(finding())
    with pytest.raises(AwsError, match="No action target"):
        hub.click("CheckCoverage", ["f-1"])
    add_action(hub)
    for ids, per_event in ((["f-1", "none"], 1), ([], 1), (["f-1"], 21)):
        with pytest.raises(AwsError):
            hub.click("CheckCoverage", ids, per_event=per_event)
    assert emitted == []


def test_insights_group_what_their_filters_mean(
    client: Any, hub: SecurityHub, emitted: list[dict[str, Any]], finding: Make
) -> None:
    for number, account in enumerate(["1" * 12, "2" * 12, "2" * 12, "3" * 12]):
        label = "LOW" if account.startswith("3") else "HIGH"
        hub.seed(finding(Id=str(number), AwsAccountId=account, Severity={"Label": label}))
    high = {"SeverityLabel": [{"Comparison": "EQUALS", "Value": "HIGH"}]}
    arn = client.create_insight(Name="By account", Filters=high, GroupByAttribute="AwsAccountId")[
        "InsightArn"
    ]
    [shown] = client.get_insights(InsightArns=[arn])["Insights"]
    assert (shown["Filters"], shown["GroupByAttribute"]) == (high, "AwsAccountId")
    results = client.get_insight_results(InsightArn=arn)["InsightResults"]["ResultValues"]
    assert [(one["GroupByAttributeValue"], one["Count"]) for one in results] == [
        ("2" * 12, 2),
        ("1" * 12, 1),
    ]
    add_action(hub)
    event = hub.insight(arn, "CheckCoverage", ["1" * 12])
    assert emitted == [event]
    assert event["detail-type"] == "Security Hub Insight Results"
    assert event["resources"] == [ACTION]
    detail = event["detail"]
    assert (detail["insightArn"], detail["insightName"]) == (arn, "By account")
    assert (detail["resultType"], detail["insightResults"]) == ("AwsAccountId", [{"1" * 12: 1}])
    assert len(hub.insight(arn, "CheckCoverage")["detail"]["insightResults"]) == 2
    with pytest.raises(AwsError, match="No result"):
        hub.insight(arn, "CheckCoverage", ["3" * 12])


def test_insights_are_changed_and_deleted(client: Any) -> None:
    made = {"Name": "n", "Filters": {}, "GroupByAttribute": "ResourceId"}
    arn = client.create_insight(**made)["InsightArn"]
    client.update_insight(InsightArn=arn, Name="m")
    assert client.get_insights()["Insights"] == [{**made, "InsightArn": arn, "Name": "m"}]
    for wrong in ({"GroupByAttribute": "Colour"}, {"Filters": {"Id": []}}):
        with pytest.raises(client.exceptions.InvalidInputException):
            client.update_insight(InsightArn=arn, **wrong)
        with pytest.raises(client.exceptions.InvalidInputException):
            client.create_insight(**{**made, **wrong})
    client.delete_insight(InsightArn=arn)
    for call in (client.delete_insight, client.update_insight, client.get_insight_results):
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            call(InsightArn=arn)


def test_the_hub_describes_itself(client: Any) -> None:
    hub = client.describe_hub()
    assert hub["HubArn"].endswith(":hub/default")
    assert client.describe_hub(HubArn=hub["HubArn"])["SubscribedAt"] == "2026-11-18T11:06:40.000Z"
    assert client.get_enabled_standards()["StandardsSubscriptions"] == []
    with pytest.raises(client.exceptions.ResourceConflictException):
        client.enable_security_hub()
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_hub(HubArn="arn:other")


def test_operations_that_are_not_here_say_so(client: Any) -> None:
    with pytest.raises(client.exceptions.ClientError, match="UnknownOperationException"):
        client.list_members()

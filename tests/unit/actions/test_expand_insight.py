"""``insight.expand``: an insight's findings over the sandbox's Security Hub, bounded."""

from __future__ import annotations

from typing import Any

import pytest

from factories import ACCOUNT, REGION, runtime, work
from hub_responder.actions import expand_insight
from hub_responder.actions.base import Outcome
from hub_responder.actions.expand_insight import Params
from hub_responder.deadline import Deadline
from hub_toolkit.sandbox.security_hub.hub import SecurityHub
from loopback import Cloud, error
from member_cloud import MemberCloud

PRODUCT = f"arn:aws:securityhub:{REGION}::product/aws/inspector"


@pytest.fixture
def hub(members: MemberCloud) -> SecurityHub:
    made = SecurityHub(lambda: members.now, lambda _event: [], REGION, ACCOUNT)
    members.services["securityhub"] = made.app
    return made


def asff(number: int, **overrides: Any) -> dict[str, Any]:
    instance = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-{number % 3}"
    return {
        "SchemaVersion": "2018-10-08",
        "Id": f"arn:aws:inspector2:{REGION}:{ACCOUNT}:finding/{number:032x}",
        "ProductArn": PRODUCT,
        "GeneratorId": "AWSInspector",
        "AwsAccountId": ACCOUNT,
        "Types": ["Software and Configuration Checks/Vulnerabilities/CVE"],
        "CreatedAt": "2026-11-01T00:00:00.000Z",
        "UpdatedAt": "2026-11-01T00:00:00.000Z",
        "Severity": {"Label": "HIGH"},
        "Title": f"finding {number}",
        "Description": "An invented vulnerability.",
        "Resources": [{"Type": "AwsEc2Instance", "Id": instance, "Region": REGION}],
    } | overrides


def insight(hub: SecurityHub, **filters: Any) -> str:
    answer = hub.handle(
        "CreateInsight",
        {"Name": "open ones", "Filters": filters, "GroupByAttribute": "ResourceId"},
    )
    return str(answer["InsightArn"])


def hold(hub: SecurityHub, *findings: dict[str, Any]) -> None:
    for one in findings:
        hub.seed(one)


def expand(arn: str, most: int = 50, deadline: Deadline | None = None) -> Outcome:
    run_time = runtime(**({"deadline": deadline} if deadline else {}))
    (outcome,) = expand_insight.run([work(Params(arn, most))], run_time)
    return outcome


def test_the_worst_come_first_and_all_are_counted(hub: SecurityHub) -> None:
    hold(hub, *(asff(number) for number in range(5)), asff(9, Severity={"Label": "CRITICAL"}))
    outcome = expand(insight(hub), most=2)
    assert outcome.status == "done"
    result = outcome.result
    assert (result["count"], result["resources"], result["name"]) == (6, 3, "open ones")
    assert result["by_severity"] == {"CRITICAL": 1, "HIGH": 5}
    assert [row["severity"] for row in result["findings"]] == ["CRITICAL", "HIGH"]
    assert result["left_out"] == "4 less severe findings are counted but not listed"
    assert result["findings"][0]["title"] == "finding 9"


def test_the_insights_own_filters_hold(hub: SecurityHub) -> None:
    hold(hub, asff(1), asff(2, Severity={"Label": "CRITICAL"}))
    arn = insight(hub, SeverityLabel=[{"Value": "CRITICAL", "Comparison": "EQUALS"}])
    assert expand(arn).result["count"] == 1


def test_pages_are_followed_to_the_bound_and_no_further(
    hub: SecurityHub, members: MemberCloud
) -> None:
    hold(hub, *(asff(number) for number in range(1101)))
    outcome = expand(insight(hub))
    assert outcome.result["count"] == 1000
    assert "only the first 1000 findings of the insight" in outcome.result["left_out"]
    assert members.count("securityhub.GetFindings") == 11


def test_an_insight_of_several_incidents_is_read_once(
    hub: SecurityHub, members: MemberCloud
) -> None:
    hold(hub, asff(1))
    arn = insight(hub)
    works = [work(Params(arn)) for _ in range(5)]
    assert len(expand_insight.run(works, runtime())) == 5
    assert members.count("securityhub.GetFindings") == 1


def test_an_empty_insight_is_done_with_nothing(hub: SecurityHub) -> None:
    outcome = expand(insight(hub))
    assert (outcome.status, outcome.result["count"]) == ("done", 0)
    assert outcome.result["findings"] == ()


def test_an_insight_that_is_gone_fails_and_trouble_defers(
    hub: SecurityHub, members: MemberCloud
) -> None:
    gone = f"arn:aws:securityhub:{REGION}:{ACCOUNT}:insight/{ACCOUNT}/custom/x"
    assert expand(gone).status == "failed"
    arn = insight(hub)
    members.faults.add([{"target": "securityhub.GetFindings", "status": 503, "times": 3}])
    assert expand(arn).status == "deferred"
    assert expand(arn, deadline=Deadline.after(0)).status == "deferred"


def test_an_answer_without_insights_fails(cloud: Cloud) -> None:
    cloud.script["/insights/get"] = [error("AccessDeniedException", status=403)]
    assert expand("arn:aws:securityhub:::insight/securityhub/default/10").status == "failed"


def test_the_role_may_read_and_nothing_else() -> None:
    (statement,) = expand_insight.ACTION.permissions({}, {})
    assert statement["Action"] == ["securityhub:GetFindings", "securityhub:GetInsights"]
    assert not expand_insight.ACTION.effects

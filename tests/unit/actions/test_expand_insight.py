"""``insight.expand``: an insight's findings over the sandbox's Security Hub, bounded."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from factories import ACCOUNT, NOW, REGION, runtime, work
from hub_responder import clock
from hub_responder.actions import expand_insight
from hub_responder.actions.base import Outcome
from hub_responder.actions.expand_insight import Params
from hub_responder.deadline import Deadline
from hub_responder.engine.steps import MAX_RESULT
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


def test_what_is_old_recent_and_exploited_is_told_of_all_that_were_read(hub: SecurityHub) -> None:
    exploited = {"Vulnerabilities": [{"Id": "CVE-2026-1111", "ExploitAvailable": "YES"}]}
    hold(
        hub,
        asff(1, FirstObservedAt="2026-02-03T04:05:06Z", Severity={"Label": "LOW"}),
        asff(2, FirstObservedAt=clock.iso(NOW - 3 * 86400.0)),
        asff(3, FirstObservedAt=clock.iso(NOW - 8 * 86400.0), **exploited),
    )
    result = expand(insight(hub), most=1).result
    assert (result["exploitable"], result["recent"]) == (1, 1)
    assert result["oldest"]["first_seen"] == "2026-02-03T04:05:06.000Z"
    assert result["oldest"]["title"] == "finding 1"
    assert [row["exploit_available"] for row in result["findings"]] == [True]


def test_rows_end_where_the_engine_would_keep_no_more(hub: SecurityHub) -> None:
    hold(hub, *(asff(n, Title="重大な脆弱性" * 40) for n in range(100)))
    result = expand(insight(hub), most=100).result
    shown = len(result["findings"])
    assert 5 < shown < 100
    assert len(msgspec.json.encode(result)) < MAX_RESULT
    assert f"{100 - shown} less severe findings are counted" in result["left_out"]


def test_security_hubs_own_insights_are_there(hub: SecurityHub) -> None:
    hold(hub, asff(1), asff(2, Workflow={"Status": "RESOLVED"}), asff(3, Types=["TTPs"]))
    arn = "arn:aws:securityhub:::insight/securityhub/default/"
    vulnerable = expand(f"{arn}16").result
    assert vulnerable["name"].startswith("EC2 instances that have missing security patches")
    assert [expand(f"{arn}{n}").result["count"] for n in (16, 29, 30)] == [1, 2, 0]


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

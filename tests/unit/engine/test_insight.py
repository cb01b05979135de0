"""The findings behind an insight: over the sandbox's Security Hub, and a scripted one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from factories import playbook
from hub_responder.engine import insight
from hub_responder.errors import PermanentError, TransientError
from hub_responder.events import Trigger, decode
from inside import PASSING, Inside, inside
from loopback import Cloud, Reply, error
from world import finding

ARN = "arn:aws:securityhub:eu-central-1:111122223333:insight/111122223333/custom/mine"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Inside]:
    with inside(playbook(), tmp_path) as made:
        made.hub.seed_insight(ARN, "Mine", "ResourceId")
        yield made


def clicked(*values: str, arn: str = ARN) -> Trigger:
    """An analyst sent results of the insight."""
    body = {
        "version": "0",
        "id": "i-1",
        "detail-type": "Security Hub Insight Results",
        "source": "aws.securityhub",
        "account": "111122223333",
        "time": "2026-11-20T00:00:00Z",
        "region": "eu-central-1",
        "resources": [],
        "detail": {"insightArn": arn, "insightResults": [{value: 1} for value in values]},
    }
    return decode(json.dumps(body))


def seeded(hub: Inside, count: int, instance: int) -> str:
    """Findings of one instance; its resource id."""
    made: dict[str, Any] = {}
    for number in range(count):
        made = finding(instance * 1000 + number, instance)
        hub.hub.seed(made)
    return str(made["Resources"][0]["Id"])


def test_the_selected_results_findings_are_found_and_no_others(hub: Inside) -> None:
    one, _, three = (seeded(hub, 2, instance) for instance in (1, 2, 3))
    findings, unreadable, left_out = insight.expand(clicked(one, three))
    assert sorted(f.resource.id for f in findings) == [one, one, three, three]
    assert (unreadable, left_out) == ([], "")


def test_archived_findings_are_not_the_insights(hub: Inside) -> None:
    gone = finding(1, 1) | {"RecordState": "ARCHIVED"}
    hub.hub.seed(gone)
    findings, _, _ = insight.expand(clicked(gone["Resources"][0]["Id"]))
    assert findings == []


def test_several_pages_are_read(hub: Inside) -> None:
    one = seeded(hub, 150, 1)
    findings, _, left_out = insight.expand(clicked(one))
    assert len({f.id for f in findings}) == 150
    assert left_out == ""


def test_what_is_over_the_bound_is_said(hub: Inside) -> None:
    values = [seeded(hub, 30, instance) for instance in range(1, 10)]
    findings, _, left_out = insight.expand(clicked(*values))
    assert len(findings) == insight.MAX_FINDINGS
    assert left_out == "only the first 200 findings of the insight are handled"


def test_exactly_the_bound_leaves_nothing_out(hub: Inside) -> None:
    one = seeded(hub, insight.MAX_FINDINGS, 1)
    findings, _, left_out = insight.expand(clicked(one))
    assert (len(findings), left_out) == (insight.MAX_FINDINGS, "")


def test_a_hundred_results_are_asked_for_in_filters_of_twenty(cloud: Cloud) -> None:
    cloud.script["/insights/get"] = [_insights()]
    cloud.script["/findings"] = [Reply(200, {"Findings": []})]
    insight.expand(clicked(*[f"i-{n}" for n in range(100)]))
    asked = [json.loads(r.body) for r in cloud.requests if r.path == "/findings"]
    sizes = [len(request["Filters"]["ResourceId"]) for request in asked]
    assert sizes == [20] * 5
    assert all(request["Filters"]["RecordState"] for request in asked)


def _insights() -> Reply:
    active = {"RecordState": [{"Value": "ACTIVE", "Comparison": "EQUALS"}]}
    one = {"InsightArn": ARN, "Name": "x", "Filters": active, "GroupByAttribute": "ResourceId"}
    return Reply(200, {"Insights": [one]})


def test_findings_that_cannot_be_read_are_told_apart_and_count_towards_the_bound(
    cloud: Cloud,
) -> None:
    bad = [{"Id": f"bad-{n}", "AwsAccountId": "nobody"} for n in range(99)]
    page = {"Findings": [finding(1), *bad], "NextToken": "more"}
    cloud.script["/insights/get"] = [_insights()]
    cloud.script["/findings"] = [Reply(200, page)]  # a hub whose pages never end
    findings, unreadable, left_out = insight.expand(clicked("i-1"))
    assert (len(findings), len(unreadable)) == (2, 198)
    assert {error_.finding_id for error_ in unreadable} == {one["Id"] for one in bad}
    assert left_out
    assert len([r for r in cloud.requests if r.path == "/findings"]) <= 3


def test_an_insight_that_is_gone_is_a_permanent_error(hub: Inside) -> None:
    with pytest.raises(PermanentError):
        insight.expand(clicked("x", arn=ARN + "-gone"))


def test_an_insight_without_results_is_a_permanent_error(hub: Inside) -> None:
    with pytest.raises(PermanentError, match="no results"):
        insight.expand(clicked())


def test_an_answer_without_the_insight_is_a_permanent_error(cloud: Cloud) -> None:
    cloud.script["/insights/get"] = [Reply(200, {"Insights": []})]
    with pytest.raises(PermanentError, match="no insight"):
        insight.expand(clicked("i-1"))


def test_grouping_by_what_cannot_be_filtered_is_a_permanent_error(cloud: Cloud) -> None:
    cloud.script["/insights/get"] = [_insights()]
    cloud.script["/findings"] = [error("InvalidInputException", "no such filter")]
    with pytest.raises(PermanentError, match="no such filter"):
        insight.expand(clicked("i-1"))


@pytest.mark.parametrize("operation", ["GetInsights", "GetFindings"])
def test_a_hub_that_cannot_be_asked_now_is_a_transient_error(hub: Inside, operation: str) -> None:
    one = seeded(hub, 1, 1)
    hub.faults.add([{"target": f"securityhub.{operation}", **PASSING}])
    with pytest.raises(TransientError):
        insight.expand(clicked(one))

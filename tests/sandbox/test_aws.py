"""Any AWS client works against the one endpoint, whatever its key."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from live import ACCOUNT, Live

EVENT = {
    "id": "1",
    "source": "mine",
    "account": ACCOUNT,
    "time": "2026-11-22T00:00:00Z",
    "region": "us-east-1",
    "resources": [],
    "detail-type": "x",
    "detail": {"findings": [{"Severity": {"Label": "HIGH"}}]},
}


def test_the_account_is_the_sandboxs_whatever_the_key(live: Live) -> None:
    assert live.client("sts").get_caller_identity()["Account"] == ACCOUNT


def test_services_that_need_nothing_special_work(live: Live) -> None:
    bucket = f"bucket-{live.instance()}"
    s3 = live.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"x")
    assert s3.get_object(Bucket=bucket, Key="a/b")["Body"].read() == b"x"
    ssm = live.client("ssm")
    ssm.put_parameter(Name=f"/{bucket}", Value="v", Type="String")
    assert ssm.get_parameter(Name=f"/{bucket}")["Parameter"]["Value"] == "v"


def test_the_templates_resources_are_there(live: Live) -> None:
    tables = live.client("dynamodb").list_tables()["TableNames"]
    assert {name.rsplit("-", 1)[-1] for name in tables} == {"LedgerTable", "AuditTable"}
    topics = live.client("sns").list_topics()["Topics"]
    assert any("notifications" in topic["TopicArn"].lower() for topic in topics)
    rules = live.client("events").list_rules(NamePrefix="hub-responder-")["Rules"]
    assert len(rules) >= 3
    actions = live.client("securityhub").describe_action_targets()["ActionTargets"]
    assert "Check V1 coverage" in [action["Name"] for action in actions]


@pytest.mark.parametrize(("label", "matches"), [("HIGH", True), ("LOW", False)])
def test_patterns_descend_into_findings(live: Live, label: str, *, matches: bool) -> None:
    pattern = {"detail": {"findings": {"Severity": {"Label": [label]}}}}
    answer = live.client("events").test_event_pattern(
        EventPattern=json.dumps(pattern), Event=json.dumps(EVENT)
    )
    assert answer["Result"] is matches


def test_an_event_of_ones_own_goes_through_rules_to_a_queue_of_ones_own(live: Live) -> None:
    events, sqs = live.client("events"), live.client("sqs")
    name = f"own-{live.instance()}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": arn["QueueArn"]}])
    entry = {"Source": name, "DetailType": "x", "Detail": '{"a": 1}'}
    assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"])["detail"] == {"a": 1}


def test_a_source_of_aws_cannot_be_faked(live: Live) -> None:
    entry = {"Source": "aws.securityhub", "DetailType": "x", "Detail": "{}"}
    answer = live.client("events").put_events(Entries=[entry])
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"


def test_a_scripted_fault_is_an_error_of_the_service(live: Live) -> None:
    live.fault(target="sns.ListTopics", status=403)
    with pytest.raises(ClientError) as caught:
        live.client("sns").list_topics()
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    live.fault(target="securityhub.GetFindings", status=429)
    with pytest.raises(ClientError) as caught:
        live.client("securityhub").get_findings()
    assert caught.value.response["Error"]["Code"] == "ThrottlingException"

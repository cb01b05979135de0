"""Processes die, systems fail, messages are garbage: nothing is lost, nothing is done twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from hub_responder.archive.items import read
from live import ACCOUNT, FINANCE, Live

AUDIT = "hub-responder-AuditTable"
SECRET = "hub-responder/sandbox/vision-one"


@pytest.mark.parametrize("point", ["before_effect", "after_effect"])
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("account", [ACCOUNT, FINANCE])
def test_a_killed_worker_leaves_one_ticket_and_no_silence(
    live: Live, point: str, times: int, account: str
) -> None:
    instance = live.instance()
    finding = live.finding(instance, account=account)
    live.fault(target="lambda", kill=point, times=times)
    live.imported(finding)
    assert live.control("GET", "faults") == []
    assert len(live.tickets(instance)) == 1
    assert 1 <= len(live.messages(instance)) <= 1 + times
    assert live.held(finding)["Workflow"] == {"Status": "NOTIFIED"}
    assert "taken_over" in live.moves(finding)


def test_a_message_that_cannot_be_decoded_is_in_the_dlq_with_its_reason(live: Live) -> None:
    marker = f"not json {live.instance()}"
    client = live.client("sqs")
    url = client.get_queue_url(QueueName="hub-responder-inspector-coverage-imports")["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody=marker)
    live.settle()
    (letter,) = [one for one in live.control("GET", "dlq") if one["body"] == marker]
    assert letter["reason"].startswith("unreadable: ")
    assert letter["queue"] == "hub-responder-dlq"


def test_an_event_with_one_unreadable_finding_is_handled_for_the_others(live: Live) -> None:
    instance = live.instance()
    good = live.finding(instance)
    event: dict[str, Any] = {
        "version": "0",
        "id": f"e2e-{instance}",
        "detail-type": "Security Hub Findings - Custom Action",
        "source": "aws.securityhub",
        "account": ACCOUNT,
        "time": "2026-11-22T00:00:00Z",
        "region": "us-east-1",
        "resources": [f"arn:aws:securityhub:us-east-1:{ACCOUNT}:action/custom/CheckCoverage"],
        "detail": {"actionName": "x", "findings": [{"Id": instance, "AwsAccountId": 7}, good]},
    }
    live.control("POST", "events", event)
    live.settle()
    assert live.held(good)["Note"]["Text"].startswith("UNPROTECTED")
    unreadable = [one for one in live.control("GET", "audit") if one["kind"] == "unreadable"]
    assert instance in str(unreadable)


def clicked(live: Live) -> tuple[str, dict[str, Any]]:
    """An instance, and its finding that was clicked."""
    instance = live.instance()
    finding = live.finding(instance, Severity={"Label": "MEDIUM"})
    live.imported(finding)
    ids = {"action_id": "CheckCoverage", "finding_ids": [finding["Id"]]}
    live.control("POST", "click", ids)
    return instance, finding


@pytest.fixture
def no_memory(live: Live) -> Iterator[Live]:
    """Workers that have read no secret yet."""
    live.kill_workers()
    return live


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"status": 401}, "denied"),
        ({"status": 403}, "denied"),
        ({"status": 503}, "vision_one_unreachable"),
        ({"status": 502, "body": "<html>gone</html>"}, "vision_one_unreachable"),
        ({"truncate": True}, "vision_one_unreachable"),
        ({"status": 429, "retry_after": 600}, "rate_limited"),
    ],
)
def test_trouble_with_vision_one_is_unknown_with_its_cause(
    live: Live, fault: dict[str, Any], reason: str
) -> None:
    live.fault(target="vision_one", times=1000, **fault)
    instance, finding = clicked(live)
    live.settle()
    coverage = live.verdict(finding)
    assert coverage["verdict"] == "UNKNOWN"
    assert any(one.startswith(reason) for one in coverage["reasons"]), coverage["reasons"]
    note = live.held(finding)["Note"]["Text"]
    assert note.startswith("UNKNOWN")
    assert "UNPROTECTED" not in note
    assert live.tickets(instance) == []


def test_a_missing_secret_is_unknown_and_the_secret_is_named(no_memory: Live) -> None:
    live = no_memory
    secrets = live.client("secretsmanager")
    value = secrets.get_secret_value(SecretId=SECRET)["SecretString"]
    secrets.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    try:
        _, finding = clicked(live)
        live.settle()
    finally:
        secrets.create_secret(Name=SECRET, SecretString=value)
    coverage = live.verdict(finding)
    assert (coverage["verdict"], coverage["reasons"]) == ("UNKNOWN", ["secret_missing"])


def test_an_outage_of_a_ticket_system_is_passed_over_and_made_good(live: Live) -> None:
    instance = live.instance()
    finding = live.finding(instance)
    live.fault(target="jira", status=503, times=3)
    live.imported(finding)
    assert len(live.tickets(instance)) == 1
    assert live.held(finding)["Workflow"] == {"Status": "NOTIFIED"}


def test_an_update_that_fails_for_a_while_is_made_good(live: Live) -> None:
    finding = live.finding(live.instance())
    live.fault(target="securityhub.BatchUpdateFindings", status=503, times=4)
    live.imported(finding)
    assert live.held(finding)["Workflow"] == {"Status": "NOTIFIED"}


ECHOING = {
    "vision_one": "vision-one",
    "workload_security": "workload-security",
    "jira": "jira-sec",
    "slack": "slack-bot",
}
"""Targets of faults -> the connections whose secrets they are sent."""


def test_no_secret_is_in_what_is_kept_said_or_logged_even_if_a_system_echoes_it(live: Live) -> None:
    """Invariant 9: each system answers with the secret that it was sent, in every part."""
    secrets, client = {}, live.client("secretsmanager")
    for target, name in ECHOING.items():
        value = client.get_secret_value(SecretId=f"hub-responder/sandbox/{name}")["SecretString"]
        secret = max(json.loads(value).values(), key=len)
        assert len(secret) > 20
        secrets[name] = secret
        shape = {"code": secret, "message": f"no {secret}"}
        body = {"errorMessages": [f"no {secret}"], "error": shape, "message": secret, "ok": False}
        for status in (400, 500):
            live.fault(target=target, status=status, body=json.dumps(body), times=1)
    findings = [live.finding(live.instance()) for _ in range(4)]
    for finding in findings:
        live.imported(finding)
    seen = [json.dumps(live.control("GET", name)) for name in ("audit", "inbox", "dlq", "tickets")]
    assert "[secret]" in seen[0]  # one was echoed, and masked
    logs = [path.read_text(errors="replace") for path in live.logs()]
    assert len(logs) > 10
    seen += [*logs, *(json.dumps(live.held(finding)) for finding in findings)]
    pages = live.client("dynamodb").get_paginator("scan").paginate(TableName=AUDIT)
    kept = [text for page in pages for one in page["Items"] for text in read(one).contents.values()]
    assert any(findings[0]["Id"] in text for text in kept)
    seen += kept
    assert [name for name, secret in secrets.items() if secret in "".join(seen)] == []

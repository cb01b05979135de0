"""The invariants that only the whole trip can show: template, queues, Lambdas, vendors."""

from __future__ import annotations

import json
from typing import Any

from live import ACCOUNT, FINANCE, REGION, Live

UNANSWERED = "UnansweredFunction"
HOSTILE = (
    "<!channel> @everyone <@U1> {{ 7*7 }}{% raw %} [click](https://evil.example) |x|"
    ' *b* `c` <b>h</b> "}],"text":"owned" \\u0041 \u202e'
)


def clicked(live: Live, **fields: Any) -> dict[str, Any]:
    """A finding that nothing but a click starts, in Security Hub."""
    finding = live.finding(live.instance(), Severity={"Label": "MEDIUM"}, **fields)
    live.imported(finding)
    return finding


def test_every_delivery_has_an_attempt_record_before_it(live: Live) -> None:
    """Invariant 1."""
    instance = live.instance()
    finding = live.finding(instance)
    live.imported(finding)
    attempts = {r["uses"]: r["at"] for r in reversed(live.records(finding, "attempt"))}
    (message,), (ticket,) = live.messages(instance), live.tickets(instance)
    assert attempts["notify"] <= message["at"]
    opened = [
        one
        for one in live.control("GET", "inbox")
        if one["system"] == "jira" and one["method"] == "POST" and instance in str(one["body"])
    ]
    assert ticket["system"] == "jira"
    assert opened
    assert all(attempts["ticket.open"] <= one["at"] for one in opened)


def test_every_finding_of_what_was_acknowledged_has_an_outcome_or_a_reason(live: Live) -> None:
    """Invariant 2: after repeats, changes, a bad neighbour, another resource and an end."""
    instance = live.instance()
    taken = [live.finding(instance) for _ in range(3)]
    left = live.finding(live.instance())
    passed_over = live.finding(Resources=[{"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::logs"}])
    live.imported(*taken, left, passed_over)
    live.imported(taken[0] | {"UpdatedAt": "2026-11-02T00:00:00.000Z"})
    gone = {"RecordState": "ARCHIVED", "UpdatedAt": "2026-11-03T00:00:00.000Z"}
    live.imported(left | gone)
    live.control("POST", "click", {"action_id": "CheckCoverage", "finding_ids": [taken[1]["Id"]]})
    live.settle()
    for one in taken:
        assert live.records(one, "finished")
    assert live.records(left, "closed")
    for queue in ("imports", "clicks"):
        url = f"{live.endpoint}/{ACCOUNT}/hub-responder-inspector-coverage-{queue}"
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = live.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
        assert set(answer["Attributes"].values()) == {"0"}


def test_a_click_whose_runs_all_die_is_answered_from_the_dlq(live: Live) -> None:
    """Invariant 6."""
    finding = clicked(live)
    live.fault(target="lambda", kill="before_effect", times=5)
    live.clicked(finding)
    assert live.control("GET", "faults") == []
    assert "Note" not in live.held(finding)
    for _ in range(2):
        live.control("POST", "tick", {"function": UNANSWERED})
    live.settle()
    assert "could not be handled" in live.held(finding)["Note"]["Text"]
    answered = live.records(finding, "answered")
    assert [record["status"] for record in answered] == ["done"]


def test_a_click_at_its_fifth_receive_is_answered_before_it_can_die_again(live: Live) -> None:
    """Invariant 6."""
    finding = clicked(live)
    live.fault(target="lambda", kill="before_effect", times=4)
    live.clicked(finding)
    answers = [r for r in live.records(finding) if r.get("step") == "_answer"]
    assert [record["kind"] for record in answers] == ["attempt", "outcome"]
    assert live.held(finding)["Note"]["Text"].startswith("UNPROTECTED")


def test_a_message_that_nobody_can_read_silences_no_other(live: Live) -> None:
    """Invariant 7: also when both come in one batch."""
    instances = [live.instance() for _ in range(5)]
    findings = [live.finding(instance) for instance in instances]
    client = live.client("sqs")
    url = f"{live.endpoint}/{ACCOUNT}/hub-responder-inspector-coverage-imports"
    for body in ("[]", '{"hub_responder":"settle","pk":7}', '{"hub_responder":"recheck"}'):
        client.send_message(QueueUrl=url, MessageBody=body)
    live.imported(*findings)
    assert [len(live.messages(instance)) for instance in instances] == [1] * 5


def ocsf(live: Live, instance: str) -> dict[str, Any]:
    """The event of the new Security Hub about a critical finding."""
    finding = live.finding(instance)
    body = {
        "class_uid": 2002,
        "class_name": "Vulnerability Finding",
        "activity_name": "Create",
        "metadata": {
            "uid": f"uid-{instance}",
            "version": "1.5.0",
            "product": {"name": "Inspector", "uid": finding["ProductArn"]},
        },
        "finding_info": {
            "uid": finding["Id"],
            "title": finding["Title"],
            "modified_time_dt": "2026-11-01T00:00:00Z",
        },
        "cloud": {"account": {"uid": ACCOUNT}, "region": REGION},
        "severity": "Critical",
        "status": "New",
        "resources": [{"type": "AWS::EC2::Instance", "uid": instance, "region": REGION}],
        "vulnerabilities": [{"cve": {"uid": "CVE-2026-1111"}, "is_exploit_available": True}],
    }
    return {
        "version": "0",
        "id": f"ocsf-{instance}",
        "detail-type": "Findings Imported V2",
        "source": "aws.securityhub",
        "account": ACCOUNT,
        "time": "2026-11-22T00:00:00Z",
        "region": REGION,
        "resources": [finding["Id"]],
        "detail": {"findings": [body]},
    }


def test_the_responders_own_update_of_an_ocsf_finding_starts_nothing(live: Live) -> None:
    """Invariant 8: the echo is an OCSF event again."""
    instance = live.instance()
    event = ocsf(live, instance)
    live.control("POST", "events", event)
    live.settle()
    finding = {"Id": event["detail"]["findings"][0]["finding_info"]["uid"]}
    assert len(live.records(finding, "finished")) == 1
    assert live.records(finding, "repeat")
    assert len(live.messages(instance)) == 1
    assert len(live.tickets(instance)) == 1


def shape(value: Any) -> Any:
    """A body without its texts: what is left is what markup could change."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else type(value).__name__


def deliveries(live: Live, account: str, text: str) -> list[dict[str, Any]]:
    """Every delivery about a new finding whose title, tags and description are ``text``."""
    instance = live.instance()
    finding = live.finding(instance, account=account, Title=text, Description=text)
    finding["Resources"][0]["Tags"] = {"Name": text, "Owner": text}
    live.imported(finding)
    note = live.held(finding)["Note"]["Text"]
    assert note.startswith("UNPROTECTED")
    assert "\n" not in note
    return [one for one in live.control("GET", "inbox") if instance in json.dumps(one["body"])]


def test_text_of_a_finding_changes_no_message_and_no_ticket_but_its_words(live: Live) -> None:
    """Invariant 10: chat, topic, Jira and OpsCenter get the same structure whatever it says."""
    for account in (ACCOUNT, FINANCE):
        plain = deliveries(live, account, "a plain text, about as long as the other is " * 3)
        hostile = deliveries(live, account, HOSTILE)
        assert [one["system"] for one in hostile] == [one["system"] for one in plain]
        assert [shape(one["body"]) for one in hostile] == [shape(one["body"]) for one in plain]
        for one in hostile:
            sent = json.dumps(one["body"], ensure_ascii=False)
            assert "{{ 7*7 }}" in sent  # it is there as it was written, and nothing came of it
            assert "\u202e" not in sent
            if one["system"] == "slack":
                assert "<!channel>" not in sent
                assert "<@U1>" not in sent

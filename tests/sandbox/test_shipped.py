"""Each shipped playbook through the real template: its trigger, and what people and systems see."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from hub_toolkit.sandbox import estate
from live import ACCOUNT, FINANCE, REGION, Live

EVENTS = Path(__file__).parents[2] / "events"


def medium(live: Live, *instances: str, **fields: Any) -> dict[str, Any]:
    """A finding that no import starts a playbook for."""
    return live.finding(*instances, **{"Severity": {"Label": "MEDIUM"}, **fields})


def resource(instance: str, **tags: str) -> dict[str, Any]:
    """An instance as a finding names it."""
    arn = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{instance}"
    return {"Type": "AwsEc2Instance", "Id": arn, "Region": REGION, "Tags": tags}


def imported_and_clicked(live: Live, action: str, finding: dict[str, Any]) -> dict[str, Any]:
    """The finding as Security Hub holds it, after a click on it."""
    live.imported(finding)
    live.clicked(finding, action=action)
    return live.held(finding)


def ticked(live: Live, playbook: str) -> list[dict[str, Any]]:
    """What a run of a playbook's schedule sent."""
    before = len(live.control("GET", "inbox"))
    live.control("POST", "tick", {"function": playbook})
    live.settle()
    sent: list[dict[str, Any]] = live.control("GET", "inbox")[before:]
    return sent


def texts(messages: list[dict[str, Any]]) -> str:
    return json.dumps([one["body"] for one in messages], ensure_ascii=False)


def test_inspector_coverage_tells_opens_a_ticket_and_answers(live: Live) -> None:
    instance = live.instance()
    finding = live.finding(instance)
    live.imported(finding)
    assert len(live.messages(instance)) == len(live.tickets(instance)) == 1
    assert live.held(finding)["Workflow"] == {"Status": "NOTIFIED"}


def test_check_coverage_answers_and_decides_nothing(live: Live) -> None:
    instance = live.instance()
    held = imported_and_clicked(live, "AskVisionOne", medium(live, instance))
    assert held["Note"]["Text"].startswith("UNPROTECTED: no Vision One agent")
    assert held["Workflow"] == {"Status": "NEW"}
    assert len(live.messages(instance)) == 1
    assert live.tickets(instance) == []
    bucket = {"Type": "AwsS3Bucket", "Id": f"arn:aws:s3:::asked-{instance}"}
    held = imported_and_clicked(live, "AskVisionOne", medium(live, Resources=[bucket]))
    assert held["Note"]["Text"].startswith("NOT_APPLICABLE: not an EC2 instance (AwsS3Bucket)")
    assert "NOT_APPLICABLE" in texts(live.messages(f"asked-{instance}"))


def test_a_task_and_a_group_are_judged_by_the_instances_behind_them(live: Live) -> None:
    task, fargate, group = (
        json.loads((EVENTS / f"{name}.json").read_text("utf-8"))["detail"]["findings"][0]
        for name in (
            "guardduty-high-ecs-task",
            "guardduty-high-ecs-fargate",
            "click-auto-scaling-group",
        )
    )
    live.imported(task, fargate)
    note = live.held(task)["Note"]["Text"]
    assert note.startswith("UNPROTECTED: no Vision One agent on shop-node-01 (i-0a30415263748596f")
    assert " behind task/example-shop/0a1b2c3d4e5f60718293a4b5c6d7e8f9)" in note
    assert "(AwsEcsTask), on Fargate" in live.held(fargate)["Note"]["Text"]
    held = imported_and_clicked(live, "AskVisionOne", group)
    assert "(3 instances: 1 UNPROTECTED, 1 DEGRADED, 1 PROTECTED" in held["Note"]["Text"]


def test_open_ticket_answers_with_the_tickets_key(live: Live) -> None:
    instance = live.instance()
    finding = medium(live, instance)
    held = imported_and_clicked(live, "OpenTicket", finding)
    (ticket,) = live.tickets(instance)
    assert held["Note"]["Text"].startswith(f"Ticket opened: {ticket['id']}")
    assert held["Workflow"] == {"Status": "NOTIFIED"}
    live.clicked(finding, action="OpenTicket")
    assert len(live.tickets(instance)) == 1
    assert live.held(finding)["Note"]["Text"].startswith(
        f"Added to the open ticket: {ticket['id']}"
    )


def test_notify_team_goes_where_the_owner_reads(live: Live) -> None:
    instance, other = live.instance(), live.instance()
    owned = medium(live, Resources=[resource(instance, Owner="payments")])
    held = imported_and_clicked(live, "NotifyTeam", owned)
    assert [one["connection"] for one in live.messages(instance)] == ["amazon-q"]
    assert held["Note"]["Text"].startswith("Told the team through amazon-q")
    imported_and_clicked(live, "NotifyTeam", medium(live, other))
    assert [one["connection"] for one in live.messages(other)] == ["slack-bot"]


def test_false_positive_suppresses_but_never_what_is_exploited(live: Live) -> None:
    instance = live.instance()
    held = imported_and_clicked(live, "FalsePositive", medium(live, instance))
    assert held["Workflow"] == {"Status": "SUPPRESSED"}
    assert held["UserDefinedFields"]["hubResponderSuppressedBy"] == "cloud-security"
    assert "Suppressed as a false positive until" in texts(live.messages(instance))
    instance = live.instance()
    exploited = {"Id": "CVE-2026-1111", "ExploitAvailable": "YES"}
    finding = live.finding(instance, Vulnerabilities=[exploited])
    held = imported_and_clicked(live, "FalsePositive", finding)
    assert held["Workflow"]["Status"] != "SUPPRESSED"
    assert held["Note"]["Text"].startswith("Not suppressed: 1 left: CRITICAL with a known exploit")
    assert "NOT suppressed" in texts(live.messages(instance))


def test_share_insight_is_one_message_however_much_it_holds(live: Live) -> None:
    title = f"seen on {live.instance()} and others"
    findings = [medium(live, live.instance(), Title=title) for _ in range(40)]
    live.imported(*findings)
    arn = live.client("securityhub").create_insight(
        Name="Seen together",
        Filters={"Title": [{"Value": title, "Comparison": "EQUALS"}]},
        GroupByAttribute="SeverityLabel",
    )["InsightArn"]
    live.control("POST", "insight", {"action_id": "ShareInsight", "insight_arn": arn})
    live.settle()
    (message,) = live.messages(title)
    for text in ("Seen together: 40 findings", "40 MEDIUM", "and 25 more"):
        assert text in texts([message])
    for finding in findings:
        assert live.held(finding)["Note"]["Text"].startswith("Shared with the team")


def malware(live: Live, instance: str, state: str) -> dict[str, Any]:
    """As Trend's own integration sends what an agent found."""
    found = {"Name": "TROJ_EXAMPLE.A", "Path": "/srv/x", "Type": "TROJAN", "State": state}
    return medium(
        live,
        instance,
        ProductArn=f"arn:aws:securityhub:{REGION}:{ACCOUNT}:product/{ACCOUNT}/default",
        GeneratorId="trend-micro-workload-security-antimalware",
        Types=["TTPs/Execution"],
        Title="Malware [TROJ_EXAMPLE.A] detected",
        Malware=[found],
    )


def test_vision_one_malware_tells_what_to_do(live: Live) -> None:
    bad, gone = live.instance(), live.instance()
    findings = [malware(live, bad, "REMOVAL_FAILED"), malware(live, gone, "REMOVED")]
    live.imported(*findings)
    told = texts(live.messages(bad))
    for text in ("TROJ_EXAMPLE.A", "MEDIUM", "/srv/x", "isolate the instance"):
        assert text in told
    assert len(live.tickets(bad)) == 1
    assert "removed it" in texts(live.messages(gone))
    assert live.tickets(gone) == []
    for finding in findings:
        assert live.held(finding)["Workflow"] == {"Status": "NOTIFIED"}


def threat(live: Live, instance: str, label: str) -> dict[str, Any]:
    """A finding of GuardDuty."""
    return live.finding(
        instance,
        ProductArn=f"arn:aws:securityhub:{REGION}::product/aws/guardduty",
        ProductFields={"aws/securityhub/ProductName": "GuardDuty"},
        GeneratorId=f"arn:aws:guardduty:{REGION}:{ACCOUNT}:detector/1",
        Types=["TTPs/Command and Control/Backdoor:EC2-C&CActivity.B!DNS"],
        Title=f"{instance} queries a domain of a command and control server",
        Severity={"Label": label},
    )


def test_guardduty_instance_escalates_what_is_severe_or_unprotected(live: Live) -> None:
    guarded, bare, severe = live.instance(), live.instance(), live.instance()
    live.protect(guarded, severe)
    live.imported(threat(live, guarded, "MEDIUM"))
    live.imported(threat(live, bare, "MEDIUM"))
    live.imported(threat(live, severe, "HIGH"))
    assert "PROTECTED" in texts(live.messages(guarded))
    assert "UNPROTECTED" in texts(live.messages(bare))
    assert [len(live.tickets(one)) for one in (guarded, bare, severe)] == [0, 1, 1]
    live.fault(target="vision_one", status=401, times=9)
    unknown = live.instance()
    live.imported(threat(live, unknown, "HIGH"))
    told = texts(live.messages(unknown))
    assert "UNKNOWN" in told
    assert "UNPROTECTED" not in told


def test_weekly_digest_counts_what_security_hub_holds(live: Live) -> None:
    live.imported(live.finding(live.instance()))
    (message,) = ticked(live, "weekly-digest")
    told = texts([message])
    for text in ("findings open", "CRITICAL", "The worst", "The oldest"):
        assert text in told
    assert message["connection"] == "slack-bot"


def test_unprotected_report_names_instances_and_leaves_the_list_in_s3(live: Live) -> None:
    guarded, bare = live.instance(), live.instance()
    live.protect(guarded)
    instances = [
        {"InstanceId": guarded, "OwnerId": ACCOUNT, "Region": REGION},
        {
            "InstanceId": bare,
            "OwnerId": ACCOUNT,
            "Region": REGION,
            "Tags": {"Name": "=cmd()", "Owner": "基盤"},
        },
        {"InstanceId": live.instance(), "OwnerId": FINANCE, "Region": REGION},
    ]
    live.control("PUT", "ec2/instances", instances)
    try:
        sent = ticked(live, "unprotected-report")
    finally:
        live.control("PUT", "ec2/instances", estate.load().ec2.instances)
    told = texts([one for one in sent if one["system"] == "slack"])
    assert "1 of 2 running instances" in told
    assert bare in told
    assert guarded not in told
    bucket, _, key = told.partition("s3://")[2].partition('"')[0].partition("/")
    body = live.client("s3").get_object(Bucket=bucket, Key=key.strip())["Body"].read()
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    assert [(row["instance"], row["verdict"]) for row in rows] == [
        (bare, "UNPROTECTED"),
        (guarded, "PROTECTED"),
    ]
    assert (rows[0]["name"], rows[0]["owner"]) == ("'=cmd()", "基盤")

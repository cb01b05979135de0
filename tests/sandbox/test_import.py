"""A finding is imported: people hear of it, a ticket is opened, the finding says so."""

from __future__ import annotations

import json

from live import ACCOUNT, FINANCE, HOOK, Live


def test_an_imported_finding_leads_to_a_message_a_ticket_and_an_answer_on_it(live: Live) -> None:
    instance = live.instance()
    finding = live.finding(instance)
    live.imported(finding)
    (ticket,) = live.tickets(instance)
    (message,) = live.messages(instance)
    held = live.held(finding)
    assert live.verdict(finding)["verdict"] == "UNPROTECTED"
    assert (message["system"], message["connection"]) == ("slack", "slack-bot")
    assert (ticket["system"], ticket["connection"]) == ("jira", "jira-sec")
    assert held["Workflow"] == {"Status": "NOTIFIED"}
    assert held["Note"]["Text"].startswith("UNPROTECTED: no Vision One agent")
    assert ticket["id"] in held["Note"]["Text"]
    assert "UNPROTECTED" in held["UserDefinedFields"].values()


def test_other_findings_on_the_instance_are_told_and_its_own_are_not(live: Live) -> None:
    instance = live.instance()
    product = {"ProductArn": live.finding()["ProductArn"].replace("inspector", "guardduty")}
    more = {"Severity": {"Label": "LOW"}, "Title": "A port is open", "ProductName": "GuardDuty"}
    other = live.finding(instance, **product, **more)
    live.imported(other)
    first, second = live.finding(instance), live.finding(instance)
    live.imported(first)
    live.imported(second)
    told = live.messages(instance)
    texts = [json.dumps(message["body"]) for message in told]
    assert all("Other findings on this resource" in text for text in texts)
    assert all("A port is open" in text for text in texts)
    assert not any(first["Title"] in text.partition("Other findings")[2] for text in texts)
    (ticket,) = live.tickets(instance)
    assert "A port is open" in json.dumps(ticket)


def test_a_filter_that_names_something_else_does_not_find_it(live: Live) -> None:
    finding = live.finding(live.instance())
    live.imported(finding)
    search = live.client("securityhub").get_findings
    by_id = [{"Value": finding["Id"], "Comparison": "EQUALS"}]
    for status, found in (("NOTIFIED", 1), ("NEW", 0)):
        workflow = [{"Value": status, "Comparison": "EQUALS"}]
        answer = search(Filters={"Id": by_id, "WorkflowStatus": workflow})
        assert len(answer["Findings"]) == found


def test_a_protected_instance_gets_a_message_and_no_ticket(live: Live) -> None:
    instance = live.instance()
    live.protect(instance)
    finding = live.finding(instance)
    live.imported(finding)
    assert live.verdict(finding)["verdict"] == "PROTECTED"
    assert len(live.messages(instance)) == 1
    assert live.tickets(instance) == []


def test_other_accounts_go_by_the_routes_to_other_places(live: Live) -> None:
    finance, hook = live.instance(), live.instance()
    live.imported(live.finding(finance, account=FINANCE), live.finding(hook, account=HOOK))
    assert [one["connection"] for one in live.messages(finance)] == ["amazon-q"]
    assert [one["connection"] for one in live.tickets(finance)] == ["ops"]
    assert [one["connection"] for one in live.messages(hook)] == ["slack-hook"]


def test_the_responders_own_update_starts_nothing(live: Live) -> None:
    instance = live.instance()
    finding = live.finding(instance)
    live.imported(finding)
    before = live.records(finding)
    note = {"Text": "seen", "UpdatedBy": "someone"}
    identifier = {"Id": finding["Id"], "ProductArn": finding["ProductArn"]}
    live.client("securityhub").batch_update_findings(FindingIdentifiers=[identifier], Note=note)
    live.settle()
    after = live.records(finding)[len(before) :]
    assert [record["kind"] for record in after] == ["repeat"]
    assert len([record for record in before if record["kind"] == "opened"]) <= 1
    assert len(live.records(finding, "finished")) == 1
    assert len(live.messages(instance)) == 1


def test_the_same_event_twice_has_one_effect(live: Live) -> None:
    instance = live.instance()
    finding = {**live.finding(instance), "Workflow": {"Status": "NEW"}, "RecordState": "ACTIVE"}
    finding["ProductFields"] = {"aws/securityhub/ProductName": "Inspector"}
    event = {
        "version": "0",
        "id": "e2e-twice",
        "detail-type": "Security Hub Findings - Imported",
        "source": "aws.securityhub",
        "account": ACCOUNT,
        "time": "2026-11-22T00:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {"findings": [finding]},
    }
    for _ in range(2):
        answer = live.control("POST", "events", event)
        assert answer["rules"] == ["hub-responder-inspector-coverage-imported"]
    live.settle()
    live.control("POST", "events", event)
    live.settle()
    assert len(live.tickets(instance)) == 1
    assert len(live.messages(instance)) == 1


def test_two_instances_in_one_finding_are_two_incidents(live: Live) -> None:
    one, two = live.instance(), live.instance()
    live.protect(two)
    finding = live.finding(one, two)
    live.imported(finding)
    incidents = {record["incident"] for record in live.records(finding, "finished")}
    assert len(incidents) == 2
    assert len(live.tickets(one)) == 1
    assert live.tickets(two) == []


def test_a_finding_that_no_rule_wants_stays_as_it_is(live: Live) -> None:
    finding = live.finding(live.instance(), Severity={"Label": "MEDIUM"})
    live.imported(finding)
    assert live.records(finding) == []
    assert live.held(finding)["Workflow"] == {"Status": "NEW"}


def test_many_findings_of_one_instance_are_one_incident_with_one_ticket(live: Live) -> None:
    instance = live.instance()
    findings = [live.finding(instance) for _ in range(40)]
    live.imported(*findings)
    assert len(live.tickets(instance)) == 1
    assert len(live.messages(instance)) == 1
    assert {live.held(one)["Workflow"]["Status"] for one in findings} == {"NOTIFIED"}

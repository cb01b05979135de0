"""What stages say of playbooks, and schedules, in the template."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub_toolkit import synth
from hub_toolkit.playbooks.problems import PlaybookErrors

REPORT = """\
format: 1
name: report
summary: Tells what is open
on: {schedule: {cron: 0 9 ? * MON *, timezone: Asia/Tokyo}}
group_by: []
steps: [{uses: notify, with: {to: soc-chat, template: note.md.j2}}]
"""
IMPORTED = """\
format: 1
name: report
summary: Tells what is imported
on: {imported: {match: {Severity: {Label: [CRITICAL]}}}}
steps: [{uses: notify, CONDITION, with: {to: TO, template: note.md.j2}}]
"""
CONDITIONED = """\
only_if: ["tag('env') != 'dev'", "seen(30, 'FALSE_POSITIVE') < 5"]
steps:
"""


def template(root: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(synth.render(root))
    return loaded


def report(root: Path, text: str = REPORT) -> None:
    folder = root / "playbooks" / "report"
    (folder / "templates").mkdir(parents=True)
    (folder / "playbook.yaml").write_text(text, encoding="utf-8")
    (folder / "templates" / "note.md.j2").write_text("# Open\n", encoding="utf-8")


def settings(root: Path, text: str, stage: str = "") -> None:
    name = f"settings.{stage}.yaml" if stage else "settings.yaml"
    (root / "playbooks" / name).write_text(text, encoding="utf-8")


def of(made: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name: one for name, one in made["Resources"].items() if name.startswith(prefix)}


def statements(made: dict[str, Any], role: str) -> list[dict[str, Any]]:
    (policy,) = made["Resources"][role]["Properties"]["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def test_a_schedule_sends_an_event_of_our_own_to_the_playbooks_queue(root: Path) -> None:
    report(root)
    made = template(root)
    schedule = made["Resources"]["ReportSchedule"]["Properties"]
    assert schedule["ScheduleExpression"] == "cron(0 9 ? * MON *)"
    assert schedule["ScheduleExpressionTimezone"] == "Asia/Tokyo"
    assert schedule["Target"]["Arn"] == {"Fn::GetAtt": ["ReportImportsQueue", "Arn"]}
    event = json.loads(schedule["Target"]["Input"]["Fn::Sub"])
    assert event["id"] == "report@<aws.scheduler.scheduled-time>"
    assert (event["source"], event["detail"]) == ("hub-responder", {"playbook": "report"})
    (statement,) = statements(made, "SchedulerRole")
    assert {"Fn::GetAtt": ["ReportImportsQueue", "Arn"]} in statement["Resource"]


def test_without_schedules_there_is_no_role_for_them(root: Path) -> None:
    assert "SchedulerRole" in template(root)["Resources"]
    for path in (root / "playbooks").glob("*/playbook.yaml"):
        if "\n  schedule: " in path.read_text(encoding="utf-8"):
            shutil.rmtree(path.parent)
    assert "SchedulerRole" not in template(root)["Resources"]


def test_a_playbook_that_is_disabled_everywhere_is_not_in_the_template(root: Path) -> None:
    settings(root, "playbooks: {inspector-coverage: {enabled: false}}\n")
    report(root)
    made = template(root)
    assert of(made, "InspectorCoverage") == {}
    assert "InspectorCoverage" not in json.dumps(made["Resources"]["QueuePolicy"])
    assert of(made, "Report")


def test_a_playbook_that_one_stage_disables_is_there_in_the_others(root: Path) -> None:
    settings(root, "playbooks: {inspector-coverage: {enabled: false}}\n", "dev")
    made = template(root)
    enabled = {"Fn::Not": [{"Condition": "DevStage"}]}
    assert made["Conditions"]["InspectorCoverageEnabled"] == enabled
    assert {one["Condition"] for one in of(made, "InspectorCoverage").values()} == {
        "InspectorCoverageEnabled"
    }
    queues = made["Resources"]["QueuePolicy"]["Properties"]["Queues"]
    assert queues[0] == {"Ref": "DeadLetterQueue"}
    conditions = {str(queue): queue.get("Fn::If", [""])[0] for queue in queues[1:]}
    for queue, condition in conditions.items():
        own = "InspectorCoverage" in queue
        assert condition == ("InspectorCoverageEnabled" if own else "")


def test_a_playbook_that_only_two_stages_enable(root: Path) -> None:
    settings(root, "playbooks: {inspector-coverage: {enabled: false}}\n")
    for stage in ("dev", "test"):
        settings(root, "playbooks: {inspector-coverage: {enabled: true}}\n", stage)
    assert template(root)["Conditions"]["InspectorCoverageEnabled"] == {
        "Fn::Or": [{"Condition": "DevStage"}, {"Condition": "TestStage"}]
    }


def test_functions_in_expressions_bring_the_permissions_that_they_need(root: Path) -> None:
    settings(root, "member_role: hub-responder-lookup\n")
    path = root / "playbooks" / "inspector-coverage" / "playbook.yaml"
    before = json.dumps(statements(template(root), "InspectorCoverageRole"))
    assert "tag:GetResources" not in before
    assert "history#*" not in before
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("steps:\n", CONDITIONED, 1), encoding="utf-8")
    after = json.dumps(statements(template(root), "InspectorCoverageRole"))
    assert "tag:GetResources" in after
    assert "role/hub-responder-lookup" in after
    assert "history#*" in after


GET_FINDINGS = "securityhub:GetFindings"
READS = {
    "a condition": ("if: incident.related|length > 0", "soc-chat", "# Open"),
    "a message": ("if: now > 0", "soc-chat", "{% for one in incident.related %}{% endfor %}# x"),
    "a message that asks for more": ("if: now > 0", "soc-chat", "# {{ incident.more_related }}"),
    "another name": (
        "if: now > 0",
        "soc-chat",
        "{% set one = incident %}# {{ one.related[0].id }}",
    ),
    "a route": ("if: now > 0", "busy", "# Open"),
}
ROUTE = "routes:\n  busy: {by: incident.related|length, to: {}, default: calm}\n"


@pytest.mark.parametrize("what", READS)
def test_reading_the_other_findings_on_a_resource_brings_getfindings(root: Path, what: str) -> None:
    condition, to, message = READS[what]
    connections = root / "playbooks" / "connections.yaml"
    text = connections.read_text(encoding="utf-8").replace("routes:\n", ROUTE)
    connections.write_text(text.replace("connections:\n", "connections:\n  calm: {type: sns}\n"))
    only = IMPORTED.replace("CONDITION", condition).replace("TO", to)
    report(root, only)
    (root / "playbooks" / "report" / "templates" / "note.md.j2").write_text(message)
    assert GET_FINDINGS in json.dumps(statements(template(root), "ReportRole"))


def test_who_reads_no_other_findings_may_not_get_them(root: Path) -> None:
    report(root, IMPORTED.replace("CONDITION", "if: incident.count > 1").replace("TO", "soc-chat"))
    assert GET_FINDINGS not in json.dumps(statements(template(root), "ReportRole"))


def test_a_connections_template_brings_the_permissions_that_it_needs(root: Path) -> None:
    report(root, IMPORTED.replace("CONDITION", "if: incident.count > 1").replace("TO", "team"))
    path = root / "playbooks" / "connections.yaml"
    written = path.read_text(encoding="utf-8")
    team = "connections:\n  team: {type: slack, channel: CHANNEL, allow: [C0123456789]}\n"
    for channel, needs in (("tag('Channel')", True), ("finding.region", False)):
        text = written.replace("connections:\n", team.replace("CHANNEL", f'"{{{{ {channel} }}}}"'))
        path.write_text(text, encoding="utf-8")
        granted = json.dumps(statements(template(root), "ReportRole"))
        assert ("tag:GetResources" in granted) is needs


@pytest.mark.parametrize(
    ("cron", "why"),
    [
        ("0 9 * * MON", "has 5 fields, not 6"),
        ("60 9 ? * MON *", "has no minutes in `60`"),
        ("0 9 * * MON *", "needs a ? in one of day of the month and day of the week"),
        ("0 9 ? * ? *", "needs a ? in one of"),
        ("0 9 ? FOO MON *", "has no month in `FOO`"),
        ("0 9 ? * MON-8 *", "has no day of the week in `MON-8`"),
        ("0/0 9 ? * MON *", "has no minutes in `0/0`"),
    ],
)
def test_a_schedule_that_the_scheduler_would_refuse_is_refused(
    root: Path, cron: str, why: str
) -> None:
    report(root, REPORT.replace("cron: 0 9 ? * MON *", f"cron: {cron}"))
    with pytest.raises(PlaybookErrors, match=r"playbook\.yaml:4:23: `cron` ") as caught:
        template(root)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    "cron", ["0/15 8-18 ? * MON-FRI *", "0 9 L * ? *", "0 9 ? * 2#1 *", "5,10 * 1W JAN ? 2027"]
)
def test_what_the_scheduler_takes_is_taken(root: Path, cron: str) -> None:
    report(root, REPORT.replace("cron: 0 9 ? * MON *", f'cron: "{cron}"'))
    expression = template(root)["Resources"]["ReportSchedule"]["Properties"]["ScheduleExpression"]
    assert expression == f"cron({cron})"


def test_what_ends_suppressions_is_there_where_a_playbook_suppresses(root: Path) -> None:
    shipped = of(template(root), "Lapsed")
    path = root / "playbooks" / "report" / "playbook.yaml"
    report(root, REPORT)
    step = "{uses: finding.suppress, with: {reason: a test, owner: us, days: 3}}"
    text = path.read_text(encoding="utf-8").split("steps:")[0]
    path.write_text(f"{text}steps: [{step}]\n", encoding="utf-8")
    made = template(root)
    assert shipped == {} or of(made, "Lapsed") == shipped
    function = made["Resources"]["LapsedFunction"]["Properties"]
    assert function["Handler"] == "hub_responder.handlers.lapsed.handler"
    assert "history#*" in json.dumps(statements(made, "ReportRole"))

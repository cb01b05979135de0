"""The function that follows tickets: there where tickets can be followed, with no more rights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub_responder.handlers import sync
from hub_toolkit.synth.document import build

CONNECTIONS = {
    "github": "  desk: {type: github, repository: acme/security}\n",
    "opscenter": "  desk: {type: opscenter}\n",
}
PLAYBOOK = """\
format: 1
name: followed
summary: Opens a ticket for each instance
on: {imported: {match: {ProductFields: {aws/securityhub/ProductName: [Inspector]}}}}
steps:
  - {id: ticket, uses: ticket.open, with: {in: desk, template: note.md.j2}}
"""


def template(root: Path, kind: str) -> dict[str, Any]:
    files = {
        "connections.yaml": f"connections:\n{CONNECTIONS[kind]}",
        "settings.yaml": "owner: tests\n",
        "followed/playbook.yaml": PLAYBOOK,
        "followed/templates/note.md.j2": "# {{ incident.severity }}\n",
    }
    for name, text in files.items():
        path = root / "playbooks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    made: dict[str, Any] = build(root)
    return made


def test_it_is_not_there_where_no_ticket_can_be_followed(tmp_path: Path) -> None:
    template(tmp_path, "github")
    path = tmp_path / "playbooks" / "followed" / "playbook.yaml"
    step = "{uses: finding.update, with: {note: seen}}"
    path.write_text(f"{PLAYBOOK.split('steps:', maxsplit=1)[0]}steps: [{step}]\n", encoding="utf-8")
    resources = build(tmp_path)["Resources"]
    assert [name for name in resources if name.startswith("Sync")] == []


def test_its_role_may_do_what_it_needs_and_no_more(tmp_path: Path) -> None:
    resources = template(tmp_path, "github")["Resources"]
    (policy,) = resources["SyncRole"]["Properties"]["Policies"]
    granted: dict[str, list[str]] = {}
    for statement in policy["PolicyDocument"]["Statement"]:
        for action in statement["Action"]:
            within = str(statement.get("Condition", statement["Resource"]))
            granted.setdefault(action, []).append(within)
    assert set(granted) == {
        "dynamodb:ConditionCheckItem",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "secretsmanager:GetSecretValue",
        "securityhub:BatchUpdateFindings",
        "securityhub:GetFindings",
    }
    assert ["followed#*" in one for one in granted["dynamodb:Query"]] == [True, False]
    assert all("'sync#*'" in one or "followed#*" in one for one in granted["dynamodb:Query"])
    assert ["'sync#*'" in one for one in granted["dynamodb:PutItem"]] == [True, False]
    assert all("'sync#*'" in one for one in granted["dynamodb:DeleteItem"])
    assert "/desk-??????" in granted["secretsmanager:GetSecretValue"][0]


def test_it_may_read_ops_items_where_it_follows_them(tmp_path: Path) -> None:
    resources = template(tmp_path, "opscenter")["Resources"]
    (policy,) = resources["SyncRole"]["Properties"]["Policies"]
    actions = [one["Action"] for one in policy["PolicyDocument"]["Statement"]]
    assert [one for one in actions if "ssm" in str(one)] == [["ssm:GetOpsItem"]]


def test_an_alarm_goes_by_the_systems_that_were_silent(tmp_path: Path) -> None:
    resources = template(tmp_path, "github")["Resources"]
    alarm = resources["SyncAlarm"]["Properties"]
    variables = resources["SyncFunction"]["Properties"]["Environment"]["Variables"]
    assert {one["Name"]: one["Value"] for one in alarm["Dimensions"]} == {
        "service": variables["POWERTOOLS_SERVICE_NAME"],
        "playbook": sync.NAME,
    }
    assert alarm["MetricName"] in sync._METRICS
    assert (alarm["Statistic"], alarm["TreatMissingData"]) == ("Minimum", "breaching")


def test_it_runs_every_five_minutes_with_the_plan_of_its_layer(tmp_path: Path) -> None:
    resources = template(tmp_path, "github")["Resources"]
    function = resources["SyncFunction"]["Properties"]
    assert function["Events"]["Schedule"]["Properties"]["Schedule"] == "rate(5 minutes)"
    assert function["Layers"] == [{"Ref": "SyncLayer"}]

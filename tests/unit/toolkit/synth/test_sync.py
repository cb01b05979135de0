"""The function that follows tickets: there where tickets can be followed, with no more rights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
    granted = {
        action: str(statement.get("Condition", statement["Resource"]))
        for statement in policy["PolicyDocument"]["Statement"]
        for action in statement["Action"]
        if not (action == "dynamodb:PutItem" and "Condition" not in statement)
    }
    assert set(granted) == {
        "dynamodb:ConditionCheckItem",
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
    assert "followed#*" in granted["dynamodb:Query"]
    assert "sync#*" in granted["dynamodb:PutItem"]
    assert "/desk-??????" in granted["secretsmanager:GetSecretValue"]


def test_it_may_read_ops_items_where_it_follows_them(tmp_path: Path) -> None:
    resources = template(tmp_path, "opscenter")["Resources"]
    (policy,) = resources["SyncRole"]["Properties"]["Policies"]
    actions = [one["Action"] for one in policy["PolicyDocument"]["Statement"]]
    assert [one for one in actions if "ssm" in str(one)] == [["ssm:GetOpsItem"]]


def test_it_runs_every_five_minutes_with_the_plan_of_its_layer(tmp_path: Path) -> None:
    resources = template(tmp_path, "github")["Resources"]
    function = resources["SyncFunction"]["Properties"]
    assert function["Events"]["Schedule"]["Properties"]["Schedule"] == "rate(5 minutes)"
    assert function["Layers"] == [{"Ref": "SyncLayer"}]

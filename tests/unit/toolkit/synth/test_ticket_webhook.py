"""The function that takes webhooks: there where a connection asks for it, open in one way only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint

from hub_toolkit.synth.document import build
from hub_toolkit.synth.emit import emit

HOOKED = "connections:\n  desk: {type: github, repository: acme/security, webhook: true}\n"
PLAIN = HOOKED.replace(", webhook: true", "")
PLAYBOOK = """\
format: 1
name: followed
summary: Opens a ticket for each instance
on: {imported: {match: {ProductFields: {aws/securityhub/ProductName: [Inspector]}}}}
steps:
  - {id: ticket, uses: ticket.open, with: {in: desk, template: note.md.j2}}
"""


def template(root: Path, connections: str, **stages: str) -> dict[str, Any]:
    files = {
        "connections.yaml": connections,
        "settings.yaml": "owner: tests\n",
        "followed/playbook.yaml": PLAYBOOK,
        "followed/templates/note.md.j2": "# {{ incident.severity }}\n",
        **{f"connections.{stage}.yaml": text for stage, text in stages.items()},
    }
    for name, text in files.items():
        path = root / "playbooks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    made: dict[str, Any] = build(root)
    return made


def of_hooks(made: dict[str, Any]) -> dict[str, Any]:
    found = {**made["Resources"], **made["Outputs"]}
    return {name: one for name, one in found.items() if name.startswith("TicketWebhook")}


def test_without_a_connection_that_asks_for_it_there_is_no_address(tmp_path: Path) -> None:
    made = template(tmp_path, PLAIN)
    assert of_hooks(made) == {}
    assert "AWS::Lambda::Url" not in {one["Type"] for one in made["Resources"].values()}


def test_everybody_may_call_it_through_its_address_and_not_otherwise(tmp_path: Path) -> None:
    made = template(tmp_path, HOOKED)
    resources = made["Resources"]
    assert resources["TicketWebhookUrl"]["Properties"]["AuthType"] == "NONE"
    permissions = [
        one["Properties"] for one in resources.values() if one["Type"] == "AWS::Lambda::Permission"
    ]
    assert [
        (one["Action"], one.get("FunctionUrlAuthType"), one.get("InvokedViaFunctionUrl"))
        for one in permissions
    ] == [("lambda:InvokeFunctionUrl", "NONE", None), ("lambda:InvokeFunction", None, True)]
    assert resources["TicketWebhookFunction"]["Properties"]["ReservedConcurrentExecutions"] == 5
    value = made["Outputs"]["TicketWebhookUrl"]["Value"]
    assert value == {"Fn::GetAtt": ["TicketWebhookUrl", "FunctionUrl"]}


def test_its_role_reads_and_writes_what_a_ticket_needs_and_no_more(tmp_path: Path) -> None:
    text = HOOKED + "  other: {type: github, repository: acme/other}\n"
    resources = template(tmp_path, text)["Resources"]
    (policy,) = resources["TicketWebhookRole"]["Properties"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    granted = {
        (action, str(one.get("Condition", one["Resource"])))
        for one in statements
        for action in one["Action"]
    }
    assert {action for action, _ in granted} == {
        "dynamodb:BatchGetItem",
        "dynamodb:ConditionCheckItem",
        "dynamodb:DeleteItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "secretsmanager:GetSecretValue",
        "securityhub:BatchUpdateFindings",
        "securityhub:GetFindings",
    }
    within = {action: [at for one, at in granted if one == action] for action, _ in granted}
    assert "followed#*" in within["dynamodb:BatchGetItem"][0]
    checked = sorted(within["dynamodb:ConditionCheckItem"])
    assert [("followed#*" in at, "sync#*" in at) for at in checked] == [
        (True, False),
        (False, True),
    ]
    assert any("pace#desk" in at for at in within["dynamodb:UpdateItem"])
    doubts, audit = sorted(within["dynamodb:PutItem"], reverse=True)
    assert "'dynamodb:LeadingKeys': ['sync#*']" in doubts
    assert audit == "[{'Fn::GetAtt': ['AuditTable', 'Arn']}]"
    assert "/desk-??????" in within["secretsmanager:GetSecretValue"][0]
    assert "/other-" not in within["secretsmanager:GetSecretValue"][0]


def test_cloudformation_takes_it(tmp_path: Path) -> None:
    made = template(tmp_path, HOOKED, dev=PLAIN)
    found = lint(emit(made), None, ["us-east-1"])
    assert [str(one) for one in found if one.rule.severity == "error"] == []


@pytest.mark.parametrize(("base", "staged"), [(PLAIN, HOOKED), (HOOKED, PLAIN)])
def test_a_stage_alone_has_it_or_has_it_not(tmp_path: Path, base: str, staged: str) -> None:
    made = template(tmp_path, base, dev=staged)
    here = {"Condition": "DevStage"}
    wanted = here if base == PLAIN else {"Fn::Not": [here]}
    assert made["Conditions"]["TicketWebhookUsed"] == wanted
    assert {one["Condition"] for one in of_hooks(made).values()} == {"TicketWebhookUsed"}

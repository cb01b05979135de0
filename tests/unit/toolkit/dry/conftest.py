"""A small project whose one playbook's cases a test writes, and the command line over it."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub_toolkit.cli import application

INSTANCE = "i-0a1b2c3d4e5f60718"
PLAYBOOK = """\
format: 1
name: watch
summary: For tests
params:
  stale: {type: duration, default: 24h}
  word: {type: text, default: plain}
on:
  imported:
    match:
      Severity: {Label: [HIGH, CRITICAL]}
      Resources: {Type: [AwsEc2Instance]}
  custom_action: {id: Watch, name: Watch, description: Look at it}
steps:
  - id: coverage
    uses: vision_one.check_coverage
    with: {stale_after: "{{ params.stale }}", modules: [firewall]}
  - id: ticket
    uses: ticket.open
    if: coverage.verdict == 'UNPROTECTED'
    on_error: continue
    with: {in: tickets, template: ticket.md.j2}
  - id: tell
    uses: notify
    with: {to: chat, template: message.md.j2}
  - id: answer
    uses: finding.update
    with: {workflow: NOTIFIED, note: "{{ coverage.summary }}"}
"""
CONNECTIONS = """\
connections:
  vision-one: {type: vision_one}
  chat: {type: slack, channel: C0SANDBOX01}
  tickets: {type: jira, url: https://example.atlassian.net, project: SEC}
"""
TEMPLATES = {
    "message.en.md.j2": "# {{ incident.severity }} on {{ finding.resource.tags.get('owner') }}\n\n"
    "{{ coverage.summary }}, {{ params.word }}, {{ now|clock }}\n",
    "message.ja.md.j2": "# 通知\n\n{{ coverage.summary }}\n",
    "ticket.md.j2": "# Look at {{ finding.title }}\n\n**{{ coverage.verdict }}**\n",
}


def finding(**changes: Any) -> dict[str, Any]:
    """A finding that starts the playbook."""
    return {
        "SchemaVersion": "2018-10-08",
        "Id": "arn:aws:inspector2:us-east-1:111122223333:finding/0001",
        "ProductArn": "arn:aws:securityhub:us-east-1::product/aws/inspector",
        "GeneratorId": "AWSInspector",
        "AwsAccountId": "111122223333",
        "Region": "us-east-1",
        "Types": ["Software and Configuration Checks/Vulnerabilities/CVE"],
        "CreatedAt": "2026-11-20T00:00:00Z",
        "UpdatedAt": "2026-11-21T00:00:00Z",
        "Severity": {"Label": "HIGH"},
        "Title": "CVE-2026-0001 - openssl",
        "Description": "An invented vulnerability",
        "Resources": [
            {
                "Type": "AwsEc2Instance",
                "Id": f"arn:aws:ec2:us-east-1:111122223333:instance/{INSTANCE}",
                "Region": "us-east-1",
                "Tags": {"owner": "platform"},
            }
        ],
        "Workflow": {"Status": "NEW"},
        "RecordState": "ACTIVE",
        **changes,
    }


def event(*findings: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An imported event."""
    held = findings or (finding(),)
    return {
        "version": "0",
        "id": "e-0001",
        "detail-type": "Security Hub Findings - Imported",
        "source": "aws.securityhub",
        "account": "111122223333",
        "time": "2026-11-22T00:03:12Z",
        "region": "us-east-1",
        "resources": [f"{held[0]['ProductArn']}/{held[0]['Id']}"],
        "detail": {"findings": list(held)},
        **fields,
    }


@dataclass
class Project:
    """A project in a folder of its own."""

    root: Path

    def playbook(self, text: str, name: str = "watch") -> None:
        """Write a playbook, with the templates."""
        folder = self.root / "playbooks" / name
        (folder / "templates").mkdir(parents=True, exist_ok=True)
        (folder / "playbook.yaml").write_text(text, encoding="utf-8")
        for file, content in TEMPLATES.items():
            (folder / "templates" / file).write_text(content, encoding="utf-8")

    def cases(self, text: str, keys: str = "") -> None:
        """Write the playbook with these cases, and further ``keys``."""
        cases = textwrap.indent(textwrap.dedent(text), "  ")
        self.playbook(f"{PLAYBOOK}{keys}tests:\n{cases}")

    def write(self, path: str, content: Any) -> Path:
        """Write a file: text, or data as JSON."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content)
        file.write_text(text, encoding="utf-8")
        return file

    def run(self, *words: object, stdin: str | None = None) -> tuple[int, str, str]:
        """A command on this project: exit code, what it printed, and its errors."""
        command = [*map(str, words), "--root", str(self.root)]
        result = CliRunner(env={"COLUMNS": "300"}).invoke(application(), command, input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    def test(self, *words: object) -> tuple[int, str]:
        """``playbook test``: exit code, and all that was said."""
        code, said, errors = self.run("playbook", "test", *words)
        return code, said + errors

    def fails(self, case: str, line: str) -> str:
        """The one case fails, and says ``line``; all that was said."""
        self.cases(case)
        code, said = self.test()
        assert code == 1, said
        words = [" ".join(one.split()) for one in said.splitlines()]
        assert any(line in one for one in words), said
        return said

    def passes(self, cases: str, keys: str = "") -> None:
        """All cases pass."""
        self.cases(cases, keys)
        code, said = self.test()
        assert code == 0, said


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.write("playbooks/connections.yaml", CONNECTIONS)
    made.write("playbooks/settings.yaml", "owner: tests\nlanguage: en\ntimezone: UTC\n")
    made.write("events/high.json", event())
    made.playbook(PLAYBOOK)
    return made

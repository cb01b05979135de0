"""A small project with one playbook that uses everything that is told about playbooks."""

from __future__ import annotations

from pathlib import Path

import pytest

PLAYBOOK = """\
format: 1
name: tell-them
summary: Tells people about instances | and buckets
why: So that they know
runbook: https://wiki.example/tell
params: {age: {type: duration, default: 36h}}
on:
  imported:
    match:
      Severity: {Label: [CRITICAL, {prefix: HI}]}
      Resources: {Type: [AwsEc2Instance]}
  custom_action: {id: TellThem, name: Tell them, description: Sends a message}
only_if: ["finding.severity >= 'MEDIUM'"]
always_if: ["tag('priority') == 'urgent'"]
quiet: 2h
steps:
  - id: coverage
    uses: vision_one.check_coverage
    with: {stale_after: "{{ params.age }}"}
  - id: ticket
    uses: ticket.open
    if: coverage.verdict == 'UNPROTECTED'
    on_error: continue
    with: {in: tickets, template: note.md.j2}
  - {id: tell, uses: notify, with: {to: chat, template: note.md.j2}}
tests:
  - {name: it tells, event: one.json, expect: {tell: sent}}
"""
CONNECTIONS = """\
connections:
  slack-a: {type: slack, channel: C0123456789}
  topic: {type: sns}
  tickets: {type: opscenter}
  vision-one: {type: vision_one}
routes:
  chat: {by: finding.account.id, to: {"444455556666": slack-a}, default: topic}
"""
FILES = {
    "playbooks/tell-them/playbook.yaml": PLAYBOOK,
    "playbooks/tell-them/templates/note.en.md.j2": "# {{ incident.severity }}\n",
    "playbooks/tell-them/templates/note.ja.md.j2": "# {{ coverage.summary }} {{ now }}\n",
    "playbooks/tell-them/tests/more.yaml": "- {name: it tells more, expect: {matched: false}}\n",
    "playbooks/connections.yaml": CONNECTIONS,
    "playbooks/settings.yaml": "owner: us\n",
    "playbooks/settings.dev.yaml": "owner: them\nplaybooks: {tell-them: {mode: observe}}\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path

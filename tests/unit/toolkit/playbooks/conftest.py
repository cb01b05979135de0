"""A small project that is right; tests break one thing in it."""

from __future__ import annotations

from pathlib import Path

import pytest

PLAYBOOK = """\
format: 1
name: tell-them
summary: Tells people about instances
params: {urgency: {type: text, default: high}, age: {type: duration, default: 36h}}
on:
  imported:
    match:
      Severity: {Label: [CRITICAL]}
      Resources: {Type: [AwsEc2Instance]}
  custom_action: {id: TellThem, name: Tell them, description: Sends a message}
steps:
  - id: ticket
    uses: ticket.open
    with: {in: tickets, template: note.md.j2}
  - id: tell
    uses: notify
    if: ticket.opened
    with: {to: chat, template: note.md.j2}
"""
CONNECTIONS = """\
connections:
  chat: {type: sns}
  tickets: {type: opscenter}
"""
TEMPLATE = "# {{ incident.severity }} on {{ incident.resource.id }}\n"


class Project:
    """A project folder whose files are text."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("playbooks/tell-them/playbook.yaml", PLAYBOOK)
        self.write("playbooks/tell-them/templates/note.md.j2", TEMPLATE)
        self.write("playbooks/connections.yaml", CONNECTIONS)
        self.write("playbooks/settings.yaml", "owner: us\n")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def replace(self, old: str, new: str, name: str = "playbooks/tell-them/playbook.yaml") -> None:
        """Change one place of a file; the place must be there once."""
        text = (self.root / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {name}"
        self.write(name, text.replace(old, new))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)

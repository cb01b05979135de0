"""A project without playbooks: settings, and connections as they are at first."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "playbooks/settings.yaml": "owner: cloud-security\nlanguage: en\ntimezone: UTC\n",
    "playbooks/connections.yaml": """\
connections:
  vision-one: {type: vision_one, region: us}
  soc-chat: {type: sns}
  soc-tickets: {type: opscenter}
""",
    "playbooks/connections.sandbox.yaml": """\
connections:
  slack-bot: {type: slack, channel: C0SANDBOX01}
  amazon-q: {type: sns}
  jira-sec: {type: jira, url: https://sandbox.atlassian.net, project: SEC, issue_type: Task}
routes:
  soc-chat: {by: finding.account.id, to: {"444455556666": amazon-q}, default: slack-bot}
  soc-tickets: {by: finding.account.id, to: {}, default: jira-sec}
""",
}


def make(root: Path) -> Path:
    """Write the project; returns ``root``."""
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    (root / "events").mkdir()
    return root

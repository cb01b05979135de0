"""Twenty playbooks that match the same findings: each does its own, and none hears the others."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from live import Live, apart, lay_out

NAMES = [f"watch-{number:02}" for number in range(20)]
PLAYBOOK = """\
format: 1
name: NAME
summary: Takes note of each instance
on: {imported: {match: {ProductName: [Inspector]}}}
steps:
  - {id: tell, uses: notify, with: {to: hook, template: note.md.j2}}
  - {id: answer, uses: finding.update, with: {workflow: NOTIFIED, note: seen by NAME}}
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("many")
    files = {
        "connections.yaml": "connections:\n  hook: {type: webhook, url: 'https://x.example.com/h'}\n",
        "settings.yaml": "owner: tests\n",
    }
    for name in NAMES:
        files[f"{name}/playbook.yaml"] = PLAYBOOK.replace("NAME", name)
        files[f"{name}/templates/note.md.j2"] = f"# {name}: {{{{ incident.resource.id }}}}\n"
    return lay_out(root, files)


def test_twenty_playbooks_on_the_same_findings_do_not_hinder_each_other(own: Path) -> None:
    with apart(own) as live:
        instances = [live.instance() for _ in range(3)]
        findings = [live.finding(instances[n % 3], ProductName="Inspector") for n in range(6)]
        live.imported(*findings)
        live.settle()
        assert told(live, instances) == {
            (name, instance): 1 for name in NAMES for instance in instances
        }
        for finding in findings:
            held = live.held(finding)
            assert held["Workflow"] == {"Status": "NOTIFIED"}
            assert "seen by watch-" in held["Note"]["Text"]
        records = live.control("GET", "audit")
        rounds = Counter(one["playbook"] for one in records if one["kind"] == "finished")
        assert rounds == dict.fromkeys(NAMES, 3), "no round began because of another's note"
        assert live.control("GET", "dlq") == []


def told(live: Live, instances: list[str]) -> Counter[tuple[str, str]]:
    """How often each playbook told of each instance."""
    return Counter(
        (name, instance)
        for one in live.control("GET", "inbox")
        for name in NAMES
        for instance in instances
        if f"{name}: " in str(one["body"]) and instance in str(one["body"])
    )

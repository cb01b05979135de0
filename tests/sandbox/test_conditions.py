"""Playbooks of one's own: conditions, observing, schedules, and what is told of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub_toolkit.cli import application
from live import Live, apart, lay_out

NOTE = "# {{ incident.severity }} on {{ incident.resource.id }}\n"
PLAYBOOKS = {
    "picky": """\
format: 1
name: picky
summary: Tells of what is severe, and of whatever is urgent
why: agreed with operations
on:
  imported: {match: {ProductFields: {aws/securityhub/ProductName: [Inspector]}}}
  custom_action: {id: Picky, name: Picky, description: Tells of it}
only_if: ["finding.severity >= 'HIGH'", "table.environments[finding.account.id] != 'dev'"]
always_if: ["tag('priority') == '緊急'"]
steps: [{id: tell, uses: notify, with: {to: amazon-q, template: note.md.j2}}]
""",
    "watching": """\
format: 1
name: watching
summary: Would tell of everything
on:
  imported: {match: {ProductFields: {aws/securityhub/ProductName: [Inspector]}}}
steps: [{id: tell, uses: notify, with: {to: amazon-q, template: note.md.j2}}]
""",
    "weekly": """\
format: 1
name: weekly
summary: Tells how many there are
on: {schedule: {cron: 0 9 ? * MON *}}
group_by: []
steps: [{id: tell, uses: notify, with: {to: amazon-q, template: note.md.j2}}]
""",
}
PLAYBOOKS["off"] = PLAYBOOKS["picky"].replace("name: picky", "name: off").replace("Picky", "Off")
FILES = {
    "connections.yaml": "connections:\n  amazon-q: {type: sns}\n",
    "settings.sandbox.yaml": "playbooks:\n  off: {enabled: false}\n",
    "settings.yaml": "playbooks:\n  watching: {mode: observe}\n",
    "tables/environments.yaml": '"111122223333": prod\n"333344445555": dev\n',
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with these playbooks."""
    root = tmp_path_factory.mktemp("own")
    own = {f"{name}/playbook.yaml": text for name, text in PLAYBOOKS.items()}
    notes = {f"{name}/templates/note.md.j2": NOTE for name in PLAYBOOKS}
    return lay_out(root, {**FILES, **own, **notes})


@pytest.fixture(scope="module")
def own(root: Path) -> Iterator[Live]:
    with apart(root) as live:
        yield live


def inspector(live: Live, label: str, **options: Any) -> dict[str, Any]:
    made = live.finding(live.instance(), Severity={"Label": label}, **options)
    made["ProductFields"] = {"aws/securityhub/ProductName": "Inspector"}
    return made


def records(live: Live, one: dict[str, Any], playbook: str, *kinds: str) -> list[dict[str, Any]]:
    return [found for found in live.records(one, *kinds) if found["playbook"] == playbook]


def about(one: dict[str, Any]) -> str:
    return str(one["Resources"][0]["Id"])


def run(live: Live, *words: str) -> Any:
    """A command of the toolkit against the sandbox."""
    options = ["--json", "--endpoint", live.endpoint, "--stack", "hub-responder"]
    done = CliRunner().invoke(application(), [*words, *options])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_conditions_choose_and_their_values_are_recorded(own: Live) -> None:
    low, high = inspector(own, "LOW"), inspector(own, "HIGH")
    urgent, dev = inspector(own, "LOW"), inspector(own, "CRITICAL", account="333344445555")
    urgent["Resources"][0]["Tags"] = {"priority": "緊急"}
    for one in (low, high, dev):
        one["Resources"][0]["Tags"] = {"priority": "normal"}
    own.imported(low, high, urgent, dev)
    assert [len(own.messages(about(one))) for one in (low, high, urgent, dev)] == [0, 1, 1, 0]
    (skipped,) = records(own, dev, "picky", "skipped")
    assert skipped["detail"] == "not so: table.environments[finding.account.id] != 'dev'"
    assert list(skipped["conditions"].values()) == [False, True, False]
    (decided,) = records(own, urgent, "picky", "decided")
    assert decided["conditions"] == {"tag('priority') == '緊急'": True}


def test_a_click_on_what_conditions_pass_over_is_answered_on_the_finding(own: Live) -> None:
    low = inspector(own, "LOW")
    low["Resources"][0]["Tags"] = {"priority": "normal"}
    own.imported(low)
    own.control("POST", "click", {"action_id": "Picky", "finding_ids": [low["Id"]]})
    own.settle()
    note = own.held(low)["Note"]["Text"]
    assert note == "picky passed this over: not so: finding.severity >= 'HIGH'"
    assert own.messages(about(low)) == []


def test_what_observes_sends_nothing_and_tells_what_it_would_have_done(own: Live) -> None:
    low = inspector(own, "LOW")
    low["Resources"][0]["Tags"] = {"priority": "normal"}
    own.imported(low)
    assert own.messages(about(low)) == []
    found = [one for one in run(own, "observed", "watching") if about(low) in one["would"]]
    assert [(one["step"], one["findings"]) for one in found] == [("tell", 1)]
    assert found[0]["would"].startswith("would send to amazon-q: LOW on ")


def test_what_the_stage_disables_has_no_rules_and_no_button(own: Live) -> None:
    actions = own.client("securityhub").describe_action_targets()["ActionTargets"]
    assert [action["Name"] for action in actions] == ["Picky"]
    rules = own.client("events").list_rules(NamePrefix="hub-responder-off-")["Rules"]
    assert rules == []


def test_a_scheduled_run_tells_once(own: Live) -> None:
    before = len(own.messages("AWS::::Account:"))
    own.control("POST", "tick", {"function": "weekly"})
    own.settle()
    assert len(own.messages("AWS::::Account:")) == before + 1


def test_a_review_says_what_each_playbook_did_and_what_to_look_at(own: Live, root: Path) -> None:
    one = inspector(own, "HIGH")
    one["Resources"][0]["Tags"] = {"priority": "normal"}
    own.imported(one)
    told = run(own, "review", "--root", str(root), "--stage", "sandbox")
    by_name = {found["name"]: found for found in told["playbooks"]}
    assert by_name["picky"]["findings"] >= 1
    assert by_name["picky"]["done"] >= 1
    assert by_name["watching"]["state"] == "observe"
    assert by_name["watching"]["observed"] >= 1
    assert "no reason is given: `why`" in by_name["watching"]["remarks"]
    assert by_name["picky"]["why"] == "agreed with operations"
    assert told["suppressions"] == []

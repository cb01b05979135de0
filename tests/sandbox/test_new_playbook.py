"""A folder is all it takes: a new playbook in a copy of the project works, and goes again whole.

"Adding ``playbooks/NAME/`` and ``hub-responder synth`` is all."
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub_toolkit.cli import application
from live import Live, apart

PROJECT = Path(__file__).parents[2]
NAME = "brand-new"
PRODUCT = "Example Scanner"
"""Of which no other playbook knows."""
STACK = "hub-responder"
PARTS = ("playbooks", "events", "functions", "docs")
FILES = ("pyproject.toml", "requirements.lock", "template.yaml")


def _run(root: Path, *arguments: str) -> None:
    result = CliRunner().invoke(application(), [*arguments, "--root", str(root)])
    assert result.exit_code == 0, result.output


def _add(root: Path) -> None:
    subject = ["--trigger", "imported,click", "--product", PRODUCT, "--severity", "MEDIUM"]
    _run(root, "playbook", "new", NAME, *subject)
    _run(root, "synth")


def _copy(root: Path) -> Path:
    """What a project is made of, with all that is generated up to date."""
    for name in PARTS:
        shutil.copytree(PROJECT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copyfile(PROJECT / name, root / name)
    _run(root, "synth")
    return root


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with a playbook more, as two commands leave it."""
    root = _copy(tmp_path_factory.mktemp("project"))
    _add(root)
    return root


@pytest.fixture(scope="module")
def added(root: Path) -> Iterator[Live]:
    with apart(root) as live:
        yield live


def _files(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def _threat(live: Live, **fields: Any) -> dict[str, Any]:
    product = {"aws/securityhub/ProductName": PRODUCT}
    severity = {"Severity": {"Label": "MEDIUM"}}
    return live.finding(live.instance(), **{"ProductFields": product, **severity, **fields})


def test_its_rules_queues_and_action_target_are_there(added: Live) -> None:
    rules = added.client("events").list_rules(NamePrefix=f"{STACK}-{NAME}")["Rules"]
    assert sorted(rule["Name"] for rule in rules) == [
        f"{STACK}-{NAME}-action",
        f"{STACK}-{NAME}-imported",
        f"{STACK}-{NAME}-lifecycle",
    ]
    queues = added.client("sqs").list_queues(QueueNamePrefix=f"{STACK}-{NAME}")["QueueUrls"]
    names = sorted(url.rpartition("/")[2] for url in queues)
    assert names == [f"{STACK}-{NAME}-clicks", f"{STACK}-{NAME}-imports"]
    targets = added.client("securityhub").describe_action_targets()["ActionTargets"]
    assert {"BrandNew"} <= {one["ActionTargetArn"].rpartition("/")[2] for one in targets}


def test_its_lambda_and_role_are_in_the_template(root: Path, added: Live) -> None:
    template = (root / "template.yaml").read_text(encoding="utf-8")
    for part in ("Function", "Role", "Layer", "LogGroup", "ActionTarget", "ImportedRule"):
        assert f"\n  BrandNew{part}:\n" in template
    assert f'- "{NAME}#*"' in template  # its own part of the ledger only
    assert f"../playbooks/{NAME}/README.md" in (root / "docs/playbooks.md").read_text("utf-8")


def test_it_acts_on_an_imported_finding(added: Live) -> None:
    finding = _threat(added)
    added.imported(finding)
    assert added.held(finding)["Workflow"] == {"Status": "NOTIFIED"}
    instance = finding["Resources"][0]["Id"].rpartition("/")[2]
    assert [one["connection"] for one in added.messages(instance)] == ["slack-bot"]
    assert len(added.tickets(instance)) == 1
    assert added.verdict(finding)["verdict"] == "UNPROTECTED"


def test_it_leaves_other_findings_alone(added: Live) -> None:
    finding = _threat(added, Severity={"Label": "LOW"})
    added.imported(finding)
    assert added.records(finding) == []
    assert added.held(finding).get("Workflow", {}).get("Status", "NEW") == "NEW"


def test_its_button_answers_on_the_finding(added: Live) -> None:
    finding = _threat(added, Severity={"Label": "LOW"})
    added.imported(finding)
    added.control("POST", "click", {"action_id": "BrandNew", "finding_ids": [finding["Id"]]})
    added.settle()
    held = added.held(finding)
    assert held["Note"]["Text"].startswith("UNPROTECTED")
    assert held["Workflow"] == {"Status": "NOTIFIED"}


def test_its_own_event_is_handled(root: Path, added: Live) -> None:
    event = root / "playbooks" / NAME / "tests" / "example-scanner-finding.json"
    command = ["run", str(event), "--json", "--endpoint", added.endpoint]
    result = CliRunner().invoke(application(), command)
    assert result.exit_code == 0, result.output
    ours = [one for one in json.loads(result.stdout) if one["playbook"] == NAME]
    assert [(one["status"], one["verdict"]) for one in ours] == [("done", "UNPROTECTED")]


def test_removing_the_folder_removes_all_of_it(tmp_path: Path) -> None:
    root = _copy(tmp_path)
    before = _files(root)
    _add(root)
    changed = {name for name, content in _files(root).items() if before.get(name) != content}
    assert {"template.yaml", "docs/playbooks.md", f"playbooks/{NAME}/playbook.yaml"} <= changed
    shutil.rmtree(root / "playbooks" / NAME)
    _run(root, "synth")
    assert _files(root) == before

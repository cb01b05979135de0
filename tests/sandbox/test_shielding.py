"""The playbooks of docs/shielding.md, through the real template, handlers and workers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from documents import files
from hub_toolkit.synth import generated
from live import ACCOUNT, Live, apart
from workload import computer, ips, rule

PROJECT = Path(__file__).parents[2]
SHIELD, ISOLATE = "ShieldInstance", "IsolateInstance"
CVE, NONE = "CVE-2026-1111", "CVE-2026-3333"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A sandbox with the two playbooks alone."""
    root = tmp_path_factory.mktemp("project")
    told = (PROJECT / "docs" / "shielding.md").read_text(encoding="utf-8")
    for path, text in files(told).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    (root / "playbooks" / "connections.yaml").write_text(
        "connections:\n"
        "  vision-one: {type: vision_one, workload_security: workload, isolation: true}\n"
        "  workload: {type: workload_security, key: console}\n"
        "  soc-chat: {type: slack, channel: C0SANDBOX01}\n"
    )
    (root / "playbooks" / "settings.yaml").write_text("owner: us\nlanguage: ja\n")
    shutil.copytree(PROJECT / "functions" / "hub_responder", root / "functions" / "hub_responder")
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copyfile(PROJECT / name, root / name)
    generated.write(root)
    with apart(root) as live:
        yield live


def vulnerable(live: Live, instance: str) -> dict[str, Any]:
    """A finding that no rule of EventBridge matches, held by Security Hub."""
    named = [{"Id": CVE}, {"Id": NONE}]
    finding = live.finding(instance, Vulnerabilities=named)
    live.imported(finding)
    return finding


def hold(live: Live, instance: str, number: int) -> None:
    """Server & Workload Protection knows the instance, without rules, and one rule for `CVE`."""
    fresh = {"lastAgentCommunication": "-PT5M"}
    live.control("PUT", "workload_security/rules", [rule(11, CVE)])
    held = computer(instance, ACCOUNT, ID=number, **ips(rules=[]), **fresh)
    live.control("PUT", "workload_security/computers", [held])


def rules(live: Live, number: int) -> list[int]:
    """The rules that the computer has now, as the simulator tells anybody with the key."""
    secrets = live.client("secretsmanager")
    held = secrets.get_secret_value(SecretId="hub-responder/sandbox/workload")["SecretString"]
    answer = requests.get(
        f"{live.endpoint}/_vendors/workload/api/computers/{number}/intrusionprevention/assignments",
        headers={"api-secret-key": json.loads(held)["api_key"], "api-version": "v1"},
        timeout=30,
    )
    found: list[int] = answer.json()["assignedRuleIDs"]
    return found


def sent(live: Live, connection: str, about: str) -> list[dict[str, Any]]:
    """What left for a connection and names ``about`` in its path or body."""
    found: list[dict[str, Any]] = live.control("GET", "inbox")
    return [
        one
        for one in found
        if one["connection"] == connection and about in one["path"] + json.dumps(one["body"])
    ]


def result(live: Live, finding: dict[str, Any], step: str) -> dict[str, Any]:
    """How a step ended at last: its status and result."""
    ended = [one for one in live.records(finding, "outcome") if one["step"] == step]
    assert ended, "the step did not run"
    return {"ended": ended[-1]["status"], **ended[-1].get("result", {})}


@pytest.mark.parametrize("kill", ["", "before_effect", "after_effect"])
def test_a_click_assigns_the_missing_rules_once(own: Live, kill: str) -> None:
    instance, number = own.instance(), len(kill) + 1
    finding = vulnerable(own, instance)
    hold(own, instance, number)
    if kill:
        own.fault(target="lambda", kill=kill, times=1)
    own.clicked(finding, action=SHIELD)
    assert rules(own, number) == [11]
    ended = result(own, finding, "shield")
    assert (ended["ended"], ended["sent"], ended["to_patch"]) == ("done", [CVE], [NONE])
    assert len(sent(own, "workload", f"/computers/{number}/")) == 1
    (message,) = own.messages(instance)
    assert "残る対応:パッチ適用の計画" in json.dumps(message["body"], ensure_ascii=False)
    assert "残る対応:パッチ適用の計画" in own.held(finding)["Note"]["Text"]
    assert own.control("GET", "dlq") == []


def test_a_second_click_writes_nothing_more(own: Live) -> None:
    instance = own.instance()
    finding = vulnerable(own, instance)
    hold(own, instance, 77)
    own.clicked(finding, action=SHIELD)
    own.clicked(finding, action=SHIELD)
    assert len(sent(own, "workload", "/computers/77/")) == 1
    assert result(own, finding, "shield")["there"] == [11]


@pytest.mark.parametrize("kill", ["", "before_effect", "after_effect"])
def test_a_click_isolates_the_instance_through_one_task(own: Live, kill: str) -> None:
    instance = own.instance()
    own.protect(instance)
    finding = vulnerable(own, instance)
    before = len(sent(own, "vision-one", "/endpoints/isolate"))
    if kill:
        own.fault(target="lambda", kill=kill, times=1)
    own.clicked(finding, action=ISOLATE)
    ended = result(own, finding, "isolate")
    assert ended["ended"] == "done"
    assert ended["status"] in ("succeeded", "already")
    assert len(sent(own, "vision-one", "/endpoints/isolate")) == before + 1
    assert "隔離" in own.held(finding)["Note"]["Text"]
    (message,) = own.messages(instance)
    assert "隔離" in json.dumps(message["body"], ensure_ascii=False)
    assert own.control("GET", "dlq") == []


def test_an_instance_that_is_not_sure_is_left_and_the_click_is_answered(own: Live) -> None:
    instance = own.instance()
    own.protect(instance, account="999988887777")
    finding = vulnerable(own, instance)
    own.clicked(finding, action=ISOLATE)
    assert result(own, finding, "isolate")["ended"] == "failed"
    assert sent(own, "vision-one", instance) == []
    assert own.held(finding)["Note"]["Text"]

"""``hub-responder run`` and ``sandbox up`` as people and programs use them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import Result as Ran
from typer.testing import CliRunner

from hub_toolkit.cli import application
from live import ACCOUNT, Live, environment

PROJECT = Path(__file__).parents[2]
KEYS = {
    "event",
    "playbook",
    "incident",
    "finding_ids",
    "status",
    "verdict",
    "steps",
    "audit_records",
}


def event(live: Live, *findings: dict[str, Any], **fields: Any) -> dict[str, Any]:
    detail_findings = [
        {
            "RecordState": "ACTIVE",
            "Workflow": {"Status": "NEW"},
            "ProductFields": {"aws/securityhub/ProductName": "Inspector"},
            **finding,
        }
        for finding in findings
    ]
    return {
        "version": "0",
        "id": f"e-{live.instance()}",
        "detail-type": "Security Hub Findings - Imported",
        "source": "aws.securityhub",
        "account": ACCOUNT,
        "time": "2026-11-22T00:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {"findings": detail_findings},
        **fields,
    }


def run(live: Live, *arguments: object) -> Ran:
    """The command against the shared sandbox."""
    words = ["run", *map(str, arguments), "--endpoint", live.endpoint]
    return CliRunner().invoke(application(), words)


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_json_is_the_contract_and_nothing_else(live: Live, tmp_path: Path) -> None:
    instance = live.instance()
    finding = live.finding(instance)
    path = write(tmp_path / "one.json", event(live, finding))
    done = run(live, path, "--json")
    assert done.exit_code == 0, done.output
    (entry,) = json.loads(done.stdout)
    assert set(entry) == KEYS
    assert (entry["event"], entry["playbook"]) == ("one.json", "inspector-coverage")
    assert (entry["status"], entry["verdict"]) == ("done", "UNPROTECTED")
    assert entry["finding_ids"] == [finding["Id"]]
    assert [step["id"] for step in entry["steps"]] == ["coverage", "ticket", "tell", "answer"]
    assert {step["status"] for step in entry["steps"]} == {"done"}
    assert entry["audit_records"] > 5
    assert len(live.messages(instance)) == 1


def test_an_event_that_no_rule_wants_has_one_entry(live: Live, tmp_path: Path) -> None:
    finding = live.finding(live.instance(), Severity={"Label": "LOW"})
    done = run(live, write(tmp_path / "low.json", event(live, finding)), "--json")
    (entry,) = json.loads(done.stdout)
    assert (done.exit_code, entry["playbook"], entry["status"]) == (0, None, "no_match")


def test_a_bad_file_is_named_and_the_others_still_run(live: Live, tmp_path: Path) -> None:
    good = write(tmp_path / "good.json", event(live, live.finding(live.instance())))
    write(tmp_path / "empty.json", "")
    write(tmp_path / "large.json", " " * 10_000_000)
    write(tmp_path / "no-json.json", "{")
    write(tmp_path / "other.json", {"source": "aws.ec2"})
    done = run(live, tmp_path, "--json")
    assert done.exit_code == 2
    assert [entry["event"] for entry in json.loads(done.stdout)] == [good.name]
    for name in ("empty.json", "large.json", "no-json.json", "other.json"):
        assert f"{tmp_path / name}: " in done.stderr


def test_an_event_that_nobody_can_read_failed(live: Live, tmp_path: Path) -> None:
    finding = {"Severity": {"Label": "HIGH"}, "Resources": [{"Type": "AwsEc2Instance"}]}
    done = run(live, write(tmp_path / "odd.json", event(live, finding)), "--json")
    (entry,) = json.loads(done.stdout)
    assert (done.exit_code, entry["status"]) == (1, "failed")


def test_no_sandbox_at_the_address_is_exit_2(tmp_path: Path, live: Live) -> None:
    path = write(tmp_path / "one.json", event(live, live.finding("i-1")))
    for endpoint in ("http://127.0.0.1:1", "nonsense"):
        words = ["run", str(path), "--endpoint", endpoint]
        done = CliRunner().invoke(application(), words)
        assert done.exit_code == 2
        assert endpoint in done.stderr


def test_the_table_tells_what_happened_and_where_to_look(live: Live, tmp_path: Path) -> None:
    instance = live.instance()
    path = write(tmp_path / "one.json", event(live, live.finding(instance)))
    done = run(live, path)
    assert done.exit_code == 0
    for text in (
        instance,
        "UNPROTECTED",
        "slack-bot",
        "SEC-",
        "NEW -> NOTIFIED",
        "/_sandbox/inbox",
    ):
        assert text in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_sandbox_says_where_it_is_and_leaves_no_process_behind(number: signal.Signals) -> None:
    code = "from hub_toolkit.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "sandbox", "up", "--json"],
        stdout=subprocess.PIPE,
        cwd=PROJECT,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        where = json.loads(process.stdout.readline())
        assert where["endpoint"].startswith("http://127.0.0.1:")
        assert (where["region"], where["account"]) == ("us-east-1", ACCOUNT)
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        process.send_signal(number)
        assert process.wait(30) == 0
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []


def test_playbooks_of_a_team_run_beside_ours_without_a_template_of_their_own(
    tmp_path: Path,
) -> None:
    ours = tmp_path / "ours" / "notify-team" / "playbook.yaml"
    ours.parent.mkdir(parents=True)
    theirs = (PROJECT / "playbooks" / "notify-team" / "playbook.yaml").read_text(encoding="utf-8")
    renamed = theirs.replace("id: tell", "id: say").replace("tell.", "say.").partition("tests:")[0]
    ours.write_text(renamed.replace("name: NotifyTeam", "name: Of ours"), encoding="utf-8")
    words = ["run", str(PROJECT / "events" / "click-notify-team.json"), "--json"]
    words += ["--playbooks", f"{PROJECT / 'playbooks'}:{tmp_path / 'ours'}", "--root", str(PROJECT)]
    ran = subprocess.run(
        [sys.executable, "-c", "from hub_toolkit.cli import main; main()", *words],
        env=environment(), capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    (row,) = json.loads(ran.stdout)
    assert row["status"] == "done"
    assert [step["id"] for step in row["steps"]] == ["say", "answer"]

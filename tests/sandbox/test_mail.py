"""E-mail end to end: through SES and a mail server, what bounces, and what breaks half-way."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from hub_toolkit.cli import application
from live import ACCOUNT, FINANCE, HOOK, Live, apart

PROJECT = Path(__file__).parents[2]
BOUNCES = "bounce@simulator.amazonses.com"
CONNECTIONS: dict[str, Any] = {
    "connections": {
        "server": {
            "type": "smtp",
            "host": "smtp.example.com",
            "sender": "soc@example.com",
            "to": ["a@example.com"],
        },
        "ses": {
            "type": "ses",
            "sender": "soc@example.com",
            "to": ["a@example.com", BOUNCES],
            "configuration_set": "soc",
            "fallback": "backup",
            "language": "ja",
        },
        "backup": {"type": "slack_webhook"},
    },
    "routes": {
        "soc-chat": {"by": "finding.account.id", "to": {FINANCE: "ses"}, "default": "server"}
    },
}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A sandbox whose chat is e-mail: SES for one account, a mail server for the others."""
    root = tmp_path_factory.mktemp("project")
    for name in ("playbooks", "events", "functions", "docs"):
        ignore = shutil.ignore_patterns("__pycache__", "connections.sandbox.yaml")
        shutil.copytree(PROJECT / name, root / name, ignore=ignore)
    for name in ("pyproject.toml", "requirements.lock", "template.yaml"):
        shutil.copyfile(PROJECT / name, root / name)
    path = root / "playbooks" / "connections.yaml"
    held = yaml.safe_load(path.read_text("utf-8"))
    held["connections"].pop("soc-chat")
    held["connections"] |= CONNECTIONS["connections"]
    held["routes"] = {
        **{name: {**one, "default": "server"} for name, one in held["routes"].items()},
        **CONNECTIONS["routes"],
    }
    path.write_text(json.dumps(held), encoding="utf-8")
    result = CliRunner().invoke(application(), ["synth", "--root", str(root)])
    assert result.exit_code == 0, result.output
    with apart(root) as made:
        yield made


def told(live: Live, finding: dict[str, Any], *systems: str) -> list[dict[str, Any]]:
    """What went to these systems about a finding's instance, in its order."""
    instance = finding["Resources"][0]["Id"].rpartition("/")[2]
    return [
        one
        for one in live.control("GET", "inbox")
        if one["system"] in systems and instance in json.dumps(one["body"])
    ]


def test_a_mail_server_gets_the_message_over_tls_from_a_function(live: Live) -> None:
    live.reset()
    finding = live.finding(live.instance())
    live.imported(finding)
    (mail,) = told(live, finding, "smtp")
    assert (mail["connection"], mail["body"]["to"]) == ("server", ["a@example.com"])
    assert "UNPROTECTED" in mail["body"]["subject"]
    assert ACCOUNT in mail["body"]["text"]
    assert '<html lang="en">' in mail["body"]["html"]


@pytest.mark.parametrize("reset", ["before", "after"])
def test_a_message_whose_answer_was_lost_comes_again_with_the_same_id(
    live: Live, reset: str
) -> None:
    live.reset()
    live.fault(target="smtp", reset=reset)
    finding = live.finding(live.instance(), account=HOOK)
    live.imported(finding)
    mails = told(live, finding, "smtp")
    assert len(mails) == (2 if reset == "after" else 1)
    assert len({mail["body"]["headers"]["Message-ID"] for mail in mails}) == 1


def test_what_bounced_is_told_and_goes_through_the_fallback(live: Live) -> None:
    live.reset()
    finding = live.finding(live.instance(), account=FINANCE)
    live.imported(finding)
    (mail,) = told(live, finding, "ses")
    assert mail["connection"] == "ses"
    assert "【未保護】" in mail["body"]["subject"]
    assert '<html lang="ja">' in mail["body"]["html"]
    live.settle()
    (again,) = told(live, finding, "slack")
    assert again["connection"] == "backup"
    assert f"did not reach {BOUNCES}" in json.dumps(again["body"])
    audit = live.control("GET", "audit")
    (record,) = [one for one in audit if one["kind"] == "returned"]
    assert "sent through backup, the fallback; told the default connection" in record["detail"]
    begun = [one for one in audit if one.get("incident") == record["incident"]]
    assert {"opened", "attempt", "outcome"} <= {one["kind"] for one in begun}

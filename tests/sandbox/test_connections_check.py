"""``connections check`` against a sandbox that is up, well and with faults."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from hub_toolkit.cli import application
from live import Live

from .conftest import PROJECT


def checked(live: Live, *words: str) -> tuple[int, dict[str, list[dict[str, str]]]]:
    """The exit code, and what is told of each connection."""
    command = ["connections", "check", *words, "--json", "--stage", "sandbox"]
    command += ["--endpoint", live.endpoint, "--root", str(PROJECT)]
    result = CliRunner().invoke(application(), command)
    assert result.exit_code in (0, 1), result.output
    return result.exit_code, {one["name"]: one["told"] for one in json.loads(result.stdout)}


def test_all_connections_of_a_sandbox_are_well_and_nothing_is_sent(live: Live) -> None:
    before = live.control("GET", "inbox")
    code, told = checked(live)
    assert code == 0
    assert {one["state"] for some in told.values() for one in some} <= {
        *("good", "warning", "unproved"),
    }
    assert set(told) >= {"slack-bot", "jira-sec", "amazon-q", "ops", "vision-one"}
    assert live.control("GET", "inbox") == before


def test_a_test_message_arrives(live: Live) -> None:
    before = live.control("GET", "inbox")
    code, told = checked(live, "slack-bot", "amazon-q", "--send-test")
    assert code == 0
    assert told["slack-bot"][-1]["said"] == "delivered"
    assert told["amazon-q"][-1]["said"].startswith("accepted")
    sent = live.control("GET", "inbox")[len(before) :]
    assert sorted(one["connection"] for one in sent) == ["amazon-q", "slack-bot"]
    assert all("TEST of hub-responder" in json.dumps(one["body"]) for one in sent)


@pytest.mark.parametrize(
    ("target", "connection", "do"),
    [
        ("jira", "jira-sec", "is the secret right"),
        ("vision_one", "vision-one", "Endpoint Inventory: View"),
        ("workload_security", "workload-security", "the role Auditor"),
        ("ssm", "ops", "ssm:DescribeOpsItems"),
        ("sns", "amazon-q", "sns:GetTopicAttributes"),
    ],
)
def test_a_refusal_is_told_with_what_to_do(
    live: Live, target: str, connection: str, do: str
) -> None:
    live.control("POST", "faults", [{"target": target, "status": 403, "times": 9}])
    code, told = checked(live, connection)
    assert code == 1
    last = told[connection][-1]
    assert (last["what"], last["state"]) == ("access", "failed")
    assert do in last["do"]

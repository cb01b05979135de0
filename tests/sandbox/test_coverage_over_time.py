"""What the walks leave behind, asked as an operator asks: now, at a moment, and over time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from hub_toolkit.cli import application
from hub_toolkit.sandbox import estate
from live import ACCOUNT, FINANCE, SPEED, Live

APP, WEB = "i-0b2c3d4e5f6071829", "i-0a1b2c3d4e5f60718"


@pytest.fixture(autouse=True)
def in_real_time(live: Live) -> Iterator[None]:
    """A command takes no simulated hours."""
    live.control("POST", "clock", {"speed": 1})
    yield
    live.control("POST", "clock", {"speed": SPEED})


def walk(live: Live) -> float:
    """Walk now; when that was."""
    told = live.control("POST", "tick", {"function": "inventory"})["result"]["vision-one"]
    assert told["error"] == ""
    return float(told["read_at"])


def stop_agent(live: Live, instance: str) -> None:
    endpoints = estate.load().vision_one.endpoints
    for item in endpoints:
        agent = item.get("eppAgent") or {}
        if (agent.get("virtualMachineDetails") or {}).get("cloudInstanceId") == instance:
            agent["status"] = "off"
    live.control("PUT", "vision_one/endpoints", endpoints)


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def run(live: Live, *words: str) -> tuple[int, Any]:
    """A command against the sandbox: its exit code, and what it printed as JSON."""
    options = ["--json", "--endpoint", live.endpoint, "--stage", "sandbox"]
    done = CliRunner().invoke(application(), [*words, *options])
    assert done.stdout, done.stderr
    return done.exit_code, json.loads(done.stdout)


def test_what_changed_between_two_walks_is_told_for_the_moment_and_the_range(live: Live) -> None:
    first = walk(live)
    live.control("POST", "clock", {"advance_s": 3600})
    stop_agent(live, APP)
    second = walk(live)

    code, found = run(live, "coverage", APP, "--at", iso(first + 60))
    (one,) = found["instances"]
    assert code == 0
    assert (one["before"]["verdict"], one["before"]["computer"]) == ("PROTECTED", 111)
    assert (one["after"]["verdict"], one["after"]["reasons"]) == ("DEGRADED", ["offline"])
    assert found["after"] == iso(int(second)).replace("+00:00", "Z")

    code, report = run(live, "inventory", "report", "--from", iso(first - 1))
    assert code == 0
    assert report["unit"] == "hour"
    assert report["ends"]["taken_at"] == found["after"]
    lost = {each["instance"]: each for each in report["lost"]}
    assert lost[APP]["verdict"] == "DEGRADED"
    assert lost[APP]["account"] == ACCOUNT
    before = report["begins"]["all"]["protected"]
    assert report["ends"]["all"]["protected"] == before - 1


def test_an_instance_is_judged_now_by_the_code_that_playbooks_run(live: Live) -> None:
    walk(live)
    code, found = run(live, "coverage", APP, "web-01")
    app, web = found["instances"]
    assert code == 0
    assert app["coverage"]["verdict"] == "PROTECTED"
    assert app["coverage"]["summary"].startswith("PROTECTED: Vision One agent running")
    assert (app["state"], app["account"]) == ("running", ACCOUNT)
    assert (web["instance"], web["coverage"]["verdict"]) == (WEB, "UNPROTECTED")
    stop_agent(live, APP)
    _, found = run(live, "coverage", APP)  # which no snapshot knows yet
    assert found["instances"][0]["coverage"]["reasons"] == ["offline"]


@pytest.mark.parametrize("status", [403, 500])
def test_what_vision_one_does_not_tell_is_no_answer(live: Live, status: int) -> None:
    live.fault(target="vision_one", status=status, times=20)
    code, found = run(live, "coverage", WEB)
    assert code == 1
    assert found["instances"][0]["coverage"]["verdict"] == "UNKNOWN"


def test_an_instance_that_nobody_knows_is_asked_about_and_a_name_is_named(live: Live) -> None:
    code, found = run(live, "coverage", live.instance(), "no-such-name")
    assert code == 1
    (one,) = found["instances"]
    assert one["state"] == ""
    assert one["coverage"]["verdict"] == "UNPROTECTED"
    assert found["missing"] == [{"asked": "no-such-name"}]


def test_where_ec2_does_not_answer_the_last_snapshot_says_where_an_instance_is(live: Live) -> None:
    walk(live)
    live.fault(target="ec2.DescribeInstances", status=403, times=5)
    code, found = run(live, "coverage", "app-01")
    (one,) = found["instances"]
    assert code == 0
    assert (one["instance"], one["state"]) == (APP, None)
    assert one["coverage"]["verdict"] == "PROTECTED"
    assert "was not asked" in found["notes"][0]


def test_a_name_is_no_pattern(live: Live) -> None:
    code, found = run(live, "coverage", "app-*", "app-0?")
    assert code == 1
    assert [one["asked"] for one in found["missing"]] == ["app-*", "app-0?"]


def test_instances_of_another_account_are_asked_about_there(live: Live) -> None:
    _, found = run(live, "coverage", APP, "--account", FINANCE)
    assert found["instances"][0]["coverage"]["reasons"] == ["account_mismatch"]

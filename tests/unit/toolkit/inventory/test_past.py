from __future__ import annotations

import re
from types import SimpleNamespace

import msgspec
import pytest

from estate_history import moment, row
from factories import REPOSITORY
from history_bucket import Deployed
from hub_responder import clock, parquet
from hub_responder.inventory import history

WEB, APP = "i-0aaaaaaaaaaaaaaa1", "i-0bbbbbbbbbbbbbbb2"
BEFORE, AFTER = moment("2026-11-20T11:58"), moment("2026-11-20T12:13")


class Older(msgspec.Struct):
    """A row of a version that told less."""

    account: str
    instance: str
    name: str
    endpoint: str
    verdict: str


@pytest.fixture
def web(deployed: Deployed) -> Deployed:
    """web-01 loses its agent between two walks; app-01 comes with the second."""
    deployed.walked(BEFORE, row(WEB, name="web-01", last_contact=moment("2026-11-20T11:55")))
    deployed.walked(
        AFTER,
        row(WEB, name="web-01", verdict="DEGRADED", reasons=["offline"], agent_status="off",
            last_contact=moment("2026-11-20T11:59"), ips_state="detect", ips_rules=0),
        row(APP, name="app-01", account="444455556666", running=None, verdict="UNPROTECTED",
            reasons=["no_endpoint"], agent_guid="", endpoint="", agent_status=""),
    )  # fmt: skip
    return deployed


def test_both_sides_of_a_moment_are_told_with_their_distance(web: Deployed) -> None:
    done = web.run("coverage", WEB, "--at", "2026-11-20T12:07")
    assert done.exit_code == 0
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    agent = (
        "running, agent {}, version 20.0.2.1234, last contact 2026-11-20 {}, policy Linux Server"
    )
    assert lines[:2] == [
        "At 2026-11-20 12:07 UTC",
        f"web-01 ({WEB}) in account 111122223333, us-east-1",
    ]
    assert lines[2] == "2026-11-20 11:58 UTC, 9 min before: PROTECTED"
    assert lines[3].startswith(agent.format("on", "11:55") + ", IPS prevent with 214 rules")
    assert lines[4] == "2026-11-20 12:13 UTC, 6 min after: DEGRADED (agent offline)"
    assert lines[5].startswith(agent.format("off", "11:59") + ", IPS detect with 0 rules")


def test_programs_get_the_same(web: Deployed) -> None:
    found = web.run("coverage", "WEB-01", "--at", "2026-11-20T12:07Z", "--json").json
    (one,) = found["instances"]
    assert (found["before"], found["after"]) == ("2026-11-20T11:58:00Z", "2026-11-20T12:13:00Z")
    assert one["asked"] == "WEB-01"
    assert one["before"]["verdict"] == "PROTECTED"
    assert one["before"]["last_contact"] == "2026-11-20T11:55:00Z"
    assert one["before"]["ips_rules"] == 214
    assert one["after"]["reasons"] == ["offline"]


@pytest.mark.parametrize(
    "name", [WEB, WEB.upper(), "web-01", "host-aaa1", "host-aaa1.ec2.internal"]
)
def test_an_instance_is_found_by_its_id_its_name_and_its_host_name(
    web: Deployed, name: str
) -> None:
    found = web.run("coverage", name, "--at", "2026-11-20T12:07", "--json").json
    assert [one["before"]["instance"] for one in found["instances"]] == [WEB]


def test_an_instance_that_came_later_cannot_be_told_of(web: Deployed) -> None:
    done = web.run("coverage", "app-01", "--at", "2026-11-20T12:07")
    assert done.exit_code == 1
    assert "before: not in this snapshot" in done.stdout
    assert "after: UNPROTECTED (no Vision One agent)" in done.stdout
    assert "EC2 was not asked, no agent" in done.stdout


def test_several_are_told_of_and_one_that_is_unknown_is_named(web: Deployed) -> None:
    done = web.run("coverage", WEB, "web-02", "--at", "2026-11-20T12:07")
    assert done.exit_code == 1
    assert f"web-01 ({WEB})" in done.stdout
    assert (
        "web-02: not in the snapshot of 2026-11-20 11:58 UTC, which has 1 instances" in done.stdout
    )
    assert f"alike: web-01 ({WEB})" in done.stdout


def test_only_the_instances_of_an_account_are_told_of(web: Deployed) -> None:
    words = ("coverage", "app-01", "web-01", "--at", "2026-11-20T12:20", "--json")
    found = web.run(*words, "--account", "444455556666").json
    assert [one["before"]["instance"] for one in found["instances"]] == [APP]
    (missing,) = found["missing"]
    assert missing == {
        "asked": "web-01",
        "taken_at": "2026-11-20T12:13:00Z",
        "instances": 1,
        "alike": [],
    }


def test_a_name_that_several_have_is_all_of_theirs(deployed: Deployed) -> None:
    deployed.walked(BEFORE, row(WEB, name="web"), row(APP, name="web", account="444455556666"))
    found = deployed.run("coverage", "web", "--at", "2026-11-20T12:07", "--json").json
    assert {one["before"]["instance"] for one in found["instances"]} == {WEB, APP}


def test_before_the_first_snapshot_the_first_is_told_and_it_is_no_answer(web: Deployed) -> None:
    done = web.run("coverage", WEB, "--at", "2026-11-01")
    assert done.exit_code == 1
    assert "the first one is of 2026-11-20 11:58 UTC" in done.stdout
    assert "after: PROTECTED" in done.stdout


def test_after_the_last_snapshot_what_it_said_is_told_with_its_age(web: Deployed) -> None:
    done = web.run("coverage", WEB, "--at", "-2h")
    assert done.exit_code == 0
    assert "No snapshot after it yet." in done.stdout
    assert "up to 1 d 21 h away" in done.stdout


def test_what_was_unknown_then_is_no_answer(deployed: Deployed) -> None:
    deployed.walked(BEFORE, row(WEB, verdict="UNKNOWN", reasons=["incomplete"]))
    done = deployed.run("coverage", WEB, "--at", "2026-11-20T12:00")
    assert done.exit_code == 1
    assert "UNKNOWN (Vision One's inventory could not be read completely)" in done.stdout


def test_a_damaged_snapshot_is_passed_over_and_named(web: Deployed) -> None:
    broken = web.holds("history/day=2026-11-20/vision-one-120500Z.parquet", b"broken")
    done = web.run("coverage", WEB, "--at", "2026-11-20T12:07")
    assert done.exit_code == 0
    assert f"warning: {broken} cannot be read" in done.stderr
    assert "11:58 UTC, 9 min before: PROTECTED" in done.stdout


def test_a_snapshot_of_another_version_is_read_as_far_as_it_goes(deployed: Deployed) -> None:
    columns = dict.fromkeys(("account", "instance", "name", "endpoint", "verdict"), "VARCHAR")
    told = Older(
        account="111122223333", instance=WEB, name="web", endpoint="h", verdict="PROTECTED"
    )
    body = parquet.written([told], columns, ["instance"])
    deployed.holds(history.key("vision-one", BEFORE), body)
    found = deployed.run("coverage", WEB, "--at", "2026-11-20T12:00", "--json").json
    (one,) = found["instances"]
    assert one["before"]["verdict"] == "PROTECTED"
    assert one["before"]["ips_rules"] is None


def test_without_any_snapshot_that_is_said(deployed: Deployed) -> None:
    done = deployed.run("coverage", WEB, "--at", "2026-11-20T12:00")
    assert done.exit_code == 1
    assert "no snapshot of vision-one that can be read" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--at", "tomorrow"), "is no time"),
        (("--at", "2027-01-01"), "is in the future"),
        (("--at", "-1h", "--account", "123"), "is no account"),
        (("--at", "-1h", "--connection", "vision-two"), "did you mean `vision-one`"),
        (("--at", "-1h", "--stage", "No Stage"), "is no stage's name"),
    ],
)
def test_bad_usage_is_exit_2_and_says_why(
    deployed: Deployed, words: tuple[str, ...], said: str
) -> None:
    done = deployed.run("coverage", WEB, *words)
    assert done.exit_code == 2
    assert said in done.stderr
    assert not done.stdout


def test_the_settings_language_and_time_zone_are_used(web: Deployed, in_tokyo: Deployed) -> None:
    done = in_tokyo.run("coverage", WEB, "--at", "2026-11-20T21:07")
    assert done.exit_code == 0
    assert "2026-11-20 21:07 JST の時点" in done.stdout
    assert "2026-11-20 21:13 JST(6分後): 保護低下 (エージェントはオフライン)" in done.stdout


def test_names_cannot_reach_the_terminal(deployed: Deployed) -> None:
    deployed.walked(BEFORE, row(WEB, name="[red]web\x1b[2J\u202eevil", policy="[b]p\x1b]0;x\x07"))
    done = deployed.run("coverage", WEB, "--at", "2026-11-20T12:00")
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
    assert "[red]web" in done.stdout


def test_the_example_in_the_documents_is_what_is_printed(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (REPOSITORY / "docs" / "operating.md").read_text("utf-8")
    (example,) = re.findall(r"^```text\n(At .*?)^```", text, re.MULTILINE | re.DOTALL)
    web = {"instance": "i-0abc1234def567890", "name": "web-01"}
    noon = moment("2026-11-22T12:00")
    deployed.walked(noon, row(**web, last_contact=noon - 120))
    off = {"verdict": "DEGRADED", "reasons": ["offline"], "agent_status": "off"}
    deployed.walked(noon + 900, row(**web, **off, last_contact=noon + 60))
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: noon + 3600))
    monkeypatch.setenv("COLUMNS", "100")
    done = deployed.run("coverage", "web-01", "--at", "2026-11-22T12:07")
    assert [line.rstrip() for line in done.stdout.splitlines()] == example.splitlines()

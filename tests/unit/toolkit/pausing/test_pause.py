"""``hub-responder pause`` and ``resume`` over a deployment whose handler and ledger are real."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub_responder import observability
from hub_responder.handlers import playbook as handlers
from hub_responder.handlers import unanswered
from hub_responder.ledger import pauses
from hub_responder.playbook import Playbook, Step, Triggers, Wait
from hub_toolkit.cli import application
from hub_toolkit.sandbox.listener import Listener
from inside import LEDGER, OPERATOR, PASSING, STACK, Inside, inside
from world import event, finding

PLAYBOOK = Playbook(
    name="marks",
    summary="Marks findings as seen",
    version="0" * 12,
    on=Triggers(),
    wait=Wait(0, 0),
    resource_types=("AwsEc2Instance",),
    steps=(Step("answer", "finding.update", {"workflow": "NOTIFIED", "note": "seen"}),),
)
PROJECT = """\
format: 1
name: marks
summary: Marks findings as seen
on: {custom_action: {id: Marks, name: Marks, description: Mark it}}
steps:
  - {id: answer, uses: finding.update, with: {workflow: NOTIFIED, note: seen}}
"""
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[Inside]:
    handlers._cleared = False
    with inside(PLAYBOOK, tmp_path / "marks") as made:
        yield made
    handlers._playbook.cache_clear()


@pytest.fixture
def run(deployed: Inside) -> Iterator[Run]:
    """A command on the deployment: exit code, what it printed, and its errors."""
    listener = Listener(threads=2)
    listener.start(deployed.app)

    def command(*words: str) -> tuple[int, str, str]:
        args = [*words, "--endpoint", listener.endpoint, "--stack", STACK]
        result = CliRunner(env={"COLUMNS": "300"}).invoke(application(), args)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    yield command
    listener.stop()


def handle(deployed: Inside, queue: str = "imports", wait: float = 0.0) -> None:
    deployed.clock.advance(wait)
    assert deployed.invoke(handlers.handler, queue) == []


def sent(deployed: Inside, number: int = 1, click: str = "") -> dict[str, Any]:
    """A finding in the playbook's queue."""
    made = finding(number, number)
    deployed.hub.seed(made)
    queue = "clicks" if click else "imports"
    deployed.queues.send(deployed.arn(queue), event(made, clicked=click))
    return made


def status(deployed: Inside, one: dict[str, Any]) -> str:
    held = deployed.hub.get(one["Id"]) or {}
    return str(held["Workflow"]["Status"])


def paused(run: Run) -> list[dict[str, Any]]:
    code, said, errors = run("pause", "--list", "--json")
    assert code == 0, errors
    found: list[dict[str, Any]] = json.loads(said)["paused"]
    return found


@pytest.mark.parametrize("which", [["marks"], []])
def test_a_pause_stops_effects_until_it_is_over_and_then_they_happen(
    deployed: Inside, run: Run, which: list[str]
) -> None:
    handle_warm(deployed)
    assert run("pause", *which, "--why", "a storm")[0] == 0
    one = sent(deployed)
    handle(deployed)
    assert status(deployed, one) == "NEW"
    marks = next(item for item in paused(run) if item["name"] == "marks")
    assert (marks["who"], marks["why"], marks["all"]) == (OPERATOR, "a storm", not which)
    assert marks["waiting"] == 1
    code, said, _ = run("resume", *which)
    assert code == 0
    assert "marks: 1 incidents go on" in said
    handle(deployed)
    assert status(deployed, one) == "NOTIFIED"
    assert paused(run) == []


def handle_warm(deployed: Inside) -> None:
    """The process has run before: it does not look whether all is paused."""
    sent(deployed, 99)
    handle(deployed)
    assert handlers._cleared


def test_who_paused_and_resumed_and_why_is_in_the_trail(deployed: Inside, run: Run) -> None:
    run("pause", "marks", "--why", "a storm")
    run("resume", "marks", "--why", "it is over")
    run("pause", "--why", "a flood")
    told = [
        (one["kind"], one["playbook"], one["actor"], one["why"])
        for one in deployed.records()
        if one.get("step") == "_pause"
    ]
    assert sorted(told) == [  # the clock stands still
        ("paused", "all", OPERATOR, "a flood"),
        ("paused", "marks", OPERATOR, "a storm"),
        ("resumed", "marks", OPERATOR, "it is over"),
    ]


def test_a_click_is_told_of_the_pause_and_done_after_it(deployed: Inside, run: Run) -> None:
    run("pause", "marks", "--why", "a storm")
    one = sent(deployed, click="c-1")
    handle(deployed, "clicks")
    assert status(deployed, one) == "NEW"
    note = deployed.note(one)
    assert note.startswith("marks is paused by assumed-role/Security/ada since ")
    assert ": a storm. What you asked for is done once that is over." in note
    deployed.queues.send(deployed.arn("clicks"), event(one, clicked="c-2"))
    handle(deployed, "clicks")
    answers = [r["kind"] for r in deployed.records() if r.get("step") == "_answer"]
    assert answers == ["attempt", "outcome"] * 2
    run("resume", "marks")
    handle(deployed, "clicks")
    assert status(deployed, one) == "NOTIFIED"
    assert deployed.note(one).startswith("seen")


def test_an_answer_that_cannot_be_written_now_is_written_later(deployed: Inside, run: Run) -> None:
    run("pause", "marks", "--why", "a storm")
    one = sent(deployed, click="c-1")
    deployed.faults.add([{"target": "securityhub.BatchUpdateFindings", **PASSING}])
    handle(deployed, "clicks")
    assert deployed.note(one) == ""
    handle(deployed, "clicks", wait=31)
    assert "is paused" in deployed.note(one)


def test_a_paused_incident_looks_by_itself_as_well(deployed: Inside, run: Run) -> None:
    run("pause", "marks", "--why", "a storm")
    one = sent(deployed)
    handle(deployed)
    for _ in range(3):
        handle(deployed, wait=901)
        assert status(deployed, one) == "NEW"
    deployed.tables.handle("DeleteItem", {"TableName": LEDGER, "Key": pauses.own("marks")})
    handle(deployed, wait=901)
    assert status(deployed, one) == "NOTIFIED"


def test_the_end_of_one_pause_does_not_end_another(deployed: Inside, run: Run) -> None:
    run("pause", "--why", "a storm")
    run("pause", "marks", "--why", "a bug")
    assert run("resume", "sync")[0] == 1
    code, said, _ = run("resume")
    assert code == 1
    assert "marks is paused still" in said
    (left,) = paused(run)
    assert (left["name"], left["why"]) == ("marks", "a bug")
    one = sent(deployed)
    handle(deployed)
    assert status(deployed, one) == "NEW"
    assert run("resume", "marks")[0] == 0
    handle(deployed)
    assert status(deployed, one) == "NOTIFIED"


def test_a_playbook_that_is_deployed_while_all_is_paused_is_paused_too(
    deployed: Inside, run: Run
) -> None:
    run("pause", "--why", "a storm")
    deployed.tables.handle("DeleteItem", {"TableName": LEDGER, "Key": pauses.own("marks")})
    one = sent(deployed)
    handle(deployed)
    assert status(deployed, one) == "NEW"
    assert run("resume")[0] == 0
    handle(deployed)
    assert status(deployed, one) == "NOTIFIED"


def test_whether_all_is_paused_is_asked_again_where_it_cannot_be_told(
    deployed: Inside, run: Run
) -> None:
    run("pause", "--why", "a storm")
    deployed.tables.handle("DeleteItem", {"TableName": LEDGER, "Key": pauses.own("marks")})
    one = sent(deployed)
    deployed.faults.add([{"target": "dynamodb.GetItem", **PASSING}])
    handle(deployed)
    handle(deployed, wait=100)
    assert status(deployed, one) == "NEW"


def test_a_pause_that_is_there_already_stays_as_it_is(deployed: Inside, run: Run) -> None:
    run("pause", "marks", "--why", "a storm")
    code, said, _ = run("pause", "marks", "--why", "another reason")
    assert code == 0
    assert "marks was paused already by assumed-role/Security/ada" in said
    (one,) = paused(run)
    assert one["why"] == "a storm"


def test_a_command_that_died_can_be_given_again(deployed: Inside, run: Run) -> None:
    run("pause", "--why", "a storm")
    deployed.tables.handle("DeleteItem", {"TableName": LEDGER, "Key": pauses.own("marks")})
    handlers._cleared = True
    run("pause", "--why", "a storm")
    one = sent(deployed)
    handle(deployed)
    assert status(deployed, one) == "NEW"
    deployed.tables.handle("DeleteItem", {"TableName": LEDGER, "Key": pauses.listed("*")})
    code, said, _ = run("resume")
    assert (code, "all: was not paused" in said) == (0, True)
    handle(deployed)
    assert status(deployed, one) == "NOTIFIED"


def test_the_list_of_playbooks_shows_what_a_deployment_has_paused(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "project" / "playbooks" / "marks"
    folder.mkdir(parents=True)
    (folder / "playbook.yaml").write_text(PROJECT, encoding="utf-8")
    (folder.parent / "settings.yaml").write_text("owner: tests\n", encoding="utf-8")
    words = ["playbook", "list", "--root", str(tmp_path / "project")]
    assert "paused" not in run(*words)[1]
    run("pause", "marks", "--why", "a storm")
    code, said, errors = run(*words)
    assert code == 0, errors
    assert "live, paused" in said
    (one,) = json.loads(run(*words, "--json")[1])
    assert (one["name"], one["paused"]["why"]) == ("marks", "a storm")


def test_wrong_words_are_exit_2(run: Run) -> None:
    for words, told in (
        (["pause", "marks"], "--why is missing"),
        (["pause", "mark", "--why", "x"], "unknown playbook `mark`; did you mean `marks`?"),
        (["resume", "mark"], "unknown playbook `mark`"),
        (["pause", "--list", "--why", "x"], "--list takes no playbook"),
        (["pause", "--why", "x" * 201], "the trail takes 200"),
    ):
        code, _, errors = run(*words)
        assert code == 2, words
        assert told in errors
    assert "Nothing is paused." in run("pause", "--list")[1]


def test_how_long_something_is_paused_is_a_metric(
    deployed: Inside, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    observability._metrics.cache_clear()  # made without a namespace before
    observability._metrics().clear_metrics()
    unanswered.handler({}, deployed.context())
    assert "PausedFor" not in capsys.readouterr().out
    run("pause", "marks", "--why", "a storm")
    unanswered.handler({}, deployed.context())
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "PausedFor" in line]
    metric = json.loads(line)
    assert metric["playbook"] == "unanswered"
    assert "PausedFor" in metric

"""``hub-responder dlq`` over a deployment whose handler, ledger and queues are the real ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub_responder.events import decode_finding
from hub_responder.handlers import playbook as handlers
from hub_responder.playbook import Playbook, Step, Triggers, Wait
from hub_toolkit.cli import application
from hub_toolkit.letters import looking
from hub_toolkit.sandbox.listener import Listener
from inside import OPERATOR, PASSING, STACK, Inside, inside
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
REFUSED = {"target": "securityhub.BatchUpdateFindings", "status": 403, "times": 1}
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[Inside]:
    with inside(PLAYBOOK, tmp_path / "marks") as made:
        yield made
    handlers._playbook.cache_clear()


@pytest.fixture
def run(deployed: Inside) -> Iterator[Run]:
    """A command on the deployment: exit code, what it printed, and its errors."""
    listener = Listener(threads=2)
    listener.start(deployed.app)

    def command(*words: str) -> tuple[int, str, str]:
        args = ["dlq", *words, "--endpoint", listener.endpoint, "--stack", STACK]
        result = CliRunner(env={"COLUMNS": "300"}).invoke(application(), args)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    yield command
    listener.stop()


def listed(run: Run, *words: str) -> list[dict[str, Any]]:
    """The letters, as programs see them."""
    code, said, errors = run("list", "--json", *words)
    assert code == 0, errors
    answer = json.loads(said)
    assert answer["unseen"] == 0
    found: list[dict[str, Any]] = answer["letters"]
    return found


def handle(deployed: Inside, queue: str = "imports") -> list[str]:
    return deployed.invoke(handlers.handler, queue)


def failed(deployed: Inside, number: int = 1, queue: str = "imports") -> dict[str, Any]:
    """A finding whose update was refused for good; its letter is in the DLQ."""
    made = finding(number, number)
    deployed.hub.seed(made)
    deployed.faults.add([REFUSED])
    clicked = f"c-{number}" if queue == "clicks" else ""
    deployed.queues.send(deployed.arn(queue), event(made, clicked=clicked))
    handle(deployed, queue)
    return made


def kinds(deployed: Inside, kind: str) -> list[dict[str, Any]]:
    return [record for record in deployed.records() if record["kind"] == kind]


def test_a_step_that_failed_is_listed_with_all_that_is_known_of_it(
    deployed: Inside, run: Run
) -> None:
    one = failed(deployed)
    (letter,) = listed(run)
    assert letter["playbook"] == "marks"
    assert letter["queue"] == f"{STACK}-marks-imports"
    assert (letter["kind"], letter["step"], letter["trigger"]) == ("failed", "answer", "imported")
    assert letter["findings"] == [one["Id"]]
    assert letter["incident"].startswith("marks#")
    assert letter["reason"].startswith("answer: ")
    code, said, _ = run("list")
    assert code == 0
    assert letter["id"][:8] in said
    assert "1 letters." in said
    code, said, _ = run("show", letter["id"][:8])
    assert code == 0
    for told in (one["Id"], letter["reason"], '"hub_responder": "failed"'):
        assert told in said


def test_looking_hides_and_consumes_nothing(deployed: Inside, run: Run) -> None:
    for number in range(27):
        deployed.queues.send(deployed.dead, f"garbage {number}")
    assert len(listed(run)) == 27
    depth = deployed.queues.depth(deployed.dead)
    assert (depth.visible, depth.in_flight) == (27, 0)
    assert len({letter["id"] for letter in listed(run)}) == 27


def test_what_somebody_else_holds_is_counted(deployed: Inside, run: Run) -> None:
    for number in range(3):
        deployed.queues.send(deployed.dead, f"garbage {number}")
    deployed.queues.receive(deployed.dead, 2, 60)
    code, said, _ = run("list", "--json")
    assert code == 0
    assert json.loads(said)["unseen"] == 2
    assert "About 2 more cannot be seen now" in run("list")[1]


def test_a_failed_step_is_tried_again_once_however_often_its_letter_is_sent(
    deployed: Inside, run: Run
) -> None:
    one = failed(deployed)
    (letter,) = listed(run)
    assert run("redrive", letter["id"], "--why", "token is right now")[0] == 0
    assert listed(run) == []
    (sent,) = deployed.queues.messages(deployed.imports)
    assert handle(deployed) == []
    assert deployed.note(one).startswith("seen")
    rounds = len(kinds(deployed, "opened"))
    deployed.queues.send(deployed.imports, sent.body)  # as after a crash between send and delete
    assert handle(deployed) == []
    assert len(kinds(deployed, "opened")) == rounds == 2
    assert len(kinds(deployed, "repeat")) == 1


def test_who_sent_a_letter_again_and_why_is_in_the_trail(deployed: Inside, run: Run) -> None:
    one = failed(deployed)
    run("redrive", "--all", "--why", "token is right now")
    (record,) = kinds(deployed, "redriven")
    assert (record["actor"], record["why"]) == (OPERATOR, "token is right now")
    assert (record["playbook"], record["findings"]) == ("marks", [one["Id"]])
    attempts = [one for one in kinds(deployed, "attempt") if one["step"] == "_redrive"]
    assert [one["letter"] for one in attempts] == [record["letter"]]


def test_a_letter_of_a_click_is_answered_on_the_finding(deployed: Inside, run: Run) -> None:
    one = failed(deployed, queue="clicks")
    letters = listed(run)
    assert {letter["queue"] for letter in letters} == {f"{STACK}-marks-clicks"}
    assert run("redrive", "--all")[0] == 0
    handle(deployed, "clicks")
    assert deployed.note(one).startswith("seen")


def test_findings_that_left_meanwhile_are_not_acted_on_again(deployed: Inside, run: Run) -> None:
    one = failed(deployed)
    deployed.hub.seed({**one, "Workflow": {"Status": "RESOLVED"}})
    code, said, _ = run("redrive", "--all")
    assert code == 1
    assert "its findings are RESOLVED by now" in said
    assert len(listed(run)) == 1
    assert deployed.queues.messages(deployed.imports) == []


def test_an_event_that_five_runs_died_of_goes_back_as_if_it_were_new(
    deployed: Inside, run: Run
) -> None:
    made = finding(1)
    deployed.hub.seed(made)
    attributes = {
        name: {"DataType": "Number", "StringValue": value}
        for name, value in (("attempt", "7"), ("first_at", "1795305600.0"))
    }
    deployed.queues.send(deployed.imports, event(made), attributes)
    for _ in range(6):
        deployed.queues.receive(deployed.imports, visibility=0)
    (letter,) = listed(run)
    assert (letter["reason"], letter["tries"]) == ("5 runs in a row died of it", 5)
    assert (letter["playbook"], letter["trigger"]) == ("marks", "imported")
    assert run("redrive", letter["id"])[0] == 0
    (sent,) = deployed.queues.messages(deployed.imports)
    assert (sent.attributes, sent.receive_count) == ({}, 0)
    assert handle(deployed) == []
    assert deployed.note(made).startswith("seen")


def test_what_was_given_up_tells_its_queue_and_goes_back_there(deployed: Inside, run: Run) -> None:
    made = finding(1)
    deployed.hub.seed(made)
    attributes = {
        name: {"DataType": "Number", "StringValue": value}
        for name, value in (("attempt", "99"), ("first_at", str(deployed.clock.now() - 90_000)))
    }
    handle(deployed, "clicks")  # its version is noted
    deployed.faults.add([{"target": "dynamodb.TransactWriteItems", **PASSING}])
    deployed.queues.send(deployed.arn("clicks"), event(made, clicked="c-1"), attributes)
    handle(deployed, "clicks")
    letters = listed(run, "--only", "gave up")
    assert [one["queue"] for one in letters] == [f"{STACK}-marks-clicks"]
    assert [one["tries"] for one in letters] == [100]
    assert run("redrive", "--only", "GAVE UP")[0] == 0
    assert handle(deployed, "clicks") == []
    assert deployed.note(made).startswith("seen")


def test_a_letter_of_which_nothing_is_known_stays_and_says_what_to_do(
    deployed: Inside, run: Run
) -> None:
    deployed.queues.send(deployed.dead, "garbage")
    code, said, _ = run("redrive", "--all")
    assert code == 1
    assert "which queue it came from is not known" in said
    assert len(listed(run)) == 1


def test_a_letter_is_thrown_away_with_a_reason_that_the_trail_keeps(
    deployed: Inside, run: Run
) -> None:
    one = failed(deployed)
    other = failed(deployed, 2)
    letter = next(letter for letter in listed(run) if letter["findings"] == [one["Id"]])
    assert run("discard", letter["id"])[0] == 2
    assert run("discard", letter["id"], "--why", " ")[0] == 2
    assert run("discard", letter["id"], "--why", "a test finding")[0] == 0
    assert [left["findings"] for left in listed(run)] == [[other["Id"]]]
    (record,) = kinds(deployed, "discarded")
    assert (record["why"], record["actor"]) == ("a test finding", OPERATOR)
    assert record["findings"] == [one["Id"]]
    assert record["detail"] == letter["reason"]


def test_nothing_is_thrown_away_without_its_record(deployed: Inside, run: Run) -> None:
    failed(deployed)
    (letter,) = listed(run)
    deployed.faults.add([{"target": "dynamodb.TransactWriteItems", "status": 400, "times": 1}])
    code, said, _ = run("discard", letter["id"], "--why", "x")
    assert code == 1
    assert "left" in said
    assert len(listed(run)) == 1


def test_what_a_letter_holds_does_not_steer_the_terminal(deployed: Inside, run: Run) -> None:
    reason = {"reason": {"DataType": "String", "StringValue": "evil \x9b31m \u202e[bold]x[/bold]"}}
    deployed.queues.send(deployed.dead, "no JSON \x9b2J\u202e", reason)
    (letter,) = listed(run)
    for words in (["list"], ["show", letter["id"]]):
        said = run(*words)[1]
        assert not set(said) & {"\x9b", "\u202e", "\x1b"}
        assert "[bold]x[/bold]" in said


def test_wrong_words_are_exit_2_and_change_nothing(deployed: Inside, run: Run) -> None:
    failed(deployed)
    (letter,) = listed(run)
    for words, told in (
        (["redrive"], "say which letters"),
        (["redrive", letter["id"], "--all"], "say which letters"),
        (["redrive", "ffff0000"], "there is no letter ffff0000 (1 looked at)"),
        (["show", "f"], "give more of the id"),
        (["redrive", "--all", "--why", "x" * 201], "the trail takes 200"),
    ):
        code, _, errors = run(*words)
        assert code == 2, words
        assert told in errors
    assert len(listed(run)) == 1


def test_a_look_that_fails_gives_back_what_it_took(
    deployed: Inside, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "LOOK_S", 0.0)
    for number in range(3):
        deployed.queues.send(deployed.dead, f"garbage {number}")
    answer = json.loads(run("list", "--json")[1])
    assert answer["unseen"] == 3
    assert deployed.queues.depth(deployed.dead).visible == 3


def test_an_older_letter_that_names_no_queue_goes_to_its_playbooks_imports(
    deployed: Inside, run: Run
) -> None:
    made = finding(1)
    deployed.hub.seed(made)
    compact = decode_finding(made).compact()
    note = {"hub_responder": "failed", "pk": "marks#" + "0" * 64, "step": "answer"}
    deployed.queues.send(deployed.dead, json.dumps(note | {"findings": [compact]}))
    (letter,) = listed(run)
    assert letter["playbook"] == "marks"
    assert run("redrive", letter["id"])[0] == 0
    assert handle(deployed) == []
    assert deployed.note(made).startswith("seen")

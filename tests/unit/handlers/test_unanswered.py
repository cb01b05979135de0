"""Clicks that ended in the DLQ are answered on their findings, whatever happens meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from factories import REPOSITORY
from hub_responder.handlers.unanswered import handler
from inside import PASSING, Died, Inside
from world import event, finding


def look(deployed: Inside) -> dict[str, int]:
    """A scheduled run, five minutes after the one before."""
    deployed.clock.advance(300)
    answer: dict[str, int] = handler({}, deployed.context())
    return answer


def clicked(deployed: Inside, number: int, reason: str = "") -> dict[str, Any]:
    """A click in the DLQ."""
    made = finding(number, number)
    deployed.hub.seed(made)
    attributes = {"reason": {"DataType": "String", "StringValue": reason}} if reason else None
    deployed.queues.send(deployed.arn("dead"), event(made, clicked=f"c-{number}"), attributes)
    return made


def kinds(deployed: Inside) -> list[str]:
    return [record["kind"] for record in deployed.records()]


def test_a_dead_click_is_answered_once_and_its_message_stays(deployed: Inside) -> None:
    one = clicked(deployed, 1, "gave up after 86400 s: slack answers 503")
    assert look(deployed) == {"looked_at": 1, "answered": 1}
    assert "slack answers 503" in deployed.note(one)
    assert look(deployed) == {"looked_at": 1, "answered": 0}
    assert kinds(deployed) == ["attempt", "answered"]
    assert len(deployed.letters()) == 1


def test_a_click_that_five_runs_died_of_says_so(deployed: Inside) -> None:
    one = clicked(deployed, 1)
    look(deployed)
    assert "five runs in a row died" in deployed.note(one)


def test_what_is_no_click_is_left_alone(deployed: Inside) -> None:
    for body in ("garbage", '{"hub_responder":"failed"}', event(finding(1))):
        deployed.queues.send(deployed.arn("dead"), body)
    assert look(deployed) == {"looked_at": 3, "answered": 0}
    assert kinds(deployed) == []


def test_a_click_on_an_insight_names_no_finding_and_the_trail_says_so_once(
    deployed: Inside,
) -> None:
    body = (REPOSITORY / "events" / "insight-results.json").read_text(encoding="utf-8")
    deployed.queues.send(deployed.arn("dead"), body)
    for _ in range(2):
        assert look(deployed) == {"looked_at": 1, "answered": 0}
    (record,) = deployed.records()
    assert (record["kind"], record["trigger"]["kind"]) == ("skipped", "insight")
    assert "name no findings" in record["detail"]
    assert len(deployed.letters()) == 1


def test_an_answer_that_cannot_be_written_now_is_written_by_a_later_run(deployed: Inside) -> None:
    one = clicked(deployed, 1)
    deployed.faults.add([{"target": "securityhub.BatchUpdateFindings", **PASSING}])
    assert look(deployed)["answered"] == 0
    assert deployed.note(one) == ""
    assert look(deployed)["answered"] == 1
    assert deployed.note(one) != ""
    assert kinds(deployed) == ["attempt", "answered", "attempt", "answered"]


def test_a_run_that_dies_after_its_claim_leaves_the_answer_to_the_next(deployed: Inside) -> None:
    one = clicked(deployed, 1)
    deployed.deadly = True
    with pytest.raises(Died):
        look(deployed)
    assert kinds(deployed) == ["attempt"]
    assert deployed.note(one) == ""
    assert look(deployed)["answered"] == 1
    assert deployed.note(one) != ""


def test_a_finding_that_is_gone_is_given_up_and_others_are_answered(deployed: Inside) -> None:
    gone = finding(1)
    deployed.queues.send(deployed.arn("dead"), event(gone, clicked="c-1"))
    other = clicked(deployed, 2)
    assert look(deployed) == {"looked_at": 2, "answered": 1}
    assert deployed.note(other) != ""
    look(deployed)
    assert sorted(kinds(deployed)) == ["answered", "answered", "attempt", "attempt"]
    statuses = {record.get("status") for record in deployed.records()} - {None}
    assert statuses == {"done", "failed"}


def test_a_broken_mark_of_one_click_does_not_keep_the_others_from_an_answer(
    deployed: Inside,
) -> None:
    first, second = clicked(deployed, 1), clicked(deployed, 2)
    deployed.faults.add([{"target": "dynamodb.TransactWriteItems", "status": 400, "times": 1}])
    assert look(deployed) == {"looked_at": 2, "answered": 1}
    assert sorted(bool(deployed.note(one)) for one in (first, second)) == [False, True]
    assert look(deployed)["answered"] == 1

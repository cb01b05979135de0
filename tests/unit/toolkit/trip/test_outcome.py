from __future__ import annotations

from typing import Any

import pytest

from hub_toolkit.trip import outcome
from hub_toolkit.trip.outcome import Entry, StepResult


def record(kind: str, second: int = 0, **fields: Any) -> dict[str, Any]:
    at = f"2026-11-22T00:00:{second:02d}.000Z"
    return {"at": at, "kind": kind, "playbook": "coverage", **fields}


def step(name: str, status: str, **fields: Any) -> dict[str, Any]:
    return record("outcome", incident="i-1", step=name, uses=f"use.{name}", status=status, **fields)


def only(*records: dict[str, Any]) -> Entry:
    (entry,) = outcome.entries("e.json", ["f-1"], records)
    return entry


def test_what_became_a_dead_letter_has_failed() -> None:
    joined = only(record("joined", incident="coverage#1", findings=["f-1"]))
    settle = {"message_id": "m", "reason": "", "receive_count": 6, "body": {"pk": "coverage#1"}}
    other = {"message_id": "n", "reason": "x", "receive_count": 1, "body": "about f-2"}
    assert outcome.with_letters(joined, [other]).status == "joined"
    failed = outcome.with_letters(joined, [other, settle])
    assert failed.status == "failed"
    assert failed.steps[-1].detail == "in the dead-letter queue: 6 runs died of it"


def test_no_record_means_that_no_rule_matched() -> None:
    (entry,) = outcome.entries("e.json", ["f-1"], [])
    assert (entry.playbook, entry.status, entry.audit_records) == (None, "no_match", 0)
    assert entry.finding_ids == ("f-1",)


def test_each_playbook_and_incident_has_an_entry_with_its_own_findings() -> None:
    records = [
        record("received"),
        record("finished", incident="a", findings=["f-1"]),
        record("finished", incident="b", findings=["f-2"]),
        {**record("finished", incident="c"), "playbook": "other"},
    ]
    found = outcome.entries("e.json", ["f-1", "f-2"], records)
    shown = [(one.playbook, one.incident, one.finding_ids, one.audit_records) for one in found]
    assert shown == [
        ("coverage", "a", ("f-1",), 2),
        ("coverage", "b", ("f-2",), 2),
        ("other", "c", ("f-1", "f-2"), 1),
    ]


@pytest.mark.parametrize(
    ("kinds", "status"),
    [
        (["joined", "opened", "finished", "repeat"], "done"),
        (["opened", "deferred"], "deferred"),
        (["joined"], "joined"),
        (["repeat"], "repeat"),
        (["skipped"], "skipped"),
        (["closed"], "closed"),
        (["unreadable"], "failed"),
        (["finished", "dead"], "failed"),
        (["opened"], "failed"),
    ],
)
def test_the_status_is_the_most_telling_end(kinds: list[str], status: str) -> None:
    assert only(*[record(kind, incident="i-1") for kind in kinds]).status == status


def test_a_step_shows_its_last_outcome_in_the_order_of_the_steps() -> None:
    entry = only(
        step("coverage", "deferred", detail="later"),
        step("coverage", "done", detail="PROTECTED", result={"verdict": "PROTECTED"}),
        step("tell", "done", detail="sent"),
        record("finished", incident="i-1"),
    )
    assert entry.steps == (
        StepResult("coverage", "use.coverage", "done", "PROTECTED"),
        StepResult("tell", "use.tell", "done", "sent"),
    )
    assert (entry.verdict, entry.status) == ("PROTECTED", "done")


def test_a_step_that_failed_makes_the_entry_fail() -> None:
    assert only(step("tell", "failed"), record("finished", incident="i-1")).status == "failed"


def test_only_records_that_were_not_there_before_are_added() -> None:
    old, new = record("repeat", incident="i-1"), record("opened", 1, incident="i-1")
    assert outcome.added([old, old], [old, old, new, old]) == [new, old]


def test_the_results_of_an_action_are_those_of_its_done_steps() -> None:
    records = [
        step("tell", "failed", result={"connection": "a"}),
        step("tell", "done", result={"connection": "b"}),
    ]
    assert outcome.results(records, "use.tell") == [{"connection": "b"}]


def test_the_time_is_from_the_first_record_to_the_last() -> None:
    assert outcome.seconds([record("a", 1), record("b", 26), record("c", 3)]) == 25.0
    assert outcome.seconds([]) is None

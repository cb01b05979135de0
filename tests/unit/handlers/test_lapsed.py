"""Suppressions end on their day, and nobody else's do."""

from __future__ import annotations

from typing import Any

import pytest

from hub_responder import clock
from hub_responder.handlers.lapsed import handler
from hub_responder.ledger import pauses
from hub_responder.ledger.pauses import Pause
from inside import LEDGER, PASSING, Inside
from world import finding

DAY_S = 86_400.0


def run(deployed: Inside) -> dict[str, int]:
    answer: dict[str, int] = handler({}, deployed.context())
    return answer


def suppressed(deployed: Inside, number: int, days: float, **fields: Any) -> dict[str, Any]:
    """A finding that was suppressed until ``days`` from now."""
    ours = {
        "hubResponderSuppressedUntil": clock.iso(deployed.clock.now() + days * DAY_S),
        "hubResponderSuppressedBy": "cloud-security",
        "hubResponderSuppressedWhy": "expected scan of the test range",
        "hubResponderIncident": "marks#1",
        "theirs": "stays",
    }
    made = finding(number) | {"Workflow": {"Status": "SUPPRESSED"}, "UserDefinedFields": ours}
    deployed.hub.seed(made | fields)
    return made


def held(deployed: Inside, one: dict[str, Any]) -> dict[str, Any]:
    return deployed.hub.get(one["Id"]) or {}


def test_a_suppression_that_is_over_ends_with_a_note_and_its_end_is_gone(deployed: Inside) -> None:
    one, later = suppressed(deployed, 1, -0.1), suppressed(deployed, 2, 1)
    assert run(deployed) == {"ended": 1, "failed": 0}
    ended = held(deployed, one)
    assert ended["Workflow"] == {"Status": "NEW"}
    assert "expected scan of the test range | owner: cloud-security" in ended["Note"]["Text"]
    assert set(ended["UserDefinedFields"]) == {
        "hubResponderIncident",
        "hubResponderSuppressionEnded",
        "theirs",
    }
    assert held(deployed, later)["Workflow"] == {"Status": "SUPPRESSED"}
    assert [(r["kind"], r["findings"]) for r in deployed.records()] == [
        ("attempt", [one["Id"]]),
        ("outcome", [one["Id"]]),
    ]


def test_while_it_is_paused_nothing_ends_and_afterwards_it_does(deployed: Inside) -> None:
    one = suppressed(deployed, 1, -0.1)
    held_by = pauses.attributes(Pause("arn:aws:sts::1:role/R/ada", "a storm", deployed.clock.now()))
    item = {**pauses.own("lapsed"), **held_by}
    deployed.tables.handle("PutItem", {"TableName": LEDGER, "Item": item})
    assert run(deployed) == {"ended": 0, "failed": 0}
    assert held(deployed, one)["Workflow"] == {"Status": "SUPPRESSED"}
    assert deployed.records() == []
    deployed.tables.handle("DeleteItem", {"TableName": LEDGER, "Key": pauses.own("lapsed")})
    assert run(deployed) == {"ended": 1, "failed": 0}


def test_what_a_person_suppresses_afterwards_stays_so(deployed: Inside) -> None:
    one = suppressed(deployed, 1, -0.1)
    run(deployed)
    held(deployed, one)
    again = held(deployed, one) | {"Workflow": {"Status": "SUPPRESSED"}}
    deployed.hub.seed(again)
    deployed.clock.advance(400 * DAY_S)
    assert run(deployed) == {"ended": 0, "failed": 0}


@pytest.mark.parametrize(
    "fields",
    [
        {"Workflow": {"Status": "RESOLVED"}},
        {"RecordState": "ARCHIVED"},
        {"UserDefinedFields": {"hubResponderSuppressedUntil": "T'was long ago"}},
        {"UserDefinedFields": {"other": "2020-01-01T00:00:00Z"}},
    ],
)
def test_what_is_not_ours_to_end_stays(deployed: Inside, fields: dict[str, Any]) -> None:
    one = suppressed(deployed, 1, -1, **fields)
    before = held(deployed, one)
    assert run(deployed) == {"ended": 0, "failed": 0}
    assert held(deployed, one) == before
    assert deployed.records() == []


def test_one_whose_fields_cannot_be_read_whole_stays_and_that_is_recorded(
    deployed: Inside,
) -> None:
    one = suppressed(deployed, 1, -1)
    ours = one["UserDefinedFields"]
    deployed.hub.seed(one | {"UserDefinedFields": {**ours, "long": "x" * 5000}})
    assert run(deployed) == {"ended": 0, "failed": 0}
    assert held(deployed, one)["Workflow"] == {"Status": "SUPPRESSED"}
    (record,) = deployed.records()
    assert (record["kind"], record["findings"]) == ("skipped", [one["Id"]])


def test_what_cannot_be_written_now_is_recorded_and_ends_in_a_later_run(deployed: Inside) -> None:
    one = suppressed(deployed, 1, -1)
    deployed.faults.add([{"target": "securityhub.BatchUpdateFindings", **PASSING}])
    assert run(deployed) == {"ended": 0, "failed": 1}
    assert deployed.records()[-1]["status"] == "failed"
    assert held(deployed, one)["Workflow"] == {"Status": "SUPPRESSED"}
    assert run(deployed) == {"ended": 1, "failed": 0}


def test_many_that_end_alike_share_their_calls(deployed: Inside) -> None:
    for number in range(130):
        suppressed(deployed, number, -1)
    assert run(deployed) == {"ended": 130, "failed": 0}
    assert len(deployed.records()) == 2


def test_what_lambda_makes_again_under_one_request_id_has_records_of_its_own(
    deployed: Inside,
) -> None:
    context = deployed.context()
    suppressed(deployed, 1, -0.1)
    handler({}, context)
    deployed.clock.advance(60)
    suppressed(deployed, 2, -0.1)
    handler({}, context)
    ids = [str(record["id"]) for record in deployed.records()]
    assert len(set(ids)) == len(ids) == 4
    runs = [one.rpartition(".")[0] for one in ids]
    assert {run.partition("@")[0] for run in runs} == {context.aws_request_id}
    first, again = (int(run.partition("@")[2]) for run in dict.fromkeys(runs))
    assert again - first == 60_000

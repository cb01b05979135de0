"""Findings that a rule selects and that never came to its playbook are named, once and in order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub_responder import clock, observability
from hub_responder.audit import Audit
from hub_responder.deadline import Deadline
from hub_responder.errors import CallError
from hub_responder.handlers.reconcile import handler
from hub_responder.playbook import Playbook, Triggers
from hub_responder.reconcile import FILE, STATE, Done, Plan, Reconciler
from inside import AUDIT, LEDGER, Inside
from world import finding

HOUR_S = 3600.0
LIVE = {"RecordState": ["ACTIVE"], "Workflow": {"Status": ["NEW", "NOTIFIED"]}}
PLAN = Plan(
    {
        name: {
            "source": ["aws.securityhub"],
            "detail-type": ["Security Hub Findings - Imported"],
            "detail": {"findings": {**LIVE, "Resources": {"Type": [kind]}}},
        }
        for name, kind in (("marks", "AwsEc2Instance"), ("buckets", "AwsS3Bucket"))
    }
)


@pytest.fixture
def hour(deployed: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> float:
    """The start of the hour whose turn is first."""
    (tmp_path / FILE).write_bytes(msgspec.json.encode(PLAN))
    monkeypatch.setenv("RECONCILE_DIR", str(tmp_path))
    return deployed.clock.now() // HOUR_S * HOUR_S - 4 * HOUR_S


def updated(deployed: Inside, number: int, at: float, **fields: Any) -> str:
    """A finding that Security Hub holds, last updated ``at``; its id."""
    made = finding(number) | {"UpdatedAt": clock.iso(at)} | fields
    deployed.hub.seed(made)
    return str(made["Id"])


def named(deployed: Inside, playbook: str, at: float, *findings: str, run: str = "run-9") -> None:
    """A run of the playbook's with a record that names findings."""
    acting = Playbook(name=playbook, summary="", steps=(), on=Triggers(), version="")
    audit = Audit(AUDIT, acting, run)
    (put,) = audit.append([msgspec.json.encode(audit.record("skipped", findings=findings))]).items
    item = put["Put"]["Item"]
    item["pk"]["S"] = f"{clock.iso(at)[:13]}#{item['pk']['S'][-2:]}"
    item["sk"]["S"] = f"{int(at * 1000)}#{run}#0001"
    deployed.tables.handle("PutItem", {"TableName": AUDIT, "Item": item})


def told(deployed: Inside) -> list[tuple[str, str, list[str]]]:
    return [
        (one["kind"], one["playbook"], one.get("findings", []))
        for one in deployed.records()
        if one["kind"] in ("unseen", "reconciled")
    ]


def test_what_no_record_of_the_playbook_names_is_unseen(
    deployed: Inside, hour: float, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    observability._metrics.cache_clear()  # made without a namespace before
    observability._metrics().clear_metrics()
    seen, lost, others = (updated(deployed, n, hour + 60 * n) for n in (1, 2, 3))
    named(deployed, "marks", hour + 70, seen)
    named(deployed, "buckets", hour + 70, others, run="run-8")  # another playbook's record
    updated(deployed, 4, hour + 60, Workflow={"Status": "SUPPRESSED"})
    updated(deployed, 5, hour + 60, RecordState="ARCHIVED")
    updated(deployed, 6, hour + HOUR_S)  # the next hour's
    assert handler({}, deployed.context(300)) == {"hours": 1, "findings": 3, "unseen": 2}
    unseen = [("unseen", "marks", [lost]), ("unseen", "marks", [others])]
    assert sorted(told(deployed)[:-1]) == sorted(unseen)
    assert told(deployed)[-1] == ("reconciled", "reconcile", [])
    first = next(one for one in deployed.records() if one["kind"] == "unseen")
    assert first["result"]["updated_at"] in first["detail"]
    assert first["target"]["type"] == "AwsEc2Instance"
    assert '"UnseenFindings":[2.0]' in capsys.readouterr().out  # what the alarm goes by


def test_each_hour_has_its_turn_once_and_in_order(deployed: Inside, hour: float) -> None:
    updated(deployed, 1, hour + 60)
    assert handler({}, deployed.context(300))["unseen"] == 1
    assert handler({}, deployed.context(300)) == {"hours": 0, "findings": 0, "unseen": 0}
    late = updated(deployed, 2, hour + HOUR_S + 60)
    updated(deployed, 3, hour + 2 * HOUR_S + 60)
    deployed.clock.advance(2 * HOUR_S)
    assert handler({}, deployed.context(59)) == {"hours": 0, "findings": 0, "unseen": 0}
    assert handler({}, deployed.context(300)) == {"hours": 2, "findings": 2, "unseen": 2}
    assert [ids for kind, _, ids in told(deployed) if kind == "unseen"][1] == [late]


def test_a_record_that_came_hours_later_counts(deployed: Inside, hour: float) -> None:
    deferred = updated(deployed, 1, hour + 60)
    named(deployed, "marks", hour + 3.5 * HOUR_S, deferred)
    assert handler({}, deployed.context(300))["unseen"] == 0


def test_a_run_that_is_cut_short_writes_nothing_of_its_hour(deployed: Inside, hour: float) -> None:
    for number in range(150):
        updated(deployed, number, hour + number)
    acting = Playbook(name="reconcile", summary="", steps=(), on=Triggers(), version="")
    left, pauses = [300.0], list[float]()

    def stops(seconds: float) -> None:
        pauses.append(seconds)
        left[0] = 0.0

    def reconciler() -> Reconciler:
        audit, deadline = Audit(AUDIT, acting, "run-7"), Deadline(lambda: left[0])
        return Reconciler(PLAN, LEDGER, AUDIT, audit, deadline, pause=stops)

    with pytest.raises(CallError):
        reconciler().run(Done())
    assert told(deployed) == []
    key = {"TableName": LEDGER, "Key": STATE}
    assert "Item" not in deployed.tables.handle("GetItem", key)
    assert len(pauses) == 1
    assert handler({}, deployed.context(300)) == {"hours": 1, "findings": 150, "unseen": 150}
    assert len([1 for kind, _, _ in told(deployed) if kind == "unseen"]) == 90


def test_an_hour_is_gone_on_with_where_the_last_run_stopped(deployed: Inside, hour: float) -> None:
    first = [updated(deployed, number, hour + 60) for number in range(2)]
    for number in range(10, 160):
        updated(deployed, number, hour + 700)
    acting = Playbook(name="reconcile", summary="", steps=(), on=Triggers(), version="")
    left, done = [300.0], Done()
    audit = Audit(AUDIT, acting, "run-7")

    def stops(_seconds: float) -> None:
        left[0] = 0.0

    with pytest.raises(CallError):
        Reconciler(PLAN, LEDGER, AUDIT, audit, Deadline(lambda: left[0]), pause=stops).run(done)
    assert (done.hours, done.findings, done.unseen) == (0, 2, 2)
    assert sorted(ids for _, _, ids in told(deployed)) == sorted([one] for one in first)
    assert handler({}, deployed.context(300)) == {"hours": 1, "findings": 150, "unseen": 150}
    assert len([1 for kind, _, _ in told(deployed) if kind == "unseen"]) == 90
    (whole,) = (one for one in deployed.records() if one["kind"] == "reconciled")
    assert whole["result"] == {"findings": 152, "unseen": 152}

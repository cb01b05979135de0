"""Records as events of OCSF: each validates against the published schema of its class."""

from __future__ import annotations

from typing import Any

import pytest

from ocsf_schema import mapped, objections

AT = "2026-11-22T00:00:00.000Z"
ARN = "arn:aws:sts::111122223333:assumed-role/ops/alex"
TARGET = {
    "account": "444455556666",
    "region": "eu-west-1",
    "resource": "arn:aws:ec2:eu-west-1:444455556666:instance/i-0123456789abcdef0",
    "type": "AwsEc2Instance",
    "product": "Inspector",
}
WHOLE = {
    "playbook": "inspector-coverage",
    "version": "0123456789ab",
    "function": "hub-responder-inspector-coverage:$LATEST",
    "trigger": {"kind": "custom_action", "event_id": "e-1", "by": "arn:aws:x", "at": AT},
    "target": TARGET,
    "incident": "inspector-coverage#ab",
    "gen": 1,
    "round": 1,
    "findings": ["f-1", "f-2"],
    "step": "ticket",
    "uses": "ticket.open",
    "key": "ab" * 20,
    "status": "failed",
    "error": "DeniedError",
    "ms": 12,
    "refs": {"jira": {"ticket": "SEC-1"}},
    "result": {"verdict": "UNPROTECTED"},
    "detail": "refused",
    "contents": {"sent": {"jira": "0" * 64}},
}
KINDS = (
    *("received", "skipped", "decided", "repeat", "opened", "joined", "taken_over", "resumed"),
    *("ending", "ended", "attempt", "outcome", "deferred", "finished", "answered", "returned"),
    *("dead", "unreadable", "paused", "redriven", "discarded", "guard", "config", "tampered"),
    *("cloudtrail", "unseen", "closed", "unpaused", "command"),
)


def record(kind: str, **fields: Any) -> dict[str, Any]:
    return {"id": "run-1.2", "at": AT, "kind": kind, **fields}


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_of_each_kind_validates_however_much_it_says(kind: str) -> None:
    for fields in ({}, WHOLE, {"actor": ARN, "playbook": "inspector-coverage"}):
        assert objections(record(kind, **fields)) == []


@pytest.mark.parametrize("status", ["done", "failed", "skipped", "deferred", "observed"])
def test_an_outcome_validates_whatever_became_of_it(status: str) -> None:
    assert objections(record("outcome", **{**WHOLE, "status": status})) == []


def test_an_effect_is_a_remediation_and_what_only_reads_is_not() -> None:
    assert mapped(record("outcome", **WHOLE))[0] == 7001
    read = {name: value for name, value in WHOLE.items() if name != "key"}
    assert mapped(record("outcome", **read))[0] == 2005
    assert mapped(record("paused", actor=ARN))[0] == 6003


def test_who_clicked_is_not_invented() -> None:
    _, event = mapped(record("opened", **WHOLE))
    assert event["actor"]["user"] == {"name": "person: not supplied by AWS"}
    assert event["actor"]["app_uid"] == "arn:aws:x"


def test_an_operator_is_named_by_their_arn() -> None:
    _, event = mapped(record("paused", actor=ARN))
    assert event["actor"]["user"]["uid"] == ARN


def test_observables_name_where_in_the_event_they_are() -> None:
    _, event = mapped(record("opened", **WHOLE))
    for one in event["observables"]:
        field = one["name"].removeprefix("unmapped.")
        held = event["unmapped"][field]
        assert one["value"] == held or one["value"] in held

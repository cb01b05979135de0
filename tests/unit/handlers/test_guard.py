"""What is changed or removed in the audit trail is recorded, with what was there."""

from __future__ import annotations

import json
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import pytest

from hub_responder import observability
from hub_responder.handlers.guard import handler
from inside import Inside

LINES = '{"id":"run-1.1","kind":"outcome","detail":"\u65e5\u672c <b>"}'
STREAM = "arn:aws:dynamodb:us-east-1:111122223333:table/audit/stream/x"


def change(name: str, *, after: str = "", **more: Any) -> dict[str, Any]:
    key = {"pk": {"S": "2026-11-22T00#03"}, "sk": {"S": "1#run-1#0001"}}
    images = {"OldImage": {**key, "records": {"S": LINES}}}
    if after:
        images["NewImage"] = {**key, "records": {"S": after}}
    told = {"Keys": key, **images, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    identity = {"eventID": "e-1", "eventName": name, "eventSourceARN": STREAM}
    return {**identity, "dynamodb": told, **more}


def invoke(*changes: dict[str, Any]) -> dict[str, int]:
    context = SimpleNamespace(aws_request_id="guard-1", get_remaining_time_in_millis=lambda: 30_000)
    return handler({"Records": list(changes)}, context)


def test_what_was_there_is_kept_and_the_trail_says_who_is_not_told(deployed: Inside) -> None:
    assert invoke(change("MODIFY", after="{}"), change("REMOVE")) == {"tampered": 2}
    modified, removed = deployed.records()
    assert (modified["kind"], modified["playbook"]) == ("tampered", "guard")
    assert modified["item"] == "2026-11-22T00#03 1#run-1#0001"
    assert modified["result"]["before"] == sha256(LINES.encode()).hexdigest()
    assert modified["result"]["after"] == sha256(b"{}").hexdigest()
    assert "after" not in removed["result"]
    assert "not tell by whom" in removed["detail"]
    assert modified["source"]["operation"] == "MODIFY"
    (kept,) = deployed.kept().values()
    assert kept == LINES


@pytest.mark.parametrize(
    "ordinary",
    [
        change("REMOVE", userIdentity={"type": "Service", "principalId": "dynamodb.amazonaws.com"}),
        change("INSERT"),
    ],
)
def test_what_is_over_or_new_is_no_tampering(deployed: Inside, ordinary: Any) -> None:
    assert invoke(ordinary) == {"tampered": 0}
    assert deployed.records() == []


def test_an_alarm_has_a_metric(deployed: Inside, capsys: pytest.CaptureFixture[str]) -> None:
    del deployed
    capsys.readouterr()
    observability._metrics.cache_clear()  # made without a namespace before
    observability._metrics().clear_metrics()
    invoke(change("REMOVE"), change("REMOVE"))
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    (metric,) = [one for one in told if "Tampered" in one]
    assert metric["Tampered"] == [2.0]
    assert metric["playbook"] == "guard"

"""The Lambda of a playbook, in this process, over real queues, tables and Security Hub."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub_responder import observability
from hub_responder.errors import ConfigurationError
from hub_responder.handlers import playbook as handlers
from hub_responder.handlers.playbook import handler
from hub_responder.playbook import load
from inside import PASSING, VISIBILITY_S, Inside, write
from world import event, finding


def seen(deployed: Inside, number: int) -> dict[str, Any]:
    """A finding that Security Hub holds."""
    made = finding(number, number)
    deployed.hub.seed(made)
    return made


def send(deployed: Inside, body: str, queue: str = "imports", **attributes: str) -> None:
    """A message, with attributes as anybody could set them."""
    shaped = {k: {"DataType": "String", "StringValue": v} for k, v in attributes.items()}
    deployed.queues.send(deployed.arn(queue), body, shaped)


def status(deployed: Inside, one: dict[str, Any]) -> str:
    """The workflow of a finding."""
    held = deployed.hub.get(one["Id"]) or {}
    return str(held["Workflow"]["Status"])


def test_imported_findings_are_marked_and_their_messages_gone(deployed: Inside) -> None:
    findings = [seen(deployed, n) for n in range(3)]
    for one in findings:
        send(deployed, event(one))
    assert deployed.invoke(handler) == []
    assert [status(deployed, one) for one in findings] == ["NOTIFIED"] * 3
    assert deployed.note(findings[0]).startswith("seen: i-")
    assert deployed.queues.depth(deployed.imports).visible == 0


def test_the_echo_of_its_own_update_is_a_repeat(deployed: Inside) -> None:
    one = seen(deployed, 1)
    send(deployed, event(one))
    deployed.invoke(handler)
    (echo,) = deployed.emitted
    for _ in range(3):
        send(deployed, json.dumps(echo))
        deployed.invoke(handler)
    assert len(deployed.emitted) == 1
    assert [r["kind"] for r in deployed.records()][-6:] == ["received", "repeat"] * 3


def test_attributes_that_are_no_numbers_are_passed_over(deployed: Inside) -> None:
    one = seen(deployed, 1)
    send(deployed, event(one), attempt="many", first_at="nan")
    assert deployed.invoke(handler) == []
    assert status(deployed, one) == "NOTIFIED"


def test_a_garbled_message_is_dead_with_its_reason_and_others_are_handled(
    deployed: Inside,
) -> None:
    one = seen(deployed, 1)
    send(deployed, "\u00ff{")
    send(deployed, event(one))
    assert deployed.invoke(handler) == []
    assert status(deployed, one) == "NOTIFIED"
    (letter,) = deployed.letters()
    assert letter["body"] == "\u00ff{"
    assert letter["reason"].startswith("unreadable: ")


def test_a_dependency_that_is_down_defers_and_spends_no_receive(deployed: Inside) -> None:
    one = seen(deployed, 1)
    send(deployed, event(one))
    for target in ("securityhub.BatchUpdateFindings", "dynamodb.TransactWriteItems"):
        deployed.faults.add([{"target": target, **PASSING}])
        assert deployed.invoke(handler) == []
        assert status(deployed, one) == "NEW"
        deployed.clock.advance(60)
    assert deployed.invoke(handler) == []
    assert status(deployed, one) == "NOTIFIED"


@pytest.mark.parametrize("name", ["LEDGER_TABLE", "DLQ_URL", "STAGE", "PLAYBOOK_DIR"])
def test_a_missing_variable_is_named_and_nothing_is_done(deployed: Inside, name: str) -> None:
    one = seen(deployed, 1)
    send(deployed, event(one))
    del os.environ[name]
    with pytest.raises(ConfigurationError, match=name):
        deployed.invoke(handler)
    assert status(deployed, one) == "NEW"
    assert deployed.records() == []


def test_metrics_that_cannot_be_written_bring_no_message_back(deployed: Inside) -> None:
    del os.environ["POWERTOOLS_METRICS_NAMESPACE"]
    observability._metrics.cache_clear()  # as in a new process
    one = seen(deployed, 1)
    send(deployed, event(one))
    assert deployed.invoke(handler) == []
    assert status(deployed, one) == "NOTIFIED"


def test_no_time_left_puts_the_work_off_and_it_is_done_later(deployed: Inside) -> None:
    one = seen(deployed, 1)
    send(deployed, event(one))
    assert deployed.invoke(handler, left=5.0) == []
    assert status(deployed, one) == "NEW"
    deployed.clock.advance(1)
    assert deployed.invoke(handler) == []
    assert status(deployed, one) == "NOTIFIED"


def test_no_log_line_quotes_a_finding(deployed: Inside) -> None:
    one = seen(deployed, 1) | {"Title": "a-title-to-look-for"}
    send(deployed, event(one))
    send(deployed, '{"a-body": "to-look-for"}')
    deployed.invoke(handler)
    logged = deployed.log.getvalue()
    assert '"message":"batch"' in logged
    assert "to-look-for" not in logged


def test_a_click_at_its_last_receive_is_answered_before_anything_else(deployed: Inside) -> None:
    one = seen(deployed, 1)
    send(deployed, event(one, clicked="c-1"), "clicks")
    for _ in range(4):
        deployed.queues.receive(deployed.arn("clicks"))
        deployed.clock.advance(VISIBILITY_S + 1)
    deployed.invoke(handler, "clicks")
    answers = [r for r in deployed.records() if r.get("step") == "_answer"]
    assert [r["kind"] for r in answers] == ["attempt", "outcome"]
    first = next(e for e in deployed.emitted)
    assert "Earlier runs for this click" in first["detail"]["findings"][0]["Note"]["Text"]
    assert deployed.note(one).startswith("seen: ")


def test_a_click_on_a_finding_that_cannot_be_read_is_answered_on_it(deployed: Inside) -> None:
    good, bad = seen(deployed, 1), seen(deployed, 2)
    send(deployed, event(good, bad | {"Severity": {"Label": 7}}, clicked="c-1"), "clicks")
    deployed.invoke(handler, "clicks")
    assert deployed.note(bad).startswith("This finding cannot be read: Severity")
    assert deployed.note(good).startswith("seen: ")


def test_a_version_that_begins_to_run_is_recorded_once_with_the_one_before_it(
    deployed: Inside, tmp_path: Path
) -> None:
    handled = itertools.count()

    def run(version: str) -> None:
        folder = tmp_path / "marks"
        write(msgspec.structs.replace(load(folder), version=version), folder)
        handlers._playbook.cache_clear()
        for _ in range(2):
            send(deployed, event(seen(deployed, next(handled))))
            assert deployed.invoke(handler) == []

    run("a" * 12)
    run("a" * 12)
    run("b" * 12)
    told = [one for one in deployed.records() if one["kind"] == "config"]
    assert [(one["version"][0], one.get("result")) for one in told] == [
        ("a", None),
        ("b", {"before": "a" * 12}),
    ]


def test_a_version_that_cannot_be_noted_stops_nothing(deployed: Inside) -> None:
    handlers._playbook.cache_clear()
    deployed.faults.add([{"target": "dynamodb.BatchGetItem", "status": 400, "times": 1}])
    send(deployed, event(seen(deployed, 1)))
    assert deployed.invoke(handler) == []
    assert not [one for one in deployed.records() if one["kind"] == "config"]

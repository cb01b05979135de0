"""What the records of a round tell an auditor, and what is kept beside them."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from hub_responder.actions.base import Action, Outcome, each
from hub_responder.archive.items import Item, read
from hub_responder.errors import DeniedError
from world import ACCOUNT, REGION, World, event, finding

ACTION_ARN = f"arn:aws:securityhub:{REGION}:{ACCOUNT}:action/custom/"


def handled(make_world: Any, *bodies: str, **playbook: Any) -> World:
    """A world in which these messages were handled."""
    world: World = make_world()
    world.playbook = msgspec.structs.replace(world.playbook, **playbook)
    for body in bodies:
        world.send(body)
    world.drain()
    return world


def items(world: World) -> list[Item]:
    """The items of the audit table, as the archive reads them."""
    held = world.store.handle("Scan", {"TableName": "audit"})["Items"]
    return [read(_bytes(item)) for item in sorted(held, key=lambda item: str(item["sk"]["S"]))]


def _bytes(item: dict[str, Any]) -> dict[str, Any]:
    """As boto3 hands it out: the wire has base64."""
    import base64

    kept = item.get("contents", {}).get("B")
    decoded = base64.b64decode(kept) if isinstance(kept, str) else kept
    return {**item, "contents": {"B": decoded}} if kept else item


def of(world: World, kind: str, **fields: Any) -> list[dict[str, Any]]:
    return [
        record
        for record in world.records()
        if record["kind"] == kind and fields.items() <= record.items()
    ]


def test_records_of_a_click_name_the_custom_action_and_what_it_is_about(make_world: Any) -> None:
    one = finding(1)
    world = handled(make_world, event(one, clicked="click-1"))
    told = [record for record in world.records() if record["kind"] != "received"]
    assert told
    for record in told:
        trigger, target = record["trigger"], record["target"]
        assert trigger["by"].startswith(ACTION_ARN)
        assert (trigger["account"], trigger["region"]) == (ACCOUNT, REGION)
        assert trigger["at"].endswith("Z")
        assert target["resource"] == one["Resources"][0]["Id"]
        assert (target["account"], target["type"]) == (ACCOUNT, "AwsEc2Instance")
        assert target["product"]


def test_an_import_names_its_rule_where_the_template_says_it(
    make_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/hr-modelled"
    monkeypatch.setenv("RULES", prefix)
    left = {**finding(2), "RecordState": "ARCHIVED"}
    world = handled(make_world, event(finding(1)), event(left))
    came = [record["trigger"]["by"] for record in of(world, "received")]
    assert sorted(came) == [f"{prefix}-imported", f"{prefix}-lifecycle"]


def test_an_attempt_and_its_outcome_share_a_key_and_reads_have_none(
    make_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "hr-modelled")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
    world = handled(make_world, event(finding(1)))
    (attempt,) = of(world, "attempt", step="ticket")
    (outcome,) = of(world, "outcome", step="ticket")
    (look,) = of(world, "outcome", step="look")
    assert attempt["key"] == outcome["key"]
    assert len(attempt["inputs"]) == 64
    assert outcome["refs"] == {"tickets": {"ticket": "T-1"}}
    assert outcome["ms"] >= 0
    assert look["ms"] >= 0
    assert "key" not in look
    assert {record["function"] for record in world.records()} == {"hr-modelled:$LATEST"}


def test_what_was_behind_a_failure_is_named(make_world: Any) -> None:
    world: World = make_world()

    def refuse(_work: Any) -> Outcome:
        raise DeniedError("no", target="x")

    refusing = replace(world.action("ticket"), run=lambda works, _runtime: each(refuse, works))
    world.replaced["ticket"] = refusing
    world.send(event(finding(1)))
    world.drain()
    assert {one["error"] for one in of(world, "outcome", step="ticket")} == {"DeniedError"}


def test_observing_is_said_in_each_record(make_world: Any) -> None:
    world = handled(make_world, event(finding(1)), mode="observe")
    assert world.records()
    assert all(record["dry_run"] is True for record in world.records())
    acting = handled(make_world, event(finding(1)))
    assert not any("dry_run" in record for record in acting.records())


def test_a_message_is_recorded_once_with_what_it_brought_by_the_first_transaction(
    make_world: Any,
) -> None:
    world = handled(make_world, event(finding(1), finding(2, 2), clicked="click-1"))
    (came,) = of(world, "received")
    assert came["count"] == 2
    assert came["trigger"]["event_id"] == "click-1"
    first = items(world)[0].lines.split("\n")
    assert [json.loads(line)["kind"] for line in first] == ["received", "opened", "opened"]


def test_messages_of_a_batch_that_breaks_are_recorded_once(make_world: Any) -> None:
    world: World = make_world()
    known = world.action
    breaks = iter([True])

    def action(name: str) -> Action:
        if next(breaks, False):
            raise RuntimeError
        return known(name)

    world.action = action  # type: ignore[method-assign] # a layer that breaks once
    for number in (1, 2):
        world.send(event(finding(number, number)))
    world.drain()
    assert len(of(world, "received")) == 2
    assert len(of(world, "finished")) == 2


def test_the_finding_is_kept_as_it_was_once_and_named_by_its_digest(make_world: Any) -> None:
    one = finding(1)
    world = handled(make_world, event(one), event(one))
    (opened,) = of(world, "opened")
    digest = opened["contents"]["finding"][one["Id"]]
    kept = [text for item in items(world) for name, text in item.contents.items() if name == digest]
    assert [json.loads(text) for text in kept] == [one]
    assert sha256(kept[0].encode()).hexdigest() == digest


def test_what_was_sent_is_kept_and_named_by_its_outcome(make_world: Any) -> None:
    world: World = make_world()
    sent = {"chat": "日本語 <!channel>"}
    world.fail["tell"] = [Outcome("done", "sent", {"sent": True}, sent=sent)]
    world.send(event(finding(1)))
    world.drain()
    (outcome,) = of(world, "outcome", step="tell")
    digest = outcome["contents"]["sent"]["chat"]
    assert {digest: sent["chat"]}.items() <= {
        name: text for item in items(world) for name, text in item.contents.items()
    }.items()


def test_what_the_engine_does_itself_has_its_attempts_id_as_key_and_keeps_its_text(
    make_world: Any, cloud: Any
) -> None:
    del cloud
    body = event(finding(1, 1, "LOW"), clicked="click-1")
    world = handled(make_world, body, only_if=("finding.severity >= 'HIGH'",))
    (attempt,) = of(world, "attempt", step="_answer")
    (outcome,) = of(world, "outcome", step="_answer")
    assert outcome["key"] == attempt["id"]
    texts = {name: text for item in items(world) for name, text in item.contents.items()}
    assert "passed this over" in texts[outcome["contents"]["sent"]["securityhub"]]

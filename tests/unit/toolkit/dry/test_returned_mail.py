"""E-mail that comes back, through rule, queue and engine: told once, whatever comes twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from factories import NOW
from hub_toolkit.dry import trial
from hub_toolkit.dry.world import World
from hub_toolkit.playbooks.load import load_project

from .conftest import Project, event

CONNECTIONS = """\
connections:
  chat:
    type: ses
    sender: a@example.com
    to: [b@example.com]
    configuration_set: soc
    fallback: backup
  backup: {type: slack, channel: C0SANDBOX01}
  tickets: {type: opscenter}
  vision-one: {type: vision_one}
"""


@pytest.fixture
def world(project: Project) -> Iterator[World]:
    """A world in which a message went by e-mail."""
    project.write("playbooks/connections.yaml", CONNECTIONS)
    loaded = load_project(project.root, "prod")
    with trial.bench(loaded, "prod") as bench:
        made = bench.world(loaded.sources, NOW)
        made.put(event())
        made.drain()
        assert systems(made) == ["ses"]
        yield made
        made.close()


def systems(world: World) -> list[str]:
    """Where messages went, in their order."""
    return [one.system for one in world.happened.deliveries if one.kind == "message"]


def bounce(world: World, **changed: Any) -> dict[str, Any]:
    """What SES says of the message, as it would."""
    (sent,) = [one for one in world.happened.deliveries if one.system == "ses"]
    tags = {name: [value] for name, value in sent.body["tags"].items()}
    recipients = [{"emailAddress": "b@example.com", "status": "5.1.1"}]
    return {
        "version": "0",
        "id": "ses-1",
        "detail-type": "Email Bounced",
        "source": "aws.ses",
        "account": "111122223333",
        "time": "2026-11-22T00:10:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "eventType": "Bounce",
            "mail": {"tags": {**tags, **changed.pop("tags", {})}},
            "bounce": {"bounceType": "Permanent", "bouncedRecipients": recipients},
        },
        **changed,
    }


def arrive(world: World, *events: dict[str, Any]) -> None:
    for one in events:
        world.core.events.put_event(one)
    world.drain()


def test_a_bounce_that_comes_twice_is_told_and_sent_again_once(world: World) -> None:
    arrive(world, bounce(world), bounce(world))
    arrive(world, bounce(world))
    assert systems(world) == ["ses", "slack", "sns"]
    slack = next(one for one in world.happened.deliveries if one.system == "slack")
    assert "HIGH on platform" in slack.text
    assert "no Vision One agent" in slack.text
    assert "did not reach b@example.com (Permanent, 5.1.1)" in slack.text


def test_a_second_bounce_of_the_message_is_told_and_its_text_stays_sent_once(world: World) -> None:
    arrive(world, bounce(world))
    arrive(world, bounce(world, id="ses-2"))
    assert systems(world) == ["ses", "slack", "sns", "sns"]
    told = [one for one in world.records() if one["kind"] == "returned"]
    assert "sent through backup, the fallback" in told[0]["detail"]
    assert "was sent again before" in told[1]["detail"]
    assert told[0]["incident"] == told[1]["incident"]


def test_a_fallback_that_does_not_answer_gets_it_later(world: World) -> None:
    world.core.faults.add([{"target": "backup", "status": 503, "times": 3}])
    arrive(world, bounce(world))
    assert systems(world) == ["ses", "slack", "sns"]


def test_a_fallback_that_refuses_is_told_of(world: World) -> None:
    world.core.faults.add([{"target": "backup", "status": 403, "times": 9}])
    arrive(world, bounce(world))
    assert systems(world) == ["ses", "sns"]
    sns = next(one for one in world.happened.deliveries if one.system == "sns")
    assert "the fallback: backup answered 403" in sns.text


def test_two_that_stand_in_for_each_other_come_to_rest(project: Project) -> None:
    to = "to: [bounce@simulator.amazonses.com], configuration_set: soc"
    project.write(
        "playbooks/connections.yaml",
        "connections:\n"
        f"  chat: {{type: ses, sender: a@example.com, {to}, fallback: second}}\n"
        f"  second: {{type: ses, sender: b@example.com, {to}, fallback: chat}}\n"
        "  tickets: {type: opscenter}\n  vision-one: {type: vision_one}\n",
    )
    loaded = load_project(project.root, "prod")
    with trial.bench(loaded, "prod") as bench:
        world = bench.world(loaded.sources, NOW)
        world.put(event())
        world.drain()
        sent = [one.connection for one in world.happened.deliveries if one.system == "ses"]
        assert sent == ["chat", "second"]
        assert len([one for one in world.records() if one["kind"] == "returned"]) == 2
        world.close()


@pytest.mark.parametrize(
    "changed",
    [
        {"tags": {"hub-responder-playbook": ["other"]}},
        {"tags": {"hub-responder-stage": ["sandbox"]}},
        {"detail-type": "Email Delivered"},
    ],
)
def test_what_is_about_others_messages_never_arrives(world: World, changed: dict[str, Any]) -> None:
    arrive(world, bounce(world, **changed))
    assert systems(world) == ["ses"]
    assert world.dead_letters() == []


def test_an_event_about_another_playbooks_message_is_passed_over(world: World) -> None:
    queue = next(source.queue for source in world._sources if "imports" in source.queue)
    body = json.dumps(bounce(world, tags={"hub-responder-playbook": ["other"]}))
    world.queues.send(queue, body)
    world.drain()
    assert systems(world) == ["ses"]
    (record,) = [one for one in world.records() if one["kind"] == "skipped"]
    assert "a message of other: not our own" in record["detail"]

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hub_toolkit.sandbox.clock import Clock
from hub_toolkit.sandbox.deploy import Services, dead_letter_queues, deploy, sources
from hub_toolkit.sandbox.dynamodb import ItemStore
from hub_toolkit.sandbox.event_plane.bus import EventPlane
from hub_toolkit.sandbox.intrinsics import TemplateError
from hub_toolkit.sandbox.security_hub.hub import SecurityHub
from hub_toolkit.sandbox.sqs import Queues
from hub_toolkit.sandbox.template import Function, Mapped, Plan

REGION, ACCOUNT = "us-east-1", "111122223333"
DEAD = f"arn:aws:sqs:{REGION}:{ACCOUNT}:z-dead"
IMPORTS = f"arn:aws:sqs:{REGION}:{ACCOUNT}:imports"


class World:
    """Real services, empty."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.queues = Queues(self.clock, REGION, ACCOUNT, "http://127.0.0.1:1")
        self.events = EventPlane(self.clock.now, self.queues, REGION, ACCOUNT)
        self.hub = SecurityHub(self.clock.now, self.events.put_event, REGION, ACCOUNT)
        self.tables = ItemStore(self.clock.now, region=REGION, account=ACCOUNT)
        self.topics: list[str] = []
        self.buckets: dict[str, Any] = {}
        self.keys: list[tuple[str, str]] = []
        self.services = Services(
            queues=self.queues,
            events=self.events,
            dynamodb=self.tables.handle,
            topic=self.topics.append,
            bucket=self.buckets.__setitem__,
            key=lambda arn, alias: self.keys.append((arn, alias)),
            action_target=lambda request: self.hub.handle("CreateActionTarget", request),
        )


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.clock.close()


def test_a_queue_is_made_after_the_dead_letter_queue_that_it_names(world: World) -> None:
    policy = {"deadLetterTargetArn": DEAD, "maxReceiveCount": 5}
    plan = Plan(
        queues={
            "imports": {
                "QueueName": "imports",
                "VisibilityTimeout": 95,
                "SqsManagedSseEnabled": True,
                "RedrivePolicy": policy,
            },
            "z-dead": {"QueueName": "z-dead"},
        }
    )
    deploy(plan, world.services)
    queue = world.queues.find(IMPORTS)
    assert queue.number("VisibilityTimeout") == 95
    assert queue.redrive is not None
    assert (queue.redrive.target, queue.redrive.max_receives) == (DEAD, 5)
    assert dead_letter_queues(plan) == [DEAD]


def test_a_table_has_its_keys_and_what_cloudformation_sets_afterwards(world: World) -> None:
    table = {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {"SSEEnabled": True},
    }
    deploy(Plan(tables={"ledger": table}), world.services)
    name = {"TableName": "ledger"}
    described = world.tables.handle("DescribeTable", name)["Table"]
    assert described["KeySchema"] == table["KeySchema"]
    ttl = world.tables.handle("DescribeTimeToLive", name)["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}


def test_events_reach_the_queue_of_a_rule_that_matches(world: World) -> None:
    rule = {
        "EventPattern": {"source": ["mine"]},
        "Targets": [{"Id": "queue", "Arn": IMPORTS, "DeadLetterConfig": {"Arn": DEAD}}],
    }
    deploy(Plan(queues={"imports": {}, "z-dead": {}}, rules={"rule": rule}), world.services)
    event = {"source": "mine", "detail": {"a": 1}}
    assert world.events.put_event(event) == ["rule"]
    assert world.queues.depth(IMPORTS).visible == 1


def test_a_disabled_rule_matches_nothing(world: World) -> None:
    rule = {"EventPattern": {"source": ["mine"]}, "State": "DISABLED", "Targets": []}
    deploy(Plan(rules={"rule": rule}), world.services)
    assert world.events.put_event({"source": "mine"}) == []


def test_a_rule_of_another_bus_is_an_error(world: World) -> None:
    rule = {"EventPattern": {"source": ["mine"]}, "EventBusName": "other"}
    with pytest.raises(TemplateError, match="only the default event bus"):
        deploy(Plan(rules={"rule": rule}), world.services)


def test_topics_and_custom_actions_are_made(world: World) -> None:
    action = {"Name": "Check", "Id": "Check", "Description": "Asks"}
    deploy(Plan(topics={"news": {}}, action_targets={"arn": action}), world.services)
    assert world.topics == ["news"]
    found = world.hub.handle("DescribeActionTargets", {})["ActionTargets"]
    assert [one["Name"] for one in found] == ["Check"]


def test_event_sources_keep_the_numbers_of_the_template() -> None:
    mapped = (
        Mapped("one", batch_size=50, window=5.0, concurrency=7, partial=True),
        Mapped("two", batch_size=10, window=0.0, concurrency=None, partial=False),
    )
    function = Function("f", "F", "h.h", {}, 60.0, 256, sources=mapped)
    first, second = sources(Plan(functions={"f": function}))
    assert (first.queue, first.function, first.batch_size, first.window_s) == ("one", "f", 50, 5.0)
    assert (first.max_concurrency, first.report_failures) == (7, True)
    assert (second.max_concurrency, second.report_failures) == (5, False)


def test_a_batch_that_lambda_would_refuse_is_refused() -> None:
    mapped: Any = Mapped("one", batch_size=50, window=0.0, concurrency=None, partial=True)
    function = Function("f", "F", "h.h", {}, 60.0, 256, sources=(mapped,))
    with pytest.raises(ValueError, match="BatchSize is 50"):
        sources(Plan(functions={"f": function}))


def test_buckets_are_created_by_name_with_their_lock(world: World) -> None:
    lock = {"ObjectLockEnabled": "Enabled"}
    plan = Plan(buckets={"reports": {}, "trail": {"ObjectLockConfiguration": lock}})
    deploy(plan, world.services)
    assert world.buckets == {"reports": None, "trail": lock}

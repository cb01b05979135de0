"""Creates what ``template.yaml`` asks for in the sandbox's own services, without CloudFormation.

Encryption, queue policies, log groups and alarms have no
effect here; of KMS keys only those that sign are made. Rules with a schedule
fire when they are told to (``POST /_sandbox/tick``), not by the clock, so that a fast clock does
not drown everything in scheduled runs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.intrinsics import TemplateError
from hub_toolkit.sandbox.pollers import DEFAULT_CONCURRENCY, Source
from hub_toolkit.sandbox.stream_pollers import StreamSource
from hub_toolkit.sandbox.template import Plan

if TYPE_CHECKING:
    from hub_toolkit.sandbox.event_plane.bus import EventPlane
    from hub_toolkit.sandbox.sqs import Queues

_NO_QUEUE_SETTING = frozenset({"QueueName", "Tags"})
_TABLE_SETTINGS = frozenset(
    {
        "AttributeDefinitions",
        "BillingMode",
        "GlobalSecondaryIndexes",
        "KeySchema",
        "LocalSecondaryIndexes",
        "ProvisionedThroughput",
        "StreamSpecification",
    }
)
_AFTERWARDS = {
    "UpdateTimeToLive": "TimeToLiveSpecification",
    "UpdateContinuousBackups": "PointInTimeRecoverySpecification",
}
"""What CloudFormation sets by a call of its own, by operation."""


@dataclass(frozen=True, slots=True)
class Services:
    """Where resources are created.

    Attributes:
        dynamodb: carries out an operation of DynamoDB's API.
        topic: creates an SNS topic by name. bucket: creates an S3 bucket by name
            and lock.
        key: creates a KMS key that signs, by its ARN and alias.
        action_target: creates a custom action from CreateActionTarget's request.
    """

    queues: Queues
    events: EventPlane
    dynamodb: Callable[[str, dict[str, Any]], dict[str, Any]]
    topic: Callable[[str], object]
    bucket: Callable[[str, Mapping[str, Any] | None], object]
    key: Callable[[str, str], object]
    action_target: Callable[[dict[str, Any]], object]


def deploy(plan: Plan, services: Services) -> None:
    """Create every resource of the plan but its functions.

    Raises:
        TemplateError: a resource cannot be made as the template says.
    """
    for name in _queues_in_order(plan):
        services.queues.create(name, _queue_attributes(plan.queues[name]))
    for name, properties in plan.tables.items():
        _table(services.dynamodb, name, properties)
    for name in plan.topics:
        services.topic(name)
    for name, properties in plan.buckets.items():
        services.bucket(name, properties.get("ObjectLockConfiguration"))
    named = {one["TargetKeyId"]: alias for alias, one in plan.aliases.items()}
    for arn, properties in plan.keys.items():
        if properties.get("KeyUsage") == "SIGN_VERIFY":
            services.key(arn, named.get(arn.rpartition("/")[2], ""))
    for properties in plan.action_targets.values():
        services.action_target({key: properties[key] for key in ("Name", "Description", "Id")})
    for name, properties in plan.rules.items():
        _rule(services.events, name, properties)


def dead_letter_queues(plan: Plan) -> list[str]:
    """The ARNs of the queues that others redrive to."""
    policies = (properties.get("RedrivePolicy") for properties in plan.queues.values())
    return sorted({policy["deadLetterTargetArn"] for policy in policies if policy})


def state_buckets(plan: Plan) -> set[str]:
    """The names of the buckets that hold the responder's own state."""
    of_each = [function.environment for function in plan.functions.values()]
    named = (one.get(key) for one in of_each for key in ("INVENTORY_BUCKET", "ARCHIVE_BUCKET"))
    return {name for name in named if name}


def sources(plan: Plan) -> list[Source]:
    """The event source mappings of all functions."""
    return [
        Source(
            queue=mapped.queue_arn,
            function=function.name,
            batch_size=mapped.batch_size,
            window_s=mapped.window,
            max_concurrency=mapped.concurrency or DEFAULT_CONCURRENCY,
            report_failures=mapped.partial,
        )
        for function in plan.functions.values()
        for mapped in function.sources
    ]


def streams(plan: Plan) -> list[StreamSource]:
    """The event source mappings of streams, of all functions."""
    return [
        StreamSource(followed.stream_arn, function.name, followed.batch_size, followed.filters)
        for function in plan.functions.values()
        for followed in function.streams
    ]


def _queues_in_order(plan: Plan) -> list[str]:
    """Dead-letter queues first: a redrive policy must name a queue that exists."""
    dead = {arn.rsplit(":", 1)[-1] for arn in dead_letter_queues(plan)}
    return sorted(plan.queues, key=lambda name: name not in dead)


def _queue_attributes(properties: Mapping[str, Any]) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for name, value in properties.items():
        if name in _NO_QUEUE_SETTING:
            continue
        if isinstance(value, Mapping):
            attributes[name] = json.dumps(value)
        else:
            attributes[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return attributes


def _table(
    dynamodb: Callable[[str, dict[str, Any]], dict[str, Any]],
    name: str,
    properties: Mapping[str, Any],
) -> None:
    request = {key: value for key, value in properties.items() if key in _TABLE_SETTINGS}
    if "StreamSpecification" in request:  # CloudFormation enables what has one
        request["StreamSpecification"] = {"StreamEnabled": True, **request["StreamSpecification"]}
    dynamodb("CreateTable", {"BillingMode": "PROVISIONED", **request, "TableName": name})
    for operation, setting in _AFTERWARDS.items():
        if setting in properties:
            dynamodb(operation, {"TableName": name, setting: properties[setting]})


def _rule(events: EventPlane, name: str, properties: Mapping[str, Any]) -> None:
    bus = str(properties.get("EventBusName", "default"))
    if bus != "default":
        raise TemplateError(f"rule {name}: the sandbox has only the default event bus, not {bus}")
    events.put_rule(
        name,
        properties.get("EventPattern"),
        schedule=str(properties.get("ScheduleExpression", "")),
        enabled=properties.get("State", "ENABLED") != "DISABLED",
        description=str(properties.get("Description", "")),
    )
    events.put_targets(name, list(properties.get("Targets", [])))

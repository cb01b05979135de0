"""The resources of one playbook: about twelve, so that about 35 playbooks fit one stack."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hub_responder.events import SCHEDULE_EVENT, SCHEDULE_SOURCE
from hub_toolkit.playbooks import inventory, rules
from hub_toolkit.synth.alarms import alarm
from hub_toolkit.synth.naming import arn, attribute, log_group, logical, named, ref
from hub_toolkit.synth.roles import reports, role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub_responder.playbook import Schedule
    from hub_toolkit.playbooks.format import Source

Resources = dict[str, dict[str, Any]]

MAX_RESOURCES = 12
"""Without a schedule, and without e-mail that can come back."""
FUNCTION_TIMEOUT_S = 60
VISIBILITY_S = 95
"""Longer than a lease (what is left of the function's time, and 5 s), so that a message comes back
only once nobody works on it."""
MAX_RECEIVES = 5
"""With `VISIBILITY_S`, a crash loop ends in the DLQ in under 8 minutes."""
IMPORTS_CONCURRENCY = 5
"""Batches of imported findings at once: vendors are paced; analysts' clicks are not held back."""


def resources(
    source: Source, statements: Sequence[Any], condition: str = "", *, mails: bool = False
) -> Resources:
    """The playbook's resources by logical id.

    Args:
        statements: its role's. condition: the one that holds in the stages where it is enabled.
        mails: it sends e-mail of which SES tells what comes back.
    """
    made = _resources(source, statements)
    if mails:
        made[logical(source.name, "MailRule")] = rule(
            f"{source.name}-mail",
            f"E-mail of {source.name} that came back",
            rules.returned(source.name, ref("Stage")),
            logical(source.name, "ImportsQueue"),
        )
        made[logical(source.name, "MailAlarm")] = alarm(
            f"E-mail of {source.name} came back: somebody was not told",
            ("AWS/Events", "TriggeredRules"),
            {"RuleName": ref(logical(source.name, "MailRule"))},
            "Sum",
            ends=False,
        )
    if condition:
        made = {name: {**one, "Condition": condition} for name, one in made.items()}
    return made


def _resources(source: Source, statements: Sequence[Any]) -> Resources:
    name = source.name
    imported, lifecycle = rules.imported(source.on), rules.lifecycle(source.on)
    function, imports, clicks = (
        logical(name, suffix) for suffix in ("Function", "ImportsQueue", "ClicksQueue")
    )
    made: Resources = {
        imports: queue(f"{name}-imports"),
        clicks: queue(f"{name}-clicks"),
        logical(name, "LogGroup"): {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {
                "LogGroupName": log_group(name),
                "RetentionInDays": ref("LogRetentionDays"),
            },
        },
        logical(name, "Role"): role(f"Playbook {name}", statements),
        logical(name, "Layer"): layer(
            name, f"The compiled playbook {name}", f"build/playbooks/{name}/"
        ),
        function: _function(source),
        logical(name, "ImportsSource"): source_of(function, imports, batch=50, window=5),
        logical(name, "ClicksSource"): source_of(function, clicks, batch=10, window=0),
    }
    made[logical(name, "ImportsSource")]["Properties"]["ScalingConfig"] = {
        "MaximumConcurrency": IMPORTS_CONCURRENCY
    }
    if imported is not None and lifecycle is not None:
        made[logical(name, "ImportedRule")] = rule(
            f"{name}-imported", f"Findings that start {name}", imported, imports
        )
        made[logical(name, "LifecycleRule")] = rule(
            f"{name}-lifecycle", f"Findings that end for {name}", lifecycle, imports
        )
    if source.on.custom_action is not None:
        target = logical(name, "ActionTarget")
        action = source.on.custom_action
        made[target] = {
            "Type": "AWS::SecurityHub::ActionTarget",
            "Properties": {
                "Id": action.id,
                "Name": action.name,
                "Description": action.description,
            },
        }
        made[logical(name, "ActionRule")] = rule(
            f"{name}-action",
            f"Clicks on {action.name}, on findings and on insights",
            rules.action(attribute(target, "ActionTargetArn")),
            clicks,
        )
    if source.on.schedule is not None:
        made[logical(name, "Schedule")] = _schedule(source, source.on.schedule)
    return made


def _schedule(source: Source, schedule: Schedule) -> dict[str, Any]:
    """A schedule that sends the playbook's queue an event of our own (see `hub_responder.events`).

    The run's id is its scheduled time: a delivery that is tried again is the same run.
    """
    name = source.name
    insight = {"insightArn": schedule.insight} if schedule.insight else {}
    event = {
        "version": "0",
        "id": f"{name}@<aws.scheduler.scheduled-time>",
        "source": SCHEDULE_SOURCE,
        "detail-type": SCHEDULE_EVENT,
        "account": "${AWS::AccountId}",
        "region": "${AWS::Region}",
        "time": "<aws.scheduler.scheduled-time>",
        "resources": ["<aws.scheduler.schedule-arn>"],
        "detail": {"playbook": name, **insight},
    }
    return {
        "Type": "AWS::Scheduler::Schedule",
        "Properties": {
            "Name": named(name),
            "Description": f"Runs of {name}",
            "ScheduleExpression": f"cron({schedule.cron})",
            "ScheduleExpressionTimezone": schedule.timezone,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {
                "Arn": attribute(logical(name, "ImportsQueue")),
                "RoleArn": attribute("SchedulerRole"),
                "DeadLetterConfig": {"Arn": attribute("DeadLetterQueue")},
                "Input": {"Fn::Sub": json.dumps(event, ensure_ascii=False)},
            },
        },
    }


def queue(suffix: str) -> dict[str, Any]:
    """A queue STACK-SUFFIX, whose messages become dead letters once they were received so often."""
    return {
        "Type": "AWS::SQS::Queue",
        "Properties": {
            "QueueName": named(suffix),
            "VisibilityTimeout": VISIBILITY_S,
            "SqsManagedSseEnabled": True,
            "RedrivePolicy": {
                "deadLetterTargetArn": attribute("DeadLetterQueue"),
                "maxReceiveCount": MAX_RECEIVES,
            },
        },
    }


def layer(name: str, description: str, content: str) -> dict[str, Any]:
    """A layer STACK-NAME of what `build` made in the folder ``content``."""
    return {
        "Type": "AWS::Serverless::LayerVersion",
        "Properties": {
            "LayerName": named(name),
            "Description": description,
            "ContentUri": content,
            "CompatibleRuntimes": ["python3.13"],
            "CompatibleArchitectures": ["arm64"],
            "RetentionPolicy": "Delete",
        },
    }


def _function(source: Source) -> dict[str, Any]:
    name = source.name
    return {
        "Type": "AWS::Serverless::Function",
        # `make build` made the folder; one artifact serves all functions.
        "Metadata": {"SkipBuild": True},
        "Properties": {
            "FunctionName": named(name),
            "Description": source.summary,
            "CodeUri": "build/functions/",
            "Handler": "hub_responder.handlers.playbook.handler",
            "Role": attribute(logical(name, "Role")),
            "Layers": [ref(logical(name, "Layer"))],
            "LoggingConfig": {"LogGroup": ref(logical(name, "LogGroup"))},
            "Environment": {
                "Variables": {
                    "PLAYBOOK_DIR": "/opt",
                    "IMPORTS_QUEUE_URL": ref(logical(name, "ImportsQueue")),
                    "CLICKS_QUEUE_URL": ref(logical(name, "ClicksQueue")),
                    "RULES": arn("events", f"rule/${{AWS::StackName}}-{name}"),
                    "POWERTOOLS_SERVICE_NAME": name,
                    **({"REPORTS_BUCKET": ref("ReportsBucket")} if reports(source) else {}),
                    **(
                        {"INVENTORY_BUCKET": ref("InventoryBucket")}
                        if inventory.takes(source)
                        else {}
                    ),
                }
            },
        },
    }


def source_of(function: str, queue: str, *, batch: int, window: int) -> dict[str, Any]:
    """What brings a queue's messages to a function, both by their logical ids."""
    return {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": {
            "FunctionName": ref(function),
            "EventSourceArn": attribute(queue),
            "BatchSize": batch,
            "MaximumBatchingWindowInSeconds": window,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
        },
    }


def rule(suffix: str, description: str, pattern: rules.Pattern, queue: str) -> dict[str, Any]:
    """A rule STACK-SUFFIX that brings what it matches to a queue, by its logical id."""
    return {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "Name": named(suffix),
            "Description": description,
            "EventPattern": pattern,
            "Targets": [
                {
                    "Id": "queue",
                    "Arn": attribute(queue),
                    "DeadLetterConfig": {"Arn": attribute("DeadLetterQueue")},
                }
            ],
        },
    }

"""What brings CloudTrail's events about the stack itself to the trail: who changed what, who read
the archive.

EventBridge has them where a trail of the account logs management events; reads of the archive where
it logs data events of that bucket ("AWS service events delivered via AWS CloudTrail", EventBridge
user guide). Calls that change nothing are of no interest but for the archive: the rule of reads has
the state that lets read-only calls through.

What brings a queue's messages to its function is stopped by a call that names nothing but the
mapping's UUID (UpdateEventSourceMapping, DeleteEventSourceMapping, Lambda API reference). In which
member CloudTrail has it is not documented, so all such calls in the account are recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub_toolkit.synth.archive import BUCKET_NAME
from hub_toolkit.synth.naming import attribute, ref, where
from hub_toolkit.synth.playbook import queue, rule, source_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub_toolkit.synth.playbook import Resources

QUEUE = "CallsQueue"
BATCH, WINDOW_S = 100, 60
"""Reads of one principal in a batch are one record."""
_OURS = {"Fn::Sub": "*${AWS::StackName}-*"}
_MAPPINGS = [{"prefix": f"{verb}EventSourceMapping"} for verb in ("Update", "Delete")]


def resources(made: Resources) -> Resources:
    """The queue, its source and two rules; ``made`` is the rest of the stack."""
    keys = _of_type(made, "AWS::KMS::Key").items()
    buckets = _of_type(made, "AWS::S3::Bucket").items()
    arns = [where(attribute(name), condition) for name, condition in keys]
    own = [where(ref(name), condition) for name, condition in buckets]
    changes = [
        _named("lambda", "functionName", [{"wildcard": _OURS}]),
        {"eventSource": ["lambda.amazonaws.com"], "eventName": _MAPPINGS},
        _named("events", "name", [{"wildcard": _OURS}]),
        _named("events", "rule", [{"wildcard": _OURS}]),
        _named("scheduler", "name", [{"wildcard": _OURS}]),
        _named("sqs", "queueUrl", [{"wildcard": _OURS}]),
        _named("sns", "topicArn", [{"wildcard": _OURS}]),
        _named("dynamodb", "tableName", [{"wildcard": _OURS}]),
        _named("s3", "bucketName", own),
        {"eventSource": ["kms.amazonaws.com"], "resources": {"ARN": arns}},
    ]
    management = {"eventCategory": ["Management"], "readOnly": [False], "$or": changes}
    issuer = {"sessionIssuer": {"arn": [{"anything-but": [attribute("ArchiveRole")]}]}}
    others = [
        {"userIdentity": {"sessionContext": issuer}},
        {"userIdentity": {"sessionContext": {"sessionIssuer": {"arn": [{"exists": False}]}}}},
    ]
    data = {"eventCategory": ["Data"], **_named("s3", "bucketName", [BUCKET_NAME]), "$or": others}
    reads = rule("reads", "Who but the archiver is at the archived audit trail", _told(data), QUEUE)
    reads["Properties"]["State"] = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    return {
        QUEUE: queue("calls"),
        "CallsSource": source_of("GuardFunction", QUEUE, batch=BATCH, window=WINDOW_S),
        "ChangesRule": rule(
            "changes", "Who changes what the stack is made of", _told(management), QUEUE
        ),
        "ReadsRule": reads,
    }


def _named(service: str, parameter: str, values: list[Any]) -> dict[str, Any]:
    return {
        "eventSource": [f"{service}.amazonaws.com"],
        "requestParameters": {parameter: values},
    }


def _told(detail: Mapping[str, Any]) -> dict[str, Any]:
    """The pattern of CloudTrail's events with such details."""
    return {"detail-type": ["AWS API Call via CloudTrail"], "detail": detail}


def _of_type(made: Resources, kind: str) -> Mapping[str, str]:
    """The logical ids of resources, each with the condition that it has or ""."""
    return {name: one.get("Condition", "") for name, one in made.items() if one["Type"] == kind}

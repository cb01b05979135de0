"""The settings of a queue: which there are, what they may be, and what they are by default.

From the SetQueueAttributes reference of the SQS API (botocore's model of 2025 and later has the
message limit of 1 MiB).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub_toolkit.sandbox.sqs.errors import SqsError, bad_value

MAX_MESSAGE = 1_048_576
"""Bytes of the largest message, and of all messages of one batch."""

MAX_RECEIVES = 1000
"""The largest maxReceiveCount of a redrive policy."""

RANGES = {
    "DelaySeconds": (0, 900),
    "MaximumMessageSize": (1024, MAX_MESSAGE),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
}
JSON_OBJECTS = ("Policy", "RedrivePolicy", "RedriveAllowPolicy")
TEXTS = ("KmsMasterKeyId", "SqsManagedSseEnabled")
FIFO = ("FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit")

DEFAULTS = {
    "DelaySeconds": "0",
    "MaximumMessageSize": str(MAX_MESSAGE),
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "VisibilityTimeout": "30",
    "SqsManagedSseEnabled": "true",
}
READ_ONLY = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
)
NAMES = frozenset((*RANGES, *JSON_OBJECTS, *TEXTS, *READ_ONLY, "All"))
"""What GetQueueAttributes may be asked for."""


@dataclass(frozen=True, slots=True)
class Redrive:
    """A redrive policy: where a message goes that was received more than ``max_receives`` times."""

    target: str
    max_receives: int


def check(raw: object) -> dict[str, str]:
    """The settings of a request; an empty value removes a policy.

    Raises:
        SqsError: a name is not known, or a value is out of its range.
    """
    if not raw:
        return {}
    if not isinstance(raw, Mapping):
        raise bad_value(raw, "Attributes", "It is not an object.")
    return {str(name): _checked(str(name), value) for name, value in raw.items()}


def redrive(attributes: Mapping[str, str]) -> Redrive | None:
    """The redrive policy among checked settings."""
    text = attributes.get("RedrivePolicy")
    if not text:
        return None
    policy = json.loads(text)
    return Redrive(str(policy["deadLetterTargetArn"]), int(policy["maxReceiveCount"]))


def _checked(name: str, value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    if name in FIFO:
        raise _invalid(name, text, "only standard queues exist here")
    if name in RANGES:
        low, high = RANGES[name]
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise _invalid(name, text, f"an integer from {low} to {high}")
        return str(int(text))
    if name in JSON_OBJECTS:
        return _checked_object(name, text)
    if name in TEXTS:
        return text
    raise SqsError("InvalidAttributeName", f"Unknown Attribute {name[:100]}.")


def _checked_object(name: str, text: str) -> str:
    if not text:
        return text
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _invalid(name, text, "it is not JSON") from error
    if not isinstance(value, dict):
        raise _invalid(name, text, "it is not a JSON object")
    if name == "RedrivePolicy":
        receives = str(value.get("maxReceiveCount", ""))
        if not isinstance(value.get("deadLetterTargetArn"), str):
            raise _invalid(name, text, "it has no deadLetterTargetArn")
        if not receives.isdigit() or not 1 <= int(receives) <= MAX_RECEIVES:
            raise _invalid(name, text, f"maxReceiveCount is an integer from 1 to {MAX_RECEIVES}")
    return text


def _invalid(name: str, value: str, reason: str) -> SqsError:
    return SqsError(
        "InvalidAttributeValue",
        f"Invalid value for the parameter {name}. Reason: {reason}; got {value[:200]}",
    )

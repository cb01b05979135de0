"""Errors of the SQS API.

Clients of the JSON protocol get the error's own name and, in the header ``x-amzn-query-error``, the
code of the older query protocol, which boto3 shows as the error's code ("AWS JSON protocol in
Amazon SQS" in the SQS developer guide).
"""

from __future__ import annotations

PREFIX = "AWS.SimpleQueueService."

QUERY_CODES = {
    "QueueDoesNotExist": PREFIX + "NonExistentQueue",
    "QueueNameExists": "QueueAlreadyExists",
    "BatchEntryIdsNotDistinct": PREFIX + "BatchEntryIdsNotDistinct",
    "BatchRequestTooLong": PREFIX + "BatchRequestTooLong",
    "EmptyBatchRequest": PREFIX + "EmptyBatchRequest",
    "InvalidBatchEntryId": PREFIX + "InvalidBatchEntryId",
    "TooManyEntriesInBatchRequest": PREFIX + "TooManyEntriesInBatchRequest",
    "MessageNotInflight": PREFIX + "MessageNotInflight",
    "UnsupportedOperation": PREFIX + "UnsupportedOperation",
    "InvalidParameterValueException": "InvalidParameterValue",
    "MissingRequiredParameterException": "MissingParameter",
}
"""Names whose code in the query protocol is another; the rest have the same in both."""


class SqsError(Exception):
    """A call that SQS refuses.

    Args:
        name: the error's name in the JSON protocol, as ``QueueDoesNotExist``.
        message: what is wrong.
    """

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message

    @property
    def query_code(self) -> str:
        """The code of the query protocol, as ``AWS.SimpleQueueService.NonExistentQueue``."""
        return QUERY_CODES.get(self.name, self.name)


def no_such_queue() -> SqsError:
    """The queue is not there."""
    return SqsError("QueueDoesNotExist", "The specified queue does not exist.")


def bad_value(value: object, parameter: str, reason: str) -> SqsError:
    """A parameter has a value that is not allowed."""
    shown = str(value)[:200]
    return SqsError(
        "InvalidParameterValueException",
        f"Value {shown} for parameter {parameter} is invalid. Reason: {reason}",
    )


def missing(parameter: str) -> SqsError:
    """A parameter that has to be given is not."""
    return SqsError(
        "MissingRequiredParameterException",
        f"The request must contain the parameter {parameter}.",
    )

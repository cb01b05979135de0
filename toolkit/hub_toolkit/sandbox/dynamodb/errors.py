"""The one error the store raises, in the shape and with the texts of DynamoDB.

Texts are AWS's where they are documented or were recorded against the real service by the
public ``dynamodb-conformance`` project; regions differ in a prefix ``1 validation error
detected:``, which is used here for constraints of members only. A text that is a guess says so
where it is raised.
"""

from __future__ import annotations

from typing import Any

from hub_toolkit.sandbox.errors import AwsError

CONDITION_FAILED = "The conditional request failed"


class DynamoDBError(AwsError):
    """A refused call: AWS's error ``code``, its ``message`` and further members of the body.

    The HTTP status is 500 for ``InternalServerError`` and 400 for everything else.
    """

    def __init__(self, code: str, message: str, **extra: Any) -> None:
        super().__init__(code, message, 500 if code == "InternalServerError" else 400, **extra)


def invalid(message: str) -> DynamoDBError:
    """The request asks for what cannot be."""
    return DynamoDBError("ValidationException", message)


def unserialisable(message: str) -> DynamoDBError:
    """The body is no JSON of the operation's shape."""
    return DynamoDBError("SerializationException", message)


def not_found(message: str = "Requested resource not found") -> DynamoDBError:
    """The table (or the resource of an ARN) does not exist."""
    return DynamoDBError("ResourceNotFoundException", message)


def condition_failed(item: dict[str, Any] | None = None) -> DynamoDBError:
    """A single write's condition was false; ``item`` is what was found, if it was asked for."""
    extra = {"Item": item} if item is not None else {}
    return DynamoDBError("ConditionalCheckFailedException", CONDITION_FAILED, **extra)


def cancelled(reasons: list[dict[str, Any]]) -> DynamoDBError:
    """A transaction that did not happen: one reason for each of its actions, in their order."""
    codes = ", ".join(reason["Code"] for reason in reasons)
    return DynamoDBError(
        "TransactionCanceledException",
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        CancellationReasons=reasons,
    )


def transaction_conflict(actions: int, conflicting: int = 0) -> DynamoDBError:
    """For scripted faults: another transaction holds the item of action ``conflicting``."""
    reasons: list[dict[str, Any]] = [{"Code": "None"} for _ in range(actions)]
    reasons[conflicting] = {
        "Code": "TransactionConflict",
        "Message": "Transaction is ongoing for the item",
    }
    return cancelled(reasons)


def throttled() -> DynamoDBError:
    """For scripted faults: an on-demand table refuses for a while; SDKs retry this by default."""
    return DynamoDBError(
        "ThrottlingException",
        "Throughput exceeds the current capacity of your table or index. DynamoDB is "
        "automatically scaling your table or index so please try again shortly.",
    )

"""Many incidents' moves and their audit records in few DynamoDB transactions.

A `Part` is what must happen together for one incident. Parts share transactions (at most 100
items and 4 MB, DynamoDB's limits; developer guide, "TransactWriteItems"), each with one audit item
that packs its records: a record cannot be missing where the move happened, nor be there without.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub_responder import aws
from hub_responder.errors import TransientError

if TYPE_CHECKING:
    from hub_responder.audit import Audit, Record
    from hub_responder.deadline import Deadline
    from hub_responder.ledger.operations import TransactItem

MAX_ITEMS = 100
MAX_BYTES = 3_500_000
"""Below DynamoDB's 4 MB, whose count of an item's size differs a little from ours."""
TOGETHER_ROUNDS = 3
"""After so many cancelled rounds each part goes alone, so that one cannot hold up the others."""
_ATTEMPTS = 12
_AGAIN = frozenset(["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])


@dataclass(frozen=True, slots=True)
class Part:
    """What happens together: items (at most 99) and the records that tell of it."""

    items: Sequence[TransactItem]
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Lost:
    """A part whose condition did not hold; ``found`` holds the items as they are, by sort key."""

    found: Mapping[str, Mapping[str, Any]]


class Transactions:
    """Submits parts.

    Args:
        client: a DynamoDB client. audit: makes the audit item. deadline: bounds the retries.
        pause: sleeps for the jitter between tries.
    """

    def __init__(
        self,
        client: Any,
        audit: Audit,
        deadline: Deadline,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._audit = audit
        self._deadline = deadline
        self._pause = pause

    def submit(self, parts: Sequence[Part]) -> list[Lost | None]:
        """Try every part; None where it happened, `Lost` where its condition did not hold.

        Raises:
            TransientError: DynamoDB cannot be reached or keeps refusing; parts that happened stay.
        """
        results: dict[int, Lost | None] = {}
        open_parts = dict(enumerate(parts))
        for attempt in range(_ATTEMPTS):
            together = MAX_ITEMS if attempt < TOGETHER_ROUNDS else 1
            for numbers in _batches(open_parts, together):
                results |= self._try([(number, open_parts[number]) for number in numbers])
            open_parts = {n: part for n, part in open_parts.items() if n not in results}
            if not open_parts:
                return [results[number] for number in range(len(parts))]
            self._pause(random.uniform(0.005, 0.02) * 2 ** min(attempt, 5))  # noqa: S311 - jitter
            self._deadline.timeout(1.0, target="dynamodb")
        raise TransientError("DynamoDB keeps refusing the transaction", target="dynamodb")

    def _try(self, batch: Sequence[tuple[int, Part]]) -> dict[int, Lost | None]:
        """One transaction; what is not in the answer must be submitted again."""
        items = [item for _, part in batch for item in part.items]
        records = [record for _, part in batch for record in part.records]
        request = items + ([self._audit.put(records)] if records else [])
        try:
            self._client.transact_write_items(TransactItems=request)
        except self._client.exceptions.TransactionCanceledException as error:
            return _cancelled(batch, error.response.get("CancellationReasons", []))
        except Exception as error:
            raise aws.translate(error, "dynamodb") from error
        return {number: None for number, _ in batch}


def _batches(parts: Mapping[int, Part], together: int) -> Iterable[list[int]]:
    """Numbers of parts that fit one transaction."""
    batch: list[int] = []
    items = size = 0
    for number, part in parts.items():
        bytes_ = sum(_size(item) for item in part.items) + sum(map(len, map(str, part.records)))
        full = len(batch) >= together or items + len(part.items) >= MAX_ITEMS
        if batch and (full or size + bytes_ > MAX_BYTES):
            yield batch
            batch, items, size = [], 0, 0
        batch.append(number)
        items += len(part.items)
        size += bytes_
    if batch:
        yield batch


def _size(item: TransactItem) -> int:
    """About how many bytes an item counts for."""
    data = item.get("Put", {}).get("Item", {}).get("data")
    return 1_000 + (len(data["S"]) * 3 if data else 0)


def _cancelled(
    batch: Sequence[tuple[int, Part]], reasons: Sequence[Mapping[str, Any]]
) -> dict[int, Lost | None]:
    """Which parts are lost. The others are submitted again: nothing of the transaction happened."""
    lost: dict[int, Lost | None] = {}
    position = 0
    for number, part in batch:
        own = reasons[position : position + len(part.items)]
        position += len(part.items)
        if any(reason.get("Code") == "ConditionalCheckFailed" for reason in own):
            found = [reason["Item"] for reason in own if reason.get("Item")]
            lost[number] = Lost({item["sk"]["S"]: item for item in found})
    unknown = (
        {reason.get("Code") for reason in reasons} - _AGAIN - {"None", "ConditionalCheckFailed"}
    )
    if unknown:
        raise TransientError(
            f"DynamoDB cancelled a transaction: {', '.join(sorted(map(str, unknown)))}",
            target="dynamodb",
        )
    return lost

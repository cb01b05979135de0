"""Many incidents' moves and their audit records in few DynamoDB transactions.

A `Part` is what must happen together for one incident. Parts share transactions (at most 100
items and 4 MB, DynamoDB's limits; developer guide, "TransactWriteItems"), each with the audit item
that packs its records: a record cannot be missing where the move happened, nor be there without.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub_responder import aws
from hub_responder.audit import lines_of
from hub_responder.errors import PermanentError, TransientError
from hub_responder.ledger import pauses

if TYPE_CHECKING:
    from hub_responder.audit import Audit, Record
    from hub_responder.deadline import Deadline
    from hub_responder.ledger.operations import TransactItem
    from hub_responder.ledger.pauses import Pause

MAX_ITEMS = 100
MAX_BYTES = 3_500_000
"""Below DynamoDB's 4 MB, whose count of an item's size differs a little from ours."""
TOGETHER_ROUNDS = 3
"""After so many cancelled rounds each part goes alone, so that one cannot hold up the others."""
_ATTEMPTS = 9
"""With the pauses between them under 2 s in all: what takes longer is deferred."""
SURE_ITEM = 150_000
"""Bytes of records, and of what is kept beside them, that take one more audit item at most."""
_GUARDS = 2
"""Items that are kept free for the guards of what shares a transaction."""
_AGAIN = frozenset(["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])


@dataclass(frozen=True, slots=True)
class Part:
    """What happens together: items (at most 97) and the records that tell of it.

    It happens only while none of ``guards`` is paused: names of playbooks or scheduled functions,
    two at most.
    """

    items: Sequence[TransactItem]
    records: Sequence[Record]
    guards: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """A part whose condition did not hold; ``found`` holds the items as they are, by sort key.

    ``paused`` is set where it was not its own condition, but one of its guards.
    """

    found: Mapping[str, Mapping[str, Any]]
    paused: Pause | None = None


class Transactions:
    """Submits parts.

    Args:
        client: a DynamoDB client. audit: makes the audit item. deadline: bounds the retries.
        pause: sleeps for the jitter between tries. ledger: the table of the guards.
        everything: how all that is guarded is paused, whatever the guards say; None: it is not.
    """

    def __init__(
        self,
        client: Any,
        audit: Audit,
        deadline: Deadline,
        pause: Callable[[float], None] = time.sleep,
        *,
        ledger: str = "",
        everything: Callable[[], Pause | None] = lambda: None,
    ) -> None:
        self._client = client
        self._audit = audit
        self._deadline = deadline
        self._pause = pause
        self._ledger = ledger
        self._everything = everything

    def submit(self, parts: Sequence[Part]) -> list[Lost | None]:
        """Try every part; None where it happened, `Lost` where its condition did not hold.

        Raises:
            TransientError: DynamoDB cannot be reached or keeps refusing; parts that happened stay.
            PermanentError: DynamoDB will never take one of the parts; all others were tried.
        """
        results: dict[int, Lost | None] = {}
        guarded = [number for number, part in enumerate(parts) if part.guards]
        paused = self._everything() if guarded else None
        if paused is not None:
            results |= dict.fromkeys(guarded, Lost({}, paused))
        open_parts = {n: self._pack(part) for n, part in enumerate(parts) if n not in results}
        together, refused = MAX_ITEMS, None
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._pause(random.uniform(0.005, 0.02) * 2 ** min(attempt - 1, 4))  # noqa: S311 - jitter
                self._deadline.timeout(1.0, target="dynamodb")
            together = together if attempt < TOGETHER_ROUNDS else 1
            for numbers in list(_batches(open_parts, together)):
                try:
                    results |= self._try([(number, open_parts[number]) for number in numbers])
                except PermanentError as error:
                    together = 1  # to tell which of them it is
                    if len(numbers) == 1:
                        refused = error
                        del open_parts[numbers[0]]
            open_parts = {n: part for n, part in open_parts.items() if n not in results}
            if not open_parts:
                break
        if refused is not None:
            raise refused
        if open_parts:
            raise TransientError("DynamoDB keeps refusing the transaction", target="dynamodb")
        return [results[number] for number in range(len(parts))]

    def _try(self, batch: Sequence[tuple[int, _Packed]]) -> dict[int, Lost | None]:
        """One transaction; what is not in the answer must be submitted again."""
        items = [item for _, part in batch for item in part.items]
        lines = [line for _, part in batch for line in part.lines]
        guards = list(dict.fromkeys(name for _, part in batch for name in part.guards))
        checks = [pauses.check(self._ledger, name) for name in guards]
        appended = self._audit.append(lines, [one for _, part in batch for one in part.digests])
        request = [*items, *checks, *appended.items]
        try:
            self._client.transact_write_items(TransactItems=request)
        except self._client.exceptions.TransactionCanceledException as error:
            return _cancelled(batch, guards, error.response.get("CancellationReasons", []))
        except Exception as error:
            raise aws.translate(error, "dynamodb") from error
        self._audit.keep(appended)
        return {number: None for number, _ in batch}

    def _pack(self, part: Part) -> _Packed:
        lines = [line for record in part.records for line in lines_of(record)]
        kept = [one for record in part.records for one in self._audit.unkept(record)]
        return _Packed(
            part.items,
            lines,
            sum(map(_size, part.items)),
            part.guards,
            [digest for digest, _ in kept],
            sum(map(len, lines)) + sum(size for _, size in kept),
        )


@dataclass(frozen=True, slots=True)
class _Packed:
    """A part ready to be sent.

    Attributes:
        size: about what its items count for. digests: what is kept beside its records.
        told: bytes of its records and of that.
    """

    items: Sequence[TransactItem]
    lines: Sequence[bytes]
    size: int
    guards: tuple[str, ...]
    digests: Sequence[str]
    told: int


def _batches(parts: Mapping[int, _Packed], together: int) -> Iterable[list[int]]:
    """Numbers of parts that fit one transaction, with the audit items of their records."""
    batch: list[int] = []
    items = size = told = 0
    for number, part in parts.items():
        records = 1 + (told + part.told) // SURE_ITEM
        full = (
            len(batch) >= together
            or items + len(part.items) + records > MAX_ITEMS - _GUARDS
            or size + part.size + told + part.told > MAX_BYTES
        )
        if batch and full:
            yield batch
            batch, items, size, told = [], 0, 0, 0
        batch.append(number)
        items += len(part.items)
        size += part.size
        told += part.told
    if batch:
        yield batch


def _size(item: TransactItem) -> int:
    """About how many bytes an item counts for: a character may be three of them."""
    (move,) = item.values()
    written = move.get("Item") or move.get("ExpressionAttributeValues") or {}
    return 1_000 + sum(3 * len(value["S"]) for value in written.values() if "S" in value)


def _cancelled(
    batch: Sequence[tuple[int, _Packed]],
    guards: Sequence[str],
    reasons: Sequence[Mapping[str, Any]],
) -> dict[int, Lost | None]:
    """Which parts are lost. The others are submitted again: nothing of the transaction happened.

    Raises:
        PermanentError: the reason is none that passes, as an item that outgrew 400 KB.
    """
    lost: dict[int, Lost | None] = {}
    position = 0
    for number, part in batch:
        own = reasons[position : position + len(part.items)]
        position += len(part.items)
        if any(reason.get("Code") == "ConditionalCheckFailed" for reason in own):
            found = [reason["Item"] for reason in own if reason.get("Item")]
            lost[number] = Lost({item["sk"]["S"]: item for item in found})
    for name, reason in zip(guards, reasons[position:], strict=False):
        if reason.get("Code") == "ConditionalCheckFailed":
            held = Lost({}, pauses.read(reason["Item"]))
            for number, part in batch:
                if name in part.guards:
                    lost.setdefault(number, held)
    unknown = (
        {reason.get("Code") for reason in reasons} - _AGAIN - {"None", "ConditionalCheckFailed"}
    )
    if unknown:
        raise PermanentError(
            f"DynamoDB cancelled a transaction: {', '.join(sorted(map(str, unknown)))}",
            target="dynamodb",
        )
    return lost

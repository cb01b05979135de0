"""How many requests a minute all functions together make to another system.

A meter in the ledger, partition ``pace#{connection}``, that one conditional update per request
moves on (GCRA, the "leaky bucket as a meter" of ITU-T I.371): nothing is read before, and whatever
the functions' number and order, no 60 seconds have more requests than were agreed. A fifth of them
may come at once; the rest is spread over the minute.

Where DynamoDB does not answer, requests go out unmetered for a while: without it no run has any
effect anyway, one request too many costs an answer 429, which is dealt with, and one that is held
back costs an answer to whoever asked. It is counted as ``Unpaced``.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache
from typing import Any

from hub_responder import aws, clock, observability
from hub_responder.deadline import RESERVE_S, Deadline
from hub_responder.errors import TransientError
from hub_responder.retry import TOO_MANY, Patience

WINDOW_MS = 60_000
_CALL_S = 5.0
_UNMETERED_S = 30.0
_KEEP_S = 86_400
_ROUNDS = 5


class Pace:
    """The meter of one connection, as one process moves it.

    Args:
        table: the ledger. connection: its name. per_minute: requests in any 60 seconds at most, 2
            or more.

    How the numbers keep to it: N requests that the meter lets through take it from ``t`` to at
    least ``t + N * step``, and it never runs more than ``slack`` ahead of the time. So
    ``(N - 1) * step <= 60 s + slack``, which is ``N <= (per_minute - burst) + burst``.
    """

    def __init__(self, table: str, connection: str, per_minute: int) -> None:
        burst = max(1, per_minute // 5)
        self.step = -(-WINDOW_MS // (per_minute - burst))
        self.slack = (burst - 1) * self.step
        self._table = table
        self._connection = connection
        self._per_minute = per_minute
        self._meter = 0
        self._unmetered_until = 0.0

    def take(self, target: str, patience: Patience, deadline: Deadline) -> None:
        """Let one request go out; waits for its turn as long as ``patience`` and time allow.

        Raises:
            TransientError: too many were made; ``retry_after`` is when a few can be made again.
        """
        while (wait := self._ask(deadline)) is not None:
            if wait >= deadline.left() - RESERVE_S or not patience.take(wait):
                raise TransientError(
                    f"{self._connection} is asked {self._per_minute} times a minute at most:"
                    " too many questions at once",
                    target=target,
                    status=TOO_MANY,
                    retry_after=wait + self.slack / 2000,
                )
            time.sleep(wait)

    def _ask(self, deadline: Deadline) -> float | None:
        """None where a request may go out now, else in how many seconds."""
        now = clock.now()
        if 0 <= self._unmetered_until - now <= _UNMETERED_S:
            return None
        try:
            return self._moved(int(now * 1000), deadline)
        except aws.ERRORS as error:
            self._give_up(str(aws.translate(error, "dynamodb")))
        except TransientError as error:
            self._give_up(str(error))
        return None

    def _moved(self, now: int, deadline: Deadline) -> float | None:
        client = aws.client("dynamodb", once=True)
        for _ in range(_ROUNDS):
            deadline.timeout(_CALL_S, target="dynamodb")
            try:
                answer = client.update_item(**self._update(now))
            except client.exceptions.ConditionalCheckFailedException as error:
                self._meter = _number(error.response.get("Item", {}))
            else:
                self._meter = _number(answer["Attributes"])
                return None
            if now + self.slack < self._meter <= self._latest(now):
                return (self._meter - self.slack - now) / 1000
        return self.step / 1000  # others were faster each time

    def _update(self, now: int) -> dict[str, Any]:
        """One step, from now or from where the meter is. Which of the two is a guess that its
        condition proves; refused, the answer shows the meter."""
        ahead = now < self._meter <= now + self.slack
        start, most = ("meter", now + self.slack) if ahead else (":now", self._latest(now))
        condition = (
            "meter > :now AND meter <= :most"
            if ahead
            else "attribute_not_exists(meter) OR meter <= :now OR meter > :most"
        )
        return {
            "TableName": self._table,
            "Key": {"pk": {"S": partition(self._connection)}, "sk": {"S": "M"}},
            "UpdateExpression": f"SET meter = {start} + :step, expires = :end",
            "ConditionExpression": condition,
            "ExpressionAttributeValues": {
                ":now": {"N": str(now)},
                ":step": {"N": str(self.step)},
                ":most": {"N": str(most)},
                ":end": {"N": str(now // 1000 + _KEEP_S)},
            },
            "ReturnValues": "UPDATED_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _latest(self, now: int) -> int:
        """No meter is further on, unless somebody's clock was: then it begins anew, since whoever
        went by it would wait for that clock's time."""
        return now + self.slack + self.step + WINDOW_MS

    def _give_up(self, why: str) -> None:
        self._unmetered_until = clock.now() + _UNMETERED_S
        extra = {"connection": self._connection, "why": why}
        observability.logger().warning("requests are not paced", extra=extra)
        observability.count("Unpaced")


def partition(connection: str) -> str:
    """The ledger's partition that holds the meter of a connection."""
    return f"pace#{connection}"


def _number(item: dict[str, Any]) -> int:
    return int(item.get("meter", {}).get("N", 0))


def of(connection: str, per_minute: int) -> Pace | None:
    """The process's meter of a connection; None where there is no ledger: on one's own machine."""
    table = os.environ.get("LEDGER_TABLE", "")
    return _pace(table, connection, per_minute) if table else None


@lru_cache(maxsize=64)
def _pace(table: str, connection: str, per_minute: int) -> Pace:
    return Pace(table, connection, per_minute)


def forget() -> None:
    """Drop what the process knows of meters."""
    _pace.cache_clear()

"""How often all functions together ask another system, or write to one of its channels.

A meter in the ledger, partition ``pace#{connection}``, that one conditional update per request
moves on (GCRA, the "leaky bucket as a meter" of ITU-T I.371): nothing is read before, and whatever
the functions' number and order, no window has more requests than were agreed. A few of them may
come at once; the rest is spread over the window.

Who is refused has two ways on. What asks for an answer (`Pace.take`) waits a little, or is told
when a few can be asked again. What delivers (`Pace.turn`) gets a place in a line, a second meter
beside the first, so that 200 incidents that are put back at once come back one after the other.

A system that says how long it wants to be left alone is held (`Pace.hold`): no function asks it
before that time.

Where DynamoDB does not answer, requests go out unmetered for a while: without it no run has any
effect anyway, one request too many costs an answer 429, which is dealt with, and one that is held
back costs an answer to whoever asked. It is counted as ``Unpaced``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hub_responder import aws, clock, observability
from hub_responder.deadline import RESERVE_S, Deadline
from hub_responder.errors import PacedError, TransientError
from hub_responder.retry import TOO_MANY, Patience

MAX_HOLD_S = 3600.0
"""Nobody is left alone for longer, whatever it says: it is asked again then."""
_CALL_S = 5.0
_UNMETERED_S = 30.0
_KEEP_S = 86_400
_MAX_LINE_MS = 86_400_000
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Rate:
    """``most`` requests in any ``window_s`` seconds, of which ``burst`` may come at once.

    ``most`` is 2 or more, ``burst`` 1 or more and less than ``most``.
    """

    most: int
    burst: int
    window_s: int = 60

    @classmethod
    def per_minute(cls, most: int) -> Rate:
        """A fifth of them at once."""
        return cls(most, max(1, most // 5))

    def __str__(self) -> str:
        window = {60: "a minute", 3600: "an hour"}.get(self.window_s, f"in {self.window_s} s")
        return f"{self.most} times {window} at most"


class Pace:
    """The meter of one connection, or of one place behind it, as one process moves it.

    Args:
        table: the ledger. connection: its name. place: the channel, where each has a meter.

    How the numbers keep to it: N requests that the meter lets through take it from ``t`` to at
    least ``t + N * step``, and it never runs more than ``slack`` ahead of the time. So
    ``(N - 1) * step <= window + slack``, which is ``N <= (most - burst) + burst``.
    """

    def __init__(self, table: str, connection: str, rate: Rate, place: str = "") -> None:
        self._window = rate.window_s * 1000
        self.step = -(-self._window // (rate.most - rate.burst))
        self.slack = (rate.burst - 1) * self.step
        self._table = table
        self._connection = connection
        self._place = place
        self._rate = rate
        self._known: dict[str, int] = {"meter": 0, "line": 0, "held": 0}
        self._unmetered_until = 0.0

    def take(self, target: str, patience: Patience, deadline: Deadline) -> None:
        """Let one request go out; waits for its turn as long as ``patience`` and time allow.

        Raises:
            TransientError: too many were made; ``retry_after`` is when a few can be made again.
        """
        wait = self._waited(patience, deadline)
        if wait is not None:
            raise TransientError(
                f"{self._connection} is asked {self._rate}: too many questions at once",
                target=target,
                status=TOO_MANY,
                retry_after=wait + self.slack / 2000,
            )

    def turn(self, patience: Patience, deadline: Deadline) -> None:
        """Let one delivery go out; waits as `take`.

        Raises:
            PacedError: it is not its turn, and nothing was sent; ``retry_after`` is when it is.
        """
        wait = self._waited(patience, deadline)
        if wait is not None:
            held = self._known["held"] > clock.now() * 1000
            asked = "asked to be left alone for a while" if held else f"gets messages {self._rate}"
            raise PacedError(
                f"{self._connection} {asked}",
                target=self._connection,
                status=TOO_MANY,
                retry_after=self._in_line(wait, deadline),
            )

    def hold(self, seconds: float, deadline: Deadline) -> None:
        """Let no delivery of any function go out for ``seconds``."""
        now = int(clock.now() * 1000)
        until = now + int(min(seconds, MAX_HOLD_S) * 1000)
        self._known["held"] = max(self._known["held"], until)
        client = aws.client("dynamodb", once=True)
        try:
            deadline.timeout(_CALL_S, target="dynamodb")
            client.update_item(
                **self._item(),
                UpdateExpression="SET held = :until, expires = :end",
                ConditionExpression="attribute_not_exists(held) OR held < :until OR held > :most",
                ExpressionAttributeValues=_numbers(
                    until=until, most=now + int(MAX_HOLD_S * 1000), end=now // 1000 + _KEEP_S
                ),
            )
        except client.exceptions.ConditionalCheckFailedException:
            pass  # it is held for longer already
        except aws.ERRORS as error:
            self._give_up(str(aws.translate(error, "dynamodb")))
        except TransientError as error:
            self._give_up(str(error))

    def _waited(self, patience: Patience, deadline: Deadline) -> float | None:
        """None where a request may go out now; else in how many seconds, which is too long."""
        while (wait := self._ask(deadline)) is not None:
            if wait >= deadline.left() - RESERVE_S or not patience.take(wait):
                return wait
            time.sleep(wait)
        return None

    def _ask(self, deadline: Deadline) -> float | None:
        """None where a request may go out now, else in how many seconds."""
        now = clock.now()
        held = self._held(int(now * 1000))
        if held is not None:
            return held
        if self._unmetered(now):
            return None
        try:
            return self._moved(int(now * 1000), deadline)
        except aws.ERRORS as error:
            self._give_up(str(aws.translate(error, "dynamodb")))
        except TransientError as error:
            self._give_up(str(error))
        return None

    def _unmetered(self, now: float) -> bool:
        return 0 <= self._unmetered_until - now <= _UNMETERED_S

    def _held(self, now: int) -> float | None:
        left = (self._known["held"] - now) / 1000
        return left if 0 < left <= MAX_HOLD_S else None

    def _moved(self, now: int, deadline: Deadline) -> float | None:
        latest = now + self.slack + self.step + self._window
        for _ in range(_ROUNDS):
            meter = self._known["meter"]
            if now + self.slack < meter <= latest:  # it never goes back
                return (meter - self.slack - now) / 1000
            most = now + self.slack
            if self._step(
                "meter", now, most=most, latest=latest, deadline=deadline, unless_held=now
            ):
                return None
            held = self._held(now)
            if held is not None:
                return held
        return self.step / 1000  # others were faster each time

    def _in_line(self, wait: float, deadline: Deadline) -> float:
        """Seconds until the turn of one who must wait so long at least."""
        now = int(clock.now() * 1000)
        floor, most = now + int(wait * 1000), now + _MAX_LINE_MS
        if self._unmetered(now / 1000):
            return wait
        try:
            for _ in range(_ROUNDS):
                end = self._step("line", floor, most=most, latest=most, deadline=deadline)
                if end:
                    return (end - self.step - now) / 1000
        except aws.ERRORS as error:
            self._give_up(str(aws.translate(error, "dynamodb")))
        except TransientError as error:
            self._give_up(str(error))
        return wait

    def _step(
        self,
        name: str,
        floor: int,
        *,
        most: int,
        latest: int,
        deadline: Deadline,
        unless_held: int | None = None,
    ) -> int:
        """One step of a meter, from ``floor`` or from where it is; where it is now, or 0 where the
        step was not taken.

        Which of the two is a guess that its condition proves; refused, the answer shows the item.

        Args:
            most: it is not moved from a place further on.
            latest: no meter is further on, unless somebody's clock was: then it begins anew, since
                whoever went by it would wait for that clock's time.
        """
        client = aws.client("dynamodb", once=True)
        ahead = floor < self._known[name] <= most
        values = {"floor": floor, "step": self.step, "end": floor // 1000 + _KEEP_S}
        if ahead:
            start, condition = name, f"{name} > :floor AND {name} <= :most"
            values |= {"most": most}
        else:
            start = ":floor"
            condition = f"(attribute_not_exists({name}) OR {name} <= :floor OR {name} > :latest)"
            values |= {"latest": latest}
        if unless_held is not None:
            condition += " AND (attribute_not_exists(held) OR held <= :now OR held > :longest)"
            values |= {"now": unless_held, "longest": unless_held + int(MAX_HOLD_S * 1000)}
        deadline.timeout(_CALL_S, target="dynamodb")
        try:
            answer = client.update_item(
                **self._item(),
                UpdateExpression=f"SET {name} = {start} + :step, expires = :end",
                ConditionExpression=condition,
                ExpressionAttributeValues=_numbers(**values),
                ReturnValues="UPDATED_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except client.exceptions.ConditionalCheckFailedException as error:
            self._learn(error.response.get("Item", {}))
            return 0
        self._learn(answer["Attributes"])
        return int(answer["Attributes"][name]["N"])

    def _learn(self, item: Mapping[str, Any]) -> None:
        for name in self._known:
            if name in item:
                self._known[name] = int(item[name]["N"])

    def _item(self) -> dict[str, Any]:
        sk = f"M#{self._place}" if self._place else "M"
        return {
            "TableName": self._table,
            "Key": {"pk": {"S": partition(self._connection)}, "sk": {"S": sk}},
        }

    def _give_up(self, why: str) -> None:
        self._unmetered_until = clock.now() + _UNMETERED_S
        extra = {"connection": self._connection, "why": why}
        observability.logger().warning("requests are not paced", extra=extra)
        observability.count("Unpaced")


def _numbers(**values: int) -> dict[str, Any]:
    return {f":{name}": {"N": str(value)} for name, value in values.items()}


def partition(connection: str) -> str:
    """The ledger's partition that holds the meters of a connection."""
    return f"pace#{connection}"


def of(connection: str, rate: Rate, place: str = "") -> Pace | None:
    """The process's meter of a connection; None where there is no ledger: on one's own machine."""
    table = os.environ.get("LEDGER_TABLE", "")
    return _pace(table, connection, rate, place) if table else None


@lru_cache(maxsize=256)
def _pace(table: str, connection: str, rate: Rate, place: str) -> Pace:
    return Pace(table, connection, rate, place)


def forget() -> None:
    """Drop what the process knows of meters."""
    _pace.cache_clear()

"""How much time is left: every call's timeout is bounded by it."""

from __future__ import annotations

import time
from collections.abc import Callable

from hub_responder.errors import TransientError

RESERVE_S = 2.0
"""Kept back at the end of an invocation, to record what happened and answer the queue."""
_SHORTEST_S = 0.1


class Deadline:
    """The end of this invocation.

    Args:
        left: returns the seconds that are left, as Lambda's context tells them.
    """

    def __init__(self, left: Callable[[], float]) -> None:
        self._left = left

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """A deadline ``seconds`` from now, on the monotonic clock."""
        end = time.monotonic() + seconds
        return cls(lambda: end - time.monotonic())

    def left(self) -> float:
        """Seconds until the end; never negative."""
        return max(0.0, self._left())

    def timeout(self, limit: float, *, target: str) -> float:
        """The timeout for one call: ``limit`` seconds, or less where less is left.

        Raises:
            TransientError: less than 100 ms would remain; the call is not made.
        """
        available = self.left() - RESERVE_S
        if available < _SHORTEST_S:
            raise TransientError(f"no time left to call {target}", target=target)
        return min(limit, available)

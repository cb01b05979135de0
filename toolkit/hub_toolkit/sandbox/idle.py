"""Whether anything is still to happen soon."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub_toolkit.sandbox.clock import Clock
    from hub_toolkit.sandbox.sqs import Queues

SOON_S = 600.0
"""What is due later, on the sandbox's clock, does not keep it from being idle."""
_PAUSE_S = 0.005
_STILL = 3
"""So many looks in a row must find nothing: work passes from one place to the next in between."""


class Idle:
    """Looks at queues, invocations and timers.

    Args:
        clock: the sandbox's clock.
        queues: the queues.
        consumed: the ARNs of the queues that invoke a function. Others, such as the dead-letter
            queue, are nobody's work.
        busy: whether an invocation runs or a poller holds messages.
    """

    def __init__(
        self,
        clock: Clock,
        queues: Queues,
        consumed: Sequence[str],
        busy: Callable[[], bool],
    ) -> None:
        self._clock = clock
        self._queues = queues
        self._consumed = consumed
        self._busy = busy

    def now(self) -> bool:
        """Nothing is queued, running, or due within `SOON_S`."""
        soon = self._clock.now() + SOON_S
        for arn in self._consumed:
            depth = self._queues.depth(arn)
            if depth.visible or depth.in_flight:
                return False
            due = self._queues.next_visible(arn)
            if due is not None and due <= soon:
                return False
        return not self._busy()

    def wait(self, timeout: float) -> bool:
        """Wait up to ``timeout`` real seconds until the sandbox is idle; False if it is not."""
        end = time.monotonic() + timeout
        seen = 0
        while seen < _STILL:
            if self.now():
                seen += 1
            elif time.monotonic() >= end:
                return False
            else:
                seen = 0
            time.sleep(_PAUSE_S)
        return True

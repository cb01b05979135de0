"""Time that stands still until it is moved to what is due next."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable

from hub_toolkit.sandbox.clock import Clock, Running, Timer


class StillClock(Clock):
    """The sandbox's clock without a thread: `advance_to` moves it, and nothing else does.

    Callbacks run in the caller's thread, in the order of their times.

    Args:
        start: epoch seconds at the beginning.
    """

    def __init__(self, start: float) -> None:  # the base's would start its thread
        self._at = start
        self._heap: list[tuple[float, int, Timer]] = []
        self._count = itertools.count()
        self._guard = threading.Lock()

    def now(self) -> float:
        """Epoch seconds."""
        return self._at

    @property
    def speed(self) -> float:
        """Only jumps move this clock."""
        return 1.0

    def set_speed(self, speed: float) -> None:
        """Has no meaning here.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"the clock stands still: it has no speed {speed}")

    def running(self) -> Running:
        """A context manager that changes nothing."""
        return Running(self)

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call ``callback`` when the clock is moved to ``when`` or beyond."""
        timer = Timer(self, when, callback)
        with self._guard:
            heapq.heappush(self._heap, (when, next(self._count), timer))
        return timer

    def next_due(self) -> float | None:
        """When the next callback is due, if there is one."""
        with self._guard:
            while self._heap and not self._heap[0][2].waiting:
                heapq.heappop(self._heap)
            return self._heap[0][0] if self._heap else None

    def advance(self, seconds: float) -> None:
        """Jump ``seconds`` ahead; returns when every callback due by then has returned.

        Raises:
            ValueError: ``seconds`` is negative.
        """
        if not seconds >= 0:
            raise ValueError(f"cannot advance by {seconds} seconds: give a number from 0 up")
        self.advance_to(self._at + seconds)

    def advance_to(self, when: float) -> None:
        """Move to ``when``, calling what is due on the way, each at its time; never back."""
        while (due := self.next_due()) is not None and due <= when:
            with self._guard:
                _, _, timer = heapq.heappop(self._heap)
            self._at = max(self._at, due)
            timer.waiting = False
            timer.callback()
        self._at = max(self._at, when)

    def close(self) -> None:
        """Forget what is still to come."""
        with self._guard:
            self._heap.clear()

    def _hold(self, change: int) -> None:
        """Code that runs takes no time here."""

    def _cancel(self, timer: Timer) -> None:
        timer.waiting = False

"""The sandbox's clock: waits pass fast, running code gets the time it would have in AWS.

Simulated time goes at ``speed`` while nothing runs and at 1x real time while any Lambda
invocation does, so that delays, visibility timeouts and batching windows pass quickly and leases
and function timeouts stay right. While nothing runs and ``speed`` is above 1, simulated time
never passes a timer that has not fired: a callback sees the very second it was due, however fast
the clock goes.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import math
import threading
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

LOG = logging.getLogger(__name__)

LONGEST_WAIT_S = 3600.0
"""How long the scheduler sleeps at most (real seconds); it then looks again."""

FEW = 64
"""Cancelled timers are swept out of the heap once there are more than this, and most are."""


class Timer:
    """A callback that waits for its time.

    Attributes:
        when: simulated epoch seconds.
        waiting: it has neither fired nor been cancelled.
    """

    __slots__ = ("_clock", "callback", "waiting", "when")

    def __init__(self, clock: Clock, when: float, callback: Callable[[], None]) -> None:
        self.when = when
        self.callback = callback
        self._clock = clock
        self.waiting = True

    def cancel(self) -> None:
        """Keep the callback from being called. If it runs or ran already, that is no error."""
        self._clock._cancel(self)


class Running:
    """Holds the clock at 1x from ``__enter__`` to ``__exit__``, which may be on other threads."""

    __slots__ = ("_clock",)

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __enter__(self) -> Self:
        self._clock._hold(1)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._clock._hold(-1)


class Clock:
    """Simulated wall clock with timers. All methods are safe to call from any thread.

    One thread calls the callbacks, in the order of their times and never two at once. They must
    be short; the clock goes at 1x meanwhile. What they raise is logged.

    Args:
        start: simulated epoch seconds at the beginning; now, if not given.
        speed: simulated seconds per real second while nothing runs.
    """

    def __init__(self, start: float | None = None, speed: float = 1.0) -> None:
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._landed = threading.Condition(self._lock)
        self._simulated = time.time() if start is None else start
        self._real = time.monotonic()
        self._speed = _checked_speed(speed)
        self._held = 0
        self._timers: list[tuple[float, int, Timer]] = []
        self._numbers = itertools.count()
        self._cancelled = 0
        self._firing: Timer | None = None
        self._target = -math.inf
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="sandbox-clock", daemon=True)
        self._thread.start()

    def now(self) -> float:
        """Simulated epoch seconds; never goes back."""
        with self._lock:
            return self._now()

    @property
    def speed(self) -> float:
        """Simulated seconds per real second while nothing runs."""
        return self._speed

    def set_speed(self, speed: float) -> None:
        """Change the speed.

        Raises:
            ValueError: it is not a finite number above 0.
        """
        speed = _checked_speed(speed)
        with self._lock:
            self._settle()
            self._speed = speed
            self._wake.notify()

    @property
    def busy(self) -> bool:
        """Whether something runs that holds the clock at 1x."""
        return self._held > 0

    def running(self) -> Running:
        """A context manager that keeps the clock at 1x; any number may be held at once."""
        return Running(self)

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call ``callback`` once simulated time reaches ``when``; at once if it has passed.

        After `close` the timer never fires.
        """
        timer = Timer(self, when, callback)
        with self._lock:
            self._settle()
            heapq.heappush(self._timers, (when, next(self._numbers), timer))
            if self._timers[0][2] is timer:
                self._wake.notify()
        return timer

    def next_due(self) -> float | None:
        """When the next callback is due (or the one that is being called was), if there is one."""
        with self._lock:
            if self._firing is not None:
                return self._firing.when
            first = self._first()
            return None if first is None else first.when

    def advance(self, seconds: float) -> None:
        """Jump ``seconds`` ahead; returns when every callback due by then has returned.

        Timers fire in order, each at its time, those that callbacks add on the way too. While
        something runs the jump waits: a message would come back while it is worked on, which no
        time in AWS does. Called from a callback it only moves the clock; what is due fires after
        that callback.

        Raises:
            ValueError: ``seconds`` is negative or not finite.
        """
        if not (seconds >= 0 and math.isfinite(seconds)):
            raise ValueError(f"cannot advance by {seconds} seconds: give a number from 0 up")
        with self._lock:
            self._settle()
            if threading.current_thread() is self._thread:
                self._simulated += seconds
                return
            target = self._simulated + seconds
            self._target = max(self._target, target)
            self._wake.notify()
            while self._target >= target and not self._closed:
                self._landed.wait()

    def lose(self, seconds: float) -> None:
        """Jump ``seconds`` ahead, though something runs: time that it spent on nothing.

        Timers that are due by then fire afterwards; nobody waits for them.

        Raises:
            ValueError: ``seconds`` is negative or not finite.
        """
        if not (seconds >= 0 and math.isfinite(seconds)):
            raise ValueError(f"cannot lose {seconds} seconds: give a number from 0 up")
        with self._lock:
            self._settle()
            self._simulated += seconds
            self._wake.notify()

    def close(self) -> None:
        """Stop. Timers that have not fired never will; `now` goes on. May be called twice."""
        with self._lock:
            self._closed = True
            self._timers.clear()
            self._wake.notify()
            self._landed.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _rate(self) -> float:
        return 1.0 if self._held else self._speed

    def _now(self) -> float:
        rate = self._rate()
        now = self._simulated + (time.monotonic() - self._real) * rate
        if rate > 1 and (first := self._first()) is not None:
            now = min(now, max(first.when, self._simulated))
        return now

    def _settle(self) -> None:
        """Make the present the point that time is counted from; before any change to the rate."""
        now = self._now()
        self._real = time.monotonic()
        self._simulated = now

    def _first(self) -> Timer | None:
        while self._timers:
            timer = self._timers[0][2]
            if timer.waiting:
                return timer
            heapq.heappop(self._timers)
            self._cancelled -= 1
        return None

    def _hold(self, change: int) -> None:
        with self._lock:
            self._settle()
            self._held += change
            if not self._held:
                self._wake.notify()

    def _cancel(self, timer: Timer) -> None:
        with self._lock:
            if not timer.waiting:
                return
            self._settle()
            timer.waiting = False
            self._cancelled += 1
            if self._cancelled > FEW and self._cancelled * 2 > len(self._timers):
                self._timers = [entry for entry in self._timers if entry[2].waiting]
                heapq.heapify(self._timers)
                self._cancelled = 0

    def _run(self) -> None:
        with self._lock:
            while not self._closed:
                timer = self._pop_due()
                if timer is not None:
                    self._fire(timer)
                    continue
                self._land()
                self._wake.wait(self._pause())

    def _pop_due(self) -> Timer | None:
        """The next timer if its time has come or the jump that is under way passes it."""
        timer = self._first()
        if timer is None:
            return None
        self._settle()
        target = -math.inf if self._held else self._target
        if timer.when > max(self._simulated, target):
            return None
        self._simulated = max(self._simulated, timer.when)
        timer.waiting = False
        heapq.heappop(self._timers)
        return timer

    def _fire(self, timer: Timer) -> None:
        self._firing = timer
        self._held += 1
        self._lock.release()
        try:
            timer.callback()
        except Exception:
            LOG.exception("a timer's callback failed")
        finally:
            self._lock.acquire()
            self._settle()
            self._held -= 1
            self._firing = None

    def _land(self) -> None:
        if self._target == -math.inf:
            return
        self._settle()
        if self._held and self._target > self._simulated:
            return
        self._simulated = max(self._simulated, self._target)
        self._target = -math.inf
        self._landed.notify_all()

    def _pause(self) -> float:
        """Real seconds until something can be due."""
        first = self._first()
        if first is None:
            return LONGEST_WAIT_S
        return min(LONGEST_WAIT_S, max(0.0, (first.when - self._now()) / self._rate()))


def _checked_speed(speed: float) -> float:
    if not (speed > 0 and math.isfinite(speed)):
        raise ValueError(f"cannot set the speed to {speed}: give a number above 0, such as 60")
    return speed

"""The rate limit of Trend's APIs: requests of one API key in the last 60 seconds.

Sources: Vision One, Guides/API-Request-Limits; Server & Workload Protection, "API rate limits". The
real numbers are not public. Refused requests are not counted: Server & Workload Protection
documents that, for Vision One it is a guess.
"""

from __future__ import annotations

import math
import threading
from collections import deque

WINDOW_S = 60.0


class SlidingWindow:
    """Admits at most ``limit`` requests per key in any 60 seconds.

    Args:
        limit: requests per window; None admits all.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._admitted: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def admit(self, key: str, now: float) -> int:
        """0 where the request may pass, which counts it; else the whole seconds to wait."""
        if self._limit is None:
            return 0
        with self._lock:
            times = self._admitted.setdefault(key, deque())
            while times and times[0] <= now - WINDOW_S:
                times.popleft()
            if len(times) < self._limit:
                times.append(now)
                return 0
            oldest = times[0] if times else now
            return max(1, math.ceil(oldest + WINDOW_S - now))

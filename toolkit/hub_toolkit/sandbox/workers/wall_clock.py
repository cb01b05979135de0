"""The wall clock of a worker: the machine's, moved by an offset.

`install` must run before any handler is imported, so that ``from time import time`` gets it too.
Monotonic clocks stay as they are; ``datetime.now()`` reads the machine's clock below Python and is
not moved, so code whose wall clock matters asks ``time.time``.
"""

from __future__ import annotations

import time

_real_time = time.time
_real_time_ns = time.time_ns
_offset = 0.0


def install() -> None:
    """Replace ``time.time`` and ``time.time_ns`` of this process."""
    time.time = _time
    time.time_ns = _time_ns


def set_offset(seconds: float) -> None:
    """From now on ``time.time()`` is the machine's clock plus ``seconds``."""
    global _offset  # noqa: PLW0603 - a process has one wall clock
    _offset = seconds


def _time() -> float:
    return _real_time() + _offset


def _time_ns() -> int:
    return _real_time_ns() + int(_offset * 1_000_000_000)

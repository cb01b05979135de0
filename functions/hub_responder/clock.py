"""The wall clock. One module, so that every time stamp comes from the same place."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime


def _wall() -> float:
    return time.time()


_source: Callable[[], float] = _wall


def now() -> float:
    """Seconds since the epoch, UTC."""
    return _source()


def follow(source: Callable[[], float] | None) -> None:
    """Take the time from ``source`` from now on; None: from the machine again."""
    global _source  # noqa: PLW0603 - a process has one wall clock
    _source = source or _wall


def iso(at: float) -> str:
    """``at`` (epoch seconds) as ``2026-11-22T00:03:12.123Z``."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

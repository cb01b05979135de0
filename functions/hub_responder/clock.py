"""The wall clock. One module, so that every time stamp comes from the same place."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> float:
    """Seconds since the epoch, UTC."""
    return time.time()


def iso(at: float) -> str:
    """``at`` (epoch seconds) as ``2026-11-22T00:03:12.123Z``."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

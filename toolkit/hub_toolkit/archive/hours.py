"""The hours that somebody means by ``--from`` and ``--to``; without a zone, UTC, as the archive."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from hub_responder.archive.layout import Period, period_at
from hub_toolkit.inventory import moments

UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Hours:
    """The first and the last hour; None: as far as there are any."""

    first: Period | None = None
    last: Period | None = None


def hours_of(start: str | None, end: str | None, now: float) -> Hours:
    """The hours from ``start`` to ``end``, both as people write them.

    Raises:
        MomentError: one is no time, or the end is before the start.
    """
    first = last = None
    if start is not None:
        first = period_at(moments.read(start, UTC, now, option="--from"))
    if end is not None:
        at = moments.read(end, UTC, now, option="--to", ends=True)
        last = period_at(at - 1)
    if first is not None and last is not None and last < first:
        raise moments.MomentError("--to is before --from")
    return Hours(first, last)

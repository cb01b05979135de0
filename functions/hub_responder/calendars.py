"""Calendars: whether a named time, as business hours or a maintenance window, is open.

A calendar is local to its time zone: 09:00 is nine o'clock there in summer and in winter. Hours
that daylight saving skips or repeats are taken as the wall clock shows them.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hub_responder.errors import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub_responder.playbook import Calendar

_DAY = timedelta(days=1)


@lru_cache(maxsize=16)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def is_open(calendars: Mapping[str, Calendar], name: str, at: float) -> bool:
    """Whether calendar ``name`` is open ``at`` (epoch seconds).

    Raises:
        ExpressionError: there is no such calendar.
    """
    calendar = calendars.get(name)
    if calendar is None:
        known = ", ".join(sorted(calendars)) or "none"
        raise ExpressionError(f"there is no calendar {name[:40]!r}; there is: {known}")
    local = datetime.fromtimestamp(at, UTC).astimezone(_zone(calendar.timezone))
    minute = local.hour * 60 + local.minute
    if calendar.start < calendar.end:
        return calendar.start <= minute < calendar.end and _on(calendar, local.date())
    if minute >= calendar.start:
        return _on(calendar, local.date())
    # what began in the evening belongs to the day on which it began
    return minute < calendar.end and _on(calendar, local.date() - _DAY)


def _on(calendar: Calendar, day: date) -> bool:
    written = day.isoformat()
    return (
        day.weekday() in calendar.weekdays
        and written not in calendar.holidays
        and (not calendar.dates or any(first <= written <= last for first, last in calendar.dates))
    )

"""What the simulated estates share: what is wrong with an item, times that follow the clock."""

from __future__ import annotations

import re

_RELATIVE = re.compile(
    r"-P(?:(\d{1,5})D)?(?:T(?=\d)(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:(\d{1,5})S)?)?"
)


class EstateError(ValueError):
    """An item that an estate cannot hold; the text says which and why."""


def relative_time(value: object, now: float) -> float | None:
    """Seconds since the epoch that a time of ours means, or None where ``value`` is none of ours.

    ``-PT5M`` is five minutes before ``now``, whatever the clock says: as of an agent that goes on
    reporting while time is jumped. It is an ISO 8601 duration in days, hours, minutes and seconds.
    """
    match = _RELATIVE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return now - ((days * 24 + hours) * 60 + minutes) * 60 - seconds

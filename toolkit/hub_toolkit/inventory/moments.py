"""Times as people write them: ISO 8601 with or without a zone, or relative as ``-2h``."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_RELATIVE = re.compile(r"-(\d{1,5})([mhdw])", re.ASCII)
_UNITS = {"m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_LONGEST = 40


class MomentError(ValueError):
    """What was written is no time, or none that can be asked about; the text says what to do."""


def read(text: str, zone: ZoneInfo, now: float, *, option: str, ends: bool = False) -> float:
    """The moment (epoch seconds) that ``text`` means.

    Args:
        zone: of times that name none. now: what relative times are relative to.
        option: whose value it is, for the error.
        ends: a date alone means its end, not its beginning; not later than ``now``.

    Raises:
        MomentError: it is no time, or one in the future.
    """
    text = text.strip()
    relative = _RELATIVE.fullmatch(text)
    if relative:
        moment = datetime.fromtimestamp(now - int(relative[1]) * _UNITS[relative[2]], zone)
    else:
        moment = _absolute(text, zone, option)
    at = moment.timestamp()
    if at > now:
        raise MomentError(
            f"{option} {text[:_LONGEST]} is in the future: it is {local(now, zone)} now"
        )
    if at < 0:
        raise MomentError(f"{option} {text[:_LONGEST]} is before 1970")
    if ends and not relative and _is_date(text):
        return min((moment + timedelta(days=1)).timestamp(), now)
    return at


def _absolute(text: str, zone: ZoneInfo, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        moment.timestamp()
    except (ValueError, OverflowError):
        raise MomentError(
            f"{option} {text[:_LONGEST]!r} is no time: write 2026-11-22T12:00 ({zone.key}), with Z "
            "or +09:00 at its end for another zone, or -2h for two hours ago (m, h, d, w)"
        ) from None
    return moment


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def local(at: float, zone: ZoneInfo) -> str:
    """``2026-11-22 21:00:05 JST``; without seconds where there are none."""
    moment = datetime.fromtimestamp(at, zone)
    form = "%Y-%m-%d %H:%M" if int(at) % 60 == 0 else "%Y-%m-%d %H:%M:%S"
    return f"{moment:{form}} {moment.tzname()}"


def iso(at: float) -> str:
    """``2026-11-22T12:00:05Z``, for programs."""
    return datetime.fromtimestamp(int(at), UTC).isoformat().replace("+00:00", "Z")


def span(seconds: float, language: str) -> str:
    """``9 min``, ``2 h 15 min``, ``3 d 4 h``: a length of time, cut to minutes."""
    minutes = int(seconds // 60)
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    units = ("日", "時間", "分") if language == "ja" else (" d", " h", " min")
    parts = [f"{n}{unit}" for n, unit in zip((days, hours, minutes), units, strict=True) if n][:2]
    space = "" if language == "ja" else " "
    return space.join(parts) or (f"{int(seconds)}秒" if language == "ja" else f"{int(seconds)} s")

"""Answers as JSON documents: times in ISO 8601 and UTC, as docs/operating.md names things."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from hub_toolkit.inventory.moments import iso

if TYPE_CHECKING:
    from hub_toolkit.inventory import now as present
    from hub_toolkit.inventory.past import Answer, Seen
    from hub_toolkit.inventory.periods import Period
    from hub_toolkit.inventory.place import Place
    from hub_toolkit.inventory.trend import Trend

_TIMES = frozenset({"taken_at", "last_contact", "start", "last_protected", "since", "checked_at"})


def of_trend(trend: Trend, period: Period, place: Place) -> dict[str, Any]:
    """What ``hub-responder inventory report --json`` prints."""
    told = trend.told
    return {
        "from": iso(period.start),
        "to": iso(period.end),
        "timezone": period.zone.key,
        "unit": period.unit,
        "stack": place.stack.stack,
        "connection": place.connection,
        "begins": _dated(told[0]),
        "ends": _dated(told[-1]),
        **_dated(trend),
    }


def of_past(answer: Answer, at: float, place: Place) -> dict[str, Any]:
    """What ``hub-responder coverage ... --at TIME --json`` prints."""
    return {
        "at": iso(at),
        "timezone": place.zone.key,
        "connection": place.connection,
        "before": iso(answer.before) if answer.before is not None else None,
        "after": iso(answer.after) if answer.after is not None else None,
        "instances": [
            {"asked": asked, "before": _seen(one.before), "after": _seen(one.after)}
            for asked, some in answer.found.items()
            for one in some
        ],
        "missing": [
            {"asked": asked, **_dated(instead)} for asked, instead in answer.missing.items()
        ],
        "damaged": [one.taken.key for one in answer.damaged],
    }


def of_now(answer: present.Answer, place: Place) -> dict[str, Any]:
    """What ``hub-responder coverage ... --json`` prints."""
    return {
        "at": iso(place.now),
        "timezone": place.zone.key,
        "connection": place.connection,
        "instances": [
            {"asked": asked, **_dated(one)} for asked, some in answer.found.items() for one in some
        ],
        "missing": [{"asked": asked} for asked in answer.missing],
        "notes": list(answer.notes),
    }


def _seen(seen: Seen | None) -> dict[str, Any] | None:
    return _dated(seen) if seen is not None else None


def _dated(value: msgspec.Struct) -> dict[str, Any]:
    found: dict[str, Any] = _written(msgspec.to_builtins(value))
    return found


def _written(value: Any) -> Any:
    """``value`` with its times in ISO 8601."""
    if isinstance(value, Mapping):
        return {
            key: iso(held) if key in _TIMES and isinstance(held, float) else _written(held)
            for key, held in value.items()
        }
    return [_written(one) for one in value] if isinstance(value, list) else value

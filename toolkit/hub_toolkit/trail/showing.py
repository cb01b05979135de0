"""Shows a time line, once or as it grows."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from hub_responder.archive.layout import period_at
from hub_toolkit.acting import time_of
from hub_toolkit.inventory import moments
from hub_toolkit.stack import DeploymentError
from hub_toolkit.trail import records
from hub_toolkit.trail.timeline import MAX_SUBJECT, Event, Read, about

if TYPE_CHECKING:
    from hub_toolkit.stack import Stack
    from hub_toolkit.trail.records import Record

USUAL_S = 30 * 86_400.0
EVERY_S = 2.0
LOOK_BACK_S = 60.0
"""What is followed is read again so far back: a transaction may take its time."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be shown; times as people write them, in ``timezone`` where they name none."""

    subject: str
    start: str | None = None
    end: str | None = None
    timezone: str = "UTC"


def zone_of(name: str) -> ZoneInfo:
    """A time zone.

    Raises:
        DeploymentError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise DeploymentError(f"{name!r} is no time zone: Asia/Tokyo is one") from error


def shown(stack: Stack, asked: Asked, *, as_json: bool, follow: bool) -> int:
    """Print the events; how many. ``follow`` goes on until it is interrupted.

    Raises:
        DeploymentError: the trail cannot be read. MomentError: a time is none.
    """
    if len(asked.subject) > MAX_SUBJECT:
        raise DeploymentError(f"what is looked for has more than {MAX_SUBJECT} characters")
    zone, now = zone_of(asked.timezone), time_of(stack.endpoint)
    since = now - USUAL_S
    if asked.start is not None:
        since = moments.read(asked.start, zone, now, option="--from")
    until = now
    if asked.end is not None:
        until = moments.read(asked.end, zone, now, option="--to", ends=True)
    found = about(lambda texts: records.read(stack, since, until, texts), asked.subject)
    _print(found, zone, as_json=as_json)
    if follow:
        _follow(stack, asked, zone, {one.run for one in found}, as_json=as_json)
    return len(found)


def _follow(stack: Stack, asked: Asked, zone: ZoneInfo, seen: set[str], *, as_json: bool) -> None:
    while True:
        time.sleep(EVERY_S)
        now = time_of(stack.endpoint)
        since = now - LOOK_BACK_S
        hours = sorted({period_at(since), period_at(now)})
        written = list(records.live(stack, hours, since, now))
        found = about(_same(written), asked.subject)
        fresh = [one for one in found if one.run not in seen]
        seen.update(one.run for one in fresh)
        _print(fresh, zone, as_json=as_json)


def _same(written: list[Record]) -> Read:
    return lambda _texts: written


def _print(found: Iterable[Event], zone: ZoneInfo, *, as_json: bool) -> None:
    events = list(found)
    if as_json:
        for one in events:
            print(msgspec.json.encode(one).decode(), flush=True)
        return
    if not events:
        return
    from rich.console import Console

    from hub_toolkit.trail.printed import print_events

    print_events(Console(highlight=False), events, zone)

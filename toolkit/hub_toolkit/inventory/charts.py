"""Stacked columns over time as the numbers that an SVG is drawn from.

Drawn by our own template: the page's Content-Security-Policy allows no script and no style but the
page's, equal figures give an equal file, and a day without a snapshot is a gap, never a zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub_toolkit.inventory.trend import Bucket

WIDTH, HEIGHT = 960, 260
LEFT, RIGHT, TOP, BOTTOM = 56, 8, 10, 26
_LABELS = 8
"""Labels below the columns, at most."""
_STEPS = 4
_GAP = 0.2
"""Of a column's room, between it and the next."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a column: the verdict, and a rectangle."""

    verdict: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """A day or an hour; without parts: there is no snapshot of it. ``said`` is its text."""

    x: float
    width: float
    parts: tuple[Part, ...]
    said: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A label, and where it stands."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Columns, the scale at the left, and labels below."""

    columns: tuple[Column, ...]
    scale: tuple[Mark, ...]
    labels: tuple[Mark, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    base: int = HEIGHT - BOTTOM


def stacked(
    buckets: Sequence[Bucket],
    verdicts: Sequence[str],
    said: Callable[[Bucket], str],
    label: Callable[[Bucket], str],
) -> Chart:
    """The counts of ``verdicts``, the first at the bottom.

    Args:
        said: a column in words. label: what stands below it.
    """
    highest = max((_sum(bucket, verdicts) for bucket in buckets), default=0)
    step = _step(highest)
    top = max(step, math.ceil(highest / step) * step)
    per_instance = (HEIGHT - TOP - BOTTOM) / top
    room = (WIDTH - LEFT - RIGHT) / max(1, len(buckets))
    columns = tuple(
        Column(
            x=round(LEFT + room * (place + _GAP / 2), 2),
            width=round(room * (1 - _GAP), 2),
            parts=tuple(_parts(bucket, verdicts, per_instance)),
            said=said(bucket),
        )
        for place, bucket in enumerate(buckets)
    )
    every = max(1, math.ceil(len(buckets) / _LABELS))
    labels = [
        Mark(round(LEFT + room * (place + 0.5), 2), label(bucket))
        for place, bucket in enumerate(buckets)
        if place % every == 0
    ]
    scale = [
        Mark(round(HEIGHT - BOTTOM - value * per_instance, 2), f"{value:,}")
        for value in range(0, top + 1, step)
    ]
    return Chart(columns, tuple(scale), tuple(labels))


def _parts(bucket: Bucket, verdicts: Sequence[str], per_instance: float) -> Iterator[Part]:
    base = float(HEIGHT - BOTTOM)
    for verdict in verdicts if bucket.taken_at is not None else ():
        height = getattr(bucket.all, verdict) * per_instance
        base -= height
        if height:
            yield Part(verdict, round(base, 2), round(height, 2))


def _sum(bucket: Bucket, verdicts: Sequence[str]) -> int:
    return sum(getattr(bucket.all, verdict) for verdict in verdicts)


def _step(highest: int) -> int:
    """A round number that divides the scale into about four."""
    wanted = max(1.0, highest / _STEPS)
    power = 10 ** math.floor(math.log10(wanted))
    return next(int(power * n) or 1 for n in (1, 2, 5, 10) if power * n >= wanted)

"""Stacked columns over time as the numbers that an SVG is drawn from.

Drawn by our own template: the page's Content-Security-Policy allows no script and no style but the
page's, equal figures give an equal file, and a day without any is a gap, never a zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Moment = TypeVar("Moment")

WIDTH, HEIGHT = 960, 260
LEFT, RIGHT, TOP, BOTTOM = 56, 8, 10, 26
_LABELS = 8
"""Labels below the columns, at most."""
_STEPS = 4
_GAP = 0.2
"""Of a column's room, between it and the next."""
_WIDEST = 64.0


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a column: what is counted, and a rectangle."""

    name: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """A day or an hour; without parts: nothing is known of it. ``said`` is its text."""

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


@dataclass(frozen=True, slots=True)
class Counts(Generic[Moment]):
    """What is drawn.

    Attributes:
        moments: days or hours. names: what is counted, the first at the bottom.
        of: a moment's counts, by name; None: nothing is known of it.
        said: a column in words. label: what stands below it.
    """

    moments: Sequence[Moment]
    names: Sequence[str]
    of: Callable[[Moment], Mapping[str, int] | None]
    said: Callable[[Moment], str]
    label: Callable[[Moment], str]


def stacked(counts: Counts[Moment]) -> Chart:
    """Stacked columns."""
    columns = [counts.of(moment) for moment in counts.moments]
    highest = max((_sum(one, counts.names) for one in columns), default=0)
    step = _step(highest)
    top = max(step, math.ceil(highest / step) * step)
    per_instance = (HEIGHT - TOP - BOTTOM) / top
    room = (WIDTH - LEFT - RIGHT) / max(1, len(columns))
    wide = min(room * (1 - _GAP), _WIDEST)
    drawn = tuple(
        Column(
            x=round(LEFT + room * (place + 0.5) - wide / 2, 2),
            width=round(wide, 2),
            parts=tuple(_parts(one, counts.names, per_instance)),
            said=counts.said(moment),
        )
        for place, (moment, one) in enumerate(zip(counts.moments, columns, strict=True))
    )
    every = max(1, math.ceil(len(columns) / _LABELS))
    labels = [
        Mark(round(LEFT + room * (place + 0.5), 2), counts.label(moment))
        for place, moment in enumerate(counts.moments)
        if place % every == 0
    ]
    scale = [
        Mark(round(HEIGHT - BOTTOM - value * per_instance, 2), f"{value:,}")
        for value in range(0, top + 1, step)
    ]
    return Chart(drawn, tuple(scale), tuple(labels))


def _parts(
    counts: Mapping[str, int] | None, names: Sequence[str], per_instance: float
) -> Iterator[Part]:
    base = float(HEIGHT - BOTTOM)
    if counts is None:
        return
    for name in names:
        height = counts[name] * per_instance
        base -= height
        if height:
            yield Part(name, round(base, 2), round(height, 2))


def _sum(counts: Mapping[str, int] | None, names: Sequence[str]) -> int:
    return sum(counts[name] for name in names) if counts is not None else 0


def _step(highest: int) -> int:
    """A round number that divides the scale into about four."""
    wanted = max(1.0, highest / _STEPS)
    power = 10 ** math.floor(math.log10(wanted))
    return next(int(power * n) or 1 for n in (1, 2, 5, 10) if power * n >= wanted)

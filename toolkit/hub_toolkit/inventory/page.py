"""A report as one HTML page. Names come from tags that anyone may have set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub_toolkit import charts, paper
from hub_toolkit.inventory.said import VERDICTS, plain

if TYPE_CHECKING:
    from hub_toolkit.inventory.periods import Period
    from hub_toolkit.inventory.said import Said
    from hub_toolkit.inventory.trend import Bucket, Counts, Trend

MOST_LOST = 200
"""Instances that are listed; the JSON has up to a thousand."""
_BAR = 120
"""The width of a row's bar."""


def render(trend: Trend, period: Period, said: Said, source: str) -> str:
    """The page, equal for equal input; ``source`` says what it was made from, and when."""
    first, last = trend.told[0], trend.told[-1]
    return paper.render(
        "hub_toolkit.inventory",
        "page.html.j2",
        trend=trend,
        said=said,
        word=said.word,
        plain=plain,
        unit=period.unit,
        verdicts=VERDICTS,
        first=first,
        last=last,
        charts=_charts(trend, period, said),
        bars=_bars,
        bar_width=_BAR,
        lost=trend.lost[:MOST_LOST],
        more_lost=len(trend.lost[MOST_LOST:]) + trend.more_lost,
        most_reason=max(trend.reasons.values(), default=0),
        start=said.short(period.start),
        end=said.at(period.end),
        source=source,
        notes=said.notes(trend, period),
    )


def _charts(trend: Trend, period: Period, said: Said) -> list[dict[str, Any]]:
    unit = period.unit

    def in_words(bucket: Bucket) -> str:
        when = said.begins(bucket.start, unit)
        if bucket.taken_at is None:
            return f"{when}: {said.word('no_snapshot')}"
        counts = {name: f"{getattr(bucket.all, name):,}" for name in VERDICTS}
        return said.word("bucket", when=when, **counts)

    def below(bucket: Bucket) -> str:
        return said.begins(bucket.start, unit)[5:]

    found = []
    for what, verdicts in (("every_instance", VERDICTS), ("not_protected", VERDICTS[1:])):
        told = said.word(
            "chart",
            what=said.word(what),
            unit=said.word(f"unit_{unit}"),
            start=said.begins(trend.buckets[0].start, unit),
            end=said.begins(trend.buckets[-1].start, unit),
        )
        counts = charts.Counts(trend.buckets, verdicts, _counted, in_words, below)
        drawn = charts.stacked(counts)
        found.append({"name": what, "title": said.word(what), "told": told, "drawn": drawn})
    return found


def _counted(bucket: Bucket) -> dict[str, int] | None:
    if bucket.taken_at is None:
        return None
    return {name: getattr(bucket.all, name) for name in VERDICTS}


def _bars(counts: Counts) -> list[tuple[str, float, float]]:
    """The parts of a row's bar: verdict, left edge and width."""
    found, left = [], 0.0
    for name in VERDICTS:
        width = _BAR * getattr(counts, name) / counts.total if counts.total else 0.0
        if width:
            found.append((name, round(left, 2), round(width, 2)))
        left += width
    return found

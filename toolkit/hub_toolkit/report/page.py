"""The report as one HTML page."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from hub_responder.archive.layout import HOUR_S
from hub_toolkit import charts, paper
from hub_toolkit.report.controls import CONTROLS, NAMES
from hub_toolkit.report.figures import VERDICTS
from hub_toolkit.report.said import plain

if TYPE_CHECKING:
    from hub_toolkit.archive.verdicts import Report
    from hub_toolkit.report.figures import Day, Figures
    from hub_toolkit.report.said import Said

SHOWN_WRONG = 100
_TILES = ("findings", "answered", "unanswered", "effects")
_COUNTS = (
    *("failed", "dead", "incidents", "ended", "clicks", "repeats", "skipped", "dry", "records"),
)
_CHARTED = {
    "PROTECTED": "protected",
    "DEGRADED": "degraded",
    "UNPROTECTED": "unprotected",
    "UNKNOWN": "unknown",
    "NOT_APPLICABLE": "other",
}
"""Verdict -> the class of its colour."""
_LISTS = (
    ("unanswered_list", "unanswered"),
    ("exceptions", "exceptions"),
    ("unresolved", "unresolved"),
    ("unseen", "unseen"),
    ("suppressed", "suppressed"),
    ("operators", "operators"),
)
"""Heading -> the list of the figures."""


def render(
    figures: Figures, proof: Report, said: Said, framework: str | None, *, given: bool, made: float
) -> str:
    """The page, equal for equal input.

    Args:
        framework: whose controls are named; None: none.
        given: the public key came from outside. made: when (epoch seconds).
    """
    return paper.render(
        "hub_toolkit.report",
        "report.html.j2",
        figures=figures,
        proof=proof,
        wrong=[(one, told) for one in proof.wrong for told in one.findings][:SHOWN_WRONG],
        given=given,
        sealed_to=_sealed_to(proof, said),
        said=said,
        word=said.word,
        plain=plain,
        tiles=[(name, _count(figures, name)) for name in _TILES],
        counts=[(name, getattr(figures.summary, name)) for name in _COUNTS],
        charts=_charts(figures, said),
        verdicts=VERDICTS,
        lists=[(heading, getattr(figures, name)) for heading, name in _LISTS],
        controls=CONTROLS[framework] if framework else (),
        framework=NAMES[framework] if framework else "",
        start=said.at(figures.range.since / 1000),
        end=said.at(figures.range.until / 1000),
        source=said.word("source", archive=proof.archive, made=said.at(made)),
    )


def _count(figures: Figures, name: str) -> int:
    if name == "unanswered":
        return figures.unanswered.count
    return int(getattr(figures.summary, name))


def _sealed_to(proof: Report, said: Said) -> str:
    """The end of the last hour that has a digest."""
    sealed = [one.start for one in proof.periods if one.start and one.verdict != "missing"]
    if not sealed:
        return ""
    return said.at(datetime.fromisoformat(sealed[-1]).timestamp() + HOUR_S)


def _charts(figures: Figures, said: Said) -> list[dict[str, Any]]:
    if not figures.days:
        return []

    def verdicts(day: Day) -> dict[str, int]:
        return {_CHARTED[name]: day.verdicts.get(name, 0) for name in VERDICTS}

    def in_words(day: Day) -> str:
        told = (f"{said.word(name)} {day.verdicts.get(name, 0):,}" for name in VERDICTS)
        return f"{day.day}: {', '.join(told)}"

    taken = charts.Counts(
        figures.days,
        ("taken",),
        lambda day: {"taken": day.findings},
        lambda day: f"{day.day}: {day.findings:,}",
        lambda day: day.day[5:],
    )
    checked = charts.Counts(
        figures.days,
        tuple(_CHARTED.values()),
        verdicts,
        in_words,
        lambda day: day.day[5:],
    )
    return [
        {"name": name, "title": said.word(name), "drawn": charts.stacked(counts)}
        for name, counts in (("taken_by_day", taken), ("verdicts_by_day", checked))
    ]

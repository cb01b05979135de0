"""Reports and answers on a terminal: what matters most stands last, next to the prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hub_toolkit.inventory.said import VERDICTS, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console

    from hub_toolkit.inventory import now, past
    from hub_toolkit.inventory.periods import Period
    from hub_toolkit.inventory.said import Said
    from hub_toolkit.inventory.trend import Counts, Trend

MOST_ROWS = 20
"""Of groups and of instances; the files and the JSON have all."""
LATE_S = 3600.0
"""A snapshot that is farther from the moment than this is pointed out: four were not written."""
_STYLES = {
    "protected": "green",
    "degraded": "yellow",
    "unprotected": "red",
    "unknown": "magenta",
}


def print_trend(console: Console, trend: Trend, period: Period, said: Said) -> None:
    """The days or hours, the groups, the reasons, what was lost, and the sum of it."""
    _print_buckets(console, trend, period, said)
    _print_groups(console, trend, said)
    _print_reasons(console, trend, said)
    _print_lost(console, trend, said)
    last = trend.told[-1]
    console.print(Text.assemble((said.headline(last.all), "bold"), ": ", said.sentence(last)))
    for line in filter(None, (said.since_beginning(trend.told), *said.notes(trend, period))):
        console.print(Text(line, style="dim"))


def _print_buckets(console: Console, trend: Trend, period: Period, said: Said) -> None:
    table = _figures(said.word(period.unit), *_headings(said))
    for bucket in trend.buckets:
        begins = Text(said.begins(bucket.start, period.unit))
        if bucket.taken_at is None:
            table.add_row(begins, Text(said.word("no_snapshot"), style="dim"))
        else:
            table.add_row(begins, *_numbers(bucket.all))
    console.print(table)


def _print_groups(console: Console, trend: Trend, said: Said) -> None:
    console.print(Text(said.by(trend.by), style="bold"))
    table = _figures(said.word(trend.by), *_headings(said), said.word("change"))
    for one in trend.groups[:MOST_ROWS]:
        change = Text(said.change(one.now, one.before))
        table.add_row(Text(said.group(one.group)), *_numbers(one.now), change)
    console.print(table)
    _print_more(console, len(trend.groups) - MOST_ROWS, said)


def _print_reasons(console: Console, trend: Trend, said: Said) -> None:
    if not trend.reasons:
        return
    console.print(Text(said.word("reasons"), style="bold"))
    table = _figures(said.word("reason"), said.word("instances"))
    for code, count in trend.reasons.items():
        table.add_row(Text(said.reasons([code])), Text(f"{count:,}"))
    console.print(table)


def _print_lost(console: Console, trend: Trend, said: Said) -> None:
    console.print(Text(said.word("lost"), style="bold"))
    if trend.lost:
        for one in trend.lost[:MOST_ROWS]:
            subject = " ".join((one.instance, one.name, one.account, one.region))
            verdict = (said.verdict(one.verdict), _STYLES.get(one.verdict.lower(), ""))
            why = f": {said.reasons(one.reasons)}"
            between = said.word(
                "between", start=said.short(one.last_protected), end=said.short(one.since)
            )
            console.print(Text.assemble(plain(subject), "\n  ", verdict, why, f"; {between}"))
        _print_more(console, len(trend.lost) + trend.more_lost - MOST_ROWS, said)
    else:
        console.print(Text(said.word("lost_none")))
    if trend.untold:
        console.print(Text(said.word("untold", count=f"{trend.untold:,}")))
    console.print()


def print_past(
    console: Console, answer: past.Answer, at: float, connection: str, said: Said
) -> None:
    """What the snapshots before and after the moment say, instance by instance."""
    console.print(Text(said.word("asked_at", at=said.at(at)), style="bold"))
    for line in _gaps(answer, at, connection, said):
        console.print(Text(line, style="yellow"))
    for one in (one for some in answer.found.values() for one in some):
        console.print()
        console.print(Text(_subject(one.known, said), style="bold"))
        for taken_at, seen in ((answer.before, one.before), (answer.after, one.after)):
            if taken_at is not None:
                _print_seen(console, taken_at, at, seen, said)
    for asked, instead in answer.missing.items():
        facts = {"at": said.at(instead.taken_at), "count": f"{instead.instances:,}"}
        console.print()
        console.print(Text(said.word("missing", asked=plain(asked), **facts)))
        if instead.alike:
            console.print(Text("  " + said.word("alike", names=plain(", ".join(instead.alike)))))


def _gaps(answer: past.Answer, at: float, connection: str, said: Said) -> Iterator[str]:
    """What is missing around the moment."""
    if answer.before is None and answer.after is None:
        yield said.word("no_history", connection=connection)
        return
    if answer.before is None:
        yield said.word("none_before", at=said.at(answer.after))
        return
    if answer.after is None:
        yield said.word("none_after")
    far = max(abs(one - at) for one in (answer.before, answer.after) if one is not None)
    if far > LATE_S:
        yield said.word("far", span=said.span(far))


def _print_seen(
    console: Console, taken_at: float, at: float, seen: past.Seen | None, said: Said
) -> None:
    key = "exactly" if taken_at == at else "before" if taken_at < at else "after"
    when = said.word(key, at=said.at(taken_at), span=said.span(abs(taken_at - at)))
    if seen is None:
        console.print(Text(f"  {when}: {said.word('not_held')}"))
        return
    verdict = (said.verdict(seen.verdict), _STYLES.get(seen.verdict.lower(), ""))
    why = said.reasons(seen.reasons)
    line = Text.assemble(f"{when}: ", verdict, f" ({why})" if why else "")
    console.print(Padding(line, (0, 0, 0, 2)))
    _print_below(console, said.facts(seen), said)


def _print_below(console: Console, facts: Iterable[str], said: Said) -> None:
    console.print(Padding(Text(said.listed(facts), style="dim"), (0, 0, 0, 4)))


def print_now(console: Console, answer: now.Answer, at: float, said: Said) -> None:
    """The verdicts of this moment, instance by instance."""
    console.print(Text(said.word("asked_now", at=said.at(at)), style="bold"))
    for one in (one for some in answer.found.values() for one in some):
        coverage = one.coverage
        console.print()
        console.print(Text(_subject(one, said), style="bold"))
        style = _STYLES.get(coverage.verdict.lower(), "")
        console.print(Padding(Text(coverage.summary, style=style), (0, 0, 0, 2)))
        _print_below(console, [*said.state(one), *said.evidence(coverage)], said)
    for asked in answer.missing:
        console.print()
        console.print(Text(said.word("nobody", asked=plain(asked))))


def _subject(one: past.Seen | now.Now, said: Said) -> str:
    name = f"{plain(one.name)} ({one.instance})" if one.name else one.instance
    if not one.account:
        return plain(name)
    return said.word("in", name=plain(name), account=plain(one.account), region=plain(one.region))


def _print_more(console: Console, count: int, said: Said) -> None:
    if count > 0:
        console.print(Text(said.word("more", count=f"{count:,}"), style="dim"))


def _headings(said: Said) -> Iterator[str]:
    yield from (said.word(name) for name in (*VERDICTS, "total"))
    yield "%"


def _numbers(counts: Counts) -> Iterator[Text]:
    for name in VERDICTS:
        count = getattr(counts, name)
        yield Text(f"{count:,}", style=_STYLES[name] if count else "dim")
    yield Text(f"{counts.total:,}")
    yield Text("" if counts.percent is None else f"{counts.percent:.1f}")


def _figures(first: str, *columns: str) -> Table:
    """A table of numbers, which are never folded."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, overflow="fold")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table

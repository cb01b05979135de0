"""Coverage over a range of time: the last snapshot of each day or hour, counted.

Instances that EC2 knows and that do not run are left out: nothing has to protect them. What could
not be told (UNKNOWN) counts as not protected in the percentage, and is shown apart.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hub_toolkit.inventory.reading import DamagedError, Reader

if TYPE_CHECKING:
    from hub_toolkit.inventory.history import History, Taken
    from hub_toolkit.inventory.periods import Period

By = Literal["account", "region", "policy"]
MOST_LOST = 1000
"""Instances that lost protection and are listed; more are counted."""
_THREADS = 8
"""Snapshots that are read at a time: most of a read is waiting for S3."""
_TRIES = 3
"""Snapshots of one day or hour that are tried, the last first, where some are damaged."""
_VERDICTS = ("PROTECTED", "DEGRADED", "UNPROTECTED", "UNKNOWN")
_STOPPED = "STOPPED"
_GROUPS: Mapping[By, str] = {"account": "account", "region": "region", "policy": "policy"}
_ENDS = """
SELECT instance, account, region, name, verdict, reasons, last_contact
FROM {snapshot} WHERE running IS DISTINCT FROM false
"""
_COUNTS = """
SELECT coalesce({grouped}, '') AS grouped,
  CASE WHEN running IS DISTINCT FROM false THEN verdict ELSE 'STOPPED' END AS verdict,
  count(*) AS many,
  list(instance) FILTER (WHERE instance IN (SELECT unnest($watched))) AS watched
FROM {snapshot} GROUP BY ALL
"""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Instances by verdict.

    Attributes:
        percent: protected of total, cut to a tenth: only all of them are 100; None: there are none.
    """

    protected: int = 0
    degraded: int = 0
    unprotected: int = 0
    unknown: int = 0
    total: int = 0
    percent: float | None = None

    @classmethod
    def of(cls, by_verdict: Mapping[str, int]) -> Counts:
        """The counts of verdicts."""
        counted = {verdict.lower(): by_verdict.get(verdict, 0) for verdict in _VERDICTS}
        total = sum(counted.values())
        percent = math.floor(1000 * counted["protected"] / total) / 10 if total else None
        return cls(**counted, total=total, percent=percent)


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """A day or an hour.

    Attributes:
        start, taken_at: epoch seconds; of its beginning, and of the snapshot that tells of it.
            None: there is no snapshot of it that can be read.
        stopped: instances that were left out because they did not run.
        groups: account, region or policy -> its counts.
    """

    start: float
    taken_at: float | None = None
    all: Counts = Counts()
    stopped: int = 0
    groups: dict[str, Counts] = {}


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """One account, region or policy; ``before`` is of the beginning, None where it was not yet."""

    group: str
    now: Counts
    before: Counts | None = None


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """An instance that was protected in the range and at its end is not.

    Attributes:
        last_protected: the last snapshot that was read and has it protected (epoch seconds).
        since: the next one that was read and has it, where it was not.
        last_contact: the agent's, as the last snapshot tells it; None: none is told.
    """

    instance: str
    account: str
    region: str
    name: str
    verdict: str
    reasons: list[str]
    last_protected: float
    since: float
    last_contact: float | None = None


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a range.

    Attributes:
        groups: at the end, the least protected first.
        reasons: at the end, why instances are not protected -> how many.
        lost: the latest first; ``more_lost`` are not listed.
        untold: instances that were protected in the range, and of which nothing can be said now.
        read, available: snapshots.
        damaged: one line for each snapshot that could not be read.
    """

    by: By
    buckets: list[Bucket]
    groups: list[Group]
    reasons: dict[str, int]
    lost: list[Lost]
    more_lost: int
    untold: int
    read: int
    available: int
    damaged: list[str]

    @property
    def told(self) -> list[Bucket]:
        """The buckets that there is a snapshot of."""
        return [bucket for bucket in self.buckets if bucket.taken_at is not None]


def trend(history: History, connection: str, period: Period, by: By) -> Trend | None:
    """The coverage of ``connection``'s instances over ``period``; None: there is no snapshot in it.

    Raises:
        DeploymentError: the history cannot be read.
    """
    taken = [
        one for one in history.between(period.start, period.end) if one.connection == connection
    ]
    candidates: dict[float, list[Taken]] = {begins: [] for begins in period.buckets()}
    for one in reversed(taken):
        candidates.setdefault(period.bucket(one.at), []).append(one)
    with Reader(history, taken) as reader:
        asking = _Asking(reader)
        last = asking.first(_newest(candidates), _ENDS)
        if last is None:
            return None
        ends = [row for row in last.rows if row["verdict"] in _VERDICTS]
        watch = _Watch({row["instance"]: row for row in ends if row["verdict"] != "PROTECTED"})
        buckets = list(_buckets(asking, candidates, by, watch))
    lost = watch.lost()
    return Trend(
        by=by,
        buckets=buckets,
        groups=_groups(buckets),
        reasons=_reasons(ends),
        lost=lost[:MOST_LOST],
        more_lost=max(0, len(lost) - MOST_LOST),
        untold=watch.untold(),
        read=sum(bucket.taken_at is not None for bucket in buckets),
        available=len(taken),
        damaged=sorted(asking.damaged.values()),
    )


@dataclass(frozen=True, slots=True)
class _Read:
    taken: Taken
    rows: list[dict[str, Any]]


@dataclass(slots=True)
class _Asking:
    """Asks snapshots; one that is damaged costs itself and is noted."""

    reader: Reader
    damaged: dict[str, str] = field(default_factory=dict)

    def first(self, candidates: Iterable[Taken], question: str, **given: Any) -> _Read | None:
        """The first of a few candidates that can be read, with its answer."""
        for taken in itertools.islice(candidates, _TRIES):
            try:
                return _Read(taken, self.reader.ask(taken, question, **given))
            except DamagedError as error:
                self.damaged[taken.key] = str(error)
        return None


def _newest(candidates: Mapping[float, Sequence[Taken]]) -> Iterator[Taken]:
    for begins in sorted(candidates, reverse=True):
        yield from candidates[begins]


def _buckets(
    asking: _Asking, candidates: Mapping[float, Sequence[Taken]], by: By, watch: _Watch
) -> Iterator[Bucket]:
    question, watched = _COUNTS.replace("{grouped}", _GROUPS[by]), list(watch.rows)

    def read(begins: float) -> _Read | None:
        return asking.first(candidates[begins], question, watched=watched)

    order = sorted(candidates)
    with ThreadPoolExecutor(_THREADS) as pool:
        for begins, found in zip(order, pool.map(read, order), strict=True):
            if found is None:
                yield Bucket(start=begins)
                continue
            watch.see(found.taken.at, found.rows)
            yield _counted(begins, found)


def _counted(begins: float, found: _Read) -> Bucket:
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    for row in found.rows:
        groups[row["grouped"]][row["verdict"]] += row["many"]
    everywhere = sum(groups.values(), Counter[str]())
    return Bucket(
        start=begins,
        taken_at=found.taken.at,
        all=Counts.of(everywhere),
        stopped=everywhere[_STOPPED],
        groups={
            name: counts
            for name, by_verdict in sorted(groups.items())
            if (counts := Counts.of(by_verdict)).total
        },
    )


@dataclass(slots=True)
class _Watch:
    """When the instances that are not protected at the end were, snapshot by snapshot."""

    rows: Mapping[str, Mapping[str, Any]]
    last_protected: dict[str, float] = field(default_factory=dict)
    since: dict[str, float] = field(default_factory=dict)

    def see(self, at: float, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take a snapshot's counts, the earlier ones first."""
        for row in rows:
            for instance in row["watched"] or ():
                if row["verdict"] == "PROTECTED":
                    self.last_protected[instance] = at
                    self.since.pop(instance, None)
                elif instance in self.last_protected and row["verdict"] in _VERDICTS:
                    self.since.setdefault(instance, at)

    def lost(self) -> list[Lost]:
        """Those that are plainly not protected any more, the latest first."""
        found = [
            Lost(
                instance=instance,
                account=row["account"] or "",
                region=row["region"] or "",
                name=row["name"] or "",
                verdict=row["verdict"],
                reasons=row["reasons"] or [],
                last_protected=self.last_protected[instance],
                since=self.since[instance],
                last_contact=row["last_contact"],
            )
            for instance, row in self._were_protected()
            if row["verdict"] != "UNKNOWN"
        ]
        return sorted(found, key=lambda one: (-one.since, one.account, one.instance))

    def untold(self) -> int:
        """How many were protected, and of which nothing can be said now."""
        return sum(row["verdict"] == "UNKNOWN" for _, row in self._were_protected())

    def _were_protected(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        return ((one, row) for one, row in self.rows.items() if one in self.since)


def _groups(buckets: Sequence[Bucket]) -> list[Group]:
    told = [bucket for bucket in buckets if bucket.taken_at is not None]
    if not told:
        return []
    first, last = told[0].groups, told[-1].groups
    found = [Group(group=name, now=now, before=first.get(name)) for name, now in last.items()]
    return sorted(found, key=lambda one: (one.now.percent or 0.0, -one.now.total, one.group))


def _reasons(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    counted = Counter(
        reason for row in rows if row["verdict"] != "PROTECTED" for reason in row["reasons"] or ()
    )
    return dict(sorted(counted.items(), key=lambda one: (-one[1], one[0])))

"""Whether each period of the archive is what was sealed, by the public key alone.

A digest vouches for its objects by their SHA-256, for its place by naming it, and for the digest
before it by that one's SHA-256. So whoever changes, removes, moves or adds anything leaves
something that does not fit, unless they can sign; and the hours and numbers of the digests leave no
room for one that is not there. What comes after the last digest nobody vouches for.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from hub_responder import clock
from hub_responder.archive.digest import Digest, Opened, Sealed, open_envelope, sha256
from hub_responder.archive.layout import (
    CONTENT,
    DAYS,
    DIGESTS,
    SOURCES,
    Period,
    day_of,
    period_of,
    period_of_data,
)
from hub_toolkit.archive.holdings import Held
from hub_toolkit.archive.keys import Keys, signed_by
from hub_toolkit.archive.verdicts import Finding, Judged, Report, Verdict

if TYPE_CHECKING:
    from hub_toolkit.archive.holdings import Holdings

SKEW_S = 300.0
READERS = 16
_WORST: tuple[Verdict, ...] = (
    *("modified", "missing", "unsigned", "moved", "gap", "extra", "skewed"),
)


@dataclass(slots=True)
class _Hour:
    """A period as it is found."""

    period: Period
    held: Held | None = None
    body: bytes = b""
    opened: Opened | None = None
    findings: list[Finding] = field(default_factory=list)

    def say(self, verdict: Verdict, key: str, detail: str) -> None:
        self.findings.append(Finding(verdict, key, detail))


def verify(
    holdings: Holdings,
    keys: Keys,
    archive: str,
    *,
    start: Period | None = None,
    end: Period | None = None,
    due: Period | None = None,
    only: Container[str] | None = None,
) -> Report:
    """Verify an archive.

    Args:
        archive: its name, for people. start, end: the first and the last hour that are looked at.
        due: the newest hour that must have been sealed; None where that cannot be told.
        only: the keys of the objects that are read; None: all. The others must be there, no more.

    Raises:
        DeploymentError: the archive cannot be read.
    """
    hours = _hours(holdings, start, end, due)
    with ThreadPoolExecutor(READERS) as pool:
        list(pool.map(lambda hour: _read(hour, holdings, keys), hours.values()))
        _chain(hours, holdings, keys, begins=start is None)
        digests = [hour for hour in hours.values() if hour.opened is not None]
        there = None if only is None else {held.key for held in _data(holdings)}
        reading = _Reading(holdings, only, there)
        list(pool.map(reading.objects, digests))
    unplaced = _extra(hours, holdings, whole=start is None and end is None)
    judged = [_judged(hour) for hour in hours.values()]
    first = next((hour.opened.digest for hour in digests if hour.opened), None)
    return Report(
        archive=archive,
        keys=sorted(keys),
        periods=[*judged, *([Judged("", "extra", 0, unplaced)] if unplaced else [])],
        first=judged[0].start if judged else "",
        last=judged[-1].start if judged else "",
        deployment=_whose(first) if first else "",
    )


def digests(
    holdings: Holdings, start: Period | None, end: Period | None
) -> Iterator[tuple[Period, Held]]:
    """The hours that have a digest, in their order, with it; arguments as of `verify`.

    Raises:
        DeploymentError: the archive cannot be listed.
    """
    for held in holdings.listed(f"{DIGESTS}/"):
        period = period_of(held.key)
        if period is not None and (start is None or period >= start):
            if end is not None and period > end:
                return
            yield period, held


def _hours(
    holdings: Holdings, start: Period | None, end: Period | None, due: Period | None
) -> dict[Period, _Hour]:
    """All hours from the first to the last, whether they have a digest or not."""
    found = dict(digests(holdings, start, end))
    first = start or min(found, default=None)
    last = max([*found, *filter(None, [due])], default=None)
    hours: dict[Period, _Hour] = {}
    while first is not None and last is not None and first <= last:
        hours[first] = _Hour(first, found.get(first))
        first = first.next
    return hours


def _read(hour: _Hour, holdings: Holdings, keys: Keys) -> None:
    """The digest of an hour, and what it says of itself."""
    if hour.held is None:
        return
    key = hour.held.key
    hour.body = holdings.body(key) or b""
    try:
        opened = hour.opened = open_envelope(hour.body)
    except (msgspec.MsgspecError, ValueError) as error:
        hour.say("modified", key, f"it is no digest: {error}")
        return
    digest = opened.digest
    if signed_by(opened, keys) is None:
        named = ", ".join(one.keyid[:12] for one in opened.signatures) or "nobody"
        ours = any(one.keyid in keys for one in opened.signatures)
        verdict: Verdict = "modified" if ours else "unsigned"
        detail = "its signature is not of this content" if ours else f"it is signed by {named}"
        hour.say(verdict, key, detail)
    if digest.key != key or (holdings.bucket is not None and digest.bucket != holdings.bucket):
        hour.say("moved", key, f"it was sealed as {digest.bucket}/{digest.key}")
    start, end = clock.iso(hour.period.start), clock.iso(hour.period.end)
    if (digest.from_, digest.to) != (start, end):
        hour.say("moved", key, f"it is of {digest.from_} to {digest.to}")
    written = _epoch(digest.written_at)
    if written is None:
        hour.say("modified", key, "it says no time at which it was signed")
    elif written < hour.period.end:
        hour.say("skewed", key, f"it was signed at {digest.written_at}, before its hour was over")
    elif hour.held.written is not None and abs(hour.held.written - written) > SKEW_S:
        at = clock.iso(hour.held.written)
        hour.say("skewed", key, f"it says {digest.written_at}, and was written at {at}")
    for run in digest.incomplete:
        hour.say("gap", key, f"run {run} has a hole: an item is missing or was changed")


def _chain(hours: Mapping[Period, _Hour], holdings: Holdings, keys: Keys, *, begins: bool) -> None:
    """Each digest against the one before it."""
    before: _Hour | None = None
    last = max((one.period for one in hours.values() if one.opened), default=Period(0.0))
    named = {
        hour.opened.digest.previous.key
        for hour in hours.values()
        if hour.opened is not None and hour.opened.digest.previous is not None
    }
    for hour in hours.values():
        digest = hour.opened.digest if hour.opened else None
        if digest is None:
            if hour.held is None:
                key = hour.period.digest_key
                gone = key in named or hour.period > last
                hour.say("missing" if gone else "gap", key, "there is no digest")
            before = hour
            continue
        if before is None and not begins:
            before = _outside(hour.period.before(1), holdings, keys)
        _fits(hour, digest, before, begins=begins)
        before = hour


def _outside(period: Period, holdings: Holdings, keys: Keys) -> _Hour | None:
    """The hour before the range, where there is one."""
    key = period.digest_key
    body = holdings.body(key)
    if body is None:
        return None
    hour = _Hour(period, Held(key, len(body)))
    _read(hour, holdings, keys)
    return hour


def _fits(hour: _Hour, digest: Digest, before: _Hour | None, *, begins: bool) -> None:
    previous, key = digest.previous, digest.key
    if before is None:
        if begins and previous is not None:
            hour.say("missing", previous.key, f"digest {digest.sequence - 1} and those before it")
        return
    if previous is None:
        hour.say("modified", key, "it says that it is the first one")
        return
    if before.opened is None:
        return  # said of that hour
    other = before.opened.digest
    if previous.key != before.period.digest_key or previous.sha256 != sha256(before.body):
        detail = f"{key} was sealed after another digest than this one"
        before.say("modified", before.period.digest_key, detail)
    if digest.sequence != other.sequence + 1:
        hour.say("gap", key, f"digest {digest.sequence} comes after {other.sequence}")
    if digest.deployment != other.deployment:
        hour.say("moved", key, f"it is of {_whose(digest)}, the one before of {_whose(other)}")


@dataclass(frozen=True, slots=True)
class _Reading:
    """The objects that are read, and the keys of those that are there (None: nobody looked)."""

    holdings: Holdings
    only: Container[str] | None
    there: Container[str] | None

    def objects(self, hour: _Hour) -> None:
        """What a digest vouches for."""
        for sealed in hour.opened.digest.objects if hour.opened is not None else ():
            if self.only is None or sealed.key in self.only:
                self._object(hour, sealed)
            elif self.there is not None and sealed.key not in self.there:
                hour.say("missing", sealed.key, f"{sealed.records} records")
            _times(hour, sealed)

    def _object(self, hour: _Hour, sealed: Sealed) -> None:
        body = self.holdings.body(sealed.key)
        if body is None:
            hour.say("missing", sealed.key, f"{sealed.records} records")
        elif sha256(body) != sealed.sha256:
            detail = f"it has {len(body)} bytes, {sealed.size} were sealed"
            same = "it has other content than was sealed"
            hour.say("modified", sealed.key, same if len(body) == sealed.size else detail)


def _times(hour: _Hour, sealed: Sealed) -> None:
    """Records are of their hour, but for those that came late, and for whole days."""
    if not sealed.first or "-late" in sealed.key or day_of(sealed.key) is not None:
        return
    first, last = _epoch(sealed.first) or 0.0, _epoch(sealed.last) or 0.0
    if first < hour.period.start - SKEW_S or last > hour.period.end + SKEW_S:
        hour.say("skewed", sealed.key, f"its records are of {sealed.first} to {sealed.last}")


def _extra(hours: Mapping[Period, _Hour], holdings: Holdings, *, whole: bool) -> list[Finding]:
    """What lies in the archive and is in no digest; returned where it is of no hour of them.

    An hour that is not sealed yet may have objects already.
    """
    unplaced: list[Finding] = []
    known = {
        sealed.key
        for hour in hours.values()
        if hour.opened is not None
        for sealed in hour.opened.digest.objects
    }
    for held in _data(holdings):
        if held.key in known:
            continue
        period = period_of_data(held.key) or day_of(held.key)
        hour = hours.get(period) if period is not None else None
        told = Finding("extra", held.key, f"{held.size} bytes that no digest names")
        if hour is not None:
            hour.findings += [told] if hour.opened is not None else []
        elif whole and (period is None or not hours or period < max(hours)):
            unplaced.append(told)
    return unplaced


def _data(holdings: Holdings) -> Iterator[Held]:
    for prefix in (*(f"ext/{source}/" for source in SOURCES.values()), f"{CONTENT}/", f"{DAYS}/"):
        yield from holdings.listed(prefix)


def _judged(hour: _Hour) -> Judged:
    found = {finding.verdict for finding in hour.findings}
    worst: Verdict = next((one for one in _WORST if one in found), "valid")
    records = hour.opened.digest.records if hour.opened else 0
    return Judged(clock.iso(hour.period.start), worst, records, hour.findings)


def _whose(digest: Digest) -> str:
    one = digest.deployment
    return f"{one.account}/{one.region}/{one.stage}"


def _epoch(at: str) -> float | None:
    """A time of a digest, which anybody may have written."""
    try:
        return datetime.fromisoformat(at).timestamp()
    except (ValueError, OverflowError):
        return None

"""Where the archive keeps what: the one place that knows its keys.

Data lie as Security Lake wants them of a custom source: one class of events for each source, below
region, account and day (Security Lake user guide, "Collecting data from custom sources"). Digests
lie by their hour. All hours are UTC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

HOUR_S = 3600.0
HOURS = 24
DIGESTS = "digests"
CONTENT = "content"
DAYS = "days"
"""Whole days once more, in few objects, for those who read a year: sealed with their last hour."""
LATE = "-late"
"""How the names end of what came late for an earlier hour."""
SOURCES = {
    7001: "hub-responder-remediation",
    2005: "hub-responder-incident",
    6003: "hub-responder-api",
}
"""Class of events -> its source."""
_DAY_KEY = re.compile(rf"{DAYS}/(?:{'|'.join(SOURCES.values())})/(\d{{8}})\.parquet", re.ASCII)
_DATA_KEY = re.compile(
    rf"(?:ext/(?:{'|'.join(SOURCES.values())})/region=[^/]+/accountId=[^/]+|{CONTENT})"
    r"/eventDay=(\d{8})/(\d{2})[^/]*\.parquet",
    re.ASCII,
)
_DIGEST_KEY = re.compile(rf"{DIGESTS}/(\d{{4}})/(\d{{2}})/(\d{{2}})/(\d{{2}})\.json")


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """One hour, by its start (epoch seconds, a whole hour)."""

    start: float

    @property
    def end(self) -> float:
        """When it is over."""
        return self.start + HOUR_S

    @property
    def partition(self) -> str:
        """The hour as the audit table's partitions name it."""
        return f"{self._at:%Y-%m-%dT%H}"

    @property
    def name(self) -> str:
        """The hour within its day, which its objects are named by."""
        return f"{self._at:%H}"

    @property
    def digest_key(self) -> str:
        """The object with its digest."""
        return f"{DIGESTS}/{self._at:%Y/%m/%d/%H}.json"

    @property
    def ends_day(self) -> bool:
        """Whether it is the last hour of its day."""
        return self.next.day != self.day

    @property
    def next(self) -> Period:
        """The hour after it."""
        return Period(self.end)

    def before(self, hours: int) -> Period:
        """The hour that many hours before it."""
        return Period(self.start - hours * HOUR_S)

    @property
    def _at(self) -> datetime:
        return datetime.fromtimestamp(self.start, UTC)

    @property
    def day(self) -> str:
        """Its day, as Security Lake's partitions name it."""
        return f"{self._at:%Y%m%d}"


def period_at(at: float) -> Period:
    """The hour that a moment (epoch seconds) is in."""
    return Period(at // HOUR_S * HOUR_S)


def period_named(partition: str) -> Period:
    """The hour that the audit table's partitions name so; the reverse of `Period.partition`."""
    return Period(datetime.strptime(partition, "%Y-%m-%dT%H").replace(tzinfo=UTC).timestamp())


def period_of(digest_key: str) -> Period | None:
    """The hour of a digest, by its key; None: it is no digest's key."""
    found = _DIGEST_KEY.fullmatch(digest_key)
    if found is None:
        return None
    try:
        return Period(datetime(*map(int, found.groups()), tzinfo=UTC).timestamp())  # type: ignore[misc, arg-type]
    except ValueError:
        return None


def period_of_data(key: str) -> Period | None:
    """The hour of an object with events or content, by its key; None: it is no such key."""
    found = _DATA_KEY.fullmatch(key)
    if found is None:
        return None
    return _period(f"{found[1]}{found[2]}", "%Y%m%d%H")


def _period(text: str, form: str) -> Period | None:
    try:
        return Period(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None


def data_key(class_uid: int, region: str, account: str, period: Period, part: str) -> str:
    """The object with a period's events of one class; ``part`` tells several of them apart."""
    place = f"region={region}/accountId={account}/eventDay={period.day}"
    return f"ext/{SOURCES[class_uid]}/{place}/{period.name}{part}.parquet"


def day_key(class_uid: int, period: Period) -> str:
    """The object with a whole day's events of one class."""
    return f"{DAYS}/{SOURCES[class_uid]}/{period.day}.parquet"


def day_of(key: str) -> Period | None:
    """The first hour of the day whose events an object holds; None: it is no such key."""
    found = _DAY_KEY.fullmatch(key)
    return None if found is None else _period(found[1], "%Y%m%d")


def is_late(key: str) -> bool:
    """Whether an object holds what came late for the hour a day before that of its digest."""
    return key.endswith(f"{LATE}.parquet")


def content_key(period: Period, part: str) -> str:
    """The object with the findings and texts that a period's records name by their digests."""
    return f"{CONTENT}/eventDay={period.day}/{period.name}{part}.parquet"

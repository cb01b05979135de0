"""The snapshots of the fleet's inventory in its bucket, as the bucket's listing names them.

``history/day=YYYY-MM-DD/CONNECTION-HHMMSSZ.parquet``, in UTC; what has another name is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hub_toolkit.stack import Stack

BUCKET = "InventoryBucket"
"""Its logical id in the template."""
_PREFIX = "history/day="
_KEY = re.compile(r"history/day=(\d{4}-\d\d-\d\d)/(.+)-(\d{6})Z\.parquet", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Taken:
    """One snapshot: when it was taken (epoch seconds), of which connection, and its object."""

    at: float
    connection: str
    key: str
    size: int = 0


class History:
    """The snapshots of one deployment.

    Args:
        bucket: the name of the inventory's bucket.
    """

    def __init__(self, stack: Stack, bucket: str) -> None:
        self.stack = stack
        self.bucket = bucket

    def between(self, start: float, end: float) -> Iterator[Taken]:
        """The snapshots taken from ``start`` up to ``end`` (epoch seconds, not included), by day.

        Raises:
            DeploymentError: the bucket cannot be listed.
        """
        # Names sort by day: nothing before the first day is listed, and nothing after the last.
        last = _day(end)
        for taken in self._listed(StartAfter=f"{_PREFIX}{_day(start)}"):
            if _day(taken.at) > last:
                return
            if start <= taken.at < end:
                yield taken

    def before(self, at: float, connection: str) -> Taken | None:
        """The last snapshot of ``connection`` up to ``at`` (epoch seconds).

        Raises:
            DeploymentError: the bucket cannot be listed.
        """
        for day in (day for day in reversed(self._days()) if day <= _day(at)):
            found = [one for one in self._of(day, connection) if one.at <= at]
            if found:
                return max(found)
        return None

    def after(self, at: float, connection: str) -> Taken | None:
        """The first snapshot of ``connection`` after ``at`` (epoch seconds).

        Raises:
            DeploymentError: the bucket cannot be listed.
        """
        for day in (day for day in self._days() if day >= _day(at)):
            found = [one for one in self._of(day, connection) if one.at > at]
            if found:
                return min(found)
        return None

    def latest(self) -> list[Taken]:
        """The last snapshot of each connection on the last day that has any.

        Raises:
            DeploymentError: the bucket cannot be listed.
        """
        last: dict[str, Taken] = {}
        for day in self._days()[-1:]:
            for taken in self._listed(Prefix=f"{_PREFIX}{day}/"):
                last[taken.connection] = max(taken, last.get(taken.connection, taken))
        return sorted(last.values())

    def _of(self, day: str, connection: str) -> list[Taken]:
        found = self._listed(Prefix=f"{_PREFIX}{day}/{connection}-")
        return [taken for taken in found if taken.connection == connection]

    def _days(self) -> list[str]:
        found = []
        for answer in self._pages(Prefix=_PREFIX, Delimiter="/"):
            prefixes = (one["Prefix"] for one in answer.get("CommonPrefixes", ()))
            found += [prefix.removeprefix(_PREFIX).rstrip("/") for prefix in prefixes]
        return sorted(found)

    def _listed(self, **request: Any) -> Iterator[Taken]:
        for answer in self._pages(**{"Prefix": _PREFIX, **request}):
            for item in answer.get("Contents", ()):
                taken = _taken(item["Key"], item["Size"])
                if taken is not None:
                    yield taken

    def _pages(self, **request: Any) -> Iterator[dict[str, Any]]:
        request["Bucket"] = self.bucket
        while True:
            answer = self.stack.call("s3", "list_objects_v2", **request)
            yield answer
            if not answer.get("IsTruncated"):
                return
            request["ContinuationToken"] = answer["NextContinuationToken"]


def _taken(key: str, size: int) -> Taken | None:
    named = _KEY.fullmatch(key)
    if named is None:
        return None
    try:
        moment = datetime.strptime(f"{named[1]} {named[3]}+0000", "%Y-%m-%d %H%M%S%z")
    except ValueError:
        return None
    return Taken(moment.timestamp(), named[2], key, size)


def _day(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"

"""One period from the audit table into the archive: its objects first, its digest last.

A run that dies in between has sealed nothing: the next one writes the objects again, and where two
do so at the same time, the first digest stands.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hub_responder import clock, parquet
from hub_responder.archive import items, layout, ocsf
from hub_responder.archive.catalog import JSON, PARQUET
from hub_responder.archive.digest import Deployment, Digest, Previous, Sealed, seal, sha256
from hub_responder.archive.gathered import CONTENT, Gathered
from hub_responder.audit import SHARDS
from hub_responder.errors import TransientError

if TYPE_CHECKING:
    from hub_responder.archive.catalog import Bucket
    from hub_responder.archive.chains import Before
    from hub_responder.archive.gathered import Part
    from hub_responder.archive.items import Item
    from hub_responder.archive.layout import Period
    from hub_responder.deadline import Deadline

LATE_HOURS = 24
"""A period is looked at again so long after its end."""
RUN_S = 900.0
"""No function runs for longer, so that a run's items lie in two periods at most."""
_KEPT = {"digest": "VARCHAR", "content": "VARCHAR"}

Standing = tuple[Digest, bytes]
"""A digest and its envelope, as they are in the archive."""


@dataclass(frozen=True, slots=True)
class Archiver:
    """Seals periods.

    Attributes:
        table: the audit table. bucket: the archive. deployment: whose.
        keyid, sign: see `digest.seal`.
    """

    table: str
    bucket: Bucket
    deployment: Deployment
    keyid: str
    sign: Callable[[bytes], bytes]
    deadline: Deadline

    def seal(self, period: Period, before: Standing | None) -> Standing:
        """Write a period's objects and its digest; the digest that stands.

        Args:
            before: the digest before it; None for the first.

        Raises:
            CallError: something could not be read or written; nothing is sealed.
        """
        with tempfile.TemporaryDirectory() as folder:
            gathered = Gathered(Path(folder), self.deployment)
            try:
                self._gather(period, gathered)
            finally:
                parts = gathered.parts()
            objects = [self._write(part, period) for part in parts]
        if period.ends_day:
            objects += self._day(period, objects)
        digest = Digest(
            deployment=self.deployment,
            bucket=self.bucket.name,
            key=period.digest_key,
            sequence=before[0].sequence + 1 if before else 1,
            from_=clock.iso(period.start),
            to=clock.iso(period.end),
            written_at=clock.iso(clock.now()),
            previous=Previous(before[0].key, sha256(before[1])) if before else None,
            objects=objects,
            items=gathered.items,
            records=gathered.records,
            runs=gathered.runs,
            late=gathered.late,
            incomplete=sorted(gathered.incomplete),
        )
        envelope = seal(digest, self.keyid, self.sign)
        if self.bucket.put(period.digest_key, envelope, JSON, new=True):
            return digest, envelope
        return self._standing(period)

    def _gather(self, period: Period, gathered: Gathered) -> None:
        for shard in range(SHARDS):  # a run has one shard
            found = items.of_shard(period, shard, self.table, self.deadline)
            gathered.add(found, self._before(period, shard))
        self._late(period, gathered)

    def _standing(self, period: Period) -> Standing:
        held = self.bucket.digest(period)
        if held is None:
            raise TransientError(f"{period.digest_key} is being written", target="s3.PutObject")
        return held[0].digest, held[1]

    def _before(self, period: Period, shard: int) -> Before:
        """Finds items of runs that had begun in the hour before."""
        held: list[Item] | None = None

        def find(run: str, seq: int) -> Sequence[Item]:
            nonlocal held
            if held is None:
                since = period.start - RUN_S
                hour = period.before(1)
                held = list(items.of_shard(hour, shard, self.table, self.deadline, since=since))
            return [item for item in held if item.place == (run, seq)]

        return find

    def _late(self, period: Period, gathered: Gathered) -> None:
        """What came into the table for an earlier period after that was sealed."""
        earlier = period.before(LATE_HOURS)
        sealed = self.bucket.digest(earlier)
        if sealed is None:
            return
        known = self._places(sealed[0].digest)
        for shard in range(SHARDS):
            found = items.of_shard(earlier, shard, self.table, self.deadline)
            gathered.add_late(item for item in found if item.place not in known)

    def _day(self, period: Period, last: Sequence[Sealed]) -> list[Sealed]:
        """The whole day once more, one object for each class of events."""
        sealed = list(last)
        for hours in range(1, layout.HOURS):
            held = self.bucket.digest(period.before(hours))
            sealed += held[0].digest.objects if held is not None else []
        return [
            whole
            for class_uid in layout.SOURCES
            if (whole := self._whole(period, class_uid, sealed)) is not None
        ]

    def _whole(self, period: Period, class_uid: int, sealed: Sequence[Sealed]) -> Sealed | None:
        mine = [one for one in sealed if one.class_uid == class_uid]
        bodies = [self.bucket.get(one.key) for one in mine]
        if not mine:
            return None
        if None in bodies:
            raise TransientError("an object of the day is not there", target="s3.GetObject")
        body = parquet.merged([one for one in bodies if one is not None], ("time",))
        key = layout.day_key(class_uid, period)
        self.bucket.put(key, body, PARQUET)
        return Sealed(
            key=key,
            sha256=sha256(body),
            size=len(body),
            records=sum(one.records for one in mine),
            class_uid=class_uid,
            first=min(one.first for one in mine),
            last=max(one.last for one in mine),
        )

    def _places(self, digest: Digest) -> set[tuple[str, int]]:
        """The items whose records a digest's objects hold."""
        known: set[tuple[str, int]] = set()
        for sealed in digest.objects:
            if sealed.class_uid != CONTENT and layout.day_of(sealed.key) is None:
                body = self.bucket.get(sealed.key)
                if body is not None:
                    known.update(parquet.rows(body, "DISTINCT unmapped.run, unmapped.seq"))
        return known

    def _write(self, part: Part, period: Period) -> Sealed:
        name = f"-{part.number:03d}" if part.number else ""
        name += layout.LATE if part.late else ""
        if part.class_uid == CONTENT:
            key = layout.content_key(period, name)
            body = parquet.of_lines(part.path, _KEPT, ("digest",))
        else:
            place = (self.deployment.region, self.deployment.account)
            key = layout.data_key(part.class_uid, *place, period, name)
            body = parquet.of_lines(part.path, ocsf.COLUMNS[part.class_uid], ("time",))
        self.bucket.put(key, body, PARQUET)
        return Sealed(
            key=key,
            sha256=sha256(body),
            size=len(body),
            records=part.rows,
            class_uid=part.class_uid,
            first=_iso(part.first),
            last=_iso(part.last),
        )


def _iso(at: int | None) -> str:
    return "" if at is None else clock.iso(at / 1000)

"""The events of a period on their way into Parquet: files of JSON lines, a part after the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import msgspec

from hub_responder.archive import ocsf
from hub_responder.archive.chains import Before, Chains
from hub_responder.archive.digest import Deployment
from hub_responder.archive.items import Item

CONTENT = 0
"""What kept findings and texts are counted as; events by their class."""
PART_ROWS = 10_000
"""Rows of one part: DuckDB sorts so many events within about 170 MB."""


class Part:
    """Rows of one kind.

    Attributes:
        class_uid: `CONTENT`, or the class of the events. number: 0, 1, ... late: they are of an
            earlier period. rows: how many. first, last: their times (milliseconds).
    """

    def __init__(self, folder: Path, class_uid: int, number: int, *, late: bool) -> None:
        self.class_uid, self.number, self.late = class_uid, number, late
        self.path = folder / f"{class_uid}-{number}{'-late' if late else ''}.json"
        self.rows = 0
        self.first: int | None = None
        self.last: int | None = None
        self._file: IO[bytes] = self.path.open("wb")

    def add(self, row: Mapping[str, Any]) -> None:
        """One more row; an event has a time."""
        self._file.write(msgspec.json.encode(row) + b"\n")
        self.rows += 1
        at = row.get("time")
        if at is not None:
            self.first = at if self.first is None else min(self.first, at)
            self.last = at if self.last is None else max(self.last, at)

    def close(self) -> None:
        """All is there."""
        self._file.close()


class Gathered:
    """What a period holds.

    Attributes:
        items, records, runs: how many of each. late: records of earlier periods among them.
        incomplete: runs with a hole.
    """

    def __init__(self, folder: Path, deployment: Deployment) -> None:
        self.items = self.records = self.runs = self.late = 0
        self.incomplete: set[str] = set()
        self._folder, self._deployment = folder, deployment
        self._parts: dict[tuple[int, bool], list[Part]] = {}
        self._kept: set[str] = set()

    def add(self, items: Iterable[Item], before: Before) -> None:
        """Whole runs of the period."""
        self.incomplete |= self._add(items, before, late=False)

    def add_late(self, items: Iterable[Item]) -> None:
        """Items that came into an earlier period after it was sealed; their runs' others may be
        in it."""
        records = self.records
        self._add(items, lambda _run, _seq: (), late=True)
        self.late += self.records - records

    def parts(self) -> list[Part]:
        """The parts; nothing may be added to them any more."""
        parts = [part for _, parts in sorted(self._parts.items()) for part in parts]
        for part in parts:
            part.close()
        return parts

    def _add(self, items: Iterable[Item], before: Before, *, late: bool) -> set[str]:
        held = list(items)
        chains = Chains(before)
        for link in chains.link(held):
            class_uid, event = ocsf.event(link.line, link.record, link.place, self._deployment)
            self._part(class_uid, late=late).add(event)
            self.records += 1
        for item in held:
            for digest, text in item.contents.items():
                if digest not in self._kept:
                    self._kept.add(digest)
                    self._part(CONTENT, late=late).add({"digest": digest, "content": text})
        self.items += len({item.place for item in held})
        self.runs += len({item.run for item in held})
        return chains.incomplete

    def _part(self, class_uid: int, *, late: bool) -> Part:
        parts = self._parts.setdefault((class_uid, late), [])
        if not parts or parts[-1].rows >= PART_ROWS:
            if parts:
                parts[-1].close()
            parts.append(Part(self._folder, class_uid, len(parts), late=late))
        return parts[-1]

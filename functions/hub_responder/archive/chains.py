"""The records of runs in their order, each with the one before it; and what is missing there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import msgspec

from hub_responder.archive.digest import sha256
from hub_responder.archive.items import Item
from hub_responder.archive.ocsf import Fingerprinted, fingerprint, record_uid

Before = Callable[[str, int], Sequence[Item]]
"""Finds a run's items of a number, where the period does not hold them."""


class Link(msgspec.Struct, frozen=True):
    """A record: its line, what the line says, and where it stands."""

    line: str
    record: dict[str, Any]
    place: Fingerprinted


class Chains:
    """Links the records of items.

    Attributes:
        incomplete: runs of which an item is missing or was changed, by what the items around it
            tell. The last items of a run tell nothing of what came after them.
    """

    def __init__(self, before: Before) -> None:
        self.incomplete: set[str] = set()
        self._before = before

    def link(self, items: Iterable[Item]) -> Iterator[Link]:
        """The records of ``items``, run by run; one that was written twice counts once.

        A write whose answer was lost is made again under its number: there can be several items of
        one number, with the same records or some of them.
        """
        ordered = sorted(items, key=lambda item: (item.run, item.seq, item.at))
        for run, of_run in groupby(ordered, key=lambda item: item.run):
            yield from self._run(run, of_run)

    def _run(self, run: str, items: Iterable[Item]) -> Iterator[Link]:
        last: Sequence[Item] = ()
        uid = value = ""
        for seq, group in groupby(items, key=lambda item: item.seq):
            same = list(group)
            if not last and seq > 1:
                last = self._before(run, seq - 1)
            self._check(run, seq, same, last)
            for number, line in enumerate(dict.fromkeys(_lines(same)), 1):
                record = msgspec.json.decode(line)
                place = Fingerprinted(run, seq, number, uid, value)
                yield Link(line, record, place)
                uid, value = record_uid(record, place), fingerprint(line)
            last = same

    def _check(self, run: str, seq: int, items: Sequence[Item], last: Sequence[Item]) -> None:
        if seq == 1:
            whole = not any(item.prev for item in items)
        else:
            named = {sha256(item.lines.encode()) for item in last if item.seq == seq - 1}
            whole = all(item.prev in named for item in items)
        if not whole:
            self.incomplete.add(run)


def _lines(items: Iterable[Item]) -> Iterator[str]:
    for item in items:
        if item.lines:  # there are none where it only keeps what those before it name
            yield from item.lines.split("\n")

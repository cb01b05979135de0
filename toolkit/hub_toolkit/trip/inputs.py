"""Event files: found, read and checked before anything starts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from hub_responder import events
from hub_responder.errors import UnreadableEvent

MAX_BYTES = 1024 * 1024
"""Size of an event file: well above what EventBridge delivers, so anything larger is no event."""


@dataclass(frozen=True, slots=True)
class EventFile:
    """A file that holds one Security Hub event."""

    path: Path
    event: dict[str, Any]
    trigger: events.Trigger

    @property
    def name(self) -> str:
        return self.path.name


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file that cannot be used, and why."""

    path: Path
    reason: str


def read_all(paths: Iterable[Path]) -> tuple[Sequence[EventFile], Sequence[Rejected]]:
    """Read files, and the ``*.json`` of folders (their own, not those of folders below).

    Files of one folder come in the order of their events' times, then of their names.
    """
    accepted: list[EventFile] = []
    rejected: list[Rejected] = []
    for path in paths:
        members = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not members:
            rejected.append(Rejected(path, "the folder holds no *.json file"))
        found = [read(member) for member in members]
        rejected += [one for one in found if isinstance(one, Rejected)]
        readable = [one for one in found if isinstance(one, EventFile)]
        accepted += sorted(readable, key=lambda file: file.trigger.at)
    return accepted, rejected


def read(path: Path) -> EventFile | Rejected:
    """Read and check one file."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            return Rejected(path, f"{size:,} bytes; an event has at most {MAX_BYTES:,}")
        body = path.read_bytes()
    except OSError as error:
        return Rejected(path, f"cannot be read: {error.strerror}")
    if not body.strip():
        return Rejected(path, "the file is empty")
    try:
        trigger = events.decode(body)
        event: dict[str, Any] = msgspec.json.decode(body)
    except UnreadableEvent as error:
        return Rejected(path, str(error))
    except (msgspec.DecodeError, RecursionError) as error:
        return Rejected(path, f"not JSON: {error}")
    return EventFile(path, event, trigger)

"""Endpoints by cloud instance, from one walk through the inventory's servers.

The instance id cannot be filtered on, so a batch asks once for all servers and looks its instances
up. A walk is kept for a short time in the process: a storm of batches asks once a minute.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hub_responder import clock
from hub_responder.vision_one import filters
from hub_responder.vision_one.client import Client
from hub_responder.vision_one.endpoint import Endpoint, read

FRESH_S = 60.0
"""How long a walk may answer that an endpoint is there."""
CONFIRM_S = 5.0
"""How old a walk may be that says an endpoint is not there: nobody is told on older knowledge."""
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class Inventory:
    """What one walk found.

    Attributes:
        read_at: when it was read (epoch seconds). by_instance: instance id -> its endpoints.
        unreadable: items that are no endpoints; any of them could be the one that is looked for.
    """

    read_at: float
    by_instance: Mapping[str, Sequence[Endpoint]]
    unreadable: int = 0
    walked: int = 0

    def find(self, instance_id: str) -> Sequence[Endpoint]:
        """The endpoints of an instance: none, one, or several records of it."""
        return self.by_instance.get(instance_id, ())

    def age(self) -> float:
        """Seconds since it was read."""
        return clock.now() - self.read_at


_KEPT: dict[str, Inventory] = {}


@dataclass(slots=True)
class _Walk:
    found: dict[str, list[Endpoint]] = field(default_factory=dict)
    unreadable: int = 0
    walked: int = 0

    def take(self, items: Iterable[object]) -> None:
        for item in items:
            self.walked += 1
            endpoint = read(item)
            if endpoint is None:
                self.unreadable += 1
            elif endpoint.instance_id:
                self.found.setdefault(endpoint.instance_id, []).append(endpoint)


def walk(client: Client) -> Inventory:
    """Read all servers.

    Raises:
        TransientError, PermanentError: as `Client.pages`; nothing incomplete is returned.
    """
    found, started = _Walk(), clock.now()
    for items in client.pages(filters.SERVERS):
        found.take(items)
    return Inventory(started, found.found, found.unreadable, found.walked)


def inventory(client: Client, instance_ids: Iterable[str]) -> Inventory:
    """A walk that can answer for these instances; a new one where the kept one is too old for it.

    Raises:
        TransientError, PermanentError: as `walk`.
    """
    with _LOCK:
        kept = _KEPT.get(client.base_url)
        if kept is None or not 0 <= kept.age() < _allowed(kept, instance_ids):
            kept = _KEPT[client.base_url] = walk(client)
        return kept


def _allowed(kept: Inventory, instance_ids: Iterable[str]) -> float:
    return FRESH_S if all(kept.find(instance) for instance in instance_ids) else CONFIRM_S


def forget() -> None:
    """Drop what is kept in the process."""
    with _LOCK:
        _KEPT.clear()

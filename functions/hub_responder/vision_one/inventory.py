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
from hub_responder.vision_one.client import TARGET, Client, IncompleteError
from hub_responder.vision_one.endpoint import Endpoint, Page

FRESH_S = 60.0
"""How long a walk may answer that an endpoint is there."""
CONFIRM_S = 5.0
"""How old a walk may be that says an endpoint is not there: nobody is told on older knowledge."""
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class Inventory:
    """What one walk found.

    Attributes:
        read_at: when it was begun (epoch seconds). by_instance: instance id -> its endpoints.
        walked: how many servers were read.
        missing: servers that Vision One counted but did not show.
        unreadable: account -> cloud instances whose id cannot be read; those of the account ""
            could be in any. Each could be the one that is looked for.
    """

    read_at: float
    by_instance: Mapping[str, Sequence[Endpoint]]
    walked: int = 0
    missing: int = 0
    unreadable: Mapping[str, int] = field(default_factory=dict)

    def find(self, instance_id: str) -> Sequence[Endpoint]:
        """The endpoints of an instance: none, one, or several records of it."""
        return self.by_instance.get(instance_id.lower(), ())

    def unseen(self, account: str) -> int:
        """How many servers could be any instance of the account; 0: absence here is absence."""
        of_all = sum(self.unreadable.values()) if not account else self.unreadable.get("", 0)
        return self.missing + of_all + (self.unreadable.get(account, 0) if account else 0)

    def age(self) -> float:
        """Seconds since it was read."""
        return clock.now() - self.read_at


_KEPT: dict[tuple[str, str], Inventory] = {}


@dataclass(slots=True)
class _Walk:
    found: dict[str, list[Endpoint]] = field(default_factory=dict)
    unreadable: dict[str, int] = field(default_factory=dict)
    walked: int = 0
    counted: int = 0

    def take(self, page: Page) -> None:
        """Add a page. Its counts may be missing; where they are there, they bind."""
        before = self.walked
        self.walked += len(page.items)
        for endpoint in page.items:
            if endpoint is None or not endpoint.identified:
                account = endpoint.account_id if endpoint else ""
                self.unreadable[account] = self.unreadable.get(account, 0) + 1
            elif endpoint.instance_id:
                self.found.setdefault(endpoint.instance_id, []).append(endpoint)
        self.counted = max(self.counted, _count(page.total), before + _count(page.count))


def _count(value: object) -> int:
    return value if type(value) is int else 0


def walk(client: Client) -> Inventory:
    """Read all servers.

    Raises:
        TransientError, PermanentError: as `Client.pages`; nothing incomplete is returned.
    """
    found, started = _Walk(), clock.now()
    for page in client.pages(filters.SERVERS):
        found.take(page)
    if not found.walked:
        _check_empty(client)
    missing = max(0, found.counted - found.walked)
    return Inventory(started, found.found, found.walked, missing, found.unreadable)


def _check_empty(client: Client) -> None:
    """No server at all: ask without a filter, since a filter that is not understood finds nothing.

    That a wrong expression is answered with 200 and no items is known of Vision One's TMV1-Query
    (elastic/integrations, issue 8083).

    Raises:
        IncompleteError: there are servers.
    """
    page = next(client.pages(""))
    if any(endpoint is None or endpoint.type != "desktop" for endpoint in page.items):
        raise IncompleteError("Vision One's filter does not find the servers", target=TARGET)


def inventory(client: Client, instance_ids: Iterable[str]) -> Inventory:
    """A walk that can answer for these instances; a new one where the kept one is too old for it.

    Raises:
        TransientError, PermanentError: as `walk`.
    """
    tenant = (client.name, client.base_url)
    with _LOCK:
        kept = _KEPT.get(tenant)
        if kept is None or not 0 <= kept.age() < _allowed(kept, instance_ids):
            kept = _KEPT[tenant] = walk(client)
        return kept


def _allowed(kept: Inventory, instance_ids: Iterable[str]) -> float:
    return FRESH_S if all(kept.find(instance) for instance in instance_ids) else CONFIRM_S


def forget() -> None:
    """Drop what is kept in the process."""
    with _LOCK:
        _KEPT.clear()

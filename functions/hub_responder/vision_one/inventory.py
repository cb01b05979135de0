"""Endpoints by cloud instance, from one walk through the inventory's servers.

The instance id cannot be filtered on, so a batch asks once for all servers and looks its instances
up; only for those that are not there, it also asks for the desktops that could be instances. A walk
is kept for a short time in the process: a storm of batches asks once a minute.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING

from hub_responder import clock, observability
from hub_responder.errors import IncompleteError, PermanentError
from hub_responder.vision_one import filters
from hub_responder.vision_one.client import TARGET, Client
from hub_responder.vision_one.endpoint import Endpoint, Page

if TYPE_CHECKING:
    from hub_responder.vision_one.clues import Clues

FRESH_S = 60.0
"""How long a walk may answer that an endpoint is there."""
CONFIRM_S = 5.0
"""How old a walk may be that says an endpoint is not there: nobody is told on older knowledge."""
BAD_REQUEST = 400
FEW = 10
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class Inventory:
    """What one walk found.

    Attributes:
        read_at: when it was begun (epoch seconds). by_instance: instance id -> its endpoints.
        walked: how many servers were read. complete: desktops that could be instances were too.
        missing: servers that Vision One counted but did not show.
        unreadable: account -> cloud instances whose id cannot be read; those of the account ""
            could be in any. Each could be the one that is looked for.
        by_mark: what servers without an instance id can be recognized by -> these servers.
        shared: agent GUIDs of more than one record: clones of one image.
    """

    read_at: float
    by_instance: Mapping[str, Sequence[Endpoint]]
    walked: int = 0
    missing: int = 0
    complete: bool = True
    unreadable: Mapping[str, int] = field(default_factory=dict)
    by_mark: Mapping[str, Sequence[Endpoint]] = field(default_factory=dict)
    shared: Set[str] = frozenset()

    def find(self, instance_id: str) -> Sequence[Endpoint]:
        """The endpoints of an instance: none, one, or several records of it."""
        return self.by_instance.get(instance_id.lower(), ())

    def resembling(self, clues: Clues) -> Sequence[Endpoint]:
        """Servers without an instance id that share a name or an address with the instance."""
        alike = (self.by_mark.get(mark, ()) for mark in clues.marks())
        return list({id(each): each for found in alike for each in found}.values())

    def unseen(self, account: str) -> int:
        """How many servers could be any instance of the account; 0: absence here is absence."""
        of_all = sum(self.unreadable.values()) if not account else self.unreadable.get("", 0)
        return self.missing + of_all + (self.unreadable.get(account, 0) if account else 0)

    def age(self) -> float:
        """Seconds since it was read."""
        return clock.now() - self.read_at

    def endpoints(self) -> list[Endpoint]:
        """Every endpoint that can be found, once."""
        found = chain.from_iterable((*self.by_instance.values(), *self.by_mark.values()))
        return list({id(endpoint): endpoint for endpoint in found}.values())

    def identified_guids(self) -> set[str]:
        """The agents, in lower case, of which it is known which instance they are on."""
        found = chain.from_iterable(self.by_instance.values())
        return {endpoint.guid.lower() for endpoint in found if endpoint.guid}

    def with_endpoints(self, endpoints: Iterable[Endpoint]) -> Inventory:
        """The same walk, with others as what can be found."""
        found = _Walk()
        for endpoint in endpoints:
            found.take(endpoint)
        return replace(self, by_instance=found.found, by_mark=found.by_mark)


_KEPT: dict[tuple[str, str], Inventory] = {}


@dataclass(slots=True)
class _Walk:
    found: dict[str, list[Endpoint]] = field(default_factory=dict)
    by_mark: dict[str, list[Endpoint]] = field(default_factory=dict)
    unreadable: dict[str, int] = field(default_factory=dict)
    guids: set[str] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)
    walked: int = 0
    missing: int = 0
    odd: int = 0

    def read(self, pages: Iterable[Page]) -> None:
        """Add all pages. Their counts may be absent; where they are there, they bind."""
        walked = counted = 0
        for page in pages:
            counted = max(counted, _count(page.total), walked + _count(page.count))
            walked += len(page.items)
            for endpoint in page.items:
                self.take(endpoint)
        self.walked += walked
        self.missing += max(0, counted - walked)

    def take(self, endpoint: Endpoint | None) -> None:
        """Add an endpoint; None is an item that is none."""
        if endpoint is None or not endpoint.identified:
            account = endpoint.account_id if endpoint else ""
            self.unreadable[account] = self.unreadable.get(account, 0) + 1
            self.odd += 1
        if endpoint is None:
            return
        if endpoint.guid:
            (self.shared if endpoint.guid in self.guids else self.guids).add(endpoint.guid)
        else:
            self.odd += 1
        if endpoint.instance_id:
            self.found.setdefault(endpoint.instance_id, []).append(endpoint)
        for mark in endpoint.marks:
            self.by_mark.setdefault(mark, []).append(endpoint)

    def has_agent(self, instance_id: str) -> bool:
        """Whether an agent of the instance may be among what was read."""
        return _told(self.found.get(instance_id.lower(), ()))


def _told(records: Sequence[Endpoint]) -> bool:
    """Whether an agent may be there: a record that is plainly without one is not the whole story,
    since the agent may have a record of its own."""
    return any(not record.bare for record in records)


def _count(value: object) -> int:
    return value if type(value) is int else 0


def walk(client: Client, instance_ids: Iterable[str] = ()) -> Inventory:
    """Read all servers; and desktops that could be instances, if one of these is no server.

    Raises:
        TransientError, PermanentError: as `Client.pages`; nothing incomplete is returned.
    """
    found, started = _Walk(), clock.now()
    found.read(client.pages(filters.SERVERS))
    if not found.walked:
        _check_empty(client)
    complete = not all(map(found.has_agent, instance_ids))
    if complete:
        found.read(_cloud_desktops(client))
    if found.odd:
        observability.count("UnreadableEndpoints", found.odd)
    return Inventory(
        read_at=started,
        by_instance=found.found,
        walked=found.walked,
        missing=found.missing,
        complete=complete,
        unreadable=found.unreadable,
        by_mark=found.by_mark,
        shared=found.shared,
    )


def _cloud_desktops(client: Client) -> Iterator[Page]:
    """Few or none. A tenant that does not take this filter is one without them."""
    try:
        yield from client.pages(filters.CLOUD_DESKTOPS)
    except PermanentError as error:
        if error.status != BAD_REQUEST:
            raise


def _check_empty(client: Client) -> None:
    """No server at all: ask without a filter, since a filter that is not understood finds nothing.

    That a wrong expression is answered with 200 and no items is known of Vision One's TMV1-Query
    (elastic/integrations, issue 8083).

    Raises:
        IncompleteError: there are servers, or there could be.
    """
    page = next(client.pages(""))
    wrong = any(endpoint is None or endpoint.type != "desktop" for endpoint in page.items)
    if not wrong and (page.next_link or _count(page.total) > len(page.items)):
        desktops = next(client.pages(filters.DESKTOPS, top=FEW))
        wrong = type(page.total) is not int or page.total != desktops.total
    if wrong:
        raise IncompleteError("Vision One's filter does not find the servers", target=TARGET)


def inventory(client: Client, instance_ids: Collection[str], fresh_s: float = FRESH_S) -> Inventory:
    """A walk that can answer for these instances; a new one where the kept one is too old for it.

    Args:
        fresh_s: seconds that a walk may be old which has all of them.

    Raises:
        TransientError, PermanentError: as `walk`.
    """
    tenant = (client.name, client.base_url)
    with _LOCK:
        kept = _KEPT.get(tenant)
        if kept is None or not 0 <= kept.age() < min(fresh_s, _allowed(kept, instance_ids)):
            kept = _KEPT[tenant] = walk(client, instance_ids)
        return kept


def _allowed(kept: Inventory, instance_ids: Iterable[str]) -> float:
    if all(_told(kept.find(instance)) for instance in instance_ids):
        return FRESH_S
    return CONFIRM_S if kept.complete else 0.0


def forget() -> None:
    """Drop what is kept in the process."""
    with _LOCK:
        _KEPT.clear()

"""Endpoints by private address, several instances with one question.

The inventory's walk shows no desktops but a cloud's, and of a server no address where the list
tells none; the older search (``eiqs``) may. What it finds is read from the inventory, since it says
nothing of agents. Never by ``lastUsedIp``: that is whatever address a proxy or gateway shows.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING

from hub_responder.errors import HubResponderError, IncompleteError, PermanentError
from hub_responder.vision_one import filters, marks
from hub_responder.vision_one.client import TARGET, Client
from hub_responder.vision_one.endpoint import UNREADABLE, Endpoint

if TYPE_CHECKING:
    from hub_responder.vision_one.clues import Clues
    from hub_responder.vision_one.hits import Hit

ADDRESSES = 2
"""Of one instance that are asked for; an instance that runs containers has dozens."""
NOT_THERE = 404
TOP = 100
_OR = " or "

Searched = Mapping[str, "Sequence[Endpoint] | HubResponderError"]
"""Instance id -> the endpoints with one of its addresses, or why that cannot be told."""


def by_address(client: Client, sought: Sequence[Clues], known: Set[str]) -> Searched:
    """Endpoints with a private address of an instance.

    Instances without such an address, and all where the tenant does not offer the search (404),
    have no entry.

    Args:
        known: GUIDs in lower case that need no answer.
    """
    wanted: dict[str, list[Clues]] = {}
    for clues in sought:
        for address in _private(clues):
            wanted.setdefault(filters.equals("ip", address), []).append(clues)
    found: dict[str, list[Endpoint] | HubResponderError] = {}
    queries = list(filters.packed(wanted))
    for position, query in enumerate(queries):
        concerned = _concerned(wanted, [query])
        try:
            hits = [hit for hit in _hits(client, query) if hit.guid.lower() not in known]
            records = listed(client, {hit.guid for hit in hits})
        except HubResponderError as error:
            if isinstance(error, PermanentError) and error.status == NOT_THERE:
                return found
            for clues in _concerned(wanted, queries[position:]):
                found[clues.instance_id] = error
            return found
        for clues in concerned:
            mine = [hit for hit in hits if not set(hit.addresses).isdisjoint(clues.addresses)]
            own = found.setdefault(clues.instance_id, [])
            if isinstance(own, list):
                for hit in mine:
                    own += records.get(hit.guid.lower()) or [_unlisted(hit)]
    return found


def listed(client: Client, guids: Iterable[str]) -> Mapping[str, Sequence[Endpoint]]:
    """The inventory's records of these agents as they are now, by GUID in lower case.

    Clones have several. GUIDs that no filter can carry are left out.

    Raises:
        IncompleteError: what came is not what was asked for.
        TransientError, PermanentError: as `Client.pages`.
    """
    found: dict[str, list[Endpoint]] = {}
    terms = [filters.equals("agentGuid", one) for one in sorted(set(guids)) if filters.is_safe(one)]
    for expression in filters.packed(terms):
        for page in client.pages(expression, top=TOP):
            for each in page.items:
                if each is None or not _is_named(each, expression):
                    raise IncompleteError("Vision One's filter was not heeded", target=TARGET)
                found.setdefault(each.guid.lower(), []).append(each)
    return found


def _is_named(endpoint: Endpoint, expression: str) -> bool:
    return bool(endpoint.guid) and f"'{endpoint.guid.lower()}'" in expression.lower()


def _private(clues: Clues) -> Iterator[str]:
    mine = [address for address in clues.addresses if marks.is_address(address)]
    yield from [one for one in mine if not ipaddress.ip_address(one).is_global][:ADDRESSES]


def _concerned(wanted: Mapping[str, Sequence[Clues]], queries: Iterable[str]) -> list[Clues]:
    terms = [term for query in queries for term in query.split(_OR)]
    return list({one.instance_id: one for term in terms for one in wanted[term]}.values())


def _hits(client: Client, query: str) -> list[Hit]:
    """What is found; one that cannot be read could be any that was asked for."""
    items = [item for page in client.search(query) for item in page.items]
    hits = [item for item in items if item is not None]
    if len(hits) < len(items):
        raise IncompleteError("Vision One found an endpoint that cannot be read", target=TARGET)
    return hits


def _unlisted(hit: Hit) -> Endpoint:
    """An endpoint that the search knows and the inventory does not: nothing is known of it."""
    return Endpoint(
        guid=hit.guid,
        name=hit.name,
        epp_status=UNREADABLE,
        sensor_status=UNREADABLE,
        marks=marks.of_endpoint([hit.name], hit.addresses),
    )

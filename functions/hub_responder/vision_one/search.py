"""Endpoints by private address, several instances with one question.

The inventory's walk shows no desktops but a cloud's, and of a server no address where the list
tells none; the older search (``eiqs``) may. What it finds is read from the inventory, since it says
nothing of agents. Never by ``lastUsedIp``: that is whatever address a proxy or gateway shows.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING

import msgspec

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


class NotHeededError(IncompleteError):
    """What is there was not found: the question was not understood, or it proves nothing."""


def by_address(
    client: Client, sought: Sequence[Clues], known: Set[str], canary: str = ""
) -> Searched:
    """Endpoints with a private address of an instance.

    Instances without such an address, and all where the tenant does not offer the search (404),
    have no entry.

    Args:
        known: GUIDs in lower case that need no answer.
        canary: the GUID of an agent that is there. It is asked for in each question: only where it
            is found is what is not found not there.

    Raises:
        NotHeededError: the canary was not found.
    """
    wanted = terms(sought)
    found: dict[str, list[Endpoint] | HubResponderError] = {}
    bird = or_canary(canary)
    queries = list(filters.packed(wanted, filters.MAX_CHARACTERS - len(bird)))
    for position, query in enumerate(queries):
        concerned = _concerned(wanted, [query])
        try:
            hits = [
                hit for hit in _hits(client, query + bird, canary) if hit.guid.lower() not in known
            ]
            records = listed(client, {hit.guid for hit in hits})
        except NotHeededError:
            raise
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
                    held = records.get(hit.guid.lower()) or [_unlisted(hit)]
                    own += [_with_addresses(one, hit) for one in held]
    return found


def terms(sought: Iterable[Clues]) -> Mapping[str, Sequence[Clues]]:
    """What is asked for each address -> the instances that have it."""
    wanted: dict[str, list[Clues]] = {}
    for clues in sought:
        for address in private(clues):
            wanted.setdefault(filters.equals("ip", address), []).append(clues)
    return wanted


def or_canary(canary: str) -> str:
    """What is added to each question."""
    return f"{_OR}{filters.equals('agentGuid', canary)}" if canary else ""


def listed(
    client: Client, guids: Iterable[str], canary: str = ""
) -> Mapping[str, Sequence[Endpoint]]:
    """The inventory's records of these agents as they are now, by GUID in lower case.

    Clones have several. GUIDs that no filter can carry are left out. ``canary``: as in
    `by_address`.

    Raises:
        NotHeededError: the canary was not found.
        IncompleteError: what came is not what was asked for.
        TransientError, PermanentError: as `Client.pages`.
    """
    found: dict[str, list[Endpoint]] = {}
    safe = filter(filters.is_safe, sorted(set(guids)))
    agents = [filters.equals("agentGuid", guid) for guid in safe]
    bird = or_canary(canary)
    for expression in filters.packed(agents, filters.MAX_CHARACTERS - len(bird)):
        for page in client.pages(expression + bird, top=TOP):
            for each in page.items:
                if each is None or not _is_named(each, expression + bird):
                    raise IncompleteError("Vision One's filter was not heeded", target=TARGET)
                found.setdefault(each.guid.lower(), []).append(each)
        if canary and canary.lower() not in found:
            raise NotHeededError("Vision One's filter finds nothing", target=TARGET)
    return found


def _is_named(endpoint: Endpoint, expression: str) -> bool:
    return bool(endpoint.guid) and f"'{endpoint.guid.lower()}'" in expression.lower()


def private(clues: Clues) -> Iterator[str]:
    """The addresses that are asked for: private ones, which are those that agents see."""
    mine = [address for address in clues.addresses if marks.is_address(address)]
    yield from [one for one in mine if not ipaddress.ip_address(one).is_global][:ADDRESSES]


def _concerned(wanted: Mapping[str, Sequence[Clues]], queries: Iterable[str]) -> list[Clues]:
    terms = [term for query in queries for term in query.split(_OR)]
    return list({one.instance_id: one for term in terms for one in wanted[term]}.values())


def _hits(client: Client, query: str, canary: str) -> list[Hit]:
    """What is found, apart from the canary; one that cannot be read could be any."""
    pages = list(client.search(query))
    hits = [item for page in pages for item in page.items if item is not None]
    counts = (count for page in pages for count in (page.total, page.count, len(page.items)))
    if any(type(count) is int and count > len(hits) for count in counts):
        raise IncompleteError("Vision One found an endpoint that cannot be read", target=TARGET)
    others = [hit for hit in hits if hit.guid.lower() != canary.lower()]
    if not all(hit.addresses for hit in others):  # by an address that it does not tell
        raise IncompleteError("Vision One found an endpoint without its address", target=TARGET)
    if canary and len(others) == len(hits):
        raise NotHeededError("Vision One's search finds nothing", target=TARGET)
    return others


def _with_addresses(record: Endpoint, hit: Hit) -> Endpoint:
    """The record with what the search tells of it: the list need not tell the addresses."""
    if record.instance_id:
        return record
    held = tuple(dict.fromkeys([*record.marks, *hit.addresses]))
    return msgspec.structs.replace(record, marks=held)


def _unlisted(hit: Hit) -> Endpoint:
    """An endpoint that the search knows and the inventory does not: nothing is known of it."""
    return Endpoint(
        guid=hit.guid,
        name=hit.name,
        epp_status=UNREADABLE,
        sensor_status=UNREADABLE,
        marks=marks.of_endpoint([hit.name], hit.addresses),
    )

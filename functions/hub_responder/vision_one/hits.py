"""What the older search of endpoints (``eiqs``) answers: who has a name or an address.

Shape: Trend's published mock, ``search/get_endpoint_data_200.json``: each fact is an object with
its value and its time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from hub_responder.values import clean
from hub_responder.vision_one import marks

_MAX_TEXT = 256


class Hit(msgspec.Struct, frozen=True):
    """An endpoint that was found. Addresses and MAC addresses are in lower case."""

    guid: str
    name: str = ""
    addresses: tuple[str, ...] = ()


class Hits(msgspec.Struct, frozen=True):
    """A page of them; None is an item that is none. The rest is as it was sent."""

    items: list[Hit | None]
    next_link: Any = None
    total: Any = None
    count: Any = None


class _Item(msgspec.Struct, gc=False):
    agentGuid: str  # noqa: N815 - the API's names
    endpointName: Any = None  # noqa: N815
    ip: Any = None


class _Page(msgspec.Struct, gc=False):
    items: list[msgspec.Raw]
    nextLink: Any = None  # noqa: N815
    totalCount: Any = None  # noqa: N815
    count: Any = None


_DECODER = msgspec.json.Decoder(_Item)
_PAGES = msgspec.json.Decoder(_Page)


def read_hits(body: bytes) -> Hits:
    """A page of the search; one of its items that is of another shape costs itself.

    Raises:
        msgspec.DecodeError: it is no JSON object with ``items``.
    """
    page = _PAGES.decode(body)
    items = [_hit(raw) for raw in page.items]
    return Hits(items, page.nextLink, page.totalCount, page.count)


def _hit(raw: msgspec.Raw) -> Hit | None:
    try:
        item = _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    name, addresses = _value(item.endpointName), _value(item.ip)
    return Hit(
        guid=clean(item.agentGuid.strip(), _MAX_TEXT),
        name=clean(name.strip(), _MAX_TEXT) if type(name) is str else "",
        addresses=tuple(marks.texts([addresses] if type(addresses) is str else addresses)),
    )


def _value(fact: object) -> object:
    return fact.get("value") if isinstance(fact, Mapping) else fact

"""What the parts of the API share: the clock, the endpoints, the pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hub_toolkit.sandbox.vendors.vision_one import filter_syntax
from hub_toolkit.sandbox.vendors.vision_one.filter_syntax import (
    Expression,
    FilterError,
    Language,
)
from hub_toolkit.sandbox.vendors.vision_one.inventory import Endpoint, endpoint

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from hub_toolkit.sandbox.vendors.base import Clock
    from hub_toolkit.sandbox.vendors.vision_one.paging import Pages


class Tenant:
    """One customer's data.

    Attributes:
        now: returns seconds since the epoch.
    """

    def __init__(self, clock: Clock, pages: Pages) -> None:
        self.now = clock
        self.pages = pages
        self._endpoints: tuple[Endpoint, ...] = ()
        self._isolations: list[tuple[float, str, str]] = []

    def replace_endpoints(self, items: Sequence[object]) -> None:
        """Makes ``items`` the whole inventory; isolations of before are forgotten.

        Raises:
            EstateError: an item cannot be an endpoint; the inventory stays as it was.
        """
        found = tuple(endpoint(item, position) for position, item in enumerate(items))
        self._endpoints, self._isolations = found, []

    def isolation_becomes(self, status: str, guid: str, at: float) -> None:
        """From ``at`` on, ``isolationStatus`` of an endpoint is ``status``."""
        self._isolations.append((at, guid, status))

    def endpoints(self, now: float) -> Sequence[Endpoint]:
        """All endpoints as they are at ``now``."""
        status = {guid: status for at, guid, status in sorted(self._isolations) if at <= now}
        if not status:
            return self._endpoints
        return [
            replace(each, item={**each.item, "isolationStatus": status[each.guid]})
            if each.guid in status
            else each
            for each in self._endpoints
        ]


def zoned(at: float) -> str:
    """Epoch seconds as these parts of the API write times: ``2026-11-22T00:03:12Z``."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def expression(request: Request, name: str, language: Language) -> Expression | None:
    """What a header of the request asks for; None where it is not there.

    Raises:
        FilterError: it is not what the language has.
    """
    header = request.headers.get(name)
    if header is None:
        return None
    try:  # WSGI hands header bytes over as Latin-1 (PEP 3333)
        text = header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        raise FilterError("the header is not UTF-8") from None
    return filter_syntax.parse(text, language)

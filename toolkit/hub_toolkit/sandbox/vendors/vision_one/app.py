"""The WSGI application: routes, authentication, rate limit, and the estate that it holds."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from werkzeug.routing import Rule

from hub_toolkit.sandbox.vendors.base import Clock, Simulator, Verdict, json_response, mark
from hub_toolkit.sandbox.vendors.limits import SlidingWindow
from hub_toolkit.sandbox.vendors.vision_one import filter_syntax, replies
from hub_toolkit.sandbox.vendors.vision_one.filter_syntax import FilterError
from hub_toolkit.sandbox.vendors.vision_one.inventory import Endpoint, endpoint
from hub_toolkit.sandbox.vendors.vision_one.paging import (
    CURSOR_LIFE_S,
    Cursor,
    Cursors,
    Order,
    PagingError,
    order,
    page_size,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.exceptions import HTTPException
    from werkzeug.wrappers import Request, Response

ENDPOINTS = "/v3.0/endpointSecurity/endpoints"
CONNECTIVITY = "/v3.0/healthcheck/connectivity"


class VisionOne(Simulator):
    """Vision One's public API, with an estate that can be replaced at any time.

    Args:
        clock: returns seconds since the epoch.
        token: the API key that may do everything here.
        powerless_token: an API key whose role lacks *Endpoint Inventory > View*: it passes the
            connectivity check and gets 403 for the inventory. Empty: there is none.
        requests_per_minute: the rate limit of each key; None for no limit.
        cursor_life_s: seconds that a ``skipToken`` is good for.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        token: str,
        powerless_token: str = "",
        requests_per_minute: int | None = None,
        cursor_life_s: float = CURSOR_LIFE_S,
    ) -> None:
        super().__init__(
            [
                Rule(CONNECTIVITY, methods=["GET"], endpoint=self._connectivity),
                Rule(ENDPOINTS, methods=["GET"], endpoint=self._list),
                Rule(f"{ENDPOINTS}/<guid>", methods=["GET"], endpoint=self._detail),
            ]
        )
        self._clock = clock
        self._token = token
        self._powerless_token = powerless_token
        self._window = SlidingWindow(requests_per_minute)
        self._refusals = 0
        self._cursors = Cursors()
        self._cursor_life_s = cursor_life_s
        self._endpoints: tuple[Endpoint, ...] = ()

    def replace_endpoints(self, items: Sequence[object]) -> None:
        """Makes ``items`` the whole inventory; ``inventory`` says what an item may hold.

        Raises:
            EstateError: an item cannot be an endpoint; the inventory stays as it was.
        """
        self._endpoints = tuple(endpoint(item, position) for position, item in enumerate(items))

    def before(self, request: Request) -> Response | None:
        """401, 403 and 429, in this order: a guess; every route needs a key."""
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        powerful = _same(key, self._token)
        powerless = bool(self._powerless_token) and _same(key, self._powerless_token)
        if scheme.lower() != "bearer" or not (powerful or powerless):
            return replies.invalid_token()
        if powerless and request.path != CONNECTIVITY:
            return replies.access_denied()
        wait_s = self._window.admit(key, self._clock())
        if wait_s:
            self._refusals += 1
            return replies.too_many_requests(self._refusals - 1, wait_s)
        return None

    def unmatched(self, request: Request, error: HTTPException) -> Response:  # noqa: ARG002
        """404 as documented; 405 and 413 in the same shape."""
        if error.code in (None, 404):
            return replies.not_found()
        return replies.other(error.code or 500, error.name.replace(" ", ""), error.name)

    def _connectivity(self, request: Request) -> Response:  # noqa: ARG002
        return json_response({"status": "available"})

    def _detail(self, request: Request, guid: str) -> Response:  # noqa: ARG002
        """Of clones that share a GUID, the first: a guess."""
        found = next((each for each in self._endpoints if each.guid == guid), None)
        if found is None:
            return replies.not_found()
        return json_response(found.detailed(self._clock()))

    def _list(self, request: Request) -> Response:
        try:
            return json_response(self._page(request, self._clock()))
        except (FilterError, PagingError) as error:
            mark(request, Verdict.REFUSED, str(error))
            return replies.bad_request()

    def _page(self, request: Request, now: float) -> dict[str, Any]:
        found = self._filtered(request.headers.get("TMV1-Filter"), now)
        cursor = self._cursor(request, now)
        sorting = order(cursor.order_by)
        if sorting is not None:
            found = _sorted(found, sorting, now)
        end = cursor.position + cursor.size
        chosen = request.args.get("select")
        items = [_selected(each.listed(now), chosen) for each in found[cursor.position : end]]
        answer: dict[str, Any] = {"totalCount": len(found), "count": len(items), "items": items}
        if end < len(found):
            following = Cursor(end, cursor.size, cursor.order_by, now + self._cursor_life_s)
            query = urlencode({"skipToken": self._cursors.write(following)})
            answer["nextLink"] = f"{request.root_url.rstrip('/')}{ENDPOINTS}?{query}"
        return answer

    def _filtered(self, header: str | None, now: float) -> Sequence[Endpoint]:
        if header is None:
            return self._endpoints
        try:  # WSGI hands header bytes over as Latin-1 (PEP 3333)
            text = header.encode("latin-1").decode("utf-8")
        except UnicodeError:
            raise FilterError("the header is not UTF-8") from None
        expression = filter_syntax.parse(text)
        return [each for each in self._endpoints if filter_syntax.matches(expression, each, now)]

    def _cursor(self, request: Request, now: float) -> Cursor:
        """What a ``skipToken`` says; without one, the first page of what the parameters say."""
        text = request.args.get("skipToken")
        if text is not None:
            return self._cursors.read(text, now)
        order_by = request.args.get("orderBy")
        order(order_by)
        return Cursor(0, page_size(request.args.get("top")), order_by, now)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())


def _sorted(found: Sequence[Endpoint], sorting: Order, now: float) -> list[Endpoint]:
    """Times are compared as text; an endpoint without one counts as the earliest: a guess."""
    return sorted(
        found,
        key=lambda each: str(each.at(sorting.path, now) or ""),
        reverse=sorting.descending,
    )


def _selected(item: dict[str, Any], chosen: str | None) -> dict[str, Any]:
    """``select`` by names of the item's own keys; how it names nested ones is not known."""
    if chosen is None:
        return item
    names = chosen.split(",")
    return {name: value for name, value in item.items() if name in names}

"""The WSGI application: routes, authentication, rate limit, and the estate that it holds."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from werkzeug.routing import Rule

from hub_toolkit.sandbox.vendors.base import (
    BodyError,
    Clock,
    Simulator,
    Verdict,
    json_response,
    mark,
)
from hub_toolkit.sandbox.vendors.limits import SlidingWindow
from hub_toolkit.sandbox.vendors.vision_one import (
    endpoints,
    permissions,
    queries,
    replies,
    response,
    workbench,
)
from hub_toolkit.sandbox.vendors.vision_one.filter_syntax import FilterError
from hub_toolkit.sandbox.vendors.vision_one.paging import CURSOR_LIFE_S, Pages, PagingError
from hub_toolkit.sandbox.vendors.vision_one.permissions import Permission
from hub_toolkit.sandbox.vendors.vision_one.tenant import Tenant

if TYPE_CHECKING:
    from werkzeug.exceptions import HTTPException
    from werkzeug.wrappers import Request, Response

CONNECTIVITY = "/v3.0/healthcheck/connectivity"
_SECURITY = "/v3.0/endpointSecurity"
_ALERT = f"{workbench.PATH}/<alert>"
_NOTES = f"{_ALERT}/notes"
_ROUTES = (
    ("GET", CONNECTIVITY, "connectivity"),
    ("GET", endpoints.PATH, "endpoints.list"),
    ("GET", f"{endpoints.PATH}/<guid>", "endpoints.detail"),
    ("GET", f"{_SECURITY}/tasks", "endpoints.tasks"),
    ("GET", f"{_SECURITY}/tasks/<task>", "endpoints.task"),
    ("GET", f"{_SECURITY}/versionControlPolicies", "endpoints.policies"),
    (
        "GET",
        f"{_SECURITY}/versionControlPolicies/agentUpdatePolicies",
        "endpoints.agent_policies",
    ),
    ("GET", queries.PATH, "queries.list"),
    ("POST", response.ISOLATE, "responses.isolate"),
    ("POST", response.RESTORE, "responses.restore"),
    ("GET", f"{response.TASKS}/<task>", "responses.task"),
    ("GET", workbench.PATH, "workbench.list"),
    ("GET", _ALERT, "workbench.get"),
    ("PATCH", _ALERT, "workbench.change"),
    ("GET", _NOTES, "workbench.notes"),
    ("POST", _NOTES, "workbench.add_note"),
    ("POST", f"{_NOTES}/delete", "workbench.delete_notes"),
    ("GET", f"{_NOTES}/<int:note>", "workbench.note"),
    ("PATCH", f"{_NOTES}/<int:note>", "workbench.change_note"),
)


class VisionOne(Simulator):
    """Vision One's public API, with an estate that can be replaced at any time.

    Args:
        clock: returns seconds since the epoch.
        token: the API key that may do everything here.
        limited: further API keys with what their roles may do: 403 for all else.
        requests_per_minute: the rate limit of each key; None for no limit.
        cursor_life_s: seconds that a ``skipToken`` is good for.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        token: str,
        limited: Mapping[str, Iterable[Permission]] | None = None,
        requests_per_minute: int | None = None,
        cursor_life_s: float = CURSOR_LIFE_S,
    ) -> None:
        super().__init__(
            [Rule(path, methods=[method], endpoint=name) for method, path, name in _ROUTES]
        )
        self._clock = clock
        keys = {key: frozenset(held) for key, held in (limited or {}).items()}
        self._keys = {**keys, token: frozenset(Permission)}
        self._window = SlidingWindow(requests_per_minute)
        self._refusals = 0
        tenant = Tenant(clock, Pages(cursor_life_s))
        self._tenant = tenant
        self.endpoints = endpoints.Endpoints(tenant)
        self.queries = queries.Queries(tenant)
        self.responses = response.Responses(tenant)
        self.workbench = workbench.Workbench(tenant)

    def replace_endpoints(self, items: Sequence[object]) -> None:
        """Makes ``items`` the whole inventory; ``inventory`` says what an item may hold.

        Raises:
            EstateError: an item cannot be an endpoint; the inventory stays as it was.
        """
        self._tenant.replace_endpoints(items)

    def replace_alerts(self, items: Sequence[object]) -> None:
        """Makes ``items`` all the alerts; ``workbench`` says what an item may hold.

        Raises:
            EstateError: an item cannot be an alert; the alerts stay as they were.
        """
        self.workbench.replace(items)

    def before(self, request: Request) -> Response | None:
        """401, 403 and 429, in this order: a guess; every route needs a key."""
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        held = next((held for known, held in self._keys.items() if _same(key, known)), None)
        if scheme.lower() != "bearer" or held is None:
            return replies.invalid_token()
        needed = permissions.needed(request.method, request.path)
        if needed is not None and needed not in held:
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

    def connectivity(self, request: Request) -> Response:  # noqa: ARG002
        """The probe that every key may use."""
        return json_response({"status": "available"})

    def _answer(self, request: Request) -> Response:
        try:
            return super()._answer(request)
        except (BodyError, FilterError, PagingError) as error:
            mark(request, Verdict.REFUSED, str(error))
            return replies.bad_request()


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())

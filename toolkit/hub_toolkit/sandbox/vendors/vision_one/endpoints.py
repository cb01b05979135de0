"""``/v3.0/endpointSecurity``: the endpoints, their tasks, and the version control policies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.vendors.base import json_response
from hub_toolkit.sandbox.vendors.vision_one import replies
from hub_toolkit.sandbox.vendors.vision_one.filter_fields import ENDPOINTS
from hub_toolkit.sandbox.vendors.vision_one.filter_syntax import Field, Language, matches
from hub_toolkit.sandbox.vendors.vision_one.paging import Order, Sizes, order
from hub_toolkit.sandbox.vendors.vision_one.tenant import Tenant, expression

if TYPE_CHECKING:
    from werkzeug.wrappers import Request, Response

    from hub_toolkit.sandbox.vendors.vision_one.inventory import Endpoint

PATH = "/v3.0/endpointSecurity/endpoints"
SIZES = Sizes((10, 50, 100, 200, 500, 1000), 100)
"""Third-party programs agree on these; the default is documented by one of them."""

ORDERS: dict[str, tuple[str, ...]] = {
    "agentGuid": ("agentGuid",),
    "eppAgentLastConnectedDateTime": ("eppAgent", "lastConnectedDateTime"),
    "eppAgentLastScannedDateTime": ("eppAgent", "lastScannedDateTime"),
    "edrSensorLastConnectedDateTime": ("edrSensor", "lastConnectedDateTime"),
}
"""What ``orderBy`` may name, and where the value stands in the item."""

_TASKS = Language(
    {
        "id": Field(),
        "agentGuid": Field(),
        "status": Field(values=frozenset({"running", "succeeded", "failed"})),
        "action": Field(values=frozenset({"export", "delete"})),
    },
    1024,
)
_FEW = Sizes((50, 100, 200), 50)


Texts = list[str]


class Endpoints:
    """The handlers of these routes."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    def list(self, request: Request) -> Response:
        """Endpoints in pages. Times are sorted as text, one that is missing first: a guess."""
        now = self._tenant.now()
        found: Sequence[Endpoint] = self._tenant.endpoints(now)
        wanted = expression(request, "TMV1-Filter", ENDPOINTS)
        if wanted is not None:
            found = [each for each in found if matches(wanted, each.holding(now))]
        cursor = self._tenant.pages.start(request, SIZES, now)
        for sorting in _orders(cursor.query.get("orderBy")):
            found = _sorted(found, sorting, now)
        chosen = cursor.query.get("select")
        items = [_selected(each.listed(now), chosen) for each in cursor.of(found)]
        link = self._tenant.pages.link(request, cursor, len(found), now)
        return json_response(
            {"totalCount": len(found), "count": len(items), "items": items, **link}
        )

    def detail(self, request: Request, guid: str) -> Response:  # noqa: ARG002
        """Of clones that share a GUID, the first: a guess."""
        now = self._tenant.now()
        found = next((each for each in self._tenant.endpoints(now) if each.guid == guid), None)
        if found is None:
            return replies.not_found()
        return json_response(found.detailed(now))

    def tasks(self, request: Request) -> Response:
        """Tasks of exporting and deleting endpoints: none, as neither is simulated."""
        expression(request, "TMV1-Filter", _TASKS)
        names = ("createdDateTime", "lastActionDateTime")
        order(request.args.get("orderBy", names[0]), {name: (name,) for name in names})
        _FEW.read(request.args.get("top"))
        return json_response({"totalCount": 0, "count": 0, "items": []})

    def task(self, request: Request, task: str) -> Response:  # noqa: ARG002
        """There is none."""
        return replies.not_found()

    def policies(self, request: Request) -> Response:
        """The version control policies that endpoints have. Of an item only the keys that sort it
        are known: its shape is a guess.
        """
        now = self._tenant.now()
        cursor = self._tenant.pages.start(request, _FEW, now)
        names = ("policyName", "updatedDateTime")
        sorting = order(cursor.query.get("orderBy", names[0]), {name: (name,) for name in names})
        found = self._distinct("versionControlPolicy", now)
        if sorting[0].descending:
            found.reverse()
        items = [{"policyName": name} for name in cursor.of(found)]
        link = self._tenant.pages.link(request, cursor, len(found), now)
        return json_response(
            {"totalCount": len(found), "count": len(items), "items": items, **link}
        )

    def agent_policies(self, request: Request) -> Response:  # noqa: ARG002
        """The agent update policies that endpoints have; the shape is a guess."""
        found = self._distinct("agentUpdatePolicy", self._tenant.now())
        return json_response({"items": [{"agentUpdatePolicy": name} for name in found]})

    def _distinct(self, key: str, now: float) -> Texts:
        held = {each.item.get(key) for each in self._tenant.endpoints(now)}
        return sorted(name for name in held if isinstance(name, str) and name)


def _orders(text: str | None) -> Sequence[Order]:
    return order(text, ORDERS) if text is not None else ()


def _sorted(found: Sequence[Endpoint], sorting: Order, now: float) -> list[Endpoint]:
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

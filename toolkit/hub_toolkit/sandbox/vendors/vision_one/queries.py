"""``GET /v3.0/eiqs/endpoints``: endpoints found by name, address or agent.

Documented (Trend's vision-one-mcp-server, ``eiqs_endpoints_list``; its published mock): the header
``TMV1-Query`` is needed, its fields and their values, ``top``, and the shape of an item. Programs
in the field report that a query without an operator is answered 200 with no items. Guesses: all
else that is wrong with a query is 400, it may have 1024 characters, and which products an endpoint
has.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.vendors.base import json_response
from hub_toolkit.sandbox.vendors.vision_one.filter_syntax import (
    Field,
    FilterError,
    Language,
    matches,
)
from hub_toolkit.sandbox.vendors.vision_one.paging import Sizes
from hub_toolkit.sandbox.vendors.vision_one.tenant import Tenant, expression

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Request, Response

    from hub_toolkit.sandbox.vendors.vision_one.inventory import Endpoint

PATH = "/v3.0/eiqs/endpoints"
SIZES = Sizes((50, 100, 200), 50)
_OPERATOR = re.compile(r"\beq\b")
_PRODUCTS = frozenset({"sao", "sds", "xes"})
_SYSTEMS = {"linux": "Linux", "windows": "Windows", "mac": "macOS"}


def _open(*names: str) -> dict[str, Field]:
    return {name: Field() for name in names}


def _closed(*values: str) -> Field:
    return Field(values=frozenset(values))


LANGUAGE = Language(
    {
        **_open("agentGuid", "loginAccount", "endpointName", "macAddress", "ip"),
        **_open("protectionManager", "policyName", "osVersion"),
        "componentUpdatePolicy": Field(pattern=re.compile(r"n(?: - \d+)?")),
        "componentUpdateStatus": _closed("pause", "onSchedule", "notSupported"),
        "componentVersion": _closed(
            "outdatedVersion", "latestVersion", "controlledLatestVersion", "unknownVersions"
        ),
        "osName": _closed("Linux", "Windows", "macOS", "macOSX"),
        "productCode": Field(values=_PRODUCTS),
        "installedProductCodes": Field(values=_PRODUCTS),
    },
    1024,
)


class Queries:
    """The handler of this route."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    def list(self, request: Request) -> Response:
        """The endpoints that the query finds, in pages."""
        now = self._tenant.now()
        query = request.headers.get("TMV1-Query", "")
        if not query.strip():
            raise FilterError("TMV1-Query is needed")
        if not _OPERATOR.search(query):
            return json_response({"items": []})
        wanted = expression(request, "TMV1-Query", LANGUAGE)
        assert wanted is not None  # noqa: S101 - the header is there
        cursor = self._tenant.pages.start(request, SIZES, now)
        found = [
            item
            for item in (_item(each, now) for each in self._tenant.endpoints(now))
            if matches(wanted, _values(item))
        ]
        link = self._tenant.pages.link(request, cursor, len(found), now)
        return json_response({"items": cursor.of(found), **link})


def _values(item: dict[str, Any]) -> Callable[[str], object]:
    def value(name: str) -> object:
        held = item.get(name)
        return held["value"] if isinstance(held, dict) else held

    return value


def _item(each: Endpoint, now: float) -> dict[str, Any]:
    """An endpoint as this call shows it: values with the time when they were seen."""
    seen = _zoned(
        each.at(("edrSensor", "lastConnectedDateTime"), now)
        or each.at(("eppAgent", "lastConnectedDateTime"), now)
    )

    def dated(value: Any) -> dict[str, Any]:
        return {"value": value, "updatedDateTime": seen}

    user = each.item.get("lastLoggedOnUser")
    sensor = each.at(("edrSensor", "status"), now)
    return {
        "agentGuid": each.guid,
        "endpointName": dated(each.item.get("endpointName", "")),
        "loginAccount": dated([user] if user else []),
        "macAddress": dated(each.mac_addresses),
        "ip": dated(each.item.get("ipAddresses") or []),
        "osName": _SYSTEMS.get(str(each.item.get("osPlatform")), ""),
        "osVersion": each.item.get("osVersion", ""),
        "osDescription": each.item.get("osName", ""),
        "productCode": _product(each.deployments),
        "installedProductCodes": ["xes"] if sensor in ("enabled", "enabling") else [],
        **{
            name: each.at(("eppAgent", name), now) or ""
            for name in (
                "policyName",
                "protectionManager",
                "componentVersion",
                "componentUpdatePolicy",
                "componentUpdateStatus",
            )
        },
    }


def _product(deployments: list[str]) -> str:
    """Workload protection is ``sds``, user protection ``sao``, a sensor alone ``xes``."""
    codes = {"workloadProtection": "sds", "userProtection": "sao", "sensorOnly": "xes"}
    return next((codes[one] for one in deployments if one in codes), "")


def _zoned(text: object) -> str:
    """A time with the zone that this call writes, unlike the endpoint list."""
    if not isinstance(text, str) or not text:
        return ""
    try:
        return datetime.fromisoformat(text).strftime("%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return text

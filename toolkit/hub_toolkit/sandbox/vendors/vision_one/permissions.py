"""What a role may do, and which request needs it.

The names of the apps and permissions are those of the console (Guides/Authentication). That an
endpoint query needs the same permission as the endpoint inventory is a guess.
"""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """A permission of a role, as ``App > Permission``."""

    ENDPOINTS = "Endpoint Inventory > View"
    ALERTS = "Workbench > View, filter, and search"
    EDIT_ALERTS = "Workbench > Modify alert details"
    TASKS = "Response Management > View, filter, and search"
    ISOLATE = "Response Management > Isolate endpoint"


_READS = (
    ("/v3.0/endpointSecurity/", Permission.ENDPOINTS),
    ("/v3.0/eiqs/", Permission.ENDPOINTS),
    ("/v3.0/response/", Permission.TASKS),
    ("/v3.0/workbench/", Permission.ALERTS),
)
_CHANGES = {Permission.TASKS: Permission.ISOLATE, Permission.ALERTS: Permission.EDIT_ALERTS}


def needed(method: str, path: str) -> Permission | None:
    """The permission that a request needs; None where every valid key will do."""
    for prefix, permission in _READS:
        if path.startswith(prefix):
            return permission if method == "GET" else _CHANGES.get(permission, permission)
    return None

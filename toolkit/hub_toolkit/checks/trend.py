"""Vision One and Server & Workload Protection, by the clients that playbooks use."""

from __future__ import annotations

from collections.abc import Iterator

from hub_responder.errors import DeniedError
from hub_responder.vision_one.connect import connect as to_vision_one
from hub_responder.workload_security.client import connect as to_workload_security
from hub_toolkit.checks.asker import Asker
from hub_toolkit.checks.told import Told, good, wrong

_NOBODY = "i-00000000000000000"
"""An instance that there is not: the search for it is answered all the same."""


def vision_one(asker: Asker) -> Iterator[Told]:
    """One page of the inventory, which needs the permission that coverage needs."""
    client = to_vision_one(asker.connection, asker.stage, asker.deadline)
    try:
        page = next(client.pages("", top=10))
    except DeniedError as error:
        do = "the key's role needs Endpoint Inventory: View; a key works in its own region only"
        yield wrong("access", str(error), do)
        return
    yield good("access", f"reads the endpoint inventory ({len(page.items)} on its first page)")
    if asker.connection.settings.get("isolation"):
        said = "whether the key may isolate endpoints (Response Management) shows no read"
        yield Told("place", "unproved", said, "look at its role in Vision One")


def workload_security(asker: Asker) -> Iterator[Told]:
    """A search that finds nothing, which needs the role that shields need."""
    client = to_workload_security(asker.connections, asker.name, asker.stage, asker.deadline)
    try:
        client.by_instance(_NOBODY)
    except DeniedError as error:
        do = "the key needs the role Auditor at least; is it of this region, and is `key` right?"
        yield wrong("access", str(error), do)
        return
    yield good("access", "searches computers")
    said = "whether the key may assign rules shows no read"
    yield Told("place", "unproved", said, "only shield.apply needs it: look at the key's role")

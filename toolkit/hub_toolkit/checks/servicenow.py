"""ServiceNow: whether the table can be read, by the column that tickets are found by."""

from __future__ import annotations

from collections.abc import Iterator

from hub_responder.connections.settings import ServiceNow, read
from hub_responder.tickets.servicenow_api import ServiceNowApi
from hub_toolkit.checks.asker import Asker
from hub_toolkit.checks.told import Told, good, unproved, wrong

_NOBODYS = "hr-connections-check"


def check(asker: Asker) -> Iterator[Told]:
    """The account, and a query that must find nothing."""
    settings = read(asker.connection.settings, ServiceNow, asker.name)
    api = ServiceNowApi(asker.name, settings, asker.stage, asker.deadline)
    found = api.rows(f"correlation_id={_NOBODYS}", "number,correlation_id", 1)
    yield good("access", f"reads {settings.table}")
    if found:
        do = "let the account read the column"
        yield wrong("place", "a query by correlation_id is not taken, so tickets get lost", do)
        return
    yield unproved("place", "whether tickets can be opened and closed is not told")

"""Jira Data Center: as Jira Cloud, but for what `jira_flavour` spells differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub_responder.connections.resolve import at
from hub_responder.connections.settings import JiraDataCenter, read
from hub_responder.tickets.jira import JiraProject
from hub_responder.tickets.jira_flavour import data_center

if TYPE_CHECKING:
    from hub_responder.connections.resolve import Connection
    from hub_responder.runtime import Runtime


def system(connection: Connection, runtime: Runtime, ticket: str = "") -> JiraProject:
    """The project of ``connection``, or of ``ticket``: a key begins with its project's."""
    connection = at(connection, ticket.rpartition("-")[0]) if ticket else connection
    settings = read(connection.settings, JiraDataCenter, connection.name)
    return JiraProject(connection.name, settings, data_center(), runtime)

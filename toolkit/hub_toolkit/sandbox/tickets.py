"""The tickets of all simulated ticket systems, in one list."""

from __future__ import annotations

from typing import Any, Protocol


class TicketSystem(Protocol):
    """A simulator that holds tickets."""

    def tickets(self) -> list[dict[str, Any]]:
        """Its tickets, oldest first: id, url, summary, status, labels, comments, body (texts)."""
        ...


class Tickets:
    """The ticket systems of the sandbox."""

    def __init__(self) -> None:
        self._systems: list[tuple[str, str, TicketSystem]] = []

    def register(self, system: str, connection: str, source: TicketSystem) -> None:
        """Adds a ticket system: its name (``jira``), and the connection that leads to it."""
        self._systems.append((system, connection, source))

    def list(self) -> list[dict[str, Any]]:
        """Every ticket, with ``system`` and ``connection``; systems in order of registration."""
        return [
            {"system": system, "connection": connection, **ticket}
            for system, connection, source in self._systems
            for ticket in source.tickets()
        ]

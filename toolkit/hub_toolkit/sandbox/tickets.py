"""The tickets of all simulated ticket systems, in one list."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable


class TicketSystem(Protocol):
    """A simulator that holds tickets."""

    def tickets(self) -> list[dict[str, Any]]:
        """Its tickets, oldest first: id, url, summary, status, labels, comments, body (texts)."""
        ...


@runtime_checkable
class Decidable(Protocol):
    """A simulator in which a person can act."""

    def decide(self, ticket: str, state: str) -> None:
        """What a person decides: ``done``, ``declined`` or ``open``.

        Raises:
            KeyError: there is no such ticket or state.
        """
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

    def decide(self, system: str, ticket: str, state: str) -> None:
        """A person closes a ticket as ``done`` or ``declined``, or opens it again.

        Raises:
            LookupError: there is no such ticket or state, or nobody can act in that system.
        """
        for kind, _, source in self._systems:
            held = kind == system and any(one["id"] == ticket for one in source.tickets())
            if held and isinstance(source, Decidable):
                source.decide(ticket, state)
                return
        raise LookupError(f"there is no ticket {ticket} of {system} in which a person can act")

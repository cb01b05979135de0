"""A ticket system whose requests take turns, as `hub_responder.connections.turns` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub_responder.connections.turns import turn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hub_responder.connections.resolve import Connection
    from hub_responder.markdown.document import Document
    from hub_responder.runtime import Runtime
    from hub_responder.tickets.ticket import Draft, Standing, Ticket, TicketSystem


class InTurn:
    """What is asked of ``system`` goes out when it is its turn; errors as of `TicketSystem`."""

    def __init__(self, system: TicketSystem, connection: Connection, runtime: Runtime) -> None:
        self._system = system
        self._connection = connection
        self._runtime = runtime

    def open(self, draft: Draft) -> Ticket:
        """As `TicketSystem.open`."""
        with turn(self._connection, self._runtime):
            return self._system.open(draft)

    def comment(self, ticket: str, document: Document, mark: str, *, in_doubt: bool) -> bool:
        """As `TicketSystem.comment`."""
        with turn(self._connection, self._runtime):
            return self._system.comment(ticket, document, mark, in_doubt=in_doubt)

    def standings(self, tickets: Sequence[str]) -> Mapping[str, Standing]:
        """As `TicketSystem.standings`."""
        with turn(self._connection, self._runtime):
            return self._system.standings(tickets)

    def close(self, ticket: str, document: Document, mark: str, *, in_doubt: bool) -> bool:
        """As `TicketSystem.close`."""
        with turn(self._connection, self._runtime):
            return self._system.close(ticket, document, mark, in_doubt=in_doubt)

    def reopen(self, ticket: str, document: Document, mark: str, *, in_doubt: bool) -> bool:
        """As `TicketSystem.reopen`."""
        with turn(self._connection, self._runtime):
            return self._system.reopen(ticket, document, mark, in_doubt=in_doubt)

    def prioritise(self, ticket: str, priority: str) -> bool:
        """As `TicketSystem.prioritise`."""
        with turn(self._connection, self._runtime):
            return self._system.prioritise(ticket, priority)

    def link(self, ticket: str, earlier: str) -> None:
        """As `TicketSystem.link`."""
        with turn(self._connection, self._runtime):
            self._system.link(ticket, earlier)

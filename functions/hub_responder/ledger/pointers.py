"""Which incident a ticket belongs to: one item for each ticket of an incident that is not closed.

Partition ``{playbook}#tickets``, sort key ``{connection}#{ticket}``. Whoever has a ticket finds its
incident so, and all of them can be walked. The incident's own item names in ``watched`` those that
it has, so that each is written once, in the transaction that first keeps the ticket. One whose
incident has ended expires at once: readers pass over those whose time is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub_responder.ledger.state import Item

MAX_TICKET = 512
"""Bytes of a ticket's id; a sort key has 1,024 at most (Amazon DynamoDB quotas)."""


def partition(playbook: str) -> str:
    """The partition of a playbook's pointers."""
    return f"{playbook}#tickets"


def sort_key(connection: str, ticket: str) -> str:
    """The sort key of a ticket; the name of a connection has no ``#``."""
    return f"{connection}#{ticket}"


def of(refs: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """The sort keys of the tickets that an incident's references hold."""
    held = ((name, ref.get("ticket")) for name, ref in refs.items())
    return tuple(
        sort_key(name, ticket)
        for name, ticket in held
        if isinstance(ticket, str) and 0 < len(ticket.encode("utf-8", "replace")) <= MAX_TICKET
    )


@dataclass(frozen=True, slots=True)
class Pointer:
    """A ticket and its incident.

    Attributes:
        playbook, connection, ticket: whose and which ticket. pk: the incident's partition key.
        since: when it was written. expires: when it is over (epoch seconds).
        handled: what was decided in the ticket and is done, as a name; empty while it is open.
    """

    playbook: str
    connection: str
    ticket: str
    pk: str
    since: float
    expires: float
    handled: str = ""

    @property
    def sk(self) -> str:
        """Its sort key."""
        return sort_key(self.connection, self.ticket)


def read(item: Item) -> Pointer:
    """`Pointer` from the wire form."""
    connection, _, ticket = item["sk"]["S"].partition("#")
    return Pointer(
        playbook=item["pk"]["S"].partition("#")[0],
        connection=connection,
        ticket=ticket,
        pk=item["incident"]["S"],
        since=float(item["since"]["N"]),
        expires=float(item["expires"]["N"]),
        handled=item.get("handled", {}).get("S", ""),
    )

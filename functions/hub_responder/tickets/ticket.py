"""What ticket systems have in common: a draft goes in, a ticket comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hub_responder.markdown.document import Document

MAX_SUMMARY = 255
"""Jira's limit, kept everywhere so that a ticket reads the same wherever it is."""
_LABEL_HEX = 32


@dataclass(frozen=True, slots=True)
class Draft:
    """A ticket to be opened.

    Attributes:
        document: its text; the first heading becomes the summary.
        key: the effect key: equal for every attempt to open this ticket, hex digits.
        resource: the id of the resource it is about, mostly an ARN.
        priority: as the ticket system spells it, or empty for its default.
        labels: further labels.
        in_doubt: an earlier attempt may have opened it.
        attempted_at: when that attempt began (epoch seconds).
    """

    document: Document
    key: str
    resource: str = ""
    priority: str = ""
    labels: tuple[str, ...] = ()
    in_doubt: bool = False
    attempted_at: float | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket: its id (SEC-123), its address for people, whether this attempt opened it."""

    id: str
    url: str
    opened: bool


class TicketSystem(Protocol):
    """A ticket system behind one connection, for one invocation."""

    def open(self, draft: Draft) -> Ticket:
        """Open a ticket, or find the one that an earlier attempt opened.

        Raises:
            ConfigurationError: the connection, its secret or the draft's priority is wrong.
            TransientError: it may pass, or whether the ticket exists cannot be told yet.
            CallError: it refuses.
        """

    def comment(self, ticket: str, document: Document, mark: str, *, in_doubt: bool) -> bool:
        """Add a comment that ends with ``mark``; in doubt, only if no recent one has it.

        Never called of a system that the registry says takes none.

        Args:
            ticket: the id of a ticket of this system.

        Returns:
            Whether this call added it.
        """


def label(key: str) -> str:
    """The label or deduplication key under which a ticket is found again."""
    return f"hr-{key[:_LABEL_HEX]}"

"""What ticket systems have in common: a draft goes in, a ticket comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
        finding_uid: what the new Security Hub names its worst finding by; empty where all of them
            came in ASFF.
        priority: as the ticket system spells it, or empty for its default.
        due: when it is to be done (epoch seconds), where that is known.
        labels: further labels.
        components: what of the project it is about, as the ticket system names it.
        assignee: whose it is, as the ticket system names people, or empty for its default.
        fields: further fields by their id, as JSON; texts are short and clean.
        in_doubt: an earlier attempt may have opened it.
        attempted_at: when that attempt began (epoch seconds).
    """

    document: Document
    key: str
    resource: str = ""
    finding_uid: str = ""
    priority: str = ""
    due: float | None = None
    labels: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    assignee: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    in_doubt: bool = False
    attempted_at: float | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket: its id (SEC-123), its address for people, whether this attempt opened it.

    ``lacks`` says what of the draft the system left out, for people; empty: nothing that it tells.
    """

    id: str
    url: str
    opened: bool
    lacks: str = ""


State = Literal["open", "done", "declined", "gone"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What has become of a ticket.

    Attributes:
        state: open; done (worked off); declined (closed as not to be done: won't do, risk
            accepted, false positive); gone (deleted, or out of our sight). Told from the system's
            categories and reasons, never from the name of a status.
        label: what the system calls it (Won't Do), for people.
        by: who closed it, as the system tells, or empty.
        priority: as the ticket system spells it, or empty.
        closed_at: when it was closed (epoch seconds), where the system tells.
    """

    state: State
    label: str = ""
    by: str = ""
    priority: str = ""
    closed_at: float | None = None


class TicketSystem(Protocol):
    """A ticket system behind one connection, for one invocation.

    Every method may raise ConfigurationError (the connection, its secret or a value that it maps
    is wrong), TransientError (it may pass, or what happened cannot be told yet) and CallError (it
    refuses).
    """

    def open(self, draft: Draft) -> Ticket:
        """Open a ticket, or find the one that an earlier attempt opened."""

    def comment(self, ticket: str, document: Document, mark: str, *, in_doubt: bool) -> bool:
        """Add a comment that ends with ``mark``; in doubt, only if no recent one has it.

        Never called of a system that the registry says takes none.

        Args:
            ticket: the id of a ticket of this system.

        Returns:
            Whether this call added it.
        """

    def standings(self, tickets: Sequence[str]) -> Mapping[str, Standing]:
        """What has become of tickets, in as few requests as the system allows.

        Returns:
            By id; those that cannot be told now are left out.
        """

    def close(self, ticket: str, document: Document, mark: str, *, in_doubt: bool) -> bool:
        """Close a ticket as done, saying why as `comment` does; one that is closed stays as it is.

        Returns:
            Whether this call closed it.
        """

    def reopen(self, ticket: str, document: Document, mark: str, *, in_doubt: bool) -> bool:
        """Open a closed ticket again, saying why as `comment` does; an open one stays as it is.

        Returns:
            Whether this call reopened it.
        """

    def prioritise(self, ticket: str, priority: str) -> bool:
        """Set the priority, as the system spells it; safe to repeat.

        Returns:
            Whether it was another one.
        """

    def link(self, ticket: str, earlier: str) -> None:
        """Tell in ``ticket`` that it follows ``earlier``; safe to repeat."""


def label(key: str) -> str:
    """The label or deduplication key under which a ticket is found again."""
    return f"hr-{key[:_LABEL_HEX]}"


def day(at: float, timezone: str) -> str:
    """The day of ``at`` (epoch seconds) there, as ``2026-11-22``."""
    return datetime.fromtimestamp(at, ZoneInfo(timezone)).date().isoformat()

"""Message channels, found by the type of their connection.

A channel is a module of this package with a function ``send``, and perhaps ``update`` and
``resolve``. It is imported where a message goes through it: a playbook that speaks to SNS does not
pay for requests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from hub_responder.connections.turns import turn
from hub_responder.errors import ConfigurationError

if TYPE_CHECKING:
    from hub_responder.actions.base import Work
    from hub_responder.connections.resolve import Connection
    from hub_responder.markdown.document import Document
    from hub_responder.runtime import Runtime

MODULES: Mapping[str, str] = {
    "pagerduty": "pagerduty",
    "ses": "ses",
    "slack": "slack",
    "slack_webhook": "slack_webhook",
    "smtp": "smtp",
    "sns": "sns",
    "teams": "teams",
    "webhook": "webhook",
}
"""Type of connection -> the module that sends."""
ONLY_ACCEPT = frozenset({"pagerduty", "ses", "teams"})
"""Those that take a message before they deliver it, and never tell whether they did."""
UPDATES = frozenset({"pagerduty", "slack"})
"""Those that can bring what was told up to date without a new message."""
RESOLVES = frozenset({"pagerduty"})
"""Those in which what was opened is resolved; elsewhere the end is told in the thread."""


class Channel(Protocol):
    """What each of these modules is."""

    def send(
        self,
        connection: Connection,
        document: Document,
        work: Work,
        runtime: Runtime,
        ref: Mapping[str, Any],
    ) -> Mapping[str, Any]:
        """Send ``document``, once; nothing is repeated here.

        Args:
            connection: of the channel's type.
            work: the incident that it is about; its ``key`` is equal for every attempt.
            ref: what an earlier call about this incident returned for this connection, or nothing.

        Returns:
            What must be kept to write into the same thread or to close what was opened; under
            ``thread`` where there is one.

        Raises:
            ConfigurationError: the connection or its secret is wrong.
            CallError: it was not sent; ``sent`` of a TransientError: it may have been.
        """


class Updating(Channel, Protocol):
    """What the modules of `UPDATES` are."""

    def update(
        self,
        connection: Connection,
        document: Document,
        work: Work,
        runtime: Runtime,
        ref: Mapping[str, Any],
    ) -> Mapping[str, Any]:
        """Make what was told about the incident say ``document``; nobody is notified.

        Args:
            ref: what `send` returned for this connection.

        Returns:
            What must be kept, as `send` does.

        Raises:
            ConfigurationError: the connection or its secret is wrong.
            CallError: as `send`; a PermanentError that is no DeniedError: what was told cannot be
                changed any more.
        """


class Resolving(Channel, Protocol):
    """What the modules of `RESOLVES` are."""

    def resolve(
        self,
        connection: Connection,
        document: Document,
        work: Work,
        runtime: Runtime,
        ref: Mapping[str, Any],
    ) -> Mapping[str, Any]:
        """End what was opened for the incident, saying ``document``; arguments, what is returned
        and errors as of `Updating.update`. What is resolved stays so."""


def _in_turn(name: str) -> Callable[..., Mapping[str, Any]]:
    """A channel's function of that name, which waits for its turn."""

    def act(  # noqa: PLR0917 - the channels' signature
        self: _InTurn,
        connection: Connection,
        document: Document,
        work: Work,
        runtime: Runtime,
        ref: Mapping[str, Any],
    ) -> Mapping[str, Any]:
        with turn(connection, runtime):
            kept: Mapping[str, Any] = getattr(self.channel, name)(
                connection, document, work, runtime, ref
            )
            return kept

    return act


class _InTurn:
    """A channel whose messages take turns; it has what its module has."""

    def __init__(self, channel: Any) -> None:
        self.channel = channel

    send = _in_turn("send")
    update = _in_turn("update")
    resolve = _in_turn("resolve")


def find(connection: Connection) -> Channel:
    """The channel that ``connection`` is one of; what it sends waits for its turn.

    Raises:
        ConfigurationError: its type takes no messages.
    """
    module = MODULES.get(connection.type)
    if module is None:
        raise ConfigurationError(
            f"connection {connection.name} of type {connection.type} takes no messages;"
            f" these do: {', '.join(sorted(MODULES))}"
        )
    return _InTurn(import_module(f"{__package__}.{module}"))


def updating(connection: Connection) -> Updating | None:
    """The channel of ``connection`` where it is one of `UPDATES`."""
    return cast("Updating", find(connection)) if connection.type in UPDATES else None


def resolving(connection: Connection) -> Resolving | None:
    """The channel of ``connection`` where it is one of `RESOLVES`."""
    return cast("Resolving", find(connection)) if connection.type in RESOLVES else None

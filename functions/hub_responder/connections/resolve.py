"""The name of a connection or route -> the connection to use for an incident."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub_responder import expressions
from hub_responder.errors import ConfigurationError

if TYPE_CHECKING:
    from hub_responder.playbook import Playbook


@dataclass(frozen=True, slots=True)
class Connection:
    """A place to deliver to: its name, type and settings (``type`` included)."""

    name: str
    type: str
    settings: Mapping[str, Any]


def resolve(playbook: Playbook, name: str, scope: Mapping[str, Any]) -> Connection:
    """The connection called ``name``, or the one that the route called ``name`` chooses.

    Raises:
        ConfigurationError: there is no such connection or route.
        ExpressionError: the route's ``by`` cannot be evaluated.
    """
    route = playbook.routes.get(name)
    if route is None:
        return named(playbook, name)
    return named(playbook, route.to.get(expressions.text_of(route.by, scope), route.default))


def named(playbook: Playbook, name: str) -> Connection:
    """The connection called ``name``.

    Raises:
        ConfigurationError: the playbook knows none of that name, or it has no type.
    """
    settings = playbook.connections.get(name)
    if settings is None:
        raise ConfigurationError(f"there is no connection {name!r}; see connections.yaml")
    kind = settings.get("type")
    if not isinstance(kind, str):
        raise ConfigurationError(f"connection {name} has no type")
    return Connection(name, kind, settings)

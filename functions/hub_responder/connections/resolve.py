"""The name of a connection or route -> the connection to use for an incident."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hub_responder import expressions
from hub_responder.connections.settings import PLACES
from hub_responder.errors import ConfigurationError, ExpressionError
from hub_responder.values import clean

if TYPE_CHECKING:
    from hub_responder.playbook import Playbook

_SHOWN = 80
"""Characters of a value that is told; it may come from a finding or a tag."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A place to deliver to: its name, type and settings (``type`` included).

    ``place`` is what its template gave: the channel or project; empty where it has none.
    """

    name: str
    type: str
    settings: Mapping[str, Any]
    place: str = ""

    @property
    def shown(self) -> str:
        """The name, with the place where a template chose it."""
        return f"{self.name} ({self.place})" if self.place else self.name


def resolve(playbook: Playbook, name: str, scope: Mapping[str, Any]) -> Connection:
    """The connection called ``name``, or the one that the route called ``name`` chooses, with the
    place that its template gives.

    Raises:
        ConfigurationError: there is no such connection or route, or its place cannot be told or
            is not allowed.
        ExpressionError: the route's ``by`` cannot be evaluated.
        CallError: a look-up of an expression failed.
    """
    return placed(chosen(playbook, name, scope), scope)


def chosen(playbook: Playbook, name: str, scope: Mapping[str, Any]) -> Connection:
    """The connection called ``name``, or the one that the route called ``name`` chooses, as it is
    written; errors as `resolve`."""
    route = playbook.routes.get(name)
    if route is None:
        return named(playbook, name)
    return named(playbook, route.to.get(expressions.text_of(route.by, scope), route.default))


def reached(playbook: Playbook, name: str) -> list[str]:
    """The connections that ``name`` may lead to, those that stand in for them included.

    Raises:
        ConfigurationError: the playbook knows one of them not.
    """
    route = playbook.routes.get(name)
    names = [*route.to.values(), route.default] if route else [name]
    stand_ins = [named(playbook, one).settings.get("fallback", "") for one in names]
    return list(dict.fromkeys(filter(None, [*names, *stand_ins])))


def named(playbook: Playbook, name: str) -> Connection:
    """The connection called ``name``, as it is written.

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


def placed(
    connection: Connection, scope: Mapping[str, Any], ref: Mapping[str, Any] | None = None
) -> Connection:
    """``connection`` with the place that its template gives for ``scope``; without a template as it
    is.

    Args:
        ref: what is kept of the incident there. It stays in its place while that is allowed.

    Raises:
        ConfigurationError: the template cannot be evaluated, or gives what is not in ``allow``.
        CallError: a look-up of it failed.
    """
    if not has_template(connection):
        return connection
    key, allow = PLACES[connection.type], connection.settings.get("allow", ())
    if ref and ref.get(key) in allow:
        return at(connection, ref[key])
    try:
        value = expressions.fill(connection.settings[key], scope)
    except ExpressionError as error:
        why = clean(str(error), 200)
        raise ConfigurationError(f"connection {connection.name}: `{key}`: {why}") from error
    place = (
        str(value) if isinstance(value, str) else ""
    )  # a severity is text that compares by order
    if place not in allow:
        told = repr(clean(place, _SHOWN)) if isinstance(value, str) else type(value).__name__
        text = f"connection {connection.name}: `{key}` gives {told}, which is not in `allow`"
        raise ConfigurationError(text)
    return at(connection, place)


def at(connection: Connection, place: str) -> Connection:
    """``connection`` at a place that was chosen; without a template as it is."""
    if not has_template(connection):
        return connection
    settings = {**connection.settings, PLACES[connection.type]: place}
    return replace(connection, settings=settings, place=place)


def has_template(connection: Connection) -> bool:
    """Whether the place is chosen for each incident."""
    written = connection.settings.get(PLACES.get(connection.type, ""))
    return isinstance(written, str) and "{{" in written

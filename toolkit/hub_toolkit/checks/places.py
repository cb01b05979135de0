"""Where a connection can lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub_responder.connections.resolve import has_template
from hub_responder.connections.settings import PLACES

if TYPE_CHECKING:
    from hub_responder.connections.resolve import Connection


def places(connection: Connection) -> tuple[str, ...]:
    """The channels or projects: the one that is written, or all that its template may give."""
    if has_template(connection):
        return tuple(str(one) for one in connection.settings.get("allow", ()))
    return (str(connection.settings[PLACES[connection.type]]),)

"""``endpoint.restore``: an isolated instance back on the network."""

from __future__ import annotations

from hub_responder.actions.isolation import action

ACTION = action(
    "restore",
    "Brings the isolated instance back on the network, and tells how that ended.",
    "- {id: restore, uses: endpoint.restore}",
)

"""``endpoint.isolate``: the instance off the network, but for its way to Vision One."""

from __future__ import annotations

from hub_responder.actions.isolation import action

ACTION = action(
    "isolate",
    "Isolates the instance from the network, and tells how that ended.",
    "- {id: isolate, uses: endpoint.isolate, with: {reason: '{{ finding.title }}'}}",
)

"""The walk over tickets: page after page, from where the last run stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hub_responder import observability
from hub_responder.errors import CallError, ConfigurationError

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline
    from hub_responder.ledger.pointers import Pointer
    from hub_responder.sync.follow import Follower
    from hub_responder.sync.plan import Plan
    from hub_responder.tickets.ticket import Standing

PAGE = 100
"""Tickets that are asked about together."""
MAX_PAGES = 20
"""Pages of one run; the function runs every five minutes."""
TIME_S = 20.0
"""No page and no decision is begun with less time left."""


class Walk:
    """One run over the tickets of a stage."""

    def __init__(self, planned: Plan, follower: Follower, deadline: Deadline) -> None:
        self._planned, self._follower, self._deadline = planned, follower, deadline
        self._store = follower.store
        self._silent: set[str] = set()

    def run(self) -> None:
        """Page after page from where the last run stopped, once around at most."""
        names = sorted(self._planned.playbooks)
        begun, after = self._store.cursor()
        start = next((i for i, name in enumerate(names) if name >= begun), 0)
        if not names or names[start] != begun:
            after = ""
        pages = 0
        for name in [*names[start:], *names[:start]]:
            while pages < MAX_PAGES and self._deadline.left() > TIME_S:
                pages += 1
                found, last = self._store.page(name, after, PAGE)
                if not self._follow(found):
                    return  # the next run takes this page again
                after = last
                following = names[(names.index(name) + 1) % len(names)]
                self._store.keep_cursor(name if last else following, last)
                if not last:
                    break
            else:
                return

    def _follow(self, found: Sequence[Pointer]) -> bool:
        """Whether there was time for all of these."""
        by_connection: dict[str, list[Pointer]] = {}
        for pointer in found:
            if pointer.connection in self._planned.connections:
                by_connection.setdefault(pointer.connection, []).append(pointer)
        for name, some in by_connection.items():
            standings = self._standings(name, [pointer.ticket for pointer in some])
            for pointer in some:
                if self._deadline.left() <= TIME_S:
                    return False
                self._follower.take(pointer, standings.get(pointer.ticket))
        return True

    def _standings(self, name: str, tickets: Sequence[str]) -> Mapping[str, Standing]:
        """Of a system that does not answer: none, and it is not asked again in this run."""
        if name in self._silent:
            return {}
        try:
            return self._follower.ask(name, tickets)
        except (CallError, ConfigurationError) as error:
            self._silent.add(name)
            self._follower.counts["unanswered"] += 1
            extra = {"connection": name, "error": str(error)}
            observability.logger().warning("tickets cannot be followed", extra=extra)
            return {}

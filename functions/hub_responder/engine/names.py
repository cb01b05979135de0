"""The names that every expression sees, with the functions ``tag``, ``open`` and ``seen``.

A look-up that fails raises the `CallError` that it failed with; no answer is made up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hub_responder import calendars
from hub_responder.errors import ExpressionError
from hub_responder.ledger import history

if TYPE_CHECKING:
    from hub_responder.engine.grouping import Cause
    from hub_responder.finding import Finding, Resource
    from hub_responder.runtime import Runtime

_DAY_S = 86_400.0

ReadHistory = Callable[[str, float, float], list[str]]
"""(partition, from, to) -> the sort keys of the history items between these times."""


@dataclass(frozen=True, slots=True)
class Names:
    """Makes the names for one finding or incident.

    Args:
        runtime: of the invocation. read_history: reads the ledger.
    """

    runtime: Runtime
    read_history: ReadHistory
    _history: dict[tuple[str, float, float], list[str]] = field(default_factory=dict)

    def shared(self, cause: Cause, finding: Finding) -> dict[str, Any]:
        """The names that are there wherever an expression stands."""
        playbook = self.runtime.playbook

        def tag(key: str) -> str:
            """The value of a tag of the resource, from the finding or looked up; "" without it."""
            own = finding.resource.tags
            return own[key] if key in own else self._looked_up(finding.resource).get(key, "")

        def open_(calendar: str) -> bool:
            """Whether the calendar is open at the trigger's time."""
            return calendars.is_open(playbook.calendars, calendar, cause.at)

        def seen(days: float, closed_as: str = "") -> int:
            """How many other findings of the same threat on the same subject there were."""
            return self._seen(cause.at, finding, days, closed_as)

        return {
            "trigger": {
                "kind": cause.kind,
                "event_id": cause.event_id,
                "insight": cause.insight,
                "left_out": cause.left_out,
            },
            "now": cause.at,
            "params": playbook.params,
            "table": playbook.tables,
            "tag": tag,
            "open": open_,
            "seen": seen,
        }

    def prepare(self, findings: Iterable[Finding]) -> None:
        """Look up at once what the conditions on these findings will ask for."""
        if "tag" in self.runtime.playbook.functions:
            from hub_responder import lookup  # most playbooks look nothing up

            playbook = self.runtime.playbook
            resources = (finding.resource for finding in findings)
            lookup.prepare(resources, playbook.member_role, self.runtime.deadline)

    def _looked_up(self, resource: Resource) -> Mapping[str, str]:
        from hub_responder import lookup  # as above; it remembers what it was told

        return lookup.tags(resource, self.runtime.playbook.member_role, self.runtime.deadline)

    def _seen(self, at: float, finding: Finding, days: float, closed_as: str) -> int:
        if not 0 < days <= history.MAX_DAYS:
            raise ExpressionError(f"seen() takes up to {history.MAX_DAYS} days, not {days!r}")
        if closed_as and not history.CLOSED_AS.fullmatch(closed_as):
            raise ExpressionError(f"seen(): {closed_as[:40]!r} is no way to close: FALSE_POSITIVE")
        asked = (history.partition(finding), at - days * _DAY_S, at)
        if asked not in self._history:
            self._history[asked] = self.read_history(*asked)
        own = self.runtime.playbook.name
        what = history.closed(closed_as) if closed_as else history.handled(own)
        return history.count(self._history[asked], finding.id, what)

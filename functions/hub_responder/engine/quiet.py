"""The quiet period after a message: what joins is no new message, but what was told stays true.

Severity, exploit or verdict that got worse than what was told, and a click, break it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from hub_responder import clock
from hub_responder.engine.rounds import badness
from hub_responder.errors import UnreadableFinding
from hub_responder.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hub_responder.actions.base import Action, Work
    from hub_responder.engine.rounds import Round
    from hub_responder.incident import Incident
    from hub_responder.ledger.state import Member


def until(one: Round, action: Action, quiet: float) -> float:
    """When the quiet period ends (epoch seconds) that a step falls into; 0 where it falls in none.

    Args:
        quiet: how long it is (seconds), from the last message on.
    """
    told = one.state.told
    if not action.tells or not told or one.incident.clicked or one.got_worse():
        return 0.0
    if one.change() == "restored":
        return 0.0
    end = float(told.get("at", 0.0)) + quiet
    return end if clock.now() < end else 0.0


def whole(work: Work, members: Iterable[Member], end: float) -> Work:
    """``work`` over all live findings of its incident, to be told without a new message."""
    incident = grown(work.incident, members)
    scope = {**work.scope, "incident": incident, "finding": incident.findings[0]}
    return replace(work, incident=incident, scope=scope, quiet_until=end)


def grown(incident: Incident, members: Iterable[Member]) -> Incident:
    """``incident`` with those of ``members`` that are live, besides the findings that it has."""
    findings = {finding.id: finding for finding in incident.findings}
    for member in members:
        if not member.closed:
            with suppress(UnreadableFinding):  # written by other code; whoever takes it up tells
                finding = Finding.from_compact(dict(member.data))
                findings.setdefault(finding.id, finding)
    ordered = tuple(sorted(findings.values(), key=badness, reverse=True))
    return replace(
        incident,
        findings=ordered,
        severity=ordered[0].severity,
        count=max(incident.count, len(ordered)),
    )

"""The findings behind an insight: of the results that were selected, or all for a schedule."""

from __future__ import annotations

from hub_responder import insights
from hub_responder.errors import PermanentError, UnreadableFinding
from hub_responder.events import Trigger
from hub_responder.finding import Finding

MAX_FINDINGS = 200
"""Findings that one run takes, unreadable ones included (GetFindings: 3 calls/s)."""


def expand(trigger: Trigger) -> tuple[list[Finding], list[UnreadableFinding], str]:
    """The findings, those that cannot be read, and what was left out (or empty).

    Raises:
        TransientError: Security Hub cannot be asked now.
        PermanentError: the insight is gone, or groups by what cannot be filtered.
    """
    insight = trigger.insight
    scheduled = trigger.kind == "schedule"
    if insight is None or not (insight.values or scheduled):
        raise PermanentError("the insight has no results", target="securityhub.GetInsights")
    values = None if scheduled else [value for value, _ in insight.values]
    found = insights.expand(insight.arn, MAX_FINDINGS, values=values)
    return found.findings, found.unreadable, found.left_out

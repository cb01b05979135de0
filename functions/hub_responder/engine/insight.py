"""The findings behind an Insight Results event, which itself holds only values and counts.

GetInsights gives the insight's filters and what it groups by; GetFindings, with the selected values
added to the filters, its findings. Both are bounded: what is left out is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hub_responder import aws
from hub_responder.errors import PermanentError, UnreadableFinding
from hub_responder.events import Trigger, decode_finding
from hub_responder.finding import Finding

MAX_FINDINGS = 200
"""Findings that one insight click starts, unreadable ones included (GetFindings: 3 calls/s)."""
_PAGE = 100
_VALUES_AT_ONCE = 20
"""Values that one field of AwsSecurityFindingFilters takes (API reference, StringFilter lists)."""


def expand(trigger: Trigger) -> tuple[list[Finding], list[UnreadableFinding], str]:
    """The findings, those that cannot be read, and what was left out (or empty).

    Raises:
        TransientError: Security Hub cannot be asked now.
        PermanentError: the insight is gone, or groups by what cannot be filtered.
    """
    insight = trigger.insight
    if insight is None or not insight.values:
        raise PermanentError("the insight has no results", target="securityhub.GetInsights")
    client = aws.client("securityhub")
    try:
        found = client.get_insights(InsightArns=[insight.arn])["Insights"]
    except Exception as error:
        raise aws.translate(error, "securityhub.GetInsights") from error
    if not found:
        raise PermanentError(f"no insight {insight.arn}", target="securityhub.GetInsights")
    try:
        return _findings(client, found[0], [value for value, _ in insight.values])
    except Exception as error:
        raise aws.translate(error, "securityhub.GetFindings") from error


def _findings(
    client: Any, insight: dict[str, Any], values: list[str]
) -> tuple[list[Finding], list[UnreadableFinding], str]:
    findings: list[Finding] = []
    unreadable: list[UnreadableFinding] = []
    for number, raw in enumerate(_raw(client, insight, values)):
        if number == MAX_FINDINGS:
            left_out = f"only the first {MAX_FINDINGS} findings of the insight are handled"
            return findings, unreadable, left_out
        try:
            findings.append(decode_finding(raw))
        except UnreadableFinding as error:
            unreadable.append(error)
    return findings, unreadable, ""


def _raw(client: Any, insight: dict[str, Any], values: list[str]) -> Iterator[dict[str, Any]]:
    """The findings behind the values, page by page as they are taken."""
    for start in range(0, len(values), _VALUES_AT_ONCE):
        wanted = values[start : start + _VALUES_AT_ONCE]
        grouped = [{"Value": value, "Comparison": "EQUALS"} for value in wanted]
        filters = {**insight.get("Filters", {}), insight["GroupByAttribute"]: grouped}
        request: dict[str, Any] = {"Filters": filters, "MaxResults": _PAGE}
        while True:
            answer = client.get_findings(**request)
            yield from answer["Findings"]
            if not answer.get("NextToken"):
                break
            request["NextToken"] = answer["NextToken"]

"""The findings behind an Insight Results event, which itself holds only values and counts.

GetInsights gives the insight's filters and what it groups by; GetFindings, with the selected values
added to the filters, its findings. Both are bounded: what is left out is said.
"""

from __future__ import annotations

from typing import Any

from hub_responder import aws
from hub_responder.errors import PermanentError, UnreadableFinding
from hub_responder.events import Trigger, decode_finding
from hub_responder.finding import Finding

MAX_FINDINGS = 200
"""Findings that one insight click starts: two pages of GetFindings (3 calls a second)."""
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
    left_out = ""
    for start in range(0, len(values), _VALUES_AT_ONCE):
        wanted = values[start : start + _VALUES_AT_ONCE]
        grouped = [{"Value": value, "Comparison": "EQUALS"} for value in wanted]
        filters = {**insight.get("Filters", {}), insight["GroupByAttribute"]: grouped}
        request: dict[str, Any] = {"Filters": filters, "MaxResults": _PAGE}
        while True:
            answer = client.get_findings(**request)
            for raw in answer["Findings"]:
                try:
                    findings.append(decode_finding(raw))
                except UnreadableFinding as error:
                    unreadable.append(error)
            if "NextToken" not in answer:
                break
            request["NextToken"] = answer["NextToken"]
            if len(findings) >= MAX_FINDINGS:
                break
        if len(findings) >= MAX_FINDINGS and ("NextToken" in answer or wanted[-1] != values[-1]):
            left_out = f"only the first {len(findings)} findings of the insight are handled"
            break
    return findings, unreadable, left_out

"""An insight -> its findings: GetInsights gives its filters, GetFindings the findings.

Both are bounded: what is left out is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub_responder import aws
from hub_responder.errors import PermanentError, UnreadableFinding
from hub_responder.events import decode_finding

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline
    from hub_responder.finding import Finding

_PAGE = 100
_VALUES_AT_ONCE = 20
"""Values that one field of AwsSecurityFindingFilters takes (API reference, StringFilter lists)."""


@dataclass(frozen=True, slots=True)
class Expanded:
    """An insight's findings.

    Attributes:
        name: the insight's. findings: in Security Hub's order.
        unreadable: those that cannot be read.
        left_out: what was not read because of a bound, for people; or empty.
    """

    name: str
    findings: list[Finding]
    unreadable: list[UnreadableFinding]
    left_out: str


def expand(
    arn: str, most: int, *, values: Sequence[str] | None = None, deadline: Deadline | None = None
) -> Expanded:
    """The findings of the insight ``arn``.

    Args:
        most: how many are read, unreadable ones included.
        values: of what the insight groups by, only these; None: all.
        deadline: bounds the calls.

    Raises:
        TransientError: Security Hub cannot be asked now.
        PermanentError: the insight is gone, or groups by what cannot be filtered.
    """
    client = aws.client("securityhub")
    try:
        found = client.get_insights(InsightArns=[arn])["Insights"]
    except aws.ERRORS as error:
        raise aws.translate(error, "securityhub.GetInsights") from error
    if not found:
        raise PermanentError(f"no insight {arn[:200]}", target="securityhub.GetInsights")
    insight = found[0]
    read = Expanded(str(insight.get("Name", "")), [], [], "")
    try:
        for number, raw in enumerate(_raw(client, insight, values, deadline)):
            if number == most:
                left_out = f"only the first {most} findings of the insight are handled"
                return Expanded(read.name, read.findings, read.unreadable, left_out)
            try:
                read.findings.append(decode_finding(raw))
            except UnreadableFinding as error:
                read.unreadable.append(error)
    except aws.ERRORS as error:
        raise aws.translate(error, "securityhub.GetFindings") from error
    return read


def _raw(
    client: Any,
    insight: dict[str, Any],
    values: Sequence[str] | None,
    deadline: Deadline | None,
) -> Iterator[dict[str, Any]]:
    """The findings, page by page as they are taken."""
    for filters in _filters(insight, values):
        request: dict[str, Any] = {"Filters": filters, "MaxResults": _PAGE}
        while True:
            if deadline is not None:
                deadline.timeout(10.0, target="securityhub.GetFindings")
            answer = client.get_findings(**request)
            yield from answer["Findings"]
            if not answer.get("NextToken"):
                break
            request["NextToken"] = answer["NextToken"]


def _filters(insight: dict[str, Any], values: Sequence[str] | None) -> Iterator[dict[str, Any]]:
    own = insight.get("Filters", {})
    if values is None:
        yield own
        return
    for start in range(0, len(values), _VALUES_AT_ONCE):
        wanted = values[start : start + _VALUES_AT_ONCE]
        grouped = [{"Value": value, "Comparison": "EQUALS"} for value in wanted]
        yield {**own, insight["GroupByAttribute"]: grouped}

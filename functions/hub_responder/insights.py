"""An insight -> its findings: GetInsights gives its filters, GetFindings the findings.

Both are bounded: what is left out is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from hub_responder import aws, get_findings
from hub_responder.errors import PermanentError, UnreadableFinding
from hub_responder.events import decode_finding
from hub_responder.get_findings import VALUES_AT_ONCE

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline
    from hub_responder.finding import Finding


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
    insight = _insight(arn)
    read = Expanded(str(insight.get("Name", "")), [], [], "")
    filtered = (get_findings.found(one, deadline) for one in _filters(insight, values))
    for number, raw in enumerate(chain.from_iterable(filtered)):
        if number == most:
            left_out = f"only the first {most} findings of the insight are handled"
            return replace(read, left_out=left_out)
        try:
            read.findings.append(decode_finding(raw))
        except UnreadableFinding as error:
            read.unreadable.append(error)
    return read


def _insight(arn: str) -> dict[str, Any]:
    target = "securityhub.GetInsights"
    try:
        held = aws.client("securityhub").get_insights(InsightArns=[arn])["Insights"]
    except aws.ERRORS as error:
        raise aws.translate(error, target) from error
    if not held:
        raise PermanentError(f"no insight {arn[:200]}", target=target)
    found: dict[str, Any] = held[0]
    return found


def _filters(insight: dict[str, Any], values: Sequence[str] | None) -> Iterator[dict[str, Any]]:
    own = insight.get("Filters", {})
    if values is None:
        yield own
        return
    for start in range(0, len(values), VALUES_AT_ONCE):
        wanted = values[start : start + VALUES_AT_ONCE]
        grouped = [{"Value": value, "Comparison": "EQUALS"} for value in wanted]
        yield {**own, insight["GroupByAttribute"]: grouped}

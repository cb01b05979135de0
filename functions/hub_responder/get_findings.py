"""Security Hub's GetFindings, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from hub_responder import aws

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline

TARGET = "securityhub.GetFindings"
VALUES_AT_ONCE = 20
"""Values that one field of AwsSecurityFindingFilters takes (API reference, StringFilter lists)."""
PAGE = 100
_WORST_FIRST = [{"Field": "SeverityNormalized", "SortOrder": "desc"}]
"""The attribute is one of AwsSecurityFindingFilters; SeverityLabel sorts as text. Which attributes
SortCriterion takes is not documented; this one is in wide use."""


class Page(NamedTuple):
    """One answer: its findings, and whether there is another page."""

    findings: list[dict[str, Any]]
    more: bool


def found(filters: Mapping[str, Any], deadline: Deadline | None) -> Iterator[dict[str, Any]]:
    """The findings that ``filters`` name, as Security Hub holds them; a page is asked for when
    its first is taken.

    Raises:
        CallError: Security Hub cannot be asked, or no time is left.
    """
    return chain.from_iterable(page.findings for page in pages(filters, deadline))


def pages(
    filters: Mapping[str, Any], deadline: Deadline | None, *, worst_first: bool = False
) -> Iterator[Page]:
    """The answers one after the other, each asked for when it is taken; errors as `found`."""
    client = aws.client("securityhub")
    request: dict[str, Any] = {"Filters": filters, "MaxResults": PAGE}
    if worst_first:
        request["SortCriteria"] = _WORST_FIRST
    while True:
        if deadline is not None:
            deadline.timeout(10.0, target=TARGET)
        try:
            answer = client.get_findings(**request)
        except aws.ERRORS as error:
            raise aws.translate(error, TARGET) from error
        token = answer.get("NextToken")
        yield Page(answer["Findings"], bool(token))
        if not token:
            return
        request["NextToken"] = token

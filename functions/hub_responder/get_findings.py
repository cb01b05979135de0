"""Security Hub's GetFindings, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from hub_responder import aws

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline

TARGET = "securityhub.GetFindings"
VALUES_AT_ONCE = 20
"""Values that one field of AwsSecurityFindingFilters takes (API reference, StringFilter lists)."""
_PAGE = 100


def found(filters: Mapping[str, Any], deadline: Deadline | None) -> Iterator[dict[str, Any]]:
    """The findings that ``filters`` name, as Security Hub holds them; a page is asked for when
    its first is taken.

    Raises:
        CallError: Security Hub cannot be asked, or no time is left.
    """
    client = aws.client("securityhub")
    request: dict[str, Any] = {"Filters": filters, "MaxResults": _PAGE}
    while True:
        if deadline is not None:
            deadline.timeout(10.0, target=TARGET)
        try:
            answer = client.get_findings(**request)
        except aws.ERRORS as error:
            raise aws.translate(error, TARGET) from error
        yield from answer["Findings"]
        if not answer.get("NextToken"):
            return
        request["NextToken"] = answer["NextToken"]

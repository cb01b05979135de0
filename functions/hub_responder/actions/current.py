"""Findings as they are now: what a person did while a round had to wait must not be undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hub_responder import aws
from hub_responder.errors import UnreadableFinding
from hub_responder.events import decode_finding

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline
    from hub_responder.finding import Finding

_TARGET = "securityhub.GetFindings"
_IDS_AT_ONCE = 20
"""Values that one field of AwsSecurityFindingFilters takes (API reference, StringFilter lists)."""
_PAGE = 100


def current(findings: Sequence[Finding], deadline: Deadline) -> list[Finding]:
    """``findings`` with the workflow, record state, note and own fields that they have now.

    One that Security Hub does not know any more, or that cannot be read, stays as it is.

    Raises:
        CallError: Security Hub cannot be asked.
    """
    now: dict[tuple[str, str], Finding] = {}
    ids = list(dict.fromkeys(finding.id for finding in findings))
    for start in range(0, len(ids), _IDS_AT_ONCE):
        for raw in _asked(ids[start : start + _IDS_AT_ONCE], deadline):
            try:
                found = decode_finding(raw)
            except UnreadableFinding:
                continue
            now[found.id, found.product_arn] = found
    return [_as(finding, now.get((finding.id, finding.product_arn))) for finding in findings]


def _asked(ids: Sequence[str], deadline: Deadline) -> list[dict[str, Any]]:
    deadline.timeout(10.0, target=_TARGET)
    wanted = [{"Value": one, "Comparison": "EQUALS"} for one in ids]
    try:
        answer = aws.client("securityhub").get_findings(Filters={"Id": wanted}, MaxResults=_PAGE)
    except aws.ERRORS as error:
        raise aws.translate(error, _TARGET) from error
    found: list[dict[str, Any]] = answer["Findings"]
    return found


def _as(finding: Finding, now: Finding | None) -> Finding:
    if now is None:
        return finding
    return replace(
        finding,
        workflow=now.workflow,
        record_state=now.record_state,
        note=now.note,
        user_fields=now.user_fields,
        user_fields_whole=now.user_fields_whole,
    )

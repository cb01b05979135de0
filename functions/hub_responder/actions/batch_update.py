"""BatchUpdateFindings: the same change to many findings, and which of them it failed for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub_responder import aws
from hub_responder.errors import CallError, TransientError
from hub_responder.note import UPDATED_BY

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline
    from hub_responder.finding import Finding

TARGET = "securityhub.BatchUpdateFindings"
MAX_FINDINGS = 100
_PASSING = re.compile(r"ConcurrentUpdate|Internal|Throttl|TooMany|LimitExceeded|Unavailable")

Key = tuple[str, str]
"""How Security Hub names a finding: its id and product ARN."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is written; what is empty stays as it is. ``fields`` replace all that are there."""

    note: str = ""
    workflow: str = ""
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a finding was not written, and whether that may pass."""

    reason: str
    passing: bool
    retry_after: float | None = None


def apply(change: Change, findings: Sequence[Finding], deadline: Deadline) -> dict[Key, Refusal]:
    """Write ``change`` to ``findings``, 100 to a call.

    Returns:
        Those that were not written, with the reason. Nothing is raised for a call that fails: its
        findings are refused, others are written.
    """
    keys = list(dict.fromkeys((finding.id, finding.product_arn) for finding in findings))
    refusals: dict[Key, Refusal] = {}
    for start in range(0, len(keys), MAX_FINDINGS):
        refusals |= _call(change, keys[start : start + MAX_FINDINGS], deadline)
    return refusals


def _call(change: Change, keys: Sequence[Key], deadline: Deadline) -> dict[Key, Refusal]:
    try:
        deadline.timeout(10.0, target=TARGET)
        client = aws.client("securityhub")
        answer = client.batch_update_findings(**_request(change, keys))
    except aws.ERRORS as error:
        return _all_refused(keys, aws.translate(error, TARGET))
    except TransientError as error:
        return _all_refused(keys, error)
    return dict(_refused(item) for item in answer.get("UnprocessedFindings", ()))


def _all_refused(keys: Sequence[Key], error: CallError) -> dict[Key, Refusal]:
    passing = isinstance(error, TransientError)
    wait = error.retry_after if isinstance(error, TransientError) else None
    return dict.fromkeys(keys, Refusal(str(error), passing, wait))


def _refused(item: Mapping[str, Any]) -> tuple[Key, Refusal]:
    named = item.get("FindingIdentifier", {})
    code = str(item.get("ErrorCode", "unknown"))[:80]
    return (
        (named.get("Id", ""), named.get("ProductArn", "")),
        Refusal(code, bool(_PASSING.search(code))),
    )


def _request(change: Change, keys: Sequence[Key]) -> dict[str, Any]:
    request: dict[str, Any] = {
        "FindingIdentifiers": [{"Id": name, "ProductArn": product} for name, product in keys]
    }
    if change.note:
        request["Note"] = {"Text": change.note, "UpdatedBy": UPDATED_BY}
    if change.workflow:
        request["Workflow"] = {"Status": change.workflow}
    if change.fields:
        request["UserDefinedFields"] = dict(change.fields)
    return request

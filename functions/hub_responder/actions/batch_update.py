"""BatchUpdateFindings: the same change to many findings, and which of them it failed for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hub_responder import aws
from hub_responder.actions.base import THREADS, Outcome, Statement, Status
from hub_responder.errors import CallError, TransientError
from hub_responder.markdown.characters import clean, one_line, shorten
from hub_responder.note import UPDATED_BY

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline
    from hub_responder.finding import Finding

TARGET = "securityhub.BatchUpdateFindings"
MAX_FINDINGS = 100
_PASSING = re.compile(r"ConcurrentUpdate|Internal|Throttl|TooMany|LimitExceeded|Unavailable")

MAX_FIELDS = 50
"""UserDefinedFields of one finding."""
MAX_FIELD_VALUE = 1024
SETTLED = frozenset({"RESOLVED", "SUPPRESSED"})
"""Workflows in which somebody is done with a finding."""

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


@dataclass(slots=True)
class Progress:
    """What became of one incident's findings: left as they were, written (with which notes),
    refused."""

    left: int = 0
    updated: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)

    @property
    def sent(self) -> dict[str, str]:
        """The notes that were written, each once, for the trail."""
        text = "\n".join(filter(None, self.notes))
        return {"securityhub": text} if text else {}

    def outcome(self, detail: str, result: Mapping[str, Any]) -> Outcome:
        """What that means for the step: again where a refusal may pass; done if any was written."""
        passing = [refusal for refusal in self.refusals if refusal.passing]
        if passing:
            waits = [refusal.retry_after for refusal in passing if refusal.retry_after]
            wait = max(waits) if waits else None
            return Outcome("deferred", detail, result=result, retry_after=wait, sent=self.sent)
        if self.refusals and not self.updated:
            return Outcome("failed", detail, result=result)
        status: Status = "done" if self.updated else "skipped"
        return Outcome(status, detail, result=result, sent=self.sent)

    def reasons(self) -> str:
        """Why findings were refused: each reason once."""
        return "; ".join(sorted({refusal.reason for refusal in self.refusals}))


Wanted = Sequence[tuple["Finding", Change | None]]
"""The findings of one incident, each with what it is to get; None leaves it as it is."""


def write(wanted: Sequence[Wanted], deadline: Deadline) -> list[Progress]:
    """Write what each incident's findings are to get, in as few calls as their values allow.

    Findings of several incidents that get the same values share a call.
    """
    progress = [Progress() for _ in wanted]
    owners: dict[Change, list[tuple[int, Finding]]] = {}
    for index, findings in enumerate(wanted):
        for finding, change in findings:
            if change is None:
                progress[index].left += 1
            else:
                owners.setdefault(change, []).append((index, finding))
    for change, owned, refusals in _apply_all(owners, deadline):
        for index, finding in owned:
            refusal = refusals.get((finding.id, finding.product_arn))
            if refusal is None:
                progress[index].updated += 1
                progress[index].notes[change.note] = None
            else:
                progress[index].refusals.append(refusal)
    return progress


_Owned = Sequence[tuple[int, "Finding"]]


def _apply_all(
    owners: Mapping[Change, _Owned], deadline: Deadline
) -> list[tuple[Change, _Owned, dict[Key, Refusal]]]:
    """Each distinct change with what it was refused for; several at a time."""

    def one(item: tuple[Change, _Owned]) -> dict[Key, Refusal]:
        change, owned = item
        return apply(change, [finding for _, finding in owned], deadline)

    items = list(owners.items())
    if len(items) <= 1:
        return [(change, owned, one((change, owned))) for change, owned in items]
    with ThreadPoolExecutor(max_workers=min(THREADS, len(items))) as pool:
        return list(zip(owners, owners.values(), pool.map(one, items), strict=True))


def merged(finding: Finding, ours: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Its own fields with ours; empty where writing them could lose somebody else's."""
    if not finding.user_fields_whole:
        return ()
    fields = {**finding.user_fields, **{name: field_text(text) for name, text in ours.items()}}
    return tuple(sorted(fields.items())) if len(fields) <= MAX_FIELDS else ()


def field_text(text: str) -> str:
    """``text`` as a field can hold it: one line, at most 1,024 characters."""
    return shorten(one_line(clean(text)).strip(), MAX_FIELD_VALUE)


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


def permissions(
    _params: Mapping[str, Any], _connections: Mapping[str, Mapping[str, Any]]
) -> list[Statement]:
    """Updating findings in this account's hub, and reading those that had to wait."""
    hub = "arn:${AWS::Partition}:securityhub:${AWS::Region}:${AWS::AccountId}:hub/default"
    return [
        {
            "Effect": "Allow",
            "Action": ["securityhub:BatchUpdateFindings", "securityhub:GetFindings"],
            "Resource": [{"Fn::Sub": hub}],
        }
    ]

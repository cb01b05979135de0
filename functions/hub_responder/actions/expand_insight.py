"""``insight.expand``: the findings of an insight, as rows for a message or a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from hub_responder import insights
from hub_responder.actions.base import (
    MAX_RESULT,
    Action,
    Outcome,
    Statement,
    Work,
    attempt,
    fitting,
    line,
)
from hub_responder.clock import iso
from hub_responder.values import clean

if TYPE_CHECKING:
    from hub_responder.finding import Finding
    from hub_responder.runtime import Runtime

MAX_ROWS = 100
"""Rows are kept in the ledger, which has 400 KB for an incident."""
MAX_READ = 1000
MAX_CVES = 5
DAY_S = 86_400.0

_Arn = Annotated[str, msgspec.Meta(pattern=r"^arn:aws[a-z-]*:securityhub:[^:]*:[^:]*:insight/.+$")]


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``insight`` is its ARN (Security Hub's own ones too); ``most`` rows are given (1 to 100).

    ``recent_days``: what was first seen within so many days before the run counts as recent.
    """

    insight: _Arn
    most: Annotated[int, msgspec.Meta(ge=1, le=MAX_ROWS)] = 50
    recent_days: Annotated[int, msgspec.Meta(ge=1, le=90)] = 7


class Row(msgspec.Struct, frozen=True):
    """One finding; ``resource`` is its id, ``name`` its Name tag; times are ISO 8601.

    ``first_seen`` is empty and ``exploit_available`` null where the finding does not say.
    """

    id: str
    title: str
    severity: str
    account: str
    region: str
    resource: str
    resource_type: str
    name: str
    product: str
    workflow: str
    updated: str
    first_seen: str = ""
    exploit_available: bool | None = None
    cves: tuple[str, ...] = ()


class Result(msgspec.Struct, frozen=True):
    """The worst findings as ``findings`` (rows), and what all that were read (1,000 at most) are.

    ``count`` were read, ``by_severity`` counts them by label, ``exploitable`` those with a known
    exploit, ``recent`` those first seen lately. ``oldest`` was seen first of all that say. Rows
    have room up to 14,000 bytes. ``left_out`` says what is not among them, or is empty.
    """

    name: str
    count: int
    findings: tuple[Row, ...] = ()
    by_severity: dict[str, int] = {}
    resources: int = 0
    exploitable: int = 0
    recent: int = 0
    oldest: Row | None = None
    left_out: str = ""


def run(works: Sequence[Work], runtime: Runtime) -> list[Outcome]:
    """Read each distinct insight once."""
    read: dict[str, insights.Expanded] = {}

    def one(work: Work) -> Outcome:
        params: Params = work.params
        if params.insight not in read:
            read[params.insight] = insights.expand(
                params.insight, MAX_READ, deadline=runtime.deadline
            )
        since = runtime.now - params.recent_days * DAY_S
        result = _result(read[params.insight], params.most, since)
        said = f"{result.count} findings of {result.name}"
        if result.left_out:
            said += f"; {result.left_out}"
        return Outcome("done", line(said), result=msgspec.to_builtins(result))

    return [attempt(one, work) for work in works]


def _result(found: insights.Expanded, most: int, since: float) -> Result:
    ordered = sorted(found.findings, key=_badness, reverse=True)
    seen = [(f.first_seen, f) for f in ordered if f.first_seen is not None]
    oldest = min(seen, key=lambda one: one[0])[1] if seen else None
    severities = Counter(str(finding.severity) for finding in ordered)
    result = Result(
        name=clean(found.name, 128),
        count=len(ordered),
        by_severity=dict(severities),
        resources=len({finding.resource.id for finding in ordered}),
        exploitable=sum(bool(finding.exploit_available) for finding in ordered),
        recent=sum(at >= since for at, _ in seen),
        oldest=_row(oldest) if oldest is not None else None,
    )
    rows = fitting(map(_row, ordered[:most]), MAX_RESULT - len(msgspec.json.encode(result)))
    said = [found.left_out] if found.left_out else []
    if len(ordered) > len(rows):
        said.append(f"{len(ordered) - len(rows)} less severe findings are counted but not listed")
    if found.unreadable:
        said.append(f"{len(found.unreadable)} findings cannot be read")
    return msgspec.structs.replace(result, findings=rows, left_out="; ".join(said))


def _badness(finding: Finding) -> tuple[int, bool, float]:
    return finding.severity.rank, bool(finding.exploit_available), finding.updated


def _row(finding: Finding) -> Row:
    resource = finding.resource
    return Row(
        id=clean(finding.id, 512),
        title=clean(finding.title, 160),
        severity=str(finding.severity),
        account=finding.account.id,
        region=finding.region,
        resource=clean(resource.id, 256),
        resource_type=resource.type,
        name=clean(resource.name, 80),
        product=clean(finding.product, 64),
        workflow=finding.workflow,
        updated=iso(finding.updated),
        first_seen=iso(finding.first_seen) if finding.first_seen is not None else "",
        exploit_available=finding.exploit_available,
        cves=finding.cves[:MAX_CVES],
    )


def permissions(
    _with: Mapping[str, Any], _connections: Mapping[str, Mapping[str, Any]]
) -> list[Statement]:
    """Reading insights and findings, in this account's hub."""
    hub = "arn:${AWS::Partition}:securityhub:${AWS::Region}:${AWS::AccountId}:hub/default"
    reads = ["securityhub:GetFindings", "securityhub:GetInsights"]
    return [{"Effect": "Allow", "Action": reads, "Resource": [{"Fn::Sub": hub}]}]


ACTION = Action(
    name="insight.expand",
    summary="Reads the findings of an insight: the worst as rows, all of them counted.",
    effects=False,
    params=Params,
    result=Result,
    permissions=permissions,
    example="""\
- id: held
  uses: insight.expand
  with: {insight: "arn:aws:securityhub:::insight/securityhub/default/10", most: 20}
""",
    run=run,
)

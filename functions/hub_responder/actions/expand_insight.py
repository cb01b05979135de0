"""``insight.expand``: the findings of an insight, as rows for a message or a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from hub_responder import insights
from hub_responder.actions.base import Action, Outcome, Statement, Work, attempt, line
from hub_responder.clock import iso
from hub_responder.values import clean

if TYPE_CHECKING:
    from hub_responder.finding import Finding
    from hub_responder.runtime import Runtime

MAX_ROWS = 100
"""Rows are kept in the ledger, which has 400 KB for an incident."""
MAX_READ = 1000
MAX_CVES = 5

_Arn = Annotated[str, msgspec.Meta(pattern=r"^arn:aws[a-z-]*:securityhub:[^:]*:[^:]*:insight/.+$")]


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``insight`` is its ARN (Security Hub's own ones too); ``most`` rows are given (1 to 100)."""

    insight: _Arn
    most: Annotated[int, msgspec.Meta(ge=1, le=MAX_ROWS)] = 50


class Row(msgspec.Struct, frozen=True):
    """One finding; ``resource`` is its id, ``name`` its Name tag, ``updated`` ISO 8601."""

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
    cves: tuple[str, ...] = ()


class Result(msgspec.Struct, frozen=True):
    """The worst findings as ``findings`` (rows), and what all that were read (1,000 at most) are.

    ``count`` were read, ``by_severity`` counts them by label. ``left_out`` says what is not among
    the rows, or is empty.
    """

    name: str
    count: int
    findings: tuple[Row, ...] = ()
    by_severity: dict[str, int] = {}
    resources: int = 0
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
        result = _result(read[params.insight], params.most)
        said = f"{result.count} findings of {result.name}"
        if result.left_out:
            said += f"; {result.left_out}"
        return Outcome("done", line(said), result=msgspec.to_builtins(result))

    return [attempt(one, work) for work in works]


def _result(found: insights.Expanded, most: int) -> Result:
    ordered = sorted(found.findings, key=_badness, reverse=True)
    said = [found.left_out] if found.left_out else []
    if len(ordered) > most:
        said.append(f"{len(ordered) - most} less severe findings are counted but not listed")
    if found.unreadable:
        said.append(f"{len(found.unreadable)} findings cannot be read")
    severities = Counter(str(finding.severity) for finding in ordered)
    return Result(
        name=clean(found.name, 128),
        count=len(ordered),
        findings=tuple(map(_row, ordered[:most])),
        by_severity=dict(severities),
        resources=len({finding.resource.id for finding in ordered}),
        left_out="; ".join(said),
    )


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
- id: open
  uses: insight.expand
  with: {insight: "arn:aws:securityhub:::insight/securityhub/default/10", most: 20}
""",
    run=run,
)

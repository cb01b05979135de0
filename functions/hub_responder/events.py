"""From a message's body to what triggered a playbook.

The body of an SQS message is the whole EventBridge event. Sources: Security Hub user guide,
"EventBridge event formats" (both editions) and captured events; where they differ, as about the
keys of insight results, both are read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from hub_responder.asff import decode_asff
from hub_responder.errors import UnreadableEvent, UnreadableFinding
from hub_responder.fields import Fields, Origin, Report
from hub_responder.identifiers import ACCOUNT, REGION
from hub_responder.ocsf import decode_ocsf, is_ocsf
from hub_responder.strictjson import parse, writable
from hub_responder.values import clean, kind

if TYPE_CHECKING:
    from hub_responder.finding import Finding, Problem

Kind = Literal["imported", "custom_action", "insight", "schedule"]

MAX_BYTES = 1 << 20
"""1 MiB: the largest message that SQS carries; EventBridge's events are smaller."""
MAX_DEPTH = 64
"""Objects and lists in each other that a finding may have; real ones have under 15."""

SCHEDULE_SOURCE, SCHEDULE_EVENT = "hub-responder", "Scheduled Run"
"""What the schedules of the template send: an event of our own, in EventBridge's envelope."""
_HUB = "aws.securityhub"
_KINDS: dict[tuple[str, str], Kind] = {
    (_HUB, "Security Hub Findings - Imported"): "imported",
    (_HUB, "Findings Imported V2"): "imported",
    (_HUB, "Security Hub Findings - Custom Action"): "custom_action",
    (_HUB, "Security Hub Insight Results"): "insight",
    (SCHEDULE_SOURCE, SCHEDULE_EVENT): "schedule",
}
_FINDING_ARN = re.compile(
    r"(arn:[^:]+:securityhub:[^:]*:[^:]*:product/[^/]+/[^/]+)/(.+)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class ClickedAction:
    """The custom action that an analyst used; ``id`` is the tail of its ARN."""

    name: str
    description: str
    arn: str
    id: str


@dataclass(frozen=True, slots=True)
class Insight:
    """An insight's results that an analyst sent: resource identifiers and their finding counts."""

    arn: str
    name: str
    result_type: str
    values: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Trigger:
    """What started a run.

    Attributes:
        event_id: EventBridge's; equal when the same event is delivered again.
        at: the event's time (epoch seconds).
        account, region: where the event came from, which is not where the findings are.
        action: for clicks, also on insights; None for imports and schedules.
        insight: whose findings must be asked for; a schedule's has neither name nor values.
        findings: the readable ones; empty for insights and schedules.
        unreadable: why the others are not.
        problems: what was dropped of the event itself.
        by: the ARN of the custom action or schedule; an event about an import names no rule.
    """

    kind: Kind
    event_id: str
    at: float
    account: str
    region: str
    action: ClickedAction | None
    insight: Insight | None
    findings: tuple[Finding, ...]
    unreadable: tuple[UnreadableFinding, ...]
    problems: tuple[Problem, ...]
    raw: dict[str, Any]
    by: str = ""


def decode(body: str | bytes) -> Trigger:
    """The trigger that ``body`` holds. One unreadable finding leaves the others readable.

    Raises:
        UnreadableEvent: it is no JSON, is over 1 MiB, or is no event of Security Hub.
    """
    data = body if isinstance(body, bytes) else body.encode("utf-8", "replace")
    if len(data) > MAX_BYTES:
        raise UnreadableEvent(
            f"the message has {len(data):,} bytes; at most {MAX_BYTES:,} are read"
        )
    event = parse(data)
    if not isinstance(event, dict):
        raise UnreadableEvent(f"an event is a JSON object; this is {kind(event)}")
    return _trigger(event, deep=data.count(b"{") + data.count(b"[") > MAX_DEPTH)


def decode_finding(raw: dict[str, Any], origin: Origin | None = None) -> Finding:
    """The finding that ``raw`` is, in whichever schema; for findings from calls, as GetFindings.

    Raises:
        UnreadableFinding: it is neither schema, lacks what is essential, or nests too deeply.
    """
    _check_depth(raw)
    return _decode_finding(writable(raw), origin)


def _decode_finding(raw: dict[str, Any], origin: Origin | None) -> Finding:
    return decode_ocsf(raw, origin) if is_ocsf(raw) else decode_asff(raw, origin)


def _trigger(event: dict[str, Any], *, deep: bool) -> Trigger:
    report = Report()
    top = Fields(event, "", report)
    kind_of = _kind(top)
    event_id, at, detail = top.text("id", 128), top.time("time"), top.child("detail")
    if not event_id or at is None or not detail:
        key = "detail" if event_id and at is not None else "time" if event_id else "id"
        raise UnreadableEvent(f"the event's {key} is missing or unusable")
    region = top.matching("region", REGION)
    named = next(iter(top.texts("resources", 20, 4096)), "")
    findings: list[Finding] = []
    unreadable: list[UnreadableFinding] = []
    if kind_of in ("imported", "custom_action"):
        origin = _origin(kind_of, named, region, at)
        _read_findings(detail, origin, findings, unreadable, deep=deep)
    return Trigger(
        kind=kind_of,
        event_id=event_id,
        at=at,
        account=top.matching("account", ACCOUNT),
        region=region,
        action=_action(detail, named) if kind_of in ("custom_action", "insight") else None,
        insight=_insight(detail, kind_of),
        findings=tuple(findings),
        unreadable=tuple(unreadable),
        problems=tuple(report.problems),
        raw=event,
        by="" if kind_of == "imported" else named,
    )


def _kind(top: Fields) -> Kind:
    source, what = top.text("source", 128), top.text("detail-type", 128)
    known = _KINDS.get((source, what))
    if known:
        return known
    if source == "aws.inspector2":
        raise UnreadableEvent(
            "this is Amazon Inspector's own event; hub-responder takes Security Hub's, "
            "'Security Hub Findings - Imported'"
        )
    raise UnreadableEvent(
        f"this is no event of Security Hub that we know: source {source!r}, detail-type {what!r}"
    )


def _origin(kind_of: Kind, named: str, region: str, at: float) -> Origin:
    """An imported event holds one finding and names it; a click's ``resources`` name the action."""
    match = _FINDING_ARN.fullmatch(named) if kind_of == "imported" else None
    if match is None:
        return Origin(region=region if kind_of == "imported" else "", at=at)
    return Origin(id=match[2], product_arn=match[1], region=region, at=at)


def _read_findings(
    detail: Fields,
    origin: Origin,
    findings: list[Finding],
    unreadable: list[UnreadableFinding],
    *,
    deep: bool,
) -> None:
    """Decode ``detail.findings`` into the two lists; ``deep`` where nesting must be looked at."""
    raws = detail.node.get("findings")
    if not isinstance(raws, list) or not raws:
        raise UnreadableEvent(f"detail.findings is {kind(raws)}, not a list of findings")
    if len(raws) > 1:
        origin = Origin(at=origin.at)
    for raw in raws:
        try:
            if deep:
                _check_depth(raw)
            findings.append(_decode_finding(raw, origin))
        except UnreadableFinding as error:
            unreadable.append(error)


def _check_depth(raw: Any) -> None:
    """Refuse what later writing, comparing or hashing could not walk.

    Raises:
        UnreadableFinding: more than `MAX_DEPTH` levels, at the top-level field it names.
    """
    if not isinstance(raw, dict):
        return
    for key, value in raw.items():
        level, depth = [value], 1
        while level := [item for node in level for item in _inside(node)]:
            depth += 1
            if depth > MAX_DEPTH:
                reason = f"nests over {MAX_DEPTH} objects and lists in each other"
                raise Report(_id_of(raw)).unreadable(key, reason)


def _id_of(raw: dict[str, Any]) -> str:
    top = Fields(raw, "", Report())
    return top.text("Id", 512) or top.child("finding_info").text("uid", 512)


def _inside(node: Any) -> list[Any]:
    """The objects and lists right in ``node``."""
    values = node.values() if type(node) is dict else node if type(node) is list else ()
    return [value for value in values if type(value) in (dict, list)]


def _action(detail: Fields, arn: str) -> ClickedAction:
    """The documentation's sample of insight results names a product instead: no id then."""
    return ClickedAction(
        name=detail.text("actionName"),
        description=detail.text("actionDescription", 1024),
        arn=arn,
        id=arn.rsplit("/", 1)[-1] if ":action/" in arn else "",
    )


def _insight(detail: Fields, kind_of: Kind) -> Insight | None:
    if kind_of not in ("insight", "schedule"):
        return None
    arn = detail.text("insightArn", 1024)
    if not arn and kind_of == "schedule":
        return None
    if not arn:
        raise UnreadableEvent(
            "detail.insightArn is missing or unusable: nothing names the findings"
        )
    values = []
    for item in detail.children("insightResults", 100):
        for value in list(item.node)[:1]:
            count = item.number(value, 0, 10**9)
            if value and count is not None:
                values.append((clean(value, 1024), int(count)))
    return Insight(arn, detail.text("insightName"), detail.text("resultType"), tuple(values))

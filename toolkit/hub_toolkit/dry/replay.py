"""An event against playbooks: which rules match and why not, each decision, all that is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder.events import SCHEDULE_EVENT
from hub_responder.patterns.pattern import Pattern
from hub_toolkit.dry import givens, stimuli
from hub_toolkit.dry.judge import ended
from hub_toolkit.dry.traffic import Call, Delivery
from hub_toolkit.dry.trial import Seen, put, start
from hub_toolkit.playbooks import rules
from hub_toolkit.trip import outcome

if TYPE_CHECKING:
    from hub_responder.finding import Finding
    from hub_toolkit.dry.cases import Given
    from hub_toolkit.dry.trial import Bench
    from hub_toolkit.dry.world import World
    from hub_toolkit.playbooks.format import Source
    from hub_toolkit.sandbox.identifiers import Place

Event = Mapping[str, Any]


class Why(msgspec.Struct, frozen=True):
    """A field that keeps the event from matching; ``said`` is it in words."""

    path: str
    wanted: list[Any]
    found: list[Any]
    said: str


class Rule(msgspec.Struct, frozen=True):
    """A rule of a playbook, and the event."""

    rule: str
    matched: bool
    why_not: list[Why]


class Condition(msgspec.Struct, frozen=True):
    """A condition of the playbook or of a step, and what it came to; None: it was not told."""

    expression: str
    value: bool | None
    step: str = ""
    finding: str = ""


class Step(msgspec.Struct, frozen=True, rename={"if_": "if"}):
    """A step: its condition, how it ended and why, and its result."""

    id: str
    uses: str
    if_: str | None
    status: str
    detail: str
    result: dict[str, Any]


class Incident(msgspec.Struct, frozen=True):
    """What became of an incident: done, failed, deferred, skipped, closed, repeat."""

    incident: str | None
    status: str
    findings: list[str]
    steps: list[Step]


class Played(msgspec.Struct, frozen=True):
    """One playbook and the event.

    Attributes:
        skipped: why findings were not handled. requests: what other programs get.
        calls: requests to others, in their order.
        bookkeeping: how many calls kept the responder's own state, by operation.
        refused: what another system did not take. crashes: tracebacks.
    """

    playbook: str
    matched: bool
    rules: list[Rule]
    conditions: list[Condition]
    skipped: list[str]
    incidents: list[Incident]
    messages: list[Delivery]
    tickets: list[Delivery]
    requests: list[Delivery]
    calls: list[Call]
    bookkeeping: dict[str, int]
    refused: list[dict[str, Any]]
    crashes: list[str]


class Change(msgspec.Struct, frozen=True):
    """A finding before and after, as Security Hub holds it: workflow, note, our own fields."""

    id: str
    title: str
    severity: str
    workflow: list[str]
    note: list[str]
    fields: dict[str, str]


class Replayed(msgspec.Struct, frozen=True):
    """What would have been done with an event."""

    event_id: str
    kind: str
    time: str
    account: str
    region: str
    findings: list[Change]
    playbooks: list[Played]

    @property
    def failed(self) -> bool:
        """A step fails, or a function."""
        return any(
            one.crashes or any(incident.status == outcome.FAILED for incident in one.incidents)
            for one in self.playbooks
        )


def replay(event: Event, sources: Sequence[Source], where: Bench, given: Given | None) -> Replayed:
    """Replay ``event`` on a deployment of ``sources`` of its own.

    Args:
        given: the estate; None: the sandbox's invented one.

    Raises:
        Restless: it does not come to an end.
    """
    findings = stimuli.findings_of(event)
    at = stimuli.time_of(event)
    world = where.world(sources, at)
    try:
        if given is None:
            _sandbox_estate(world)
        else:
            givens.furnish(world, given, findings)
        seen = Seen()
        world.learn(event)
        before = {finding.id: world.finding(finding.id) for finding in findings}
        _put(world, event, sources, findings, seen)
        played = [_played(source, seen) for source in sources]
    finally:
        world.close()
    after = seen.findings
    return Replayed(
        event_id=str(event.get("id", "")),
        kind=str(event.get("detail-type", "")),
        time=str(event.get("time", "")),
        account=str(event.get("account", "")),
        region=str(event.get("region", "")),
        findings=[_change(name, before.get(name, {}), after[name]) for name in after],
        playbooks=played,
    )


def matching(source: Source, event: Event, place: Place) -> list[str]:
    """The kinds of a playbook's rules that an event matches where it is deployed, as ``action``."""
    if event.get("detail-type") == SCHEDULE_EVENT:
        return ["schedule"] if event["detail"].get("playbook") == source.name else []
    action = source.on.custom_action
    patterns = {"imported": rules.imported(source.on), "lifecycle": rules.lifecycle(source.on)}
    if action is not None:
        arn = place.arn("securityhub", f"action/custom/{action.id}")
        patterns["action"] = rules.action(arn)
    return [
        kind
        for kind, pattern in patterns.items()
        if pattern is not None and Pattern.compile(pattern).matches_event(event)
    ]


def _put(
    world: World,
    event: Event,
    sources: Sequence[Source],
    findings: Sequence[Finding],
    seen: Seen,
) -> None:
    """Put the event on the bus; a schedule's comes by none, but from its playbook's schedule."""
    if event.get("detail-type") != SCHEDULE_EVENT:
        put(world, event, findings, seen)
        return
    chosen = str(event["detail"].get("playbook", ""))
    if _has_schedule(sources, chosen):
        start(world, chosen, seen)


def _has_schedule(sources: Sequence[Source], name: str) -> bool:
    return any(source.name == name and source.on.schedule is not None for source in sources)


def _sandbox_estate(world: World) -> None:
    from hub_toolkit.sandbox import estate

    known = estate.load()
    known.furnish(world.simulators.vision_ones, world.simulators.workload_securities)
    known.provide(world.core.members)


def _played(source: Source, seen: Seen) -> Played:
    name = source.name
    records = [record for record in seen.records if record.get("playbook") == name]
    calls = [call for call in seen.calls if call.playbook == name]
    deliveries = [one for one in seen.deliveries if one.playbook == name]
    matched = seen.rules_of(name)
    return Played(
        playbook=name,
        matched=bool(matched),
        rules=[
            *(Rule(kind, matched=True, why_not=[]) for kind in matched),
            *(
                Rule(kind, False, [Why(w.path, w.wanted, w.found, str(w)) for w in why])
                for kind, why in seen.mismatches_of(name).items()
            ),
        ],
        conditions=list(_conditions(source, records)),
        skipped=[str(one["detail"]) for one in records if _passed_over(one)],
        incidents=list(_incidents(source, records)),
        messages=[one for one in deliveries if one.kind in ("message", "update")],
        tickets=[one for one in deliveries if one.kind == "ticket"],
        requests=[one for one in deliveries if one.kind == "request"],
        calls=[call for call in calls if not call.bookkeeping],
        bookkeeping=dict(sorted(Counter(c.connection for c in calls if c.bookkeeping).items())),
        refused=[one for one in seen.refused if one["playbook"] == name],
        crashes=[text for playbook, text in seen.crashes if playbook == name],
    )


def _passed_over(record: Mapping[str, Any]) -> bool:
    return record["kind"] in {"skipped", "unreadable", "dead"} and bool(record.get("detail"))


def _conditions(source: Source, records: Iterable[Mapping[str, Any]]) -> Iterable[Condition]:
    """Those that the trail tells of, and those of steps, which their outcomes tell of."""
    for record in records:
        for expression, value in (record.get("conditions") or {}).items():
            for finding in record.get("findings") or [""]:
                yield Condition(str(expression), bool(value), finding=str(finding))
    ends = ended(records)
    for step in source.steps:
        for one in ends.get(step.id, ()) if step.if_ is not None else ():
            yield Condition(str(step.if_), truth(one.status, one.detail), step=step.id)


def truth(status: str, detail: str) -> bool | None:
    """What a step's condition came to, as its outcome tells; None: it was not evaluated."""
    if detail.startswith("not so: "):
        return False
    untold = ("could not decide", "waits for", "no time left", "a step before it stopped")
    return None if status != "done" and detail.startswith(untold) else True


def _incidents(source: Source, records: Sequence[Mapping[str, Any]]) -> Iterable[Incident]:
    conditions = {step.id: step.if_ for step in source.steps}
    for entry in outcome.entries("", (), records) if records else ():
        own = [record for record in records if record.get("incident") == entry.incident]
        steps = [
            Step(one.step, one.uses, conditions.get(one.step), one.status, one.detail,
                 dict(one.result))
            for ends in ended(own).values() for one in ends
        ]  # fmt: skip
        yield Incident(entry.incident, entry.status, list(entry.finding_ids), steps)


def _change(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Change:
    def both(*path: str) -> list[str]:
        texts = []
        for raw in (before, after):
            value: Any = raw
            for key in path:
                value = value.get(key) if isinstance(value, Mapping) else None
            texts.append("" if value is None else str(value))
        return texts

    fields = after.get("UserDefinedFields")
    held = before.get("UserDefinedFields")
    known = held if isinstance(held, Mapping) else {}
    return Change(
        id=name,
        title=str(after.get("Title", "")),
        severity=str((after.get("Severity") or {}).get("Label", "")),
        workflow=both("Workflow", "Status"),
        note=both("Note", "Text"),
        fields={
            str(key): str(value)
            for key, value in (fields.items() if isinstance(fields, Mapping) else ())
            if known.get(key) != value
        },
    )

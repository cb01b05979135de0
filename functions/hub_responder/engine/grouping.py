"""Findings -> arrivals at incidents: which resource matched, and what ``group_by`` says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub_responder.errors import ExpressionError
from hub_responder.expressions import text_of
from hub_responder.finding import Finding
from hub_responder.ledger import keys
from hub_responder.ledger.decide import Arrival, Arrived
from hub_responder.playbook import Playbook

MAX_MEMBERS = 40
"""Findings of one arrival: two items each and the incident's fit a transaction of 100 items."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What brought findings: kind of trigger, id and time of its event, who waits for an answer."""

    kind: str
    event_id: str
    at: float
    clicked: bool = False


@dataclass(slots=True)
class Group:
    """Findings that came together for one incident, by their sort keys."""

    pk: str
    values: tuple[str, ...]
    cause: Cause
    findings: dict[str, Finding] = field(default_factory=dict)

    def arrival(self) -> Arrival:
        """What the ledger decides on."""
        clicked = self.cause.clicked
        members = tuple(
            Arrived(
                finding_id=finding.id,
                f_sk=sk,
                fingerprint=finding.fingerprint(),
                updated=finding.updated,
                data=finding.compact(),
                c_sk=keys.click(self.cause.event_id, finding.id) if clicked else "",
                schema=finding.schema,
            )
            for sk, finding in self.findings.items()
        )
        worst = self.findings.values()
        return Arrival(
            self.pk,
            self.values,
            members,
            severity=max(finding.severity.rank for finding in worst),
            exploit=any(finding.exploit_available for finding in worst),
            clicked=clicked,
        )


def subjects(finding: Finding, playbook: Playbook) -> Iterator[Finding]:
    """The finding once for each of its resources that the playbook matches.

    A click can select a finding whose resources match nothing: its first resource counts then.
    """
    matching = [r for r in finding.resources if r.type in playbook.resource_types]
    distinct = {resource.id: resource for resource in reversed(matching or finding.resources[:1])}
    for resource in reversed(distinct.values()):
        yield finding.with_resource(resource)


def group(
    caused: Iterable[tuple[Cause, Finding]], playbook: Playbook
) -> tuple[list[Group], list[tuple[Cause, Finding, str]]]:
    """Groups by incident, and the findings whose group cannot be told, with the reason.

    A group has at most `MAX_MEMBERS` findings and one event's clicks: more of them make another
    group with the same key, which joins behind the first.
    """
    groups: dict[tuple[str, str, int], Group] = {}
    failed: list[tuple[Cause, Finding, str]] = []
    for cause, finding in caused:
        try:
            found = [(_values(one, cause, playbook), one) for one in subjects(finding, playbook)]
        except ExpressionError as error:
            failed.append((cause, finding, str(error)))
            continue
        for values, one in found:
            _add(groups, cause, values, one, playbook.name)
    return list(groups.values()), failed


def _values(finding: Finding, cause: Cause, playbook: Playbook) -> tuple[str, ...]:
    scope: Mapping[str, Any] = {
        "finding": finding,
        "trigger": {"kind": cause.kind, "event_id": cause.event_id},
        "now": cause.at,
        "params": playbook.params,
    }
    return tuple(text_of(expression, scope) for expression in playbook.group_by)


def _add(
    groups: dict[tuple[str, str, int], Group],
    cause: Cause,
    values: tuple[str, ...],
    finding: Finding,
    playbook: str,
) -> None:
    pk = keys.partition(playbook, values)
    sk = keys.finding(finding.id)
    event = cause.event_id if cause.clicked else ""
    for chunk in range(1_000):
        group = groups.setdefault((pk, event, chunk), Group(pk, values, cause))
        held = group.findings.get(sk)
        if held is not None or len(group.findings) < MAX_MEMBERS:
            if held is None or finding.updated > held.updated:
                group.findings[sk] = finding
            return

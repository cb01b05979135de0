"""Findings -> arrivals at incidents: which resource matched, and what ``group_by`` says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub_responder.behind.kinds import telling
from hub_responder.clock import iso
from hub_responder.expressions import text_of
from hub_responder.finding import Finding
from hub_responder.ledger import history, keys
from hub_responder.ledger.decide import Arrival, Arrived
from hub_responder.playbook import Playbook

MAX_MEMBERS = 32
"""Findings of one arrival: three items each and the incident's fit a transaction of 100 items."""


REDRIVE = "redrive"
"""The kind of what an operator sends again out of the dead-letter queue."""
RESTORED = "restored"
"""The kind of what the inventory sends: an instance that was told unprotected is protected."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What brought findings.

    Attributes:
        kind: of the trigger. event_id, at: of its event (epoch seconds).
        clicked: an analyst waits for an answer.
        again: its message was here before, and may have been half handled.
        insight: the name of the insight whose results were sent, or empty.
        left_out: what the run does not hold of it because of a bound, for people; or empty.
        by: the ARN of the rule, custom action or schedule that brought them, where that is told.
        account, region: where the event came from.
    """

    kind: str
    event_id: str
    at: float
    clicked: bool = False
    again: bool = False
    insight: str = ""
    left_out: str = ""
    by: str = ""
    account: str = ""
    region: str = ""

    @property
    def told(self) -> dict[str, str]:
        """What records say of it."""
        told = {"kind": self.kind, "event_id": self.event_id, "by": self.by}
        told |= {"account": self.account, "region": self.region, "at": iso(self.at)}
        return {name: value for name, value in told.items() if value or name == "event_id"}

    @property
    def asks(self) -> bool:
        """Somebody asked for it: that counts once, whether the findings have changed or not."""
        return self.clicked or self.kind in (REDRIVE, RESTORED)


@dataclass(frozen=True, slots=True)
class Subject:
    """A finding about the one of its resources that matched, and its values of ``group_by``.

    ``pk`` is the incident that it belongs to whatever ``group_by`` says now, or empty.
    """

    cause: Cause
    finding: Finding
    values: tuple[str, ...]
    pk: str = ""

    def key(self, playbook: Playbook) -> tuple[str, str]:
        """The partition of its incident, and the sort key of the finding there."""
        pk = self.pk or keys.partition(playbook.name, self.values, playbook.mode)
        return pk, keys.finding(self.finding.id)


@dataclass(slots=True)
class Group:
    """Findings that came together for one incident, by their sort keys.

    ``more``: others of the same event follow in another group.
    """

    pk: str
    values: tuple[str, ...]
    cause: Cause
    findings: dict[str, Finding] = field(default_factory=dict)
    more: bool = False

    def arrival(self, playbook: Playbook) -> Arrival:
        """What the ledger decides on."""
        remembers = "seen" in playbook.functions
        asks = self.cause.asks
        members = tuple(
            Arrived(
                finding_id=finding.id,
                f_sk=sk,
                fingerprint=finding.fingerprint(),
                updated=finding.updated,
                data=finding.compact(),
                c_sk=keys.click(self.cause.event_id, finding.id) if asks else "",
                schema=finding.schema,
                remember=history.partition(finding) if remembers else "",
                left=how_left(finding),
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
            clicked=self.cause.clicked,
            at=self.cause.at,
            more=self.more,
            restored=self.cause.kind == RESTORED,
        )


def how_left(finding: Finding) -> str:
    """Why the finding needs nobody any more, as the lifecycle rule brings it; or empty."""
    if finding.workflow in ("RESOLVED", "SUPPRESSED"):
        return finding.workflow
    if finding.record_state == "ARCHIVED":
        return "ARCHIVED"
    return "PASSED" if finding.compliance == "PASSED" else ""


def subjects(finding: Finding, playbook: Playbook) -> Iterator[Finding]:
    """The finding once for each of its resources that the playbook matches.

    Of a container, its cluster and the instance that it runs on, one counts: the instance, or what
    tells most about it. A click can select a finding whose resources match nothing: its first
    resource counts then.
    """
    matching = telling([r for r in finding.resources if r.type in playbook.resource_types])
    distinct = {resource.id: resource for resource in reversed(matching or finding.resources[:1])}
    for resource in reversed(distinct.values()):
        yield finding.with_resource(resource)


def values_of(finding: Finding, scope: Mapping[str, Any], playbook: Playbook) -> tuple[str, ...]:
    """What ``group_by`` says of ``finding``; a scheduled run is an incident of its own.

    Raises:
        ExpressionError: that cannot be told.
        CallError: a look-up of it failed.
    """
    scope = {**scope, "finding": finding}
    values = tuple(text_of(expression, scope) for expression in playbook.group_by)
    trigger = scope["trigger"]
    return (*values, trigger["event_id"]) if trigger["kind"] == "schedule" else values


def group(subjects_: Iterable[Subject], playbook: Playbook) -> list[Group]:
    """The subjects by incident.

    A group has at most `MAX_MEMBERS` findings and one event's requests: more of them make another
    group with the same key. The round begins with the last of them, so that one click on an
    insight of many findings is one round.
    """
    groups: dict[tuple[str, str, int], Group] = {}
    for subject in subjects_:
        _add(groups, subject, playbook)
    for (pk, event, chunk), one in groups.items():
        one.more = (pk, event, chunk + 1) in groups
    return list(groups.values())


def _add(groups: dict[tuple[str, str, int], Group], subject: Subject, playbook: Playbook) -> None:
    cause, finding = subject.cause, subject.finding
    pk, sk = subject.key(playbook)
    event = cause.event_id if cause.asks else ""
    for chunk in range(1_000):
        group = groups.setdefault((pk, event, chunk), Group(pk, subject.values, cause))
        held = group.findings.get(sk)
        if held is not None or len(group.findings) < MAX_MEMBERS:
            if held is None or finding.updated > held.updated:
                group.findings[sk] = finding
            return

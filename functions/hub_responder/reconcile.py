"""Findings that no rule saw: what Security Hub holds, held against what the trail names.

Hour by hour, once an hour is over for `WAIT_S`: the findings that were last updated in it are asked
for (GetFindings). One that a playbook's rule selects, as EventBridge matches, must have come to
that playbook since, so some record of it names the finding; where none does, a record `unseen`
tells so. What was looked at is written with the records, in one transaction: a run that dies or has
no time left hides nothing, the next one goes on there, also in the midst of an hour.

GetFindings has findings in ASFF only, so patterns over OCSF are not held against it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder import aws, clock, get_findings, planned
from hub_responder.archive import items
from hub_responder.archive.layout import Period, period_at
from hub_responder.audit import SHARDS, target_of
from hub_responder.errors import UnreadableFinding
from hub_responder.events import decode_finding
from hub_responder.ledger.transaction import Part, Transactions
from hub_responder.patterns.pattern import Pattern
from hub_responder.values import seconds

if TYPE_CHECKING:
    from hub_responder.audit import Audit, Record
    from hub_responder.deadline import Deadline

NAME = "reconcile"
FILE = "reconcile.json"
WAIT_S = 3 * 3600.0
"""Between the end of an hour and its turn: events, batches and what is deferred take their time."""
PART_TIME_S = 60.0
"""No part of an hour is begun with less time left."""
PART_S = 600.0
"""What is looked at in one go: a part of an hour, after which another run can go on."""
PAGE_S = 0.5
"""Between two pages: with what a page takes, under 2 of the 3 requests a second that GetFindings
takes of an account ("Security Hub quotas"); others ask too."""
LISTED = 90
"""Findings of one hour that are named, each in a record of its own; all are counted."""
STATE = {"pk": {"S": f"{NAME}#state"}, "sk": {"S": "until"}}
_LIVE: Mapping[str, Any] = {
    "RecordState": [{"Value": "ACTIVE", "Comparison": "EQUALS"}],
    "WorkflowStatus": [{"Value": status, "Comparison": "EQUALS"} for status in ("NEW", "NOTIFIED")],
}
"""What the rules ask of every finding; they are still held against the whole pattern."""


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the rules of a stage select: playbook -> the pattern of its rule for new findings."""

    patterns: dict[str, dict[str, Any]] = {}


class _Named(msgspec.Struct, frozen=True):
    """A record, as far as it tells which playbook saw which findings."""

    kind: str = ""
    playbook: str = ""
    findings: list[str] = []


@dataclass(slots=True)
class Done:
    """What one run did: hours that it looked at, findings in them, and those that nobody saw."""

    hours: int = 0
    findings: int = 0
    unseen: int = 0


@dataclass(slots=True)
class _Hour:
    """What one hour held, up to ``at`` (epoch seconds); ``missed`` are those of its last part,
    playbooks with raw findings, `LISTED` of the hour at most."""

    period: Period
    at: float
    findings: int = 0
    unseen: int = 0
    missed: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


def load(directory: Path) -> Plan:
    """Read ``directory/reconcile.json``.

    Raises:
        ConfigurationError: the file is missing or is no such plan.
    """
    return planned.read(directory / FILE, Plan, "the layer of the reconciliation's plan")


class Reconciler:
    """Looks at hours.

    Args:
        plan: what the rules select. ledger, trail: the tables' names.
        pause: waits between pages.
    """

    def __init__(
        self,
        plan: Plan,
        ledger: str,
        trail: str,
        audit: Audit,
        deadline: Deadline,
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._patterns = {name: Pattern.compile(held) for name, held in plan.patterns.items()}
        self._ledger, self._trail = ledger, trail
        self._audit, self._deadline, self._pause = audit, deadline, pause
        self._transactions = Transactions(aws.client("dynamodb"), audit, deadline)
        self._seen: dict[Period, set[int]] = {}

    def run(self, done: Done) -> None:
        """Look at every hour whose turn it is, in order, as time allows; ``done`` counts them.

        Raises:
            CallError: something cannot be read or written, or the time is over within an hour.
        """
        hour = self._next()
        while hour.period.end + WAIT_S <= clock.now() and self._deadline.left() > PART_TIME_S:
            findings, unseen = hour.findings, hour.unseen
            self._look(hour)
            self._write(hour)
            done.findings += hour.findings - findings
            done.unseen += hour.unseen - unseen
            if hour.at >= hour.period.end:
                done.hours += 1
                hour = _Hour(hour.period.next, hour.period.end)

    def _next(self) -> _Hour:
        """The first hour that was not looked at to its end; at the very first, the newest whose
        turn it is."""
        self._deadline.timeout(items.CALL_S, target="dynamodb.get_item")
        try:
            answer = aws.client("dynamodb").get_item(
                TableName=self._ledger, Key=STATE, ConsistentRead=True
            )
        except aws.ERRORS as error:
            raise aws.translate(error, "dynamodb.get_item") from error
        if held := answer.get("Item"):
            at, findings, unseen = (
                float(held[name]["N"]) for name in ("until", "findings", "unseen")
            )
            return _Hour(period_at(at), at, int(findings), int(unseen))
        period = period_at(clock.now() - WAIT_S).before(1)
        return _Hour(period, period.start)

    def _look(self, hour: _Hour) -> None:
        """Look at the next part of an hour."""
        start, hour.at = hour.at, min(hour.at + PART_S, hour.period.end)
        hour.missed = []
        for raw in self._updated(start, hour.at):
            hour.findings += 1
            event = _event(raw)
            for name, pattern in self._patterns.items():
                identifier = str(raw["Id"])
                if pattern.matches_event(event) and not self._saw(name, identifier, hour.period):
                    hour.unseen += 1
                    if hour.unseen <= LISTED:
                        hour.missed.append((name, raw))

    def _updated(self, start: float, end: float) -> Iterator[dict[str, Any]]:
        """The live findings that were last updated in a part of an hour."""
        span = {"Start": clock.iso(start), "End": clock.iso(end)}
        filters = {**_LIVE, "UpdatedAt": [span]}
        for page in get_findings.pages(filters, self._deadline):
            for raw in page.findings:
                at = seconds(raw.get("UpdatedAt"))
                if at is not None and start <= at < end:  # the end is the next part's
                    yield raw
            if page.more:
                self._pause(PAGE_S)

    def _saw(self, playbook: str, finding: str, hour: Period) -> bool:
        """Some record of the playbook's names the finding, from the hour before on: the clocks of
        products differ."""
        period, mark = hour.before(1), hash((playbook, finding))
        while period.start <= clock.now():
            if mark in self._named(period):
                return True
            period = period.next
        return False

    def _named(self, period: Period) -> set[int]:
        """Marks of what the records of an hour name; read once in a run."""
        if period not in self._seen:
            marks: set[int] = set()
            for shard in range(SHARDS):
                for item in items.of_shard(period, shard, self._trail, self._deadline):
                    for line in filter(None, item.lines.split("\n")):
                        one = msgspec.json.decode(line, type=_Named)
                        if one.kind != "unseen":
                            marks.update(hash((one.playbook, id_)) for id_ in one.findings)
            self._seen[period] = marks
        return self._seen[period]

    def _write(self, hour: _Hour) -> None:
        """What is found, and how far that is; at the end of an hour what all of it held."""
        records = [self._unseen(name, raw) for name, raw in hour.missed]
        state = (hour.at, hour.findings, hour.unseen)
        if hour.at >= hour.period.end:
            self._seen.pop(hour.period.before(1), None)
            records.append(self._reconciled(hour))
            state = (hour.at, 0, 0)
        names = ("until", "findings", "unseen")
        item = {**STATE, **{n: {"N": str(int(v))} for n, v in zip(names, state, strict=True)}}
        put = {"Put": {"TableName": self._ledger, "Item": item}}
        self._transactions.submit([Part([put], records)])

    def _reconciled(self, hour: _Hour) -> Record:
        found, unseen = hour.findings, hour.unseen
        return self._audit.record(
            "reconciled",
            trigger=_TRIGGER,
            result={"findings": found, "unseen": unseen},
            detail=f"{clock.iso(hour.period.start)[:13]}h: {found} findings were looked at,"
            f" {unseen} times a rule had not seen one that it selects",
        )

    def _unseen(self, playbook: str, raw: dict[str, Any]) -> Record:
        at = str(raw["UpdatedAt"])[:40]
        try:
            target = target_of(decode_finding(raw))
        except UnreadableFinding:
            target = {}
        return self._audit.record(
            "unseen",
            playbook=playbook,
            trigger=_TRIGGER,
            findings=[str(raw["Id"])],
            target=target,
            result={"updated_at": at},
            detail=f"updated at {at}; the rule selects it, and no record names it since",
        )


_TRIGGER = {"kind": "schedule", "event_id": ""}


def _event(raw: dict[str, Any]) -> dict[str, Any]:
    """The event that Security Hub emits of a finding ("Security Hub Findings - Imported")."""
    return {
        "source": "aws.securityhub",
        "detail-type": "Security Hub Findings - Imported",
        "account": raw.get("AwsAccountId"),
        "region": raw.get("Region"),
        "detail": {"findings": [raw]},
    }

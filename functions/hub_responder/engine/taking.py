"""What the messages of a batch bring: findings that the playbook takes, and those that left.

Each finding is looked at by itself: one that cannot be read or decided about is recorded and told,
and its neighbours go on. A look-up that fails for now brings its message back later.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hub_responder import clock
from hub_responder.audit import target_of
from hub_responder.connections.returned import Returned
from hub_responder.engine import insight, scheduled
from hub_responder.engine.choosing import Choice, choose
from hub_responder.engine.grouping import (
    REDRIVE,
    RESTORED,
    Cause,
    Subject,
    how_left,
    subjects,
    values_of,
)
from hub_responder.engine.intake import Kept, Message, Recheck, Redrive, Restored, read
from hub_responder.errors import (
    ConfigurationError,
    ExpressionError,
    PausedError,
    PermanentError,
    TransientError,
    UnreadableEvent,
    UnreadableFinding,
)
from hub_responder.finding import Finding
from hub_responder.ledger.store import Settle

if TYPE_CHECKING:
    from hub_responder.audit import Audit, Record
    from hub_responder.engine.answers import Answers
    from hub_responder.engine.names import Names
    from hub_responder.engine.outbox import Outbox
    from hub_responder.events import Trigger
    from hub_responder.ledger.store import Ledger
    from hub_responder.playbook import Playbook

CONDITIONS = "_conditions"
"""The step by which dead letters name what the conditions or ``group_by`` could not tell."""
LAST_RECEIVE = 5
"""maxReceiveCount of the queues: the next crash sends the message to the DLQ."""


@dataclass(slots=True)
class Taken:
    """What a batch holds, sorted by what is to be done with it.

    Attributes:
        caused: findings to handle. left: those that need nobody any more.
        settles: settle messages by incident. records: of what was decided so far.
    """

    caused: list[Subject] = field(default_factory=list)
    left: list[Subject] = field(default_factory=list)
    settles: dict[str, Settle] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)


@dataclass(slots=True)
class _Again:
    """A message that comes again later: what brought it, why, and about which findings."""

    message: Message
    cause: Cause
    why: str
    findings: list[str] = field(default_factory=list)
    paused: bool = False


class Taking:
    """Takes what the messages of one batch bring."""

    def __init__(
        self, names: Names, ledger: Ledger, audit: Audit, outbox: Outbox, answers: Answers
    ) -> None:
        self._names = names
        self._ledger = ledger
        self._audit = audit
        self._outbox = outbox
        self._answers = answers
        self._taken = Taken()
        self._doubtful: list[tuple[Subject, Choice]] = []
        self._undecided: list[tuple[Cause, Finding, str]] = []
        self._again: dict[str, _Again] = {}
        self._received: set[str] = set()

    @property
    def _playbook(self) -> Playbook:
        return self._names.runtime.playbook

    def take(self, messages: Sequence[Message], received: set[str]) -> Taken:
        """Read and sort the messages; what cannot be handled is dead, deferred or skipped here.

        Args:
            received: the ids of those of which this run has a record; they are added to it.
        """
        self._received = received
        for message in messages:
            try:
                content = read(message)
            except UnreadableEvent as error:
                self._outbox.dead(message, f"unreadable: {error}")
                self._taken.records.append(self._audit.record("unreadable", detail=str(error)))
                continue
            if isinstance(content, Settle):
                self._settle(content)
            elif isinstance(content, Recheck):
                self._recheck(message, content)
            elif isinstance(content, Redrive):
                self._redrive(message, content)
            elif isinstance(content, Kept):
                self._kept(message, content)
            elif isinstance(content, Restored):
                self._restored(message, content)
            elif isinstance(content, Returned):
                self._returned(message, content)
            else:
                try:
                    self._trigger(message, content)
                except TransientError as error:  # others need not wait for what it needs
                    self._put_off(message, _cause(message, content), (), error)
        self._take_what_was_taken()
        self._defer()
        self._tell_undecided()
        return self._taken

    def record(self, kind: str, cause: Cause, **fields: Any) -> Record:
        """A record about what ``cause`` brought."""
        return self._audit.record(kind, trigger=cause.told, **fields)

    def _came(self, message: Message, cause: Cause, count: int) -> None:
        """Record what a message brought; the first transaction of the batch takes that with it."""
        if message.id in self._received:
            return
        self._received.add(message.id)
        more = message.receives if message.receives > 1 else None
        self._audit.wait(self.record("received", cause, count=count, receives=more))

    def _settle(self, settle: Settle) -> None:
        held = self._taken.settles.get(settle.pk, settle)
        self._taken.settles[settle.pk] = Settle(
            settle.pk,
            settle.urgent or held.urgent,
            settle.clicked or held.clicked,
            max(settle.ended, held.ended),
            settle.resumed or held.resumed,
        )

    def _returned(self, message: Message, came: Returned) -> None:
        """An e-mail that SES had accepted."""
        cause = Cause("mail", came.event_id, came.at)
        self._came(message, cause, 0)
        if came.playbook != self._playbook.name:
            why = f"about a message of {came.playbook}: not our own"
            self._taken.records.append(self.record("skipped", cause, detail=why))
            return
        from hub_responder.engine import returns

        try:
            returns.take(came, self._names.runtime, self._ledger, self._audit)
        except TransientError as error:
            self._put_off(message, cause, (), error)

    def _recheck(self, message: Message, recheck: Recheck) -> None:
        """Findings that were taken before: nothing is asked of them again."""
        cause = Cause("recheck", recheck.event_id, clock.now(), clicked=True, again=True)
        self._came(message, cause, len(recheck.findings))
        for finding in recheck.findings:
            self._consider(message, cause, finding, asked=False)

    def _redrive(self, message: Message, redrive: Redrive) -> None:
        """Findings of which something failed, because an operator asks for another try.

        They were taken before, unless it was the conditions that could not be told.
        """
        event_id, now = redrive.event_id, clock.now()
        cause = Cause(REDRIVE, event_id, now, clicked=message.clicks, again=True)
        self._came(message, cause, len(redrive.findings))
        own = redrive.pk.partition("#")[0] == self._playbook.name
        pk = redrive.pk if own else ""
        for finding in redrive.findings:
            self._consider(message, cause, finding, asked=redrive.step == CONDITIONS, pk=pk)

    def _kept(self, message: Message, kept: Kept) -> None:
        """A finding that came too often on a day, which is over now perhaps."""
        now = clock.now()
        if now < kept.until:
            self._outbox.kept(kept.pk, kept.sk, kept.until)
            return
        cause = Cause("guard", "", now, again=True)
        try:
            later = self._ledger.later(kept.pk, kept.sk)
            finding = Finding.from_compact(dict(later)) if later else None
        except TransientError as error:
            self._put_off(message, cause, (), error)
            return
        except UnreadableFinding as error:
            self._outbox.dead(message, f"unreadable: {error}")
            self._taken.records.append(self.record("unreadable", cause, detail=str(error)))
            return
        if finding is not None:
            self._consider(message, cause, finding, asked=True, pk=kept.pk)

    def _restored(self, message: Message, restored: Restored) -> None:
        """The live findings of an incident whose instance has its agent back, it seems."""
        cause = Cause(RESTORED, restored.event_id, clock.now(), again=True)
        self._came(message, cause, 0)
        if restored.pk.partition("#")[0] != self._playbook.name:
            why = f"about an incident of another playbook: {restored.pk}"
            self._taken.records.append(self.record("skipped", cause, detail=why))
            return
        try:
            members = self._ledger.members(restored.pk)
        except TransientError as error:
            self._put_off(message, cause, (), error)
            return
        for member in members:
            if not member.closed:
                with suppress(UnreadableFinding):  # of another version of this code
                    finding = Finding.from_compact(dict(member.data))
                    self._consider(message, cause, finding, asked=False, pk=restored.pk)

    def _trigger(self, message: Message, trigger: Trigger) -> None:
        cause = _cause(message, trigger)
        self._came(message, cause, len(trigger.findings) + len(trigger.unreadable))
        if self._playbook.home_only and (trigger.account, trigger.region) != message.home:
            why = f"an event of {trigger.account or '?'}, {trigger.region or '?'}: not our own"
            ids = [finding.id for finding in trigger.findings]
            self._taken.records.append(self.record("skipped", cause, findings=ids, detail=why))
            return
        try:
            findings, unreadable, left_out = self._findings(trigger)
        except PermanentError as error:
            self._outbox.dead(message, str(error))
            self._taken.records.append(self.record("dead", cause, detail=str(error)))
            return
        if left_out:
            self._taken.records.append(self.record("skipped", cause, detail=left_out))
            cause = replace(cause, left_out=left_out)
        if trigger.insight is not None and not findings and not unreadable:
            detail = "the insight is empty now"
            self._taken.records.append(self.record("skipped", cause, detail=detail))
        if unreadable and trigger.kind == "custom_action":
            self._answers.unreadable(cause, trigger)
        self._cannot_read(message, cause, unreadable, alone=not findings)
        if cause.clicked and message.receives >= LAST_RECEIVE:
            self._answers.last_receive(cause, findings)
        self._consider_all(message, cause, findings)

    def _findings(
        self, trigger: Trigger
    ) -> tuple[Sequence[Finding], Sequence[UnreadableFinding], str]:
        """The findings, those that cannot be read, and what was left out (or empty).

        Raises:
            TransientError, PermanentError: an insight's findings cannot be asked for.
        """
        if trigger.insight is not None:
            return insight.expand(trigger)
        if trigger.kind == "schedule":
            return [scheduled.subject(trigger, self._playbook)], (), ""
        return trigger.findings, trigger.unreadable, ""

    def _cannot_read(
        self, message: Message, cause: Cause, bad: Sequence[UnreadableFinding], *, alone: bool
    ) -> None:
        for error in bad:
            ids = [error.finding_id] if error.finding_id else []
            detail = f"{error.field}: {error}"
            self._taken.records.append(
                self.record("unreadable", cause, findings=ids, detail=detail)
            )
        if bad and alone:
            self._outbox.dead(message, f"unreadable: {bad[0].field}: {bad[0]}")

    def _consider_all(self, message: Message, cause: Cause, findings: Iterable[Finding]) -> None:
        found = [one for finding in findings for one in subjects(finding, self._playbook)]
        self._names.prepare(found)
        for one in found:
            self._consider(message, cause, one, asked=True)

    def _consider(
        self, message: Message, cause: Cause, finding: Finding, *, asked: bool, pk: str = ""
    ) -> None:
        """Take the finding, close it, or leave it with its reason."""
        gone = not cause.clicked and bool(how_left(finding))
        scope = self._names.shared(cause, finding)
        try:
            values = values_of(finding, scope, self._playbook)
            choice = choose(finding, scope, self._playbook) if asked and not gone else Choice()
        except TransientError as error:
            self._put_off(message, cause, [finding.id], error)
            return
        except (ExpressionError, ConfigurationError, PermanentError) as error:
            self._undecided.append((cause, finding, str(error)))
            return
        subject = Subject(cause, finding, values, pk)
        if gone:
            self._taken.left.append(subject)
        elif choice.takes:
            self._take(subject, choice)
        elif cause.again:
            self._doubtful.append((subject, choice))
        else:
            self._skip(subject, choice)

    def _take(self, subject: Subject, choice: Choice) -> None:
        self._taken.caused.append(subject)
        if choice.values:
            self._decided("decided", subject, choice, "")

    def _skip(self, subject: Subject, choice: Choice) -> None:
        """The conditions pass it over; an analyst who asked is told on the finding."""
        self._decided("skipped", subject, choice, choice.why_not)
        if subject.cause.clicked:
            text = f"{self._playbook.name} passed this over: {choice.why_not}"
            self._answers.say(subject.cause, [subject.finding], text)

    def _decided(self, kind: str, subject: Subject, choice: Choice, detail: str) -> None:
        self._taken.records.append(
            self.record(
                kind,
                subject.cause,
                findings=[subject.finding.id],
                target=target_of(subject.finding),
                conditions=dict(choice.values),
                detail=detail,
            )
        )

    def _take_what_was_taken(self) -> None:
        """A message that comes again may find its conditions changed: what joined an incident that
        is not told yet still belongs to it."""
        keys = [subject.key(self._playbook) for subject, _ in self._doubtful]
        untold = self._ledger.untold(keys) if keys else set()
        for (subject, choice), key in zip(self._doubtful, keys, strict=True):
            if key in untold:
                self._take(subject, Choice(values=choice.values))
            else:
                self._skip(subject, choice)

    def _defer(self) -> None:
        """Messages of which some finding cannot be decided about now come again as a whole."""
        for one in self._again.values():
            patience = self._playbook.give_up_after
            put_back = self._outbox.defer(one.message, one.why, patience, paused=one.paused)
            kind = "deferred" if put_back else "dead"
            self._taken.records.append(
                self.record(kind, one.cause, findings=one.findings, detail=one.why)
            )
            if not put_back:
                self._answers.tell_undecided(f"gave up: {one.why}", one.findings)

    def _put_off(
        self, message: Message, cause: Cause, findings: Sequence[str], error: TransientError
    ) -> None:
        paused = isinstance(error, PausedError)
        again = _Again(message, cause, str(error), paused=paused)
        held = self._again.setdefault(message.id, again)
        held.findings += findings

    def _tell_undecided(self) -> None:
        """What cannot be decided changes nothing; it is in the DLQ, told, and recorded."""
        undecided: dict[str, list[tuple[Cause, Finding]]] = {}
        for cause, finding, error in self._undecided:
            why = f"could not decide: {error}"
            undecided.setdefault(why, []).append((cause, finding))
            if cause.clicked:
                self._answers.say(cause, [finding], why)
        for why, caused in undecided.items():
            self._answers.tell_undecided(why, [finding.id for _, finding in caused])
            self._bury(caused, why)
            self._taken.records += [
                self.record("dead", cause, findings=[finding.id], detail=why)
                for cause, finding in caused
            ]

    def _bury(self, caused: Sequence[tuple[Cause, Finding]], why: str) -> None:
        """Findings to the DLQ, those of a kind of trigger together."""
        kinds: dict[tuple[str, bool], list[Mapping[str, Any]]] = {}
        for cause, finding in caused:
            kinds.setdefault((cause.kind, cause.clicked), []).append(finding.compact())
        for (kind, clicked), findings in kinds.items():
            self._outbox.failed(CONDITIONS, findings, why, clicks=clicked, trigger=kind)


def _cause(message: Message, trigger: Trigger) -> Cause:
    return Cause(
        trigger.kind,
        trigger.event_id,
        trigger.at,
        clicked=trigger.kind in ("custom_action", "insight"),
        again=message.receives > 1 or message.attempt > 0,
        insight=trigger.insight.name if trigger.insight is not None else "",
        by=trigger.by or _rule(trigger),
        account=trigger.account,
        region=trigger.region,
    )


def _rule(trigger: Trigger) -> str:
    """The ARN of the rule that passed an import, as far as the environment tells.

    No event names its rule. The playbook has two, of which one takes what needs somebody and the
    other what has left.
    """
    prefix = os.environ.get("RULES")
    if not prefix or trigger.kind != "imported" or not trigger.findings:
        return ""
    left = all(how_left(finding) for finding in trigger.findings)
    return f"{prefix}-{'lifecycle' if left else 'imported'}"

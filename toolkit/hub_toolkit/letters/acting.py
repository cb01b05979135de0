"""A letter to the queue that it came from, or away, with a record before and after.

A letter is sent before it is deleted: where this process dies in between it is there twice, and the
second is a repeat for the ledger. Both name the same request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hub_responder.actions.current import as_now
from hub_responder.engine.grouping import how_left
from hub_responder.errors import UnreadableFinding
from hub_responder.events import decode_finding
from hub_toolkit.letters.letter import findings_of, note_of
from hub_toolkit.stack import DeploymentError

if TYPE_CHECKING:
    from hub_responder.finding import Finding
    from hub_toolkit.letters.letter import Letter
    from hub_toolkit.letters.looking import Looking
    from hub_toolkit.stack import Stack
    from hub_toolkit.trail.operator import Operator

NOBODY = "dlq"
"""The name in records of letters of which no playbook is known."""
_IDS_AT_ONCE = 20


class Acted(msgspec.Struct, frozen=True):
    """What became of one letter: ``left`` where it stays, ``detail`` says what was done or why."""

    id: str
    status: Literal["redriven", "discarded", "left"]
    detail: str


class _Stays(Exception):  # noqa: N818 - no error: the letter is left where it is
    """Why a letter cannot be sent again."""


@dataclass(frozen=True, slots=True)
class Acting:
    """What an operator does with the letters of one look."""

    stack: Stack
    looking: Looking
    operator: Operator

    def redrive(self, letter: Letter, body: str, why: str) -> Acted:
        """Send it to the queue that it came from, as one that is new there, and delete it."""
        try:
            sent_body, what = self._again(letter, body)
            url = self.stack.call("sqs", "get_queue_url", QueueName=letter.queue)["QueueUrl"]
            self.looking.keep(letter.id)
            self._record(letter, "attempt", step="_redrive", detail=f"to {letter.queue}", why=why)
            answer = self.stack.call("sqs", "send_message", QueueUrl=url, MessageBody=sent_body)
        except (_Stays, DeploymentError) as stays:
            return Acted(letter.id, "left", str(stays))
        detail = f"sent to {letter.queue} as message {answer['MessageId']}{what}"
        try:
            self.looking.delete(letter.id)
            self._record(letter, "redriven", detail=detail, why=why)
        except DeploymentError as error:
            told = f"{detail}, and is here still; another redrive is a repeat: {error}"
            return Acted(letter.id, "left", told)
        return Acted(letter.id, "redriven", detail)

    def discard(self, letter: Letter, why: str) -> Acted:
        """Delete it; the record, written before, names its findings and its reason."""
        try:
            self.looking.keep(letter.id)
            self._record(letter, "discarded", detail=letter.reason, why=why)
            self.looking.delete(letter.id)
        except DeploymentError as error:
            return Acted(letter.id, "left", str(error))
        return Acted(letter.id, "discarded", letter.reason)

    def _record(self, letter: Letter, kind: str, **fields: Any) -> None:
        self.operator.record(
            letter.playbook or NOBODY,
            kind,
            trigger={"kind": letter.trigger, "event_id": letter.event_id},
            incident=letter.incident,
            findings=list(letter.findings),
            letter=letter.id,
            **fields,
        )

    def _again(self, letter: Letter, body: str) -> tuple[str, str]:
        """The body to send, and what is to be said of it.

        Raises:
            _Stays: it cannot be, or is for nothing. DeploymentError: Security Hub cannot be asked.
        """
        if not letter.queue.startswith(f"{self.stack.stack}-"):
            raise _Stays(
                f"which queue it came from is not known; `replay {letter.id}` sends it to the"
                " playbooks that it matches"
            )
        note = note_of(body)
        if note is None or letter.kind != "failed":
            return body, ""
        if letter.ended:
            again = {"hub_responder": "settle", "pk": letter.incident, "ended": letter.ended}
            return _json(again), ", to end its incident"
        kept = note.get("findings")
        findings: Sequence[Mapping[str, Any]] = kept if isinstance(kept, list) else ()
        what = ""
        readable = findings_of(note)
        if readable and len(readable) == len(findings):
            now = self._now(readable)
            clicked = letter.queue.endswith("-clicks")
            there = [one for one in now if clicked or not how_left(one)]
            if not there:
                left = ", ".join(sorted({how_left(one) for one in now}))
                raise _Stays(f"its findings are {left} by now, so that nothing is to be done")
            what = "" if len(there) == len(now) else f", without {len(now) - len(there)} that left"
            findings = [one.compact() for one in there]
        again = {
            "hub_responder": "redrive",
            "event_id": f"redrive:{letter.id}",
            "step": letter.step,
            "pk": letter.incident,
            "findings": list(findings),
        }
        return _json(again), what

    def _now(self, findings: Sequence[Finding]) -> list[Finding]:
        """The findings as they are now; what Security Hub does not know stays as it was."""
        now: dict[tuple[str, str], Finding] = {}
        ids = list(dict.fromkeys(finding.id for finding in findings))
        for first in range(0, len(ids), _IDS_AT_ONCE):
            some = ids[first : first + _IDS_AT_ONCE]
            wanted = [{"Value": one, "Comparison": "EQUALS"} for one in some]
            answer = self.stack.call(
                "securityhub", "get_findings", Filters={"Id": wanted}, MaxResults=100
            )
            for raw in answer["Findings"]:
                try:
                    held = decode_finding(raw)
                except UnreadableFinding:
                    continue
                now[held.id, held.product_arn] = held
        return [as_now(one, now.get((one.id, one.product_arn))) for one in findings]


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()

"""A message of the dead-letter queue: why it is there, whose it is, and what it is about.

Three put letters there: the engine, with its reason, its playbook and its queue as attributes; SQS,
after five receives, which tells the queue; EventBridge and its scheduler, where they cannot deliver
(EventBridge user guide, "Using dead-letter queues to process undelivered events").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from hub_responder import clock, events
from hub_responder.connections import returned
from hub_responder.engine.taking import LAST_RECEIVE
from hub_responder.errors import UnreadableEvent, UnreadableFinding
from hub_responder.finding import Finding
from hub_toolkit.letters.looking import Raw

_QUEUES = ("-imports", "-clicks")


class Letter(msgspec.Struct, frozen=True):
    """One letter.

    Attributes:
        id: SQS's. kind: ``event``, ``mail``, ``failed``, another note of our own as ``settle``, or
            ``unknown``.
        reason: why it is there. tries: how often it was tried, as far as that is known; else 0.
        playbook: whose it is. queue: the name of the queue that it came from. Empty: not known.
        trigger: what brought the findings, as ``imported``. event_id: of its event.
        step: what failed, of a ``failed`` one. incident: its ledger key.
        ended: the round that failed to end the incident; 0: it was another.
        findings: ids of those that it names.
        sent_at: when it was first sent, ISO 8601. age_s: how long ago (seconds).
    """

    id: str
    kind: str
    reason: str
    playbook: str
    queue: str
    trigger: str
    event_id: str
    step: str
    incident: str
    ended: int
    findings: tuple[str, ...]
    tries: int
    sent_at: str
    age_s: int


def read(message: Raw, stack: str, now: float) -> Letter:
    """The letter that a message of the dead-letter queue of ``stack`` is."""
    attributes = {
        name: str(one.get("StringValue", ""))
        for name, one in message.get("MessageAttributes", {}).items()
    }
    system = message.get("Attributes", {})
    moved = bool(system.get("DeadLetterQueueSourceArn"))
    queue = source_of(message, attributes)
    told = _told(message["Body"])
    noted = told.pop("own", "")
    own = attributes.get("playbook") or noted or _whose(queue, stack)
    sent = _whole(system.get("SentTimestamp")) / 1000
    return Letter(
        id=message["MessageId"],
        reason=_reason(attributes, moved=moved),
        playbook=own,
        queue=queue or (f"{stack}-{noted}-imports" if noted else ""),
        tries=_tries(attributes, moved=moved),
        sent_at=clock.iso(sent),
        age_s=max(0, int(now - sent)),
        **{name: told.get(name, usual) for name, usual in _NOTHING.items()},
    )


def source_of(message: Raw, attributes: Mapping[str, str]) -> str:
    """The name of the queue that it came from, or empty: SQS tells, else we, else EventBridge."""
    moved = str(message.get("Attributes", {}).get("DeadLetterQueueSourceArn", ""))
    target = attributes.get("TARGET_ARN", "")
    return (moved or attributes.get("queue", "") or target).rpartition(":")[2]


_NOTHING: Mapping[str, Any] = {
    "kind": "unknown",
    "trigger": "",
    "event_id": "",
    "step": "",
    "incident": "",
    "ended": 0,
    "findings": (),
}


def _reason(attributes: Mapping[str, str], *, moved: bool) -> str:
    if attributes.get("reason"):
        return attributes["reason"]
    if moved:
        return f"{LAST_RECEIVE} runs in a row died of it"
    code, said = attributes.get("ERROR_CODE", ""), attributes.get("ERROR_MESSAGE", "")
    return f"EventBridge could not deliver it: {code}: {said}" if code or said else ""


def _tries(attributes: Mapping[str, str], *, moved: bool) -> int:
    if moved:
        return LAST_RECEIVE
    return _whole(attributes.get("tries") or attributes.get("RETRY_ATTEMPTS"))


def _whole(value: object) -> int:
    try:
        return int(float(str(value)))
    except (ValueError, OverflowError):
        return 0


def _whose(queue: str, stack: str) -> str:
    for kind in _QUEUES:
        if queue.startswith(f"{stack}-") and queue.endswith(kind):
            return queue.removeprefix(f"{stack}-").removesuffix(kind)
    return ""


def _told(body: str) -> dict[str, Any]:
    """What the body tells, by the names of `Letter`; ``own`` is the playbook that it names."""
    note = note_of(body)
    if note is not None:
        return _told_by_note(note)
    try:
        came = returned.decode(body) if returned.is_mail(body) else None
        if came is not None:
            told = {"own": came.playbook, "incident": came.incident, "event_id": came.event_id}
            return {"kind": "mail", "trigger": "mail", **told}
        trigger = events.decode(body)
    except UnreadableEvent:
        return {}
    unread = (bad.finding_id for bad in trigger.unreadable if bad.finding_id)
    found = tuple(dict.fromkeys([*(one.id for one in trigger.findings), *unread]))
    about = {"event_id": trigger.event_id, "findings": found}
    return {"kind": "event", "trigger": trigger.kind, **about}


def note_of(body: str) -> dict[str, Any] | None:
    """The note of our own that the body is, or None."""
    try:
        note = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    known = isinstance(note, dict) and isinstance(note.get("hub_responder"), str)
    return note if known else None


def findings_of(note: Mapping[str, Any]) -> list[Finding]:
    """The findings of a note that can be read; a letter of another version may have others."""
    found = []
    kept = note.get("findings")
    for compact in kept if isinstance(kept, list) else ():
        try:
            found.append(Finding.from_compact(compact))
        except (UnreadableFinding, TypeError, ValueError, AttributeError):
            continue
    return found


def _told_by_note(note: Mapping[str, Any]) -> dict[str, Any]:
    incident, kind = str(note.get("pk", "") or ""), note["hub_responder"]
    ended = note.get("ended", 0)
    return {
        "kind": kind,
        "own": incident.partition("#")[0],
        "incident": incident,
        "trigger": str(note.get("trigger", "") or ("" if kind == "failed" else kind)),
        "event_id": str(note.get("event_id", "")),
        "step": str(note.get("step", "")),
        "ended": ended if kind == "failed" and isinstance(ended, int) else 0,
        "findings": tuple(finding.id for finding in findings_of(note)),
    }

"""What a queue message is: a trigger, an e-mail that came back, one of our own, or unreadable."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import msgspec

from hub_responder import events
from hub_responder.connections import returned
from hub_responder.connections.returned import Returned
from hub_responder.errors import UnreadableEvent, UnreadableFinding
from hub_responder.events import Trigger
from hub_responder.finding import Finding
from hub_responder.ledger.store import Settle

OWN = b'{"hub_responder"'
"""How our own messages begin; the queues' policy lets only us and EventBridge send."""
_PARTITION = re.compile(r"[^#]{1,64}#[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Message:
    """One SQS message.

    Attributes:
        receives: how often it was received, this time included.
        clicks: it came through the clicks queue.
        attempt, first_at: of a message that was deferred before (epoch seconds), else 0.
        receipt: by which the queue deletes it. home: the queue's account and region.
    """

    id: str
    body: str
    receives: int
    clicks: bool
    attempt: int = 0
    first_at: float = 0.0
    receipt: str = ""
    home: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Recheck:
    """Look again at findings whose coverage could not be told when an analyst asked.

    ``event_id`` counts the looks: ``ID~2`` is the second.
    """

    event_id: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Redrive:
    """Try again what failed for these findings, as a letter of the dead-letter queue told.

    ``event_id`` names the letter, so that it counts once; ``step`` is what had failed, and ``pk``
    the incident for which it had, empty where none was decided.
    """

    event_id: str
    step: str
    findings: tuple[Finding, ...]
    pk: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A finding that came too often: look, once ``until`` is over (epoch seconds), how it is.

    ``pk`` and ``sk`` are its item in the ledger.
    """

    pk: str
    sk: str
    until: float


@dataclass(frozen=True, slots=True)
class Restored:
    """The instance of the incident ``pk`` may be protected again; ``event_id`` counts once."""

    event_id: str
    pk: str


Content = Trigger | Settle | Recheck | Redrive | Kept | Restored | Returned


def message(record: Mapping[str, Any], clicks_queue: str) -> Message:
    """A `Message` from a record of Lambda's SQS event."""
    attributes = record.get("messageAttributes", {})

    def number(name: str) -> float:
        try:
            value = float(attributes.get(name, {}).get("stringValue", 0))
        except (TypeError, ValueError):  # somebody else's attribute; the message counts as new
            return 0.0
        return value if isfinite(value) and value > 0 else 0.0

    return Message(
        id=record["messageId"],
        body=record["body"],
        receives=int(record.get("attributes", {}).get("ApproximateReceiveCount", 1)),
        clicks=record["eventSourceARN"].endswith(":" + clicks_queue),
        attempt=int(number("attempt")),
        first_at=number("first_at"),
        receipt=record.get("receiptHandle", ""),
        home=_home(record["eventSourceARN"]),
    )


def _home(queue_arn: str) -> tuple[str, str]:
    _, _, _, region, account, _ = queue_arn.split(":", 5)
    return account, region


def read(message: Message) -> Content:
    """What the message holds.

    Raises:
        UnreadableEvent: it is neither an event of Security Hub, nor one of SES about an e-mail of
            ours, nor one of our own messages.
    """
    came = returned.decode(message.body) if returned.is_mail(message.body) else None
    if came is not None:
        return came
    if not message.body.encode("utf-8", "replace").startswith(OWN):
        return events.decode(message.body)
    try:
        body = msgspec.json.decode(message.body)
        reads = _READERS.get(body["hub_responder"])
        if reads is not None:
            return reads(body)
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError, UnreadableFinding) as error:
        raise UnreadableEvent(f"a message of our own that cannot be read: {error}") from error
    raise UnreadableEvent(f"a message of our own of an unknown kind: {body['hub_responder']!r:.80}")


def _findings(body: Mapping[str, Any]) -> tuple[Finding, ...]:
    return tuple(Finding.from_compact(compact) for compact in body["findings"])


def _redrive(body: Mapping[str, Any]) -> Redrive:
    pk = _pk(body) if body["pk"] else ""
    return Redrive(str(body["event_id"]), str(body["step"]), _findings(body), pk)


def _settle(body: Mapping[str, Any]) -> Settle:
    pk = _pk(body)
    ended = body.get("ended", 0)
    if not isinstance(ended, int) or not 0 <= ended < 2**53:
        raise UnreadableEvent(f"a settle message for no round: {ended!r:.80}")
    urgent, clicked, resumed = (bool(body.get(name)) for name in ("urgent", "clicked", "resumed"))
    return Settle(pk, urgent, clicked, ended, resumed)


def _pk(body: Mapping[str, Any]) -> str:
    pk = body["pk"]
    if not isinstance(pk, str) or not _PARTITION.fullmatch(pk):
        raise UnreadableEvent(f"a {body['hub_responder']} message for no incident: {pk!r:.80}")
    return pk


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Content]] = {
    "settle": _settle,
    "kept": lambda body: Kept(_pk(body), str(body["sk"]), float(body["until"])),
    "restored": lambda body: Restored(str(body["event_id"]), _pk(body)),
    "recheck": lambda body: Recheck(str(body["event_id"]), _findings(body)),
    "redrive": _redrive,
}
"""Our own messages, by their kind."""

"""What the engine sends to queues. Nothing is acknowledged before what replaces it is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from hub_responder import aws, clock
from hub_responder.engine.intake import Message
from hub_responder.errors import PermanentError, TransientError
from hub_responder.finding import Finding

MAX_DELAY_S = 900
"""SQS delays a message by 15 minutes at most; what must wait longer is sent again then."""
MAX_BATCH = 256 * 1024
"""Bytes that we send at once, of the 1 MiB that SQS takes; a larger message goes alone."""
MAX_FINDINGS = 40
MAX_FINDINGS_BYTES = 200_000
"""Findings of one message of our own, and their bytes; more of them make more messages."""
_AT_ONCE = 10  # entries of one SendMessageBatch
_FIRST_DELAY_S = 30.0
_REFUSED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no message may hold (SendMessage reference, "MessageBody")."""


def backoff(tries: int) -> float:
    """Seconds until the next try of something that was tried ``tries`` times: 30 s to 15 min."""
    return min(float(MAX_DELAY_S), _FIRST_DELAY_S * 2.0 ** min(tries, 10))


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _sendable(text: str) -> str:
    return _REFUSED.sub("\ufffd", text)


def _portions(findings: Sequence[Mapping[str, Any]]) -> Iterator[list[msgspec.Raw]]:
    """Compact findings, encoded, as many at a time as one message holds."""
    portion: list[msgspec.Raw] = []
    size = 0
    for finding in findings:
        encoded = msgspec.json.encode(finding)
        full = len(portion) >= MAX_FINDINGS or size + len(encoded) > MAX_FINDINGS_BYTES
        if portion and full:
            yield portion
            portion, size = [], 0
        portion.append(msgspec.Raw(encoded))
        size += len(encoded)
    if portion:
        yield portion


def _attributes(**values: str | float) -> dict[str, Any]:
    return {
        name: {"DataType": "String", "StringValue": value}
        if isinstance(value, str)
        else {"DataType": "Number", "StringValue": str(value)}
        for name, value in values.items()
    }


class Outbox:
    """Collects messages and sends them, ten at a time.

    Args:
        client: an SQS client. playbook: whose messages they are. imports, clicks, dead: the queues'
            URLs.
    """

    def __init__(self, client: Any, *, playbook: str, imports: str, clicks: str, dead: str) -> None:
        self._client = client
        self._playbook = playbook
        self._imports = imports
        self._clicks = clicks
        self._dead = dead
        self._entries: dict[str, list[dict[str, Any]]] = {}

    def _add(
        self, queue: str, body: str, delay: float = 0.0, attributes: dict[str, Any] | None = None
    ) -> None:
        entry: dict[str, Any] = {"MessageBody": _sendable(body), "DelaySeconds": _whole(delay)}
        if attributes:
            entry["MessageAttributes"] = attributes
        self._entries.setdefault(queue, []).append(entry)

    def settle(
        self, pk: str, delay: float, *, clicks: bool, urgent: bool = False, clicked: bool = False
    ) -> None:
        """Look at the incident again in ``delay`` seconds (or earlier, where that is too long)."""
        body: dict[str, Any] = {"hub_responder": "settle", "pk": pk}
        if urgent:
            body["urgent"] = True
        if clicked:
            body["clicked"] = True
        self._add(self._clicks if clicks else self._imports, _json(body), delay)

    def kept(self, pk: str, sk: str, until: float) -> None:
        """Look, once ``until`` is over, at a finding that came too often."""
        body = {"hub_responder": "kept", "pk": pk, "sk": sk, "until": until}
        self._add(self._imports, _json(body), until - clock.now())

    def recheck(self, event_id: str, findings: Sequence[Finding], delay: float) -> None:
        """Ask again for an analyst whose answer was UNKNOWN."""
        for portion in _portions([finding.compact() for finding in findings]):
            body = {"hub_responder": "recheck", "event_id": event_id, "findings": portion}
            self._add(self._clicks, _json(body), delay)

    def defer(
        self, message: Message, why: str, give_up_after: float, *, paused: bool = False
    ) -> bool:
        """Put the message back for later; False: ``give_up_after`` seconds are over, it is in the
        DLQ. A pause uses none of them up."""
        now = clock.now()
        if paused:
            self._add(self._clicks if message.clicks else self._imports, message.body, MAX_DELAY_S)
            return True
        first_at = message.first_at or now
        if now - first_at > give_up_after:
            self.dead(message, f"gave up after {int(now - first_at)} s: {why}")
            return False
        attributes = _attributes(attempt=message.attempt + 1, first_at=first_at)
        queue = self._clicks if message.clicks else self._imports
        self._add(queue, message.body, backoff(message.attempt), attributes)
        return True

    def dead(self, message: Message, reason: str) -> None:
        """The message to the DLQ, with the reason and where it came from as attributes."""
        tries = message.attempt + 1 if message.attempt else message.receives
        self._bury(message.body, reason, clicks=message.clicks, tries=tries)

    def failed(
        self,
        step: str,
        findings: Sequence[Mapping[str, Any]],
        reason: str,
        pk: str = "",
        *,
        clicks: bool,
        trigger: str,
        ended: int = 0,
    ) -> None:
        """What could not be done for compact findings to the DLQ, so that it can be done later.

        Args:
            trigger: what had brought the findings. ended: the round, of one that ends an incident.
        """
        body: dict[str, Any] = {"hub_responder": "failed", "pk": pk, "step": step}
        body |= {"trigger": trigger} | ({"ended": ended} if ended else {})
        for portion in _portions(findings):
            self._bury(_json(body | {"findings": portion}), reason, clicks=clicks)

    def _bury(self, body: str, reason: str, *, clicks: bool, **more: float) -> None:
        queue = self._clicks if clicks else self._imports
        attributes = _attributes(
            reason=_sendable(reason[:250]) or "unknown",
            playbook=self._playbook,
            queue=queue.rpartition("/")[2],
            **more,
        )
        self._add(self._dead, body, attributes=attributes)

    def forget(self) -> None:
        """Drop what was not sent yet."""
        self._entries.clear()

    def handled(self, message: Message) -> None:
        """Take the message out of its queue now, in case this run does not come to its end.

        It is acknowledged in the run's answer as well, so a failure here changes nothing.
        """
        queue = self._clicks if message.clicks else self._imports
        with suppress(*aws.ERRORS):
            self._client.delete_message(QueueUrl=queue, ReceiptHandle=message.receipt)

    def flush(self) -> None:
        """Send all that was added.

        Raises:
            TransientError: SQS did not take all of it; what it did not take is kept.
            PermanentError: SQS will never take one of them; `forget` it.
        """
        for queue, entries in list(self._entries.items()):
            while entries:
                self._send(queue, entries)
        self._entries.clear()

    def _send(self, queue: str, entries: list[dict[str, Any]]) -> None:
        batch = [{"Id": str(n), **entry} for n, entry in enumerate(entries[: _fitting(entries)])]
        try:
            answer = self._client.send_message_batch(QueueUrl=queue, Entries=batch)
        except Exception as error:
            raise aws.translate(error, "sqs") from error
        failures = answer.get("Failed", [])
        failed = {int(failure["Id"]) for failure in failures}
        entries[: len(batch)] = [entries[n] for n in sorted(failed)]
        if failed:
            ours = any(failure.get("SenderFault") for failure in failures)
            kind = PermanentError if ours else TransientError
            raise kind(f"SQS did not take {len(failed)} messages", target="sqs")


def _fitting(entries: Sequence[Mapping[str, Any]]) -> int:
    """How many of the first entries go together."""
    size = 0
    for count, entry in enumerate(entries[:_AT_ONCE]):
        size += _size(entry)
        if count and size > MAX_BATCH:
            return count
    return len(entries[:_AT_ONCE])


def _size(entry: Mapping[str, Any]) -> int:
    """The bytes of a message and its attributes, as SQS counts them."""
    attributes = entry.get("MessageAttributes", {})
    texts = [entry["MessageBody"]]
    for name, attribute in attributes.items():
        texts += [name, attribute["DataType"], attribute["StringValue"]]
    return sum(len(text.encode()) for text in texts)


def _whole(delay: float) -> int:
    """Whole seconds, rounded up, within what SQS takes."""
    return max(0, min(MAX_DELAY_S, -int(-delay // 1)))

"""What the engine sends to queues. Nothing is acknowledged before what replaces it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from hub_responder import aws, clock
from hub_responder.engine.intake import Message
from hub_responder.errors import TransientError
from hub_responder.finding import Finding

MAX_DELAY_S = 900
"""SQS delays a message by 15 minutes at most; what must wait longer is sent again then."""
_AT_ONCE = 10  # entries of one SendMessageBatch
_FIRST_DELAY_S = 30.0


def backoff(tries: int) -> float:
    """Seconds until the next try of something that was tried ``tries`` times: 30 s to 15 min."""
    return min(float(MAX_DELAY_S), _FIRST_DELAY_S * 2.0 ** min(tries, 10))


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


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
        client: an SQS client. imports, clicks, dead: the queues' URLs.
    """

    def __init__(self, client: Any, *, imports: str, clicks: str, dead: str) -> None:
        self._client = client
        self._imports = imports
        self._clicks = clicks
        self._dead = dead
        self._entries: dict[str, list[dict[str, Any]]] = {}

    def _add(
        self, queue: str, body: str, delay: float = 0.0, attributes: dict[str, Any] | None = None
    ) -> None:
        entry: dict[str, Any] = {"MessageBody": body, "DelaySeconds": _whole(delay)}
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

    def recheck(self, event_id: str, findings: Sequence[Finding], delay: float) -> None:
        """Ask again for an analyst whose answer was UNKNOWN."""
        compact = [finding.compact() for finding in findings]
        body = {"hub_responder": "recheck", "event_id": event_id, "findings": compact}
        self._add(self._clicks, _json(body), delay)

    def defer(self, message: Message, why: str, give_up_after: float) -> None:
        """Put the message back for later; after ``give_up_after`` seconds to the DLQ."""
        now = clock.now()
        first_at = message.first_at or now
        if now - first_at > give_up_after:
            self.dead(message.body, f"gave up after {int(now - first_at)} s: {why}")
            return
        attributes = _attributes(attempt=message.attempt + 1, first_at=first_at)
        queue = self._clicks if message.clicks else self._imports
        self._add(queue, message.body, backoff(message.attempt), attributes)

    def dead(self, body: str, reason: str) -> None:
        """To the DLQ, with the reason as a message attribute."""
        self._add(self._dead, body, attributes=_attributes(reason=reason[:250] or "unknown"))

    def flush(self) -> None:
        """Send all that was added.

        Raises:
            TransientError: SQS did not take all of it; what it did not take is kept.
        """
        for queue, entries in list(self._entries.items()):
            while entries:
                self._send(queue, entries)
        self._entries.clear()

    def _send(self, queue: str, entries: list[dict[str, Any]]) -> None:
        batch = [{"Id": str(n), **entry} for n, entry in enumerate(entries[:_AT_ONCE])]
        try:
            answer = self._client.send_message_batch(QueueUrl=queue, Entries=batch)
        except Exception as error:
            raise aws.translate(error, "sqs") from error
        failed = {int(failure["Id"]) for failure in answer.get("Failed", [])}
        entries[: len(batch)] = [entries[n] for n in sorted(failed)]
        if failed:
            raise TransientError(f"SQS did not take {len(failed)} messages", target="sqs")


def _whole(delay: float) -> int:
    """Whole seconds, rounded up, within what SQS takes."""
    return max(0, min(MAX_DELAY_S, -int(-delay // 1)))

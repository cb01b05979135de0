"""A deployment in AWS or in a sandbox: its dead letters are read, its queues sent to.

Dead letters are only looked at: what was received to look is given back at once.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec

from hub_responder.finding import Finding
from hub_toolkit.dry.world import ENDPOINT, STACK
from hub_toolkit.letters.letter import source_of
from hub_toolkit.letters.looking import look
from hub_toolkit.sandbox.identifiers import Place
from hub_toolkit.sandbox.security_hub.events import Envelopes
from hub_toolkit.stack import DeploymentError, Stack

MESSAGE_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_IDS_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message of the dead-letter queue.

    Attributes:
        reason: why it is there, where we put it there ourselves.
        source: the name of the queue that it came from, or empty.
        events: the events that it stands for; several where it tells of findings.
        playbook: whose step failed, where it is the record of that; else empty.
    """

    message_id: str
    reason: str
    source: str
    events: Sequence[dict[str, Any]] = field(default_factory=tuple)
    playbook: str = ""


class Deployment(Stack):
    """One stack: its dead letters, and its queues to send to."""

    def dead_letter(self, message_id: str) -> DeadLetter:
        """The dead letter with this id; it stays where it is.

        Raises:
            DeploymentError: there is none, or it stands for no event.
        """
        with look(self, self.queue(f"{self.stack}-dlq")) as looking:
            messages = looking.messages()
            found = next((one for one in messages if one["MessageId"] == message_id), None)
        if found is None:
            raise DeploymentError(
                f"there is no message {message_id} in {self.stack}-dlq ({looking.seen} looked at)"
            )
        return self._read(found)

    def queue(self, name: str) -> str:
        """The URL of a queue.

        Raises:
            DeploymentError: there is none, or it cannot be asked for.
        """
        return str(self.call("sqs", "get_queue_url", QueueName=name)["QueueUrl"])

    def place(self) -> Place:
        """Where it is, for a dry run of its own."""
        url = self.queue(f"{self.stack}-dlq")
        account = urlsplit(url).path.split("/")[1]
        return Place(STACK, account, self.region, ENDPOINT)

    def send(self, queue: str, event: Mapping[str, Any]) -> str:
        """Send an event to a queue, once; the message's id."""
        body = msgspec.json.encode(event).decode()
        sent = self.call("sqs", "send_message", QueueUrl=self.queue(queue), MessageBody=body)
        return str(sent["MessageId"])

    def _read(self, message: Mapping[str, Any]) -> DeadLetter:
        attributes = {
            name: str(one.get("StringValue", ""))
            for name, one in message.get("MessageAttributes", {}).items()
        }
        letter = DeadLetter(
            message_id=message["MessageId"],
            reason=attributes.get("reason", "") or attributes.get("ERROR_MESSAGE", ""),
            source=source_of(message, attributes),
        )
        try:
            body = msgspec.json.decode(message["Body"])
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise _no_event(letter, "its body is not JSON") from None
        if not isinstance(body, dict):
            raise _no_event(letter, "its body is no object")
        if "hub_responder" not in body:
            return _with(letter, [body])
        if body["hub_responder"] != "failed":
            raise _no_event(letter, f"it is a note of our own ({body['hub_responder']!r:.40})")
        playbook = str(body.get("pk", "")).partition("#")[0]
        return _with(letter, self._events_of(letter, body), playbook)

    def _events_of(self, letter: DeadLetter, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Of a failed step only the findings are kept: their events, as they are now."""
        ids = []
        for compact in body.get("findings", ()):
            try:
                ids.append(Finding.from_compact(compact).id)
            except Exception:  # noqa: BLE001, S112 - whatever a letter of another version holds
                continue
        found: list[dict[str, Any]] = []
        for first in range(0, len(ids), _IDS_AT_ONCE):
            wanted = [{"Value": one, "Comparison": "EQUALS"} for one in ids[first : first + 20]]
            answer = self.call(
                "securityhub", "get_findings", Filters={"Id": wanted}, MaxResults=100
            )
            found += answer["Findings"]
        if not found:
            raise _no_event(letter, "a step failed, and its findings are not there any more")
        place = self.place()
        envelopes = Envelopes(place.region, place.account)
        return [envelopes.imported(finding, time.time()) for finding in found]


def _with(letter: DeadLetter, events: list[dict[str, Any]], playbook: str = "") -> DeadLetter:
    return DeadLetter(letter.message_id, letter.reason, letter.source, events, playbook)


def _no_event(letter: DeadLetter, why: str) -> DeploymentError:
    reason = f"; it is there because: {letter.reason}" if letter.reason else ""
    return DeploymentError(
        f"message {letter.message_id} stands for no event that can be replayed: {why}{reason}"
    )

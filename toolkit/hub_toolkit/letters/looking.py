"""A look into a queue: what is received is given back, unless it is deleted on purpose."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hub_toolkit.stack import Stack

Raw = Mapping[str, Any]
"""A message as ReceiveMessage answers it."""
HOLD_S = 120
"""How long what was received stays hidden if this process dies meanwhile."""
LOOK_S = 90.0
"""How long is looked: SQS shows ten messages at a time, in any order."""
MAX_LOOKED_AT = 20_000
_EMPTY_ENOUGH = 3
"""So many answers with nothing new in a row mean that there is no more: one alone does not (SQS
developer guide, "short and long polling")."""
_AT_ONCE = 10


class Looking:
    """One look into a queue.

    Args:
        url: the queue's.
    """

    def __init__(self, stack: Stack, url: str) -> None:
        self._stack = stack
        self._url = url
        self._held: dict[str, str] = {}
        self._seen: set[str] = set()
        self._expected = self._depth()

    def _depth(self) -> int:
        """About how many messages the queue has, hidden ones included."""
        names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesDelayed",
            "ApproximateNumberOfMessagesNotVisible",
        ]
        answer = self._stack.call(
            "sqs", "get_queue_attributes", QueueUrl=self._url, AttributeNames=names
        )
        return sum(int(answer["Attributes"].get(name, 0)) for name in names)

    @property
    def seen(self) -> int:
        """How many messages were looked at, each counted once."""
        return len(self._seen)

    @property
    def unseen(self) -> int:
        """About how many there are that could not be seen: somebody else has them, or there was no
        time."""
        return max(0, self._expected - len(self._seen))

    def messages(self) -> Iterator[Raw]:
        """Every message that is visible, once; all stay hidden until the look ends."""
        empty, until = 0, time.monotonic() + LOOK_S
        while empty < _EMPTY_ENOUGH and len(self._seen) < MAX_LOOKED_AT:
            if time.monotonic() > until:
                return
            answer = self._stack.call(
                "sqs",
                "receive_message",
                QueueUrl=self._url,
                MaxNumberOfMessages=_AT_ONCE,
                VisibilityTimeout=HOLD_S,
                WaitTimeSeconds=0,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["All"],
            )
            received = answer.get("Messages", [])
            fresh = [one for one in received if one["MessageId"] not in self._seen]
            self._held |= {one["MessageId"]: one["ReceiptHandle"] for one in received}
            self._seen.update(one["MessageId"] for one in fresh)
            empty = 0 if fresh else empty + 1
            yield from fresh

    def keep(self, message_id: str) -> None:
        """Hide a message for as long again, while something is done with it."""
        self._visible([self._held[message_id]], HOLD_S)

    def delete(self, message_id: str) -> None:
        """Delete a message that was received."""
        receipt = self._held[message_id]
        self._stack.call("sqs", "delete_message", QueueUrl=self._url, ReceiptHandle=receipt)
        del self._held[message_id]

    def give_back(self) -> None:
        """Let everybody see again what was not deleted."""
        receipts, self._held = list(self._held.values()), {}
        for first in range(0, len(receipts), _AT_ONCE):
            self._visible(receipts[first : first + _AT_ONCE], 0)

    def _visible(self, receipts: Sequence[str], seconds: int) -> None:
        """Entries that are refused are no error: their messages are visible or gone."""
        entries = [
            {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
            for number, receipt in enumerate(receipts)
        ]
        self._stack.call(
            "sqs", "change_message_visibility_batch", QueueUrl=self._url, Entries=entries
        )


@contextmanager
def look(stack: Stack, url: str) -> Iterator[Looking]:
    """A look into a queue; at its end all is given back.

    Raises:
        DeploymentError: the queue is not there, or cannot be asked.
    """
    looking = Looking(stack, url)
    try:
        yield looking
    finally:
        looking.give_back()

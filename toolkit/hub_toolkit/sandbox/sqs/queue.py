"""One queue: a message is visible, in flight or delayed, and timers move it.

`Queue` is not safe by itself: all queues of an account share one lock, which every method here
needs held (moving a message to a dead-letter queue touches two), except `announce`.
"""

from __future__ import annotations

import base64
import binascii
import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from hub_toolkit.sandbox.sqs import attributes as settings
from hub_toolkit.sandbox.sqs.errors import SqsError, bad_value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hub_toolkit.sandbox.clock import Clock, Timer
    from hub_toolkit.sandbox.sqs.message import Message

LOG = logging.getLogger(__name__)


class Depth(NamedTuple):
    """How many messages a queue holds, by what they wait for."""

    visible: int
    in_flight: int
    delayed: int


@dataclass(slots=True, eq=False)
class Entry:
    """A message in its queue. ``timer`` makes it visible; without one it is."""

    message: Message
    timer: Timer | None = None
    in_flight: bool = False


class Queue:
    """A standard queue.

    Args:
        name, arn, url: what it is called.
        clock: for delays and visibility timeouts.
        lock: the lock of all queues.
        attributes: its settings, checked.
        tags: its tags.
    """

    def __init__(
        self,
        *,
        name: str,
        arn: str,
        url: str,
        clock: Clock,
        lock: threading.Lock,
        attributes: Mapping[str, str],
        tags: Mapping[str, str],
    ) -> None:
        self.name = name
        self.arn = arn
        self.url = url
        self.created = self.modified = clock.now()
        self.attributes = {**settings.DEFAULTS, **attributes}
        self.tags = dict(tags)
        self.available = threading.Condition(lock)
        self.watchers: list[Callable[[], None]] = []
        self._clock = clock
        self._lock = lock
        self._entries: dict[str, Entry] = {}
        self._visible: OrderedDict[str, Entry] = OrderedDict()
        self._in_flight = 0

    @property
    def redrive(self) -> settings.Redrive | None:
        """Its redrive policy."""
        return settings.redrive(self.attributes)

    def number(self, name: str) -> int:
        """A setting that is a number."""
        return int(self.attributes[name])

    def configure(self, changes: Mapping[str, str]) -> None:
        """Change settings; an empty text removes one, or brings back its default."""
        merged = {**self.attributes, **changes}
        kept = {name: value for name, value in merged.items() if value}
        self.attributes = {**settings.DEFAULTS, **kept}
        self.modified = self._clock.now()

    def depth(self) -> Depth:
        """How many messages there are."""
        visible = len(self._visible)
        delayed = len(self._entries) - visible - self._in_flight
        return Depth(visible, self._in_flight, delayed)

    def next_visible(self) -> float | None:
        """When the next delayed message or visibility timeout is over (simulated epoch seconds)."""
        timers = [entry.timer for entry in self._entries.values() if entry.timer is not None]
        return min((timer.when for timer in timers), default=None)

    def messages(self) -> list[Message]:
        """All messages, the oldest in this queue first."""
        return [entry.message for entry in self._entries.values()]

    def put(self, message: Message, delay: int) -> None:
        """Add a message that becomes visible after ``delay`` seconds."""
        entry = Entry(message)
        self._entries[message.id] = entry
        self._hide(entry, delay)

    def take(self, count: int, visibility: int, max_receives: int | None) -> Taken:
        """Receive up to ``count`` messages.

        Those that were received ``max_receives`` times already leave the queue instead.
        """
        taken = Taken([], [])
        for _ in range(len(self._visible)):
            if len(taken.received) == count:
                break
            _, entry = self._visible.popitem(last=False)
            if max_receives is not None and entry.message.receive_count >= max_receives:
                del self._entries[entry.message.id]
                taken.dead.append(entry.message)
                continue
            self._receive(entry)
            self._hide(entry, visibility)
            taken.received.append(entry.message)
        return taken

    def delete(self, receipt: str) -> None:
        """Delete the message that was received with ``receipt``.

        With the receipt of an earlier receive, or of a message that is gone, nothing happens.

        Raises:
            SqsError: it is no receipt of this queue.
        """
        entry = self._entries.get(self._message_id(receipt))
        if entry is None or entry.message.receipt != receipt:
            return
        self._unhide(entry)
        self._visible.pop(entry.message.id, None)
        del self._entries[entry.message.id]

    def release(self, receipt: str, visibility: int) -> None:
        """Make the message visible ``visibility`` seconds from now.

        Raises:
            SqsError: it is no receipt of this queue, or the message is not in flight under it.
        """
        entry = self._entries.get(self._message_id(receipt))
        if entry is None or entry.message.receipt != receipt:
            raise bad_value(
                receipt,
                "ReceiptHandle",
                "Message does not exist or is not available for visibility timeout change.",
            )
        if not entry.in_flight:
            raise SqsError("MessageNotInflight", "The message referred to isn't in flight.")
        self._unhide(entry)
        self._hide(entry, visibility, in_flight=True)

    def clear(self) -> None:
        """Delete every message."""
        for entry in self._entries.values():
            self._unhide(entry)
        self._entries.clear()
        self._visible.clear()

    def announce(self) -> None:
        """Tell the watchers that messages became visible. Never call it with the lock held."""
        for watcher in tuple(self.watchers):
            try:
                watcher()
            except Exception:
                LOG.exception("a watcher of queue %s failed", self.name)

    def _receive(self, entry: Entry) -> None:
        message = entry.message
        count = message.receive_count + 1
        entry.message = replace(
            message,
            receive_count=count,
            first_received=message.first_received or self._clock.now(),
            receipt=_receipt(self.name, message.id, count),
        )
        entry.in_flight = True

    def _hide(self, entry: Entry, seconds: int, *, in_flight: bool = False) -> None:
        """Show the entry after ``seconds``."""
        entry.in_flight = entry.in_flight or in_flight
        if not seconds:
            self._show(entry)
            return
        self._in_flight += entry.in_flight
        timer = self._clock.call_at(self._clock.now() + seconds, partial(self._appear, entry))
        entry.timer = timer

    def _unhide(self, entry: Entry) -> None:
        if entry.timer is not None:
            entry.timer.cancel()
            entry.timer = None
            self._in_flight -= entry.in_flight
        entry.in_flight = False

    def _show(self, entry: Entry) -> None:
        entry.in_flight = False
        self._visible[entry.message.id] = entry
        self.available.notify()

    def _appear(self, entry: Entry) -> None:
        with self._lock:
            timer = entry.timer
            if timer is None or timer.waiting:
                return  # deleted, or hidden anew, while this call was on its way
            entry.timer = None
            self._in_flight -= entry.in_flight
            self._show(entry)
        self.announce()

    def _message_id(self, receipt: str) -> str:
        try:
            queue, message_id, _ = base64.b64decode(receipt, validate=True).decode().split(" ")
        except (binascii.Error, ValueError) as error:
            raise _no_receipt() from error
        if queue != self.name:
            raise _no_receipt()
        return message_id


class Taken(NamedTuple):
    """What `Queue.take` took: messages for the receiver, and those whose receives are used up."""

    received: list[Message]
    dead: list[Message]


def _receipt(queue: str, message_id: str, count: int) -> str:
    return base64.b64encode(f"{queue} {message_id} {count}".encode()).decode()


def _no_receipt() -> SqsError:
    return SqsError("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")

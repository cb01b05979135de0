"""The queues of one account and region: created, found by ARN or URL, sent to, received from."""

from __future__ import annotations

import re
import threading
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hub_toolkit.sandbox.sqs import api, wsgi
from hub_toolkit.sandbox.sqs import attributes as settings
from hub_toolkit.sandbox.sqs.errors import SqsError, bad_value, no_such_queue
from hub_toolkit.sandbox.sqs.message import Attribute, Message, check_body, decode_attributes, md5
from hub_toolkit.sandbox.sqs.queue import Depth, Queue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hub_toolkit.sandbox.clock import Clock
    from hub_toolkit.sandbox.wsgi import Environ, StartResponse

NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")


class Queues:
    """Standard queues. Safe to call from any thread; a queue is named by its ARN or its URL.

    Every method that names a queue raises `SqsError` (``QueueDoesNotExist``) if there is none.

    Args:
        clock: the sandbox's clock.
        region, account: where the queues are.
        endpoint: what their URLs begin with, as ``http://127.0.0.1:4566``.
    """

    def __init__(self, clock: Clock, region: str, account: str, endpoint: str) -> None:
        self.clock = clock
        self.account = account
        self._arn = f"arn:aws:sqs:{region}:{account}:"
        self._endpoint = endpoint.rstrip("/")
        self._lock = threading.Lock()
        self._queues: dict[str, Queue] = {}
        self._closed = False

    def create(
        self,
        name: str,
        attributes: Mapping[str, object] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Create a queue and return its URL; one that is there already must have these settings.

        Raises:
            SqsError: the name or a setting is not allowed, or the queue exists with others.
        """
        if not NAME.fullmatch(name):
            raise bad_value(
                name,
                "QueueName",
                "Can only include alphanumeric characters, hyphens, or underscores, "
                "1 to 80 in length (FIFO queues do not exist here).",
            )
        checked = settings.check(attributes)
        with self._lock:
            self._check_redrive(checked)
            queue = self._queues.get(name)
            if queue is None:
                queue = Queue(
                    name=name,
                    arn=self._arn + name,
                    url=f"{self._endpoint}/{self.account}/{name}",
                    clock=self.clock,
                    lock=self._lock,
                    attributes=checked,
                    tags=tags or {},
                )
                self._queues[name] = queue
            elif any(queue.attributes.get(key) != value for key, value in checked.items()):
                raise SqsError(
                    "QueueNameExists",
                    "A queue already exists with the same name and a different value for an"
                    " attribute.",
                )
            return queue.url

    def find(self, queue: str) -> Queue:
        """The queue with this ARN or URL."""
        if queue.startswith("arn:"):
            name = queue.removeprefix(self._arn)
        else:
            account, _, name = urlsplit(queue).path.removeprefix("/").partition("/")
            if account != self.account:
                raise no_such_queue()
        found = self._queues.get(name)
        if found is None:
            raise no_such_queue()
        return found

    def all(self) -> list[Queue]:
        """Every queue, by name."""
        with self._lock:
            return sorted(self._queues.values(), key=lambda queue: queue.name)

    def configure(self, queue: str, attributes: Mapping[str, object]) -> None:
        """Change settings of a queue.

        Raises:
            SqsError: a setting is not allowed.
        """
        checked = settings.check(attributes)
        with self._lock:
            self._check_redrive(checked)
            self.find(queue).configure(checked)

    def drop(self, queue: str) -> None:
        """Delete a queue with its messages."""
        with self._lock:
            found = self.find(queue)
            found.clear()
            found.watchers.clear()
            found.available.notify_all()
            del self._queues[found.name]

    def purge(self, queue: str) -> None:
        """Delete every message of a queue."""
        with self._lock:
            self.find(queue).clear()

    def send(
        self,
        queue: str,
        body: str,
        attributes: Mapping[str, object] | None = None,
        delay: int | None = None,
        *,
        trace_header: str = "",
    ) -> Message:
        """Send a message.

        Args:
            queue: ARN or URL.
            body: up to 1 MiB of text.
            attributes: by name, in the shape of the SQS API: ``{"DataType": "String",
                "StringValue": "x"}``.
            delay: seconds until it becomes visible, 0 to 900; if not given, the queue's own.
            trace_header: the system attribute ``AWSTraceHeader``.

        Raises:
            SqsError: the body, the attributes or the delay is not allowed.
        """
        decoded: dict[str, Attribute] = decode_attributes(attributes)
        with self._lock:
            found = self.find(queue)
            body = check_body(body, decoded, found.number("MaximumMessageSize"))
            message = Message(
                id=str(uuid.uuid4()),
                body=body,
                md5=md5(body),
                sent=self.clock.now(),
                attributes=decoded,
                trace_header=trace_header,
            )
            delay = found.number("DelaySeconds") if delay is None else delay
            low, high = settings.RANGES["DelaySeconds"]
            if not low <= delay <= high:
                raise bad_value(delay, "DelaySeconds", f"Must be between {low} and {high}.")
            found.put(message, delay)
        if not delay:
            found.announce()
        return message

    def receive(
        self, queue: str, max_messages: int = 10, visibility: int | None = None
    ) -> list[Message]:
        """Receive up to ``max_messages`` that are visible now, the first to become so first.

        They are hidden for ``visibility`` seconds (if not given, the queue's own). A message that
        was received ``maxReceiveCount`` times before goes to the dead-letter queue instead.
        """
        with self._lock:
            found = self.find(queue)
            target, limit = self._dead_letter_queue(found)
            hidden = found.number("VisibilityTimeout") if visibility is None else visibility
            taken = found.take(max_messages, hidden, limit)
            for message in taken.dead:
                if target is not None:
                    target.put(replace(message, source=found.arn), 0)
        if taken.dead and target is not None:
            target.announce()
        if taken.received and not hidden:
            found.announce()
        return taken.received

    def poll(
        self, queue: str, max_messages: int, visibility: int | None, wait: float
    ) -> list[Message]:
        """`receive`, but wait up to ``wait`` simulated seconds for a first message."""
        received = self.receive(queue, max_messages, visibility)
        if received or not wait:
            return received
        found = self.find(queue)
        over = threading.Event()

        def end() -> None:
            with self._lock:
                over.set()
                found.available.notify_all()

        timer = self.clock.call_at(self.clock.now() + wait, end)
        try:
            while not received and not over.is_set() and not self._closed:
                with self._lock:
                    if not (found.depth().visible or over.is_set() or self._closed):
                        found.available.wait()
                received = self.receive(queue, max_messages, visibility)
        finally:
            timer.cancel()
        return received

    def delete(self, queue: str, receipt: str) -> None:
        """Delete the message that was received with ``receipt``; nothing happens if it is gone.

        Raises:
            SqsError: ``receipt`` is none of this queue.
        """
        with self._lock:
            self.find(queue).delete(receipt)

    def release(self, queue: str, receipt: str, visibility: int = 0) -> None:
        """Make a message in flight visible ``visibility`` seconds from now.

        Raises:
            SqsError: ``receipt`` is none of this queue, or the message is not in flight.
        """
        low, high = settings.RANGES["VisibilityTimeout"]
        if not low <= visibility <= high:
            raise bad_value(visibility, "VisibilityTimeout", f"Must be between {low} and {high}.")
        with self._lock:
            found = self.find(queue)
            found.release(receipt, visibility)
        if not visibility:
            found.announce()

    def subscribe(self, queue: str, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` whenever a message became visible, on the thread that made it so.

        Returns:
            A function that ends the subscription.
        """
        with self._lock:
            watchers = self.find(queue).watchers
            watchers.append(callback)

        def unsubscribe() -> None:
            with self._lock:
                if callback in watchers:
                    watchers.remove(callback)

        return unsubscribe

    def depth(self, queue: str) -> Depth:
        """How many messages are visible, in flight and delayed."""
        with self._lock:
            return self.find(queue).depth()

    def next_visible(self, queue: str) -> float | None:
        """When the next message that is delayed or in flight becomes visible, if there is one."""
        with self._lock:
            return self.find(queue).next_visible()

    def messages(self, queue: str) -> list[Message]:
        """Every message of a queue, the oldest first, without receiving any."""
        with self._lock:
            return self.find(queue).messages()

    def sources(self, queue: str) -> list[Queue]:
        """The queues whose dead-letter queue is this one, by name."""
        arn = self.find(queue).arn
        return [q for q in self.all() if q.redrive is not None and q.redrive.target == arn]

    def close(self) -> None:
        """Let go whoever waits in `poll`."""
        with self._lock:
            self._closed = True
            for queue in self._queues.values():
                queue.available.notify_all()

    def handle(self, action: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out an operation of the SQS API, as ``SendMessage``, and return its answer.

        Raises:
            SqsError: it is refused.
        """
        return api.handle(self, action, params)

    def app(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI: answers requests of the AWS JSON protocol."""
        return wsgi.app(self.handle, environ, start_response)

    def _dead_letter_queue(self, queue: Queue) -> tuple[Queue | None, int | None]:
        policy = queue.redrive
        target = self._queues.get(policy.target.removeprefix(self._arn)) if policy else None
        if policy is None or target is None:
            return None, None
        return target, policy.max_receives

    def _check_redrive(self, checked: Mapping[str, str]) -> None:
        policy = settings.redrive(checked)
        if policy and policy.target.removeprefix(self._arn) not in self._queues:
            raise bad_value(
                checked["RedrivePolicy"], "RedrivePolicy", "Dead letter target does not exist."
            )

"""Event source mappings: they receive from queues, invoke functions, and delete what succeeded.

As "Using Lambda with Amazon SQS" in the Lambda developer guide describes: batches, the batching
window, maximum concurrency, partial batch responses. Nothing polls: a queue tells when a message
becomes visible, the clock when a window is over.

What differs from AWS: without a maximum concurrency a mapping stays at the five concurrent batches
that AWS starts with, and it does not slow down after failures. That the rest of a batch that is
over the payload's limit goes out next, without a new window, is a guess.
"""

from __future__ import annotations

import base64
import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any, Protocol, Self

from hub_toolkit.sandbox.clock import Clock, Timer
from hub_toolkit.sandbox.sqs import Attribute, Message, Queues, SqsError

LOG = logging.getLogger(__name__)

MAX_RECEIVE = 10
"""Messages per receive; a larger batch takes several."""

MAX_PAYLOAD = 6 * 1024 * 1024
"""Bytes of an event ("Lambda quotas": invocation payload, synchronous)."""

ENVELOPE = len('{"Records": []}')

DEFAULT_CONCURRENCY = 5


class Outcome(Protocol):
    """What a poller needs to know of an invocation."""

    @property
    def payload(self) -> Any:
        """What the handler returned."""

    @property
    def error(self) -> Mapping[str, Any] | None:
        """Why it failed; None if it did not."""


class Invoker(Protocol):
    """Runs functions; `hub_toolkit.sandbox.workers.pool.Pool` is one."""

    def invoke(self, name: str, event: Any) -> Outcome:
        """Run the function ``name`` and wait for its end."""


@dataclass(frozen=True, slots=True)
class Source:
    """An event source mapping.

    Attributes:
        queue: ARN of the queue.
        function: name of the function.
        batch_size: BatchSize, 1 to 10,000; over 10 only with a window, as in AWS.
        window_s: MaximumBatchingWindowInSeconds, 0 to 300 simulated seconds.
        max_concurrency: ScalingConfig.MaximumConcurrency.
        report_failures: FunctionResponseTypes holds ReportBatchItemFailures.
    """

    queue: str
    function: str
    batch_size: int = 10
    window_s: float = 0.0
    max_concurrency: int = DEFAULT_CONCURRENCY
    report_failures: bool = False

    def __post_init__(self) -> None:
        limit = 10_000 if self.window_s else MAX_RECEIVE
        if not 1 <= self.batch_size <= limit:
            raise ValueError(
                f"{self.function}: BatchSize is {self.batch_size}; from 1 to {limit} is allowed"
                f" with a batching window of {self.window_s:g} s"
            )
        if self.max_concurrency < 1:
            raise ValueError(f"{self.function}: MaximumConcurrency is {self.max_concurrency}")


class Pollers:
    """All event source mappings of a sandbox.

    To stop: `stop`, then close the pool so that what runs ends, then `close`.

    Args:
        clock: runs at 1x from the receive of a batch until its messages are deleted.
        queues: where messages come from.
        invoker: runs the functions.
        region: for the records.
    """

    def __init__(self, clock: Clock, queues: Queues, invoker: Invoker, region: str) -> None:
        self._clock = clock
        self._queues = queues
        self._invoker = invoker
        self._region = region
        self._executor = ThreadPoolExecutor(max_workers=256, thread_name_prefix="poller")
        self._pollers: list[_Poller] = []

    @property
    def sources(self) -> tuple[Source, ...]:
        """The mappings, in the order they were added."""
        return tuple(poller.source for poller in self._pollers)

    def add(self, source: Source) -> None:
        """Start a mapping; messages that are in the queue already are received at once.

        Raises:
            SqsError: the queue is not there.
        """
        poller = _Poller(
            source,
            clock=self._clock,
            queues=self._queues,
            invoker=self._invoker,
            region=self._region,
            submit=self._executor.submit,
        )
        self._pollers.append(poller)
        poller.start()

    def running(self) -> int:
        """How many batches are being collected or run."""
        return sum(poller.running() for poller in self._pollers)

    def stop(self) -> None:
        """Receive nothing more; batches that wait for their window go back to their queues."""
        for poller in self._pollers:
            poller.stop()

    def close(self) -> None:
        """`stop`, and wait for the invocations that run. May be called twice."""
        self.stop()
        self._executor.shutdown(wait=True)


@dataclass(frozen=True, slots=True)
class _Received:
    """A message of a batch, its record, and the record's size in the event."""

    message: Message
    record: dict[str, Any]
    size: int

    @classmethod
    def of(cls, message: Message, queue_arn: str, region: str) -> Self:
        record = to_record(message, queue_arn, region)
        size = len(json.dumps(record, ensure_ascii=False).encode()) + len(", ")
        return cls(message, record, size)


class _Poller:
    """One mapping.

    `_wake` is called on any thread whenever something may be done; one of these threads at a time
    does it, without a lock held, and looks again if others called meanwhile.
    """

    def __init__(
        self,
        source: Source,
        *,
        clock: Clock,
        queues: Queues,
        invoker: Invoker,
        region: str,
        submit: Callable[..., Any],
    ) -> None:
        self.source = source
        self._clock = clock
        self._queues = queues
        self._invoker = invoker
        self._region = region
        self._submit = submit
        self._lock = threading.Lock()
        self._wakes = 0
        self._active = 0
        self._stopped = False
        # Only the thread that collects touches these.
        self._batch: list[_Received] = []
        self._window: Timer | None = None
        self._overdue = False

    def start(self) -> None:
        self._unsubscribe = self._queues.subscribe(self.source.queue, self._wake)
        self._wake()

    def running(self) -> int:
        with self._lock:
            return self._active + bool(self._wakes) + bool(self._batch)

    def stop(self) -> None:
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
        self._unsubscribe()
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            self._wakes += 1
            if self._wakes > 1:
                return
        seen = 0
        while True:
            with self._lock:
                if self._wakes == seen:
                    self._wakes = 0
                    return
                seen = self._wakes
            with self._clock.running():
                try:
                    self._collect()
                except SqsError as error:
                    LOG.warning("cannot receive from %s: %s", self.source.queue, error)

    def _collect(self) -> None:
        """Receive and start invocations as far as messages and concurrency allow."""
        while not self._stopped and self._has_capacity():
            if self._is_due():
                self._dispatch()
                continue
            wanted = min(MAX_RECEIVE, self.source.batch_size - len(self._batch))
            received = self._queues.receive(self.source.queue, wanted)
            if not received:
                break
            self._batch += [_Received.of(m, self.source.queue, self._region) for m in received]
            if self.source.window_s and self._window is None:
                end = self._clock.now() + self.source.window_s
                self._window = self._clock.call_at(end, self._wake)
        if self._stopped:
            self._put_back()

    def _has_capacity(self) -> bool:
        with self._lock:
            return self._active < self.source.max_concurrency

    def _is_due(self) -> bool:
        if not self._batch:
            return False
        return (
            not self.source.window_s
            or self._overdue
            or len(self._batch) >= self.source.batch_size
            or (self._window is not None and not self._window.waiting)
            or self._fitting() < len(self._batch)
        )

    def _fitting(self) -> int:
        """How many messages of the batch fit one event; one always does (it has 1 MiB at most)."""
        total = ENVELOPE
        for count, received in enumerate(self._batch):
            total += received.size
            if total > MAX_PAYLOAD:
                return max(1, count)
        return len(self._batch)

    def _dispatch(self) -> None:
        count = self._fitting()
        batch, self._batch = self._batch[:count], self._batch[count:]
        self._overdue = bool(self._batch)
        self._end_window()
        with self._lock:
            self._active += 1
        running = ExitStack()
        running.enter_context(self._clock.running())
        try:
            self._submit(self._run, batch, running)
        except RuntimeError:  # closed meanwhile: the batch comes back after its visibility timeout
            running.close()
            with self._lock:
                self._active -= 1

    def _end_window(self) -> None:
        if self._window is not None:
            self._window.cancel()
            self._window = None

    def _put_back(self) -> None:
        self._end_window()
        batch, self._batch = self._batch, []
        for received in batch:
            with suppress(SqsError):  # it became visible by itself, or its queue is gone
                self._queues.release(self.source.queue, received.message.receipt)

    def _run(self, batch: Sequence[_Received], running: ExitStack) -> None:
        """Invoke the function and delete what succeeded; ``running`` is held until then."""
        with running:
            try:
                event = {"Records": [received.record for received in batch]}
                for message in self._succeeded([received.message for received in batch], event):
                    self._queues.delete(self.source.queue, message.receipt)
            except Exception:
                LOG.exception("a batch for %s failed", self.source.function)
            with self._lock:
                self._active -= 1
            self._wake()

    def _succeeded(
        self, messages: Sequence[Message], event: Mapping[str, Any]
    ) -> Sequence[Message]:
        outcome = self._invoker.invoke(self.source.function, event)
        if outcome.error is not None:
            return []
        if not self.source.report_failures:
            return messages
        failed = failed_ids(outcome.payload, {message.id for message in messages})
        if failed is None:
            LOG.warning("%s: malformed batch response; all messages fail", self.source.function)
            return []
        return [message for message in messages if message.id not in failed]


def failed_ids(payload: Any, known: set[str]) -> set[str] | None:
    """The messages that a partial batch response names as failed.

    By "Success and failure conditions" of partial batch responses in the Lambda developer guide:
    nothing, an object without ``batchItemFailures``, null or an empty list there is success.

    Returns:
        Their ids, or None where the whole batch fails: the answer is no object, an
        ``itemIdentifier`` is missing, empty, null or not of this batch.
    """
    if payload is None:
        return set()
    if not isinstance(payload, Mapping):
        return None
    failures = payload.get("batchItemFailures")
    if failures is None:
        return set()
    if not isinstance(failures, list):
        return None
    failed: set[str] = set()
    for failure in failures:
        item = failure.get("itemIdentifier") if isinstance(failure, Mapping) else None
        if not isinstance(item, str) or item not in known:
            return None
        failed.add(item)
    return failed


def to_record(message: Message, queue_arn: str, region: str) -> dict[str, Any]:
    """A message as Lambda hands it to a function.

    Shape: "Example SQS message event" in the Lambda developer guide; ``md5OfMessageAttributes`` is
    left out as there.
    """
    account = queue_arn.split(":")[4]
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": message.system_attributes(account),
        "messageAttributes": {
            name: _attribute(attribute) for name, attribute in message.attributes.items()
        },
        "md5OfBody": message.md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }


def _attribute(attribute: Attribute) -> dict[str, Any]:
    if isinstance(attribute.value, bytes):
        value = {"binaryValue": base64.b64encode(attribute.value).decode()}
    else:
        value = {"stringValue": attribute.value}
    return {
        **value,
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": attribute.data_type,
    }

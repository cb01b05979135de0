"""Event source mappings of streams: a table's changes invoke functions, in their order.

As "Using Lambda with Amazon DynamoDB" and "Event filtering" in the Lambda developer guide describe:
batches one after the other, filters before a batch is made, a batch that fails comes again before
any other. What differs from AWS: a mapping sees what changes from its start on, there is one shard,
and a batch that fails comes again for as long as the sandbox runs (AWS: 24 hours).
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub_responder.patterns.pattern import Pattern

if TYPE_CHECKING:
    from hub_toolkit.sandbox.clock import Clock
    from hub_toolkit.sandbox.dynamodb.streams import Change, Follower
    from hub_toolkit.sandbox.pollers import Invoker

LOG = logging.getLogger(__name__)
AGAIN_S = 0.5
"""Real seconds until a batch that failed comes again; AWS waits longer and longer."""


@dataclass(frozen=True, slots=True)
class StreamSource:
    """An event source mapping of a stream.

    Attributes:
        stream: its ARN. batch_size: changes of one invocation at most.
        filters: patterns of changes that are passed on; empty: all are.
    """

    stream: str
    function: str
    batch_size: int = 100
    filters: tuple[str, ...] = ()


class StreamPollers:
    """All mappings of streams of a sandbox.

    Args:
        clock: runs at 1x while a function runs. invoker: runs the functions.
        follow: lets somebody follow a stream, by its ARN.
    """

    def __init__(
        self, clock: Clock, invoker: Invoker, follow: Callable[[str, Follower], None]
    ) -> None:
        self._clock = clock
        self._invoker = invoker
        self._follow = follow
        self._executor = ThreadPoolExecutor(max_workers=8, thread_name_prefix="stream")
        self._stopped = threading.Event()
        self._mappings: list[_Mapping] = []

    def add(self, source: StreamSource) -> None:
        """Start a mapping.

        Raises:
            DynamoDBError: the stream is not there. InvalidPattern: a filter is none.
        """
        mapping = _Mapping(source, self._run)
        self._mappings.append(mapping)
        self._follow(source.stream, mapping.take)

    def running(self) -> int:
        """How many changes wait for their function."""
        return sum(mapping.waiting() for mapping in self._mappings)

    def stop(self) -> None:
        """Invoke nothing more."""
        self._stopped.set()

    def close(self) -> None:
        """`stop`, and wait for what runs."""
        self.stop()
        self._executor.shutdown(wait=True)

    def _run(self, mapping: _Mapping) -> None:
        if not self._stopped.is_set():
            self._executor.submit(self._deliver, mapping)

    def _deliver(self, mapping: _Mapping) -> None:
        while (batch := mapping.batch()) and not self._stopped.is_set():
            with self._clock.running():
                outcome = self._invoker.invoke(mapping.source.function, {"Records": list(batch)})
            if outcome.error is None:
                mapping.done(len(batch))
            else:
                LOG.warning("%s: a batch of changes comes again", mapping.source.function)
                self._stopped.wait(AGAIN_S)


class _Mapping:
    """One mapping, and the changes that wait for it."""

    def __init__(self, source: StreamSource, run: Callable[[_Mapping], None]) -> None:
        self.source = source
        self._filters = [Pattern.compile(one) for one in source.filters]
        self._changes: deque[Change] = deque()
        self._lock = threading.Lock()
        self._run = run
        self._delivers = False

    def take(self, change: Change) -> None:
        """A change; kept where a filter passes it."""
        if self._filters and not any(one.matches_event(change) for one in self._filters):
            return
        with self._lock:
            self._changes.append(change)
            begins = not self._delivers
            self._delivers = True
        if begins:
            self._run(self)

    def batch(self) -> Sequence[Change]:
        """What is next; nothing ends the delivery."""
        with self._lock:
            changes = list(self._changes)[: self.source.batch_size]
            self._delivers = bool(changes)
            return changes

    def done(self, count: int) -> None:
        """So many were taken."""
        with self._lock:
            for _ in range(count):
                self._changes.popleft()

    def waiting(self) -> int:
        """How many changes wait."""
        with self._lock:
            return len(self._changes)

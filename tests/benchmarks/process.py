"""Speaks to the handler's process."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import msgspec


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one invocation.

    Attributes:
        cpu_ms: processor time of the whole process, all threads. wall_ms: how long it took.
        peak_mb: the most memory the process had in use so far (MiB).
        requests: requests that it sent, by what they asked for.
    """

    cpu_ms: float
    wall_ms: float
    peak_mb: float
    requests: Mapping[str, int]

    def aws(self) -> int:
        """AWS calls but updates of findings, of which each takes one note, and `asking`."""
        every = sum(n for name, n in self.requests.items() if name.startswith("aws "))
        return every - self.updates() - self.asking()

    def transactions(self) -> int:
        """Transactions of the ledger, with the records in them."""
        return self.requests.get("aws DynamoDB.TransactWriteItems", 0)

    def asking(self) -> int:
        """AWS calls for the fleet's snapshot, and for the pace in which others are called."""
        return sum(
            n
            for name, n in self.requests.items()
            if name == "aws DynamoDB.UpdateItem" or name.endswith(".snapshot")
        )

    def updates(self) -> int:
        """Calls of BatchUpdateFindings."""
        return sum(n for name, n in self.requests.items() if name.endswith("/findings/batchupdate"))

    def http(self) -> int:
        """Calls of other systems."""
        return sum(n for name, n in self.requests.items() if name.startswith("http "))


class Handler:
    """The handler in a process of its own, with the environment that Lambda would give it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        path = os.pathsep.join([*sys.path, str(Path(__file__).parents[1])])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.subject"],
            env={**environment, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def call(self, event: Any, clock_offset: float) -> Any:
        """Run the handler once over an event of any kind; what it returns.

        Raises:
            RuntimeError: it failed.
        """
        return self.measured(event, clock_offset)["returned"]

    def measured(self, event: Any, clock_offset: float) -> dict[str, Any]:
        """As `call`, with what it took: ``cpu_ms``, ``wall_ms``, ``peak_mb``."""
        return self._ask(event, clock_offset)

    def invoke(self, records: Sequence[Mapping[str, Any]], clock_offset: float) -> Cost:
        """Run the handler once over SQS records.

        Raises:
            RuntimeError: it failed, or wants messages again.
        """
        found = self._ask({"Records": records}, clock_offset)
        if found["returned"] != {"batchItemFailures": []}:
            raise RuntimeError(f"the handler wants messages again: {found['returned']}")
        return Cost(found["cpu_ms"], found["wall_ms"], found["peak_mb"], found["requests"])

    def _ask(self, event: Any, clock_offset: float) -> dict[str, Any]:
        request = {
            "request_id": str(uuid.uuid4()),
            "clock_offset": clock_offset,
            "event": event,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(request).decode() + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the handler's process ended; its error stands above")
        found: dict[str, Any] = msgspec.json.decode(answer)
        return found

"""The handler in a process of its own: a JSON line in is an invocation, a JSON line out its cost.

Requests are counted where both botocore and requests send them, in urllib3's connection, so that a
retry counts too and nothing is left out.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
import time
from collections import Counter
from typing import Any

from hub_toolkit.sandbox.workers import memory, wall_clock
from hub_toolkit.sandbox.workers.context import Context

TIMEOUT_S = 600.0
_VENDORS = "/_vendors/"


class _Requests:
    """Counts the requests that leave this process, by what they ask for."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def install(self) -> None:
        """Look at every request from now on."""
        from urllib3.connection import HTTPConnection

        send = HTTPConnection.request

        def counting(
            connection: Any,
            method: str,
            url: str,
            body: Any = None,
            headers: Any = None,
            **more: Any,
        ) -> None:
            with self._lock:
                self.seen[_name(method, url, headers or {})] += 1
            send(connection, method, url, body, headers, **more)

        HTTPConnection.request = counting  # type: ignore[method-assign,assignment]

    def take(self) -> dict[str, int]:
        """What was seen since the last time."""
        with self._lock:
            seen, self.seen = self.seen, Counter()
        return dict(seen)


def _name(method: str, url: str, headers: Any) -> str:
    """``aws DynamoDB.TransactWriteItems``, ``aws PATCH /findings``, ``http jira-sec``."""
    path = url.partition("?")[0]
    if path.startswith(_VENDORS):
        return "http " + path.removeprefix(_VENDORS).partition("/")[0]
    target = headers.get("X-Amz-Target", "")
    target = target.decode() if isinstance(target, bytes) else target
    return (
        f"aws {target.partition('_')[0]}.{target.rpartition('.')[2]}"
        if target
        else f"aws {method} {path}"
    )


def _context(request_id: str) -> Context:
    return Context(
        aws_request_id=request_id,
        function_name=os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        function_version="$LATEST",
        invoked_function_arn="",
        memory_limit_in_mb=os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        log_group_name=os.environ["AWS_LAMBDA_LOG_GROUP_NAME"],
        log_stream_name=os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
        end=time.monotonic() + TIMEOUT_S,
    )


def serve() -> None:
    """Answer until standard input ends."""
    # What the handler prints must not mix with the answers. It goes where nobody reads it, at the
    # price of a write, as on Lambda.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    import msgspec

    wall_clock.install()
    module, _, name = os.environ["_HANDLER"].rpartition(".")
    handler = getattr(importlib.import_module(module), name)
    requests = _Requests()
    requests.install()
    for line in sys.stdin:
        asked = msgspec.json.decode(line)
        wall_clock.set_offset(asked["clock_offset"])
        context = _context(asked["request_id"])
        began, cpu = time.perf_counter(), time.process_time()
        returned = handler(asked["event"], context)
        cost = {
            "cpu_ms": (time.process_time() - cpu) * 1000,
            "wall_ms": (time.perf_counter() - began) * 1000,
            "peak_mb": memory.peak_mb(),
            "requests": requests.take(),
            "returned": returned,
        }
        print(msgspec.json.encode(cost).decode(), file=answers, flush=True)


if __name__ == "__main__":
    serve()

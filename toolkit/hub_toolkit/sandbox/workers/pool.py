"""Invokes functions: one worker for each concurrent invocation, reused when it is free."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
import time
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from hub_toolkit.sandbox.clock import Clock
from hub_toolkit.sandbox.workers import environment, report
from hub_toolkit.sandbox.workers.environment import Host
from hub_toolkit.sandbox.workers.process import Worker, Zygote, ZygoteGoneError

LOG = logging.getLogger(__name__)

ATTEMPTS = 3
"""Workers that are tried for one invocation, if they end before they got it."""

REAP_S = 2.0
"""How long to wait for the exit status of a worker whose socket has closed."""


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function.

    Attributes:
        name: unique.
        handler: dotted path, as ``hub_responder.handlers.playbook.handler``.
        env: the template's variables.
        timeout_s: real seconds that an invocation may take.
        memory_mb: MemorySize.
        directory: where its code lies; the working directory too.
    """

    name: str
    handler: str
    env: Mapping[str, str]
    timeout_s: float
    memory_mb: int
    directory: Path


@dataclass(frozen=True, slots=True)
class Result:
    """How an invocation went.

    Attributes:
        request_id: as the handler saw it.
        payload: what it returned; None if it failed.
        error: ``errorType``, ``errorMessage`` and more, as Lambda answers; None if it succeeded.
        duration_s: real seconds.
        killed: its process ended during the invocation (crash, kill, out of memory, timeout).
        timed_out: it was killed because it took too long.
        cpu_s: processor time; 0 if the process ended.
        peak_mb: most memory in use by the process so far; 0 if the process ended.
    """

    request_id: str
    payload: Any = None
    error: Mapping[str, Any] | None = None
    duration_s: float = 0.0
    killed: bool = False
    timed_out: bool = False
    cpu_s: float = 0.0
    peak_mb: float = 0.0


@dataclass(frozen=True, slots=True)
class Stats:
    """Sums over the invocations of a function; ``peak_mb`` is the highest."""

    invocations: int = 0
    errors: int = 0
    timeouts: int = 0
    kills: int = 0
    duration_s: float = 0.0
    cpu_s: float = 0.0
    peak_mb: float = 0.0

    def plus(self, result: Result) -> Stats:
        """With one more invocation."""
        return Stats(
            invocations=self.invocations + 1,
            errors=self.errors + (result.error is not None),
            timeouts=self.timeouts + result.timed_out,
            kills=self.kills + result.killed,
            duration_s=self.duration_s + result.duration_s,
            cpu_s=self.cpu_s + result.cpu_s,
            peak_mb=max(self.peak_mb, result.peak_mb),
        )


@dataclass(slots=True, eq=False)
class _Crew:
    """The workers of one function; the free ones last used last."""

    function: Function
    free: list[Worker] = field(default_factory=list)
    workers: set[Worker] = field(default_factory=set)
    stats: Stats = field(default_factory=Stats)


class Pool:
    """The functions of a sandbox. Safe to call from any thread.

    One worker per function is started at once. A worker that ends is replaced at once, unless it
    ended while it was starting (its code is broken then; the next invocation tries again).

    Args:
        zygote: forks the workers; the caller closes it, after the pool.
        clock: runs at 1x during invocations; handlers see its time.
        functions: what can be invoked.
        host: where the functions run.
        logs: a directory that exists; each function logs to ``NAME.log`` in it.
    """

    def __init__(
        self,
        zygote: Zygote,
        clock: Clock,
        functions: Iterable[Function],
        *,
        host: Host,
        logs: Path,
    ) -> None:
        self._zygote = zygote
        self._clock = clock
        self._host = host
        self._logs = logs
        self._lock = threading.Lock()
        self._crews = {function.name: _Crew(function) for function in functions}
        self._running = 0
        self._closed = False
        for crew in self._crews.values():
            crew.free.append(self._spawn(crew))

    def await_ready(self) -> None:
        """Wait until the workers that were started have imported their handlers.

        Raises:
            EOFError, TimeoutError: one ended, or took too long.
        """
        with self._lock:
            starting = [worker for crew in self._crews.values() for worker in crew.free]
        for worker in starting:
            worker.await_ready()

    def invoke(self, name: str, event: Any) -> Result:
        """Run a function once, as a synchronous invocation of Lambda.

        Raises:
            KeyError: there is no such function.
            ZygoteGoneError: the pool was closed, or the process that forks workers has ended.
        """
        crew = self._crews[name]
        with self._lock:
            self._running += 1
        try:
            with self._clock.running():
                result = self._invoke(crew, event)
        finally:
            with self._lock:
                self._running -= 1
        with self._lock:
            crew.stats = crew.stats.plus(result)
        return result

    def running(self) -> int:
        """How many invocations are under way."""
        with self._lock:
            return self._running

    def pids(self, function: str | None = None) -> list[int]:
        """Process ids of the workers, of one function or of all."""
        with self._lock:
            return sorted(
                worker.pid
                for name, crew in self._crews.items()
                for worker in crew.workers
                if worker.pid and function in {None, name}
            )

    def kill(self, pid: int) -> bool:
        """Kill a worker (SIGKILL); False if none has this process id."""
        with self._lock:
            workers = [worker for crew in self._crews.values() for worker in crew.workers]
        for worker in workers:
            if worker.pid == pid != 0:
                return self._kill(worker)
        return False

    def time_out(self, pid: int) -> bool:
        """End a worker as Lambda does when the time of its invocation is up, without the wait.

        The clock goes to that moment. False if none has this process id.
        """
        with self._lock:
            workers = [worker for crew in self._crews.values() for worker in crew.workers]
        for worker in workers:
            if worker.pid == pid != 0:
                worker.timed_out = True
                return self._kill(worker)
        return False

    def owner_of_port(self, port: int) -> int | None:
        """The worker whose TCP connection has this local port, as a server sees a client's."""
        for pid in self.pids():
            try:
                connections = psutil.Process(pid).net_connections("tcp")
            except psutil.Error:
                continue
            if any(
                connection.laddr and connection.laddr.port == port for connection in connections
            ):
                return pid
        return None

    def stats(self) -> dict[str, Stats]:
        """Sums over the invocations so far, by function."""
        with self._lock:
            return {name: crew.stats for name, crew in self._crews.items()}

    def close(self) -> None:
        """Kill every worker; invocations under way answer that. May be called twice."""
        with self._lock:
            self._closed = True
            workers = [worker for crew in self._crews.values() for worker in crew.workers]
        for worker in workers:
            self._kill(worker)

    def _invoke(self, crew: _Crew, event: Any) -> Result:
        request_id = str(uuid.uuid4())
        for _ in range(ATTEMPTS):
            worker = self._take(crew)
            try:
                worker.await_ready()
                worker.send(self._request(crew.function, event, request_id))
            except (EOFError, OSError):  # TimeoutError is an OSError
                self._discard(worker)
                continue
            return self._answer(crew, worker, request_id)
        return Result(request_id, error=_exit_error(request_id, worker), killed=True)

    def _request(self, function: Function, event: Any, request_id: str) -> dict[str, Any]:
        now = self._clock.now()
        return {
            "event": event,
            "request_id": request_id,
            "deadline": now + function.timeout_s,
            "clock_offset": now - time.time(),
        }

    def _answer(self, crew: _Crew, worker: Worker, request_id: str) -> Result:
        function = crew.function
        began = time.monotonic()
        try:
            answer = worker.receive(began + function.timeout_s)
        except TimeoutError:
            return self._timed_out(function, worker, request_id)
        except (EOFError, OSError):
            duration_s = time.monotonic() - began
            if worker.timed_out:
                self._clock.lose(max(0.0, function.timeout_s - duration_s))
                return self._timed_out(function, worker, request_id)
            self._discard(worker)
            self._log_end(function, request_id, duration_s, "error")
            return Result(
                request_id,
                error=_exit_error(request_id, worker),
                duration_s=duration_s,
                killed=True,
            )
        self._give_back(crew, worker)
        payload = json.loads(answer.pop("payload", "null"))
        return Result(request_id, payload=payload, **answer)

    def _timed_out(self, function: Function, worker: Worker, request_id: str) -> Result:
        self._discard(worker)
        self._log_end(function, request_id, function.timeout_s, "timeout")
        return Result(
            request_id,
            error=_timeout_error(request_id, function),
            duration_s=function.timeout_s,
            killed=True,
            timed_out=True,
        )

    def _take(self, crew: _Crew) -> Worker:
        with self._lock:
            if self._closed:
                raise ZygoteGoneError("the pool of functions is closed")
            for worker in reversed(crew.free):
                if not (worker.doomed or worker.exited.is_set()):
                    crew.free.remove(worker)
                    return worker
            return self._spawn(crew)

    def _give_back(self, crew: _Crew, worker: Worker) -> None:
        with self._lock:
            if worker in crew.workers:
                crew.free.append(worker)
                return
        worker.close()

    def _discard(self, worker: Worker) -> None:
        """End a worker that was taken; its exit code is known afterwards if it can be."""
        self._kill(worker)
        worker.exited.wait(REAP_S)
        worker.close()

    def _spawn(self, crew: _Crew) -> Worker:
        """Start a worker; with the lock held (or in the constructor)."""
        function = crew.function
        directory = str(function.directory.resolve())
        day = datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y/%m/%d")
        stream = f"{day}/[{environment.VERSION}]{uuid.uuid4().hex}"
        spec = {
            "name": function.name,
            "handler": function.handler,
            "arn": self._host.function_arn(function.name),
            "version": environment.VERSION,
            "memory_mb": function.memory_mb,
            "directory": directory,
            "log": str(self._log(function)),
            "log_group": environment.log_group(function.name),
            "log_stream": stream,
            "clock_offset": self._clock.now() - time.time(),
            "environment": environment.variables(
                self._host,
                name=function.name,
                handler=function.handler,
                memory_mb=function.memory_mb,
                directory=directory,
                log_stream=stream,
                template=function.env,
            ),
        }
        worker = self._zygote.spawn(spec, self._ended)
        crew.workers.add(worker)
        return worker

    def _ended(self, worker: Worker) -> None:
        """A worker has ended: replace it. Called on the zygote's thread."""
        crew = self._crews[worker.name]
        was_ready = worker.was_ready()
        with self._lock:
            crew.workers.discard(worker)
            was_free = worker in crew.free
            if was_free:
                crew.free.remove(worker)
            if was_ready and not self._closed:
                try:
                    crew.free.append(self._spawn(crew))
                except ZygoteGoneError:
                    LOG.warning("no worker can be started for %s any more", worker.name)
        if was_free:
            worker.close()

    def _kill(self, worker: Worker) -> bool:
        """Kill a worker, if its process id is known; the zygote's end takes any other."""
        with self._lock:
            if not worker.pid or worker.exited.is_set():
                return False
            worker.doomed = True
            with suppress(ProcessLookupError):  # it has just ended and nobody has told yet
                os.kill(worker.pid, signal.SIGKILL)
            return True

    def _log(self, function: Function) -> Path:
        return (self._logs / f"{function.name}.log").resolve()

    def _log_end(self, function: Function, request_id: str, duration_s: float, status: str) -> None:
        """Write what the process could not write itself."""
        lines = report.end(
            request_id, duration_s=duration_s, memory_mb=function.memory_mb, status=status
        )
        with self._log(function).open("a", encoding="utf-8") as log:
            log.write(lines)


def _timeout_error(request_id: str, function: Function) -> dict[str, Any]:
    return {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {request_id} Error: Task timed out after"
        f" {function.timeout_s:.2f} seconds",
    }


def _exit_error(request_id: str, worker: Worker) -> dict[str, Any]:
    code = worker.exit_code
    if code is None:
        how = "unknown exit status"
    elif code < 0:
        how = f"signal: {signal.Signals(-code).name.removeprefix('SIG').lower()}"
    else:
        how = f"exit status {code}"
    return {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {request_id} Error: Runtime exited with error: {how}",
    }

"""A worker: one process of one function, which runs invocations one after the other.

It is forked from the zygote with everything imported already, takes on the function's environment,
directory, log and memory limit, and then answers requests on its socket until that closes.
"""

from __future__ import annotations

import ctypes
import importlib
import io
import json
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from hub_toolkit.sandbox.workers import memory, report, wall_clock, wire
from hub_toolkit.sandbox.workers.context import Context

Handler = Callable[[Any, Context], Any]

PR_SET_PDEATHSIG = 1
MAX_RESPONSE = 6 * 1024 * 1024
"""Bytes that an invocation may return ("Lambda quotas": 6 MB)."""


def run(sock: socket.socket, spec: dict[str, Any], parent: int) -> NoReturn:
    """Be a worker; never returns.

    Args:
        sock: requests come in here, one answer goes out for each.
        spec: ``name``, ``handler``, ``arn``, ``version``, ``memory_mb``, ``directory``, ``log``
            (a path), ``log_group``, ``log_stream``, ``environment``, ``clock_offset``.
        parent: process id of the zygote; the worker ends with it where the system can do that.
    """
    try:
        _die_with(parent)
        _settle_in(spec)
        function = _Function(spec)
        function.initialise()
        wire.send(sock, {"pid": os.getpid()})
        while True:
            wire.send(sock, function.invoke(wire.receive(sock)))
    except (EOFError, OSError):
        os._exit(0)
    except MemoryError:
        memory.die()


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:
        os._exit(0)


def _settle_in(spec: dict[str, Any]) -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    log = os.open(spec["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.environ.clear()
    os.environ.update(spec["environment"])
    time.tzset()
    os.chdir(spec["directory"])
    sys.path.insert(0, spec["directory"])
    wall_clock.set_offset(spec["clock_offset"])
    memory.limit(spec["memory_mb"])


class _Function:
    """The function's handler and what is known about the function."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._spec = spec
        self._handler: Handler | None = None

    def initialise(self) -> None:
        """Import the handler. If that fails, the first invocation tries again and tells."""
        try:
            self._load()
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - logged here, raised again by the first invocation
            _write("[ERROR] the handler cannot be imported\n" + traceback.format_exc())

    def invoke(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run the handler once and tell how it went.

        Returns:
            ``payload`` (JSON text) or ``error`` (the object that Lambda answers with), and
            ``duration_s``, ``cpu_s``, ``peak_mb``.
        """
        wall_clock.set_offset(request["clock_offset"])
        request_id = request["request_id"]
        context = self._context(request)
        _write(report.start(request_id, self._spec["version"]))
        began, cpu = time.perf_counter(), time.process_time()
        outcome = self._outcome(request["event"], context)
        duration_s = time.perf_counter() - began
        cpu_s = time.process_time() - cpu
        peak_mb = memory.peak_mb()
        ended = report.end(
            request_id,
            duration_s=duration_s,
            memory_mb=self._spec["memory_mb"],
            peak_mb=peak_mb,
            cpu_s=cpu_s,
        )
        _write(ended)
        return {**outcome, "duration_s": duration_s, "cpu_s": cpu_s, "peak_mb": peak_mb}

    def _outcome(self, event: Any, context: Context) -> dict[str, Any]:
        try:
            returned = self._load()(event, context)
        except MemoryError:
            raise
        except SystemExit as leaving:
            _flush()
            os._exit(_exit_status(leaving))
        except BaseException as error:  # noqa: BLE001 - whatever a handler raises is its error
            text = "".join(traceback.format_exception(error))
            _write(f"[ERROR] {type(error).__name__}: {error}\n{text}")
            return {"error": _describe(error, context.aws_request_id)}
        return _encode(returned)

    def _load(self) -> Handler:
        if self._handler is None:
            module, _, attribute = self._spec["handler"].rpartition(".")
            handler: Handler = getattr(importlib.import_module(module), attribute)
            self._handler = handler
        return self._handler

    def _context(self, request: dict[str, Any]) -> Context:
        return Context(
            aws_request_id=request["request_id"],
            function_name=self._spec["name"],
            function_version=self._spec["version"],
            invoked_function_arn=self._spec["arn"],
            memory_limit_in_mb=str(self._spec["memory_mb"]),
            log_group_name=self._spec["log_group"],
            log_stream_name=self._spec["log_stream"],
            end=time.monotonic() + request["deadline"] - time.time(),
        )


def _encode(returned: Any) -> dict[str, Any]:
    try:
        payload = json.dumps(returned, ensure_ascii=False, allow_nan=False)
        size = len(payload.encode())
    except (TypeError, ValueError, RecursionError) as error:
        return _failure("Runtime.MarshalError", f"Unable to marshal response: {error}")
    if size > MAX_RESPONSE:
        return _failure(
            "Function.ResponseSizeTooLarge",
            f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE} bytes).",
        )
    return {"payload": payload}


def _failure(kind: str, message: str) -> dict[str, Any]:
    _write(f"[ERROR] {kind}: {message}\n")
    return {"error": {"errorType": kind, "errorMessage": _sendable(message)}}


def _sendable(text: str) -> str:
    """``text`` without the lone surrogates that no encoding takes."""
    return text.encode(errors="backslashreplace").decode()


def _describe(error: BaseException, request_id: str) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)[1:]
    return {
        "errorType": type(error).__name__,
        "errorMessage": _sendable(str(error)),
        "requestId": request_id,
        "stackTrace": [_sendable(line) for line in traceback.format_list(frames)],
    }


def _exit_status(leaving: SystemExit) -> int:
    if leaving.code is None:
        return 0
    return leaving.code if isinstance(leaving.code, int) else 1


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()


def _write(text: str) -> None:
    _flush()
    os.write(1, text.encode(errors="backslashreplace"))

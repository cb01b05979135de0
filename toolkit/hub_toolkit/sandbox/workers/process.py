"""The zygote and its workers, as the process that started them sees them."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from hub_toolkit.sandbox.workers import wire

LOG = logging.getLogger(__name__)

MODULE = "hub_toolkit.sandbox.workers.zygote"

INIT_TIMEOUT_S = 30.0
"""How long a new worker may take to import its handler; the zygote's own start included."""

CLOSE_TIMEOUT_S = 5.0


class ZygoteGoneError(RuntimeError):
    """The zygote has ended or was closed: no function can run."""


class Worker:
    """A forked process.

    Whoever has taken it may call `send` and `receive`, and closes it if it ends meanwhile.

    Attributes:
        name: the function's.
        pid: 0 until it is known.
        doomed: it was killed, though it may not have ended yet.
        timed_out: it was killed as at the end of its function's time.
        exited: set once the process has ended and been reaped.
        exit_code: negative for a signal; None while it runs or if nobody can tell.
    """

    def __init__(self, name: str, sock: socket.socket, exited: Callable[[Worker], None]) -> None:
        self.name = name
        self.pid = 0
        self.doomed = False
        self.timed_out = False
        self.exited = threading.Event()
        self.exit_code: int | None = None
        self._sock = sock
        self._on_exit = exited
        self._ready = False
        self._lock = threading.Lock()

    def await_ready(self) -> None:
        """Wait until it has imported its handler.

        Raises:
            EOFError, OSError: it ended before.
            TimeoutError: it took too long.
        """
        with self._lock:
            if not self._ready:
                self.pid = wire.receive(self._sock, time.monotonic() + INIT_TIMEOUT_S)["pid"]
                self._ready = True

    def was_ready(self) -> bool:
        """Whether it got as far as waiting for a request, though nobody asked for that yet."""
        if self._ready:
            return True
        try:
            return bool(self._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except OSError:
            return False

    def send(self, request: Mapping[str, Any]) -> None:
        """Hand over a request.

        Raises:
            OSError: the worker is gone.
        """
        wire.send(self._sock, request)

    def receive(self, until: float) -> dict[str, Any]:
        """Its answer.

        Raises:
            EOFError: it ended before it answered.
            TimeoutError: no answer until ``until`` on the monotonic clock.
        """
        return wire.receive(self._sock, until)

    def end(self, code: int | None) -> None:
        """Note that it has ended, and tell whoever owns it."""
        self.exit_code = code
        self.exited.set()
        self._on_exit(self)

    def close(self) -> None:
        """Close its socket; an idle worker then ends by itself. May be called twice."""
        with self._lock:
            self._sock.close()


class Zygote:
    """Starts the zygote process; it can be told to fork at once and does so when it is ready.

    Args:
        modules: imported before the first fork, as ``hub_responder.handlers.playbook``. One that
            cannot be imported is a warning in the log; its functions fail when they are invoked.
        paths: put in front of the process's ``sys.path``.
    """

    def __init__(self, modules: Iterable[str] = (), paths: Iterable[Path] = ()) -> None:
        self._sock, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", MODULE, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C in the terminal is for the sandbox alone
            )
        self._lock = threading.Lock()
        self._workers: dict[int, Worker] = {}
        self._numbers = itertools.count(1)
        self._gone = False
        self._ready = threading.Event()
        wire.send(self._sock, {"modules": list(modules), "paths": [str(path) for path in paths]})
        self._reader = threading.Thread(target=self._read, name="zygote-reader", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def await_ready(self, timeout: float = INIT_TIMEOUT_S) -> None:
        """Wait until everything is imported.

        Raises:
            ZygoteGoneError: it ended, or took longer than ``timeout`` seconds.
        """
        if not self._ready.wait(timeout):
            raise ZygoteGoneError(f"the process that runs the functions took over {timeout:g} s")
        if self._gone:
            raise ZygoteGoneError("the process that runs the functions has ended")

    def spawn(self, spec: Mapping[str, Any], exited: Callable[[Worker], None]) -> Worker:
        """Fork a worker; returns before it has started.

        Args:
            spec: what `hub_toolkit.sandbox.workers.worker.run` needs.
            exited: called once, on a thread of the zygote's, when the worker has ended.

        Raises:
            ZygoteGoneError: there is no zygote any more.
        """
        ours, theirs = socket.socketpair()
        worker = Worker(spec["name"], ours, exited)
        with theirs, self._lock:
            number = next(self._numbers)
            self._workers[number] = worker
            try:
                wire.send(self._sock, {"id": number, "spec": spec}, theirs.fileno())
            except OSError as error:
                del self._workers[number]
                ours.close()
                raise ZygoteGoneError("the process that runs the functions has ended") from error
        return worker

    def close(self) -> None:
        """End the zygote and all workers. May be called twice."""
        with contextlib.suppress(OSError):  # it has ended, or was closed, before
            self._sock.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(CLOSE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._sock.close()

    def _read(self) -> None:
        try:
            while True:
                self._note(wire.receive(self._sock))
        except (EOFError, OSError):
            pass
        with self._lock:
            self._gone = True
            with contextlib.suppress(OSError):  # from now on `spawn` fails
                self._sock.shutdown(socket.SHUT_RDWR)
            left = list(self._workers.values())
            self._workers.clear()
        self._ready.set()
        for worker in left:
            worker.end(None)

    def _note(self, message: dict[str, Any]) -> None:
        match message["kind"]:
            case "ready":
                for module, problem in message["problems"].items():
                    LOG.warning("%s cannot be imported:\n%s", module, problem)
                self._ready.set()
            case "started":
                self._workers[message["id"]].pid = message["pid"]
            case "exited":
                with self._lock:
                    worker = self._workers.pop(message["id"])
                worker.end(message["code"])


def _environment() -> dict[str, str]:
    """What the zygote needs to start; its workers replace it by their own."""
    kept = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        # Forking without exec is refused on macOS once some of its frameworks are loaded.
        "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES",
    }

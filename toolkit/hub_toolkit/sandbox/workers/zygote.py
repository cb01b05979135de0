"""The zygote: a process that has imported the handlers and forks a worker in a few milliseconds.

``python -m hub_toolkit.sandbox.workers.zygote FD`` where FD is one end of a socket pair. It has one
thread and never makes a client or a connection of its own, so that forks share none. The first
message on FD names what to import; each later one describes a worker and brings its socket. The
zygote tells of itself (``ready``) and of each worker (``started``, ``exited``), and ends, with its
workers, when FD closes. It ignores Ctrl-C: only its parent decides.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import selectors
import signal
import socket
import sys
import traceback
from typing import Any, NoReturn

from hub_toolkit.sandbox.workers import wall_clock, wire, worker


def main() -> None:
    """Import, then fork until the socket closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    wall_clock.install()
    sock = socket.socket(fileno=int(sys.argv[1]))
    zygote = Zygote(sock)
    try:
        setup = wire.receive(sock)
        sys.path[:0] = setup["paths"]
        problems = _import(setup["modules"])
        gc.collect()
        gc.freeze()  # forked workers then leave these pages alone
        wire.send(sock, {"kind": "ready", "problems": problems})
        zygote.serve()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        zygote.kill_all()


def _import(modules: list[str]) -> dict[str, str]:
    """Import ``modules``; those that fail, by name, with their traceback."""
    problems: dict[str, str] = {}
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception:  # noqa: BLE001 - the worker that needs it fails the same way and tells
            problems[name] = traceback.format_exc()
    return problems


class Zygote:
    """Forks workers and tells of their end.

    Args:
        sock: to the parent.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._workers: dict[int, int] = {}
        self._awake, self._waker = socket.socketpair()
        self._awake.setblocking(False)
        self._waker.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._sock, selectors.EVENT_READ, self._answer)
        self._selector.register(self._awake, selectors.EVENT_READ, self._reap)

    def serve(self) -> None:
        """Serve until the parent is gone.

        Raises:
            EOFError: it is.
        """
        while True:
            for key, _ in self._selector.select():
                key.data()

    def kill_all(self) -> None:
        """Kill every worker."""
        for pid in self._workers:
            os.kill(pid, signal.SIGKILL)

    def _answer(self) -> None:
        request, fd = wire.receive_with_fd(self._sock)
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become_worker(fd, request["spec"], parent)
        os.close(fd)
        self._workers[pid] = request["id"]
        wire.send(self._sock, {"kind": "started", "id": request["id"], "pid": pid})

    def _become_worker(self, fd: int, spec: dict[str, Any], parent: int) -> NoReturn:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            self._selector.close()
            for sock in (self._sock, self._awake, self._waker):
                sock.close()
            worker.run(socket.socket(fileno=fd), spec, parent)
        except BaseException:  # noqa: BLE001 - a forked child must never return to serve()
            traceback.print_exc()
        finally:
            os._exit(1)

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._awake.recv(4096):
                pass
        while self._workers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            ended = self._workers.pop(pid)
            code = os.waitstatus_to_exitcode(status)
            wire.send(self._sock, {"kind": "exited", "id": ended, "code": code})


if __name__ == "__main__":
    main()

"""The HTTP server of the sandbox: waitress on a loopback address, in a thread of its own."""

from __future__ import annotations

import socket
import struct
import threading
from typing import Any

from waitress import create_server
from waitress.channel import ClientDisconnected

from hub_toolkit.sandbox.wsgi import MAX_BODY, SENDING_KEY, App, Sending

HOST = "127.0.0.1"
"""Loopback only: whoever can reach the sandbox can do anything in it."""
_THREADS = 64
_CONNECTIONS = 1000
_NO_LINGER = struct.pack("ii", 1, 0)
"""SO_LINGER on, 0 seconds: closing the socket then sends a reset (socket(7))."""


class Listener:
    """Listens as soon as it is made; serves from `start` to `stop`.

    Args:
        port: 0 takes a free one.

    Raises:
        OSError: the port is taken or not allowed.
    """

    def __init__(self, port: int = 0, threads: int = _THREADS) -> None:
        self._app: App | None = None
        self._sockets: dict[int, Any] = {}
        self._server = create_server(
            self._call,
            map=self._sockets,
            host=HOST,
            port=port,
            threads=threads,
            connection_limit=_CONNECTIONS,
            max_request_body_size=MAX_BODY,
            ident=None,
            clear_untrusted_proxy_headers=True,
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="sandbox-http", daemon=True)

    @property
    def endpoint(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return f"http://{HOST}:{self._server.effective_port}"

    def start(self, app: App) -> None:
        """Begin to answer; requests that came before waited."""
        self._app = app
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and end the threads."""
        self._stopping.set()
        if self._thread.is_alive():
            self._server.pull_trigger()
            self._thread.join()
        self._server.task_dispatcher.shutdown()
        self._server.asyncore.close_all(self._sockets)

    def _call(self, environ: dict[str, Any], start_response: Any) -> Any:
        assert self._app is not None  # noqa: S101 - start sets it before the thread runs
        answer = self._app(environ, start_response)
        sending: Sending | None = environ.get(SENDING_KEY)
        if sending is None:
            return answer
        try:
            return sending(answer)
        except ConnectionResetError:
            self._reset(int(environ["REMOTE_PORT"]))
            raise ClientDisconnected from None

    def _reset(self, port: int) -> None:
        """Let the connection from this port end with a reset once it is closed."""
        for channel in list(self._sockets.values()):
            if (channel.addr or ())[1:2] == (port,):
                channel.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self._server.asyncore.loop(timeout=1.0, use_poll=True, map=self._sockets, count=1)

"""Messages over a stream socket: four bytes of length, then one JSON object; a file descriptor can
go along (SCM_RIGHTS). Works on any Unix: no SOCK_SEQPACKET, which macOS lacks.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Mapping
from typing import Any

import msgspec

HEADER = struct.Struct("!I")


def send(sock: socket.socket, message: Mapping[str, Any], fd: int | None = None) -> None:
    """Send a message, and a duplicate of ``fd`` with it.

    Raises:
        OSError: the other end is gone.
    """
    body = msgspec.json.encode(message)
    header = HEADER.pack(len(body))
    if fd is None:
        sock.sendall(header + body)
    else:
        sock.sendall(header[socket.send_fds(sock, [header], [fd]) :] + body)


def receive(sock: socket.socket, until: float | None = None) -> dict[str, Any]:
    """The next message.

    Args:
        sock: a blocking socket.
        until: when to give up, on the monotonic clock; never, if not given.

    Raises:
        EOFError: the other end is gone.
        TimeoutError: ``until`` has come.
    """
    return _decode(sock, _exactly(sock, HEADER.size, until), until)


def receive_with_fd(sock: socket.socket) -> tuple[dict[str, Any], int]:
    """The next message and the file descriptor that came with it; it is the caller's to close.

    Raises:
        EOFError: the other end is gone, or sent no file descriptor.
    """
    try:
        header, fds, _, _ = socket.recv_fds(sock, HEADER.size, 1)
    except ConnectionError as error:
        raise EOFError from error
    if not header or not fds:
        raise EOFError
    header += _exactly(sock, HEADER.size - len(header), None)
    return _decode(sock, header, None), fds[0]


def _decode(sock: socket.socket, header: bytes, until: float | None) -> dict[str, Any]:
    (length,) = HEADER.unpack(header)
    message: dict[str, Any] = msgspec.json.decode(_exactly(sock, length, until))
    return message


def _exactly(sock: socket.socket, count: int, until: float | None) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        if until is not None:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            sock.settimeout(left)
        try:
            part = sock.recv(min(count - len(parts), 1 << 20))
        except ConnectionError as error:
            raise EOFError from error
        finally:
            sock.settimeout(None)
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)

"""E-mail through an SMTP server: RFC 5321, with TLS (RFC 3207) and a login (RFC 4954).

A reply from 400 says to try again, one from 500 never to. What the server says besides its codes is
not repeated: it may hold anything. The message is in doubt where the connection breaks after its
text was sent and before the server answered.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Timer
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, NoReturn

from hub_responder import http, secrets
from hub_responder.connections.mime import compose
from hub_responder.connections.settings import Smtp, read
from hub_responder.errors import ConfigurationError, DeniedError, PermanentError, TransientError

if TYPE_CHECKING:
    from hub_responder.actions.base import Work
    from hub_responder.connections.resolve import Connection
    from hub_responder.deadline import Deadline
    from hub_responder.markdown.document import Document
    from hub_responder.runtime import Runtime

PORTS = {"starttls": 587, "tls": 465}
"""RFC 6409 and RFC 8314."""
ANSWER_S = 10.0
WHOLE_S = 30.0
"""Seconds for one answer, and for everything from connecting to the last one."""
MAX_ANSWERS = 200_000
"""Bytes of all that a server says."""
NAMED = 3
"""Refused recipients that are told by name; the others by number."""
_REJECTED = 500
_GO_ON, _CLOSING = 354, 421
_ENHANCED = re.compile(rb"^\s*([245]\.\d{1,3}\.\d{1,3})(?:\s|$)")


class Login(NamedTuple):
    """A user of the server."""

    user: str
    password: str


Transport = Callable[[str, Smtp, Login, bytes, "Deadline"], Mapping[str, str]]
"""Hands a message to a server, for a connection's name and settings: recipients that it refused
while it took others, each with its code."""


def _speak(
    target: str, settings: Smtp, login: Login, content: bytes, deadline: Deadline
) -> Mapping[str, str]:
    with connected(target, settings, deadline) as session:
        session.log_in(*login)
        return session.deliver(settings, content)


_transport: Transport = _speak


def follow(transport: Transport | None) -> None:
    """Hand messages to ``transport`` from now on; None: to the servers again."""
    global _transport  # noqa: PLW0603 - a process has one way out
    _transport = transport or _speak


def send(
    connection: Connection,
    document: Document,
    work: Work,
    runtime: Runtime,
    ref: Mapping[str, Any],
) -> Mapping[str, Any]:
    """Hand the message to the server, in the incident's thread.

    Returns:
        The thread; under ``refused``, in words, the recipients that the server did not take while
        it took others.

    Raises:
        CallError: it was not taken for anybody; ``sent`` of a TransientError: it may have been.
    """
    settings = read(connection.settings, Smtp, connection.name)
    mail = compose(connection, settings, document, work, ref)

    def call(secret: Mapping[str, str]) -> Mapping[str, str]:
        login = login_of(secret, connection.name)
        return _transport(connection.name, settings, login, mail.content, runtime.deadline)

    refused = secrets.use(runtime.stage, connection.name, call)
    return {**mail.ref, **_told(refused, len(settings.to))}


def login_of(secret: Mapping[str, str], connection: str) -> Login:
    """The user that the secret names.

    Raises:
        ConfigurationError: the secret lacks it, or a server could not be told it.
    """
    return Login(
        _credential(secret, "username", connection), _credential(secret, "password", connection)
    )


def _credential(secret: Mapping[str, str], key: str, connection: str) -> str:
    found = secrets.value(secret, key, connection)
    if not (found.isascii() and found.isprintable()):
        raise ConfigurationError(f"the {key} of connection {connection} is not plain ASCII")
    return found


def _told(refused: Mapping[str, str], count: int) -> dict[str, str]:
    if not refused:
        return {}
    named = [f"{address} ({why})" for address, why in list(refused.items())[:NAMED]]
    more = [f"{len(refused) - NAMED} more"] if len(refused) > NAMED else []
    listed = ", ".join([*named, *more])
    return {"refused": f"{len(refused)} of {count} recipients were refused: {listed}"}


@contextmanager
def connected(target: str, settings: Smtp, deadline: Deadline) -> Iterator[_Session]:
    """A session over TLS, which ends in time whatever the server does.

    Raises:
        ConfigurationError: ``ca`` holds no certificates.
        CallError: there is no such session.
    """
    context = http.tls_context(settings.ca)
    session = _Session(target, settings, context, deadline.timeout(ANSWER_S, target=target))
    timer = Timer(deadline.timeout(WHOLE_S, target=target), session.cut)
    timer.daemon = True
    timer.start()
    try:
        session.open()
        yield session
        with suppress(OSError):  # it has answered already
            session.quit()
    except OSError as error:  # all of smtplib's are
        session.failed(error)
    finally:
        timer.cancel()
        session.close()


class _Session(smtplib.SMTP):
    """One connection; ``writing`` says that the message may have arrived.

    Args:
        seconds: for one answer.
    """

    def __init__(
        self, target: str, settings: Smtp, context: ssl.SSLContext, seconds: float
    ) -> None:
        self._target = target
        self._settings = settings
        self._context = context
        self.connected = self.writing = False
        # Named, or smtplib asks DNS for this machine's name.
        super().__init__(local_hostname=settings.sender.rpartition("@")[2], timeout=seconds)
        self._host = settings.host  # whom STARTTLS expects; `connect` does not tell

    def open(self) -> None:
        """Connect, and speak TLS."""
        settings = self._settings
        code, text = self.connect(settings.host, settings.port or PORTS[settings.security])
        self._expect(code, text, "to the connection")
        self.ehlo_or_helo_if_needed()
        if settings.security == "starttls":
            if not self.has_extn("starttls"):
                raise PermanentError(
                    f"{self._target} offers no STARTTLS: without TLS nothing is sent",
                    target=self._target,
                )
            code, text = self.starttls(context=self._context)
            self._expect(code, text, "to STARTTLS")
            self.ehlo_or_helo_if_needed()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """smtplib's hook for its socket: the peer is checked before a word is exchanged."""
        made = socket.create_connection((host, port), min(timeout, http.CONNECT_S))
        http.guarded(made, target=self._target, private=self._settings.private)
        self.connected = True
        made.settimeout(timeout)
        self.sock = made
        if self._settings.security == "tls":
            return self._context.wrap_socket(made, server_hostname=host)
        return made

    def getreply(self) -> tuple[int, bytes]:
        """The server's answer; smtplib would take one of any length."""
        if self.file is None and self.sock is not None:
            self.file = _Bounded(self.sock.makefile("rb"))
        return super().getreply()

    def cut(self) -> None:
        """End the connection from another thread."""
        sock = self.sock
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def log_in(self, user: str, password: str) -> None:
        """Log in.

        Raises:
            DeniedError: the server refuses the user for good.
        """
        try:
            self.login(user, password)
        except smtplib.SMTPAuthenticationError as error:
            if error.smtp_code >= _REJECTED:
                code = _code(error.smtp_code, error.smtp_error)
                text = f"{self._target} refused the login ({code})"
                raise DeniedError(text, target=self._target) from None
            raise

    def deliver(self, settings: Smtp, content: bytes) -> dict[str, str]:
        """Send the message to all that the server takes; those it does not, with its code.

        Raises:
            CallError: it takes none of them, or not the message.
        """
        code, text = self.mail(settings.sender, [f"size={len(content)}"] if self._sized() else [])
        self._expect(code, text, "to the sender")
        refused: dict[str, tuple[int, bytes]] = {}
        for address in settings.to:
            code, text = self.rcpt(address)
            if code == _CLOSING:
                self._expect(code, text, "to a recipient")
            if not _good(code):
                refused[address] = (code, text)
        if len(refused) == len(set(settings.to)):
            # One that may be taken later keeps the message from being given up.
            code, text = min(refused.values())
            self._refuse(code, text, f"to all of {len(refused)} recipients")
        self._send(content)
        return {address: _code(*answer) for address, answer in refused.items()}

    def _sized(self) -> bool:
        return self.does_esmtp and self.has_extn("size")

    def _send(self, content: bytes) -> None:
        code, text = self.docmd("data")
        if code != _GO_ON:
            self._refuse(code, text, "to DATA")
        self.writing = True
        # Lines that begin with a dot get another (RFC 5321, 4.5.2).
        self.send(re.sub(rb"(?m)^\.", b"..", content) + b".\r\n")
        code, text = self.getreply()
        self.writing = code < 0  # what smtplib makes of an answer that is none
        self._expect(code, text, "to the message")

    def _expect(self, code: int, text: bytes, what: str) -> None:
        if not _good(code):
            self._refuse(code, text, what)

    def _refuse(self, code: int, text: bytes, what: str) -> NoReturn:
        message = f"{self._target} answered {_code(code, text)} {what}"
        if code >= _REJECTED:
            raise PermanentError(message, target=self._target)
        raise TransientError(message, target=self._target, sent=self.writing)

    def failed(self, error: OSError) -> NoReturn:
        """Raise what an error of smtplib or of the connection means, without its text."""
        if isinstance(error, smtplib.SMTPResponseException):
            self._refuse(error.smtp_code, _bytes(error.smtp_error), "unexpectedly")
        if isinstance(error, smtplib.SMTPNotSupportedError):
            text = f"{self._target} offers no login that is known here"
            raise PermanentError(text, target=self._target) from None
        if isinstance(error, ssl.SSLError):
            text = f"no trusted TLS connection to {self._target}"
        elif not self.connected:
            text = f"{self._target} cannot be reached"
        else:
            text = f"the connection to {self._target} broke ({type(error).__name__})"
        raise TransientError(text, target=self._target, sent=self.writing) from None


class _Bounded:
    """What a server says, as smtplib reads it: at most `MAX_ANSWERS`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = MAX_ANSWERS

    def readline(self, size: int) -> bytes:
        """A line.

        Raises:
            OSError: the server has said too much.
        """
        line = self._file.readline(size)
        self._left -= len(line)
        if self._left < 0:
            raise OSError("the server says too much")
        return line

    def close(self) -> None:
        """Stop reading."""
        self._file.close()


def _good(code: int) -> bool:
    return 200 <= code < 300  # noqa: PLR2004 - SMTP


def _bytes(text: str | bytes) -> bytes:
    return text.encode("utf-8", "replace") if isinstance(text, str) else text


def _code(code: int, text: str | bytes) -> str:
    """The code, with the enhanced one (RFC 3463) where there is one."""
    enhanced = _ENHANCED.match(_bytes(text))
    return f"{code} {enhanced[1].decode()}" if enhanced else str(code)

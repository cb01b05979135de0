"""The mail server on loopback: RFC 5321 as `aiosmtpd` speaks it, with TLS before all and a login.

A scripted fault's ``status`` is the reply's code: 454 and 535 are answered to the login, any other
to the end of the message. ``reset: before`` breaks the connection without taking the message,
``reset: after`` once it was taken and before it is said so: the sender cannot know.
"""

from __future__ import annotations

import asyncio
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from hub_toolkit.sandbox import mail
from hub_toolkit.sandbox.certificates import authority
from hub_toolkit.sandbox.in_process import environ
from hub_toolkit.sandbox.vendors.smtp.app import PATH
from hub_toolkit.sandbox.wsgi import SENDING_KEY

if TYPE_CHECKING:
    import ssl

    from hub_toolkit.sandbox.faults import Faults
    from hub_toolkit.sandbox.vendors.smtp.app import Mailbox
    from hub_toolkit.sandbox.wsgi import App

HOST = "127.0.0.1"
MAX_BYTES = 26_214_400
"""Of a message, which the server names in ``SIZE``; 25 MB are usual."""
IDLE_S = 30.0
_LOGIN = frozenset({454, 535})
"""Codes of RFC 4954 that are answered to a login."""


class Listener:
    """Serves one mailbox until `close`.

    Args:
        app: takes the messages, as the mailbox's own application or what stands around it.
        faults: scripted failures of the login, for ``targets``.
        tls: ``starttls`` or ``tls``.
    """

    def __init__(
        self, mailbox: Mailbox, app: App, faults: Faults, *targets: str, tls: str = "starttls"
    ) -> None:
        handler = _Handler(mailbox, app, faults, targets)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtp", daemon=True)
        self._thread.start()
        context = authority().server
        self._server = self._wait(
            self._loop.create_server(
                lambda: _protocol(handler, context, tls),
                HOST,
                0,
                ssl=context if tls == "tls" else None,
            )
        )
        self.port: int = self._server.sockets[0].getsockname()[1]

    @property
    def ca(self) -> str:
        """The authority that signed its certificate, in PEM form."""
        return authority().ca

    def close(self) -> None:
        """Stop serving."""
        self._wait(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        own = asyncio.current_task()
        talks = [one for one in asyncio.all_tasks() if one is not own]
        for one in talks:
            one.cancel()
        await asyncio.gather(*talks, return_exceptions=True)

    def _wait(self, awaited: Any) -> Any:
        async def run() -> Any:
            return await awaited

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()


def _protocol(handler: _Handler, context: ssl.SSLContext, tls: str) -> SMTP:
    """One connection's conversation."""
    at_once = tls == "tls"
    made = SMTP(
        handler,
        data_size_limit=MAX_BYTES,
        hostname="mail.sandbox.example",
        ident="sandbox",
        tls_context=None if at_once else context,
        require_starttls=not at_once,
        timeout=IDLE_S,
        auth_required=True,
        authenticator=handler.authenticate,
    )
    if at_once:
        made._auth_require_tls = False  # the connection is TLS already, which it does not know
    return made


class _Handler:
    """What the server asks of the mailbox, by aiosmtpd's names."""

    def __init__(
        self, mailbox: Mailbox, app: App, faults: Faults, targets: tuple[str, ...]
    ) -> None:
        self._mailbox = mailbox
        self._app = app
        self._faults = faults
        self._targets = targets

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        """The answer to a login."""
        for fault in self._faults.pending():
            if fault["target"] in self._targets:
                if fault["status"] in _LOGIN:
                    self._faults.take(*self._targets)
                    return AuthResult(success=False, handled=False, message=_said(fault["status"]))
                break
        admitted = isinstance(data, LoginPassword) and self._mailbox.admits(
            data.login, data.password
        )
        return AuthResult(success=admitted, handled=False)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """The answer to one recipient."""
        refusal = self._mailbox.refuses.get(address)
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """The answer to the message."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        try:
            shown = mail.shown(mail.parsed(content), envelope.rcpt_tos)
        except mail.MailError as error:
            return f"554 5.6.0 {error}"
        port = int(session.peer[1]) if session.peer else 0
        try:
            status = await asyncio.to_thread(self._post, msgspec.json.encode(shown), port)
        except ConnectionResetError:
            if isinstance(server.transport, asyncio.WriteTransport):
                server.transport.abort()
            status = 250
        return _said(status)

    def _post(self, body: bytes, port: int) -> int:
        """Hand the message to the application; the status that it answers.

        Raises:
            ConnectionResetError: the connection is to break.
        """
        asked = environ("POST", PATH, [("Content-Type", "application/json")], body)
        asked["REMOTE_PORT"] = str(port)
        told: list[int] = []

        def start_response(status: str, *_: object) -> None:
            told[:] = [int(status[:3])]

        answer = self._app(asked, start_response)
        list(asked[SENDING_KEY](answer) if SENDING_KEY in asked else answer)
        return told[0]


def _said(status: int) -> str:
    """An application's status as a reply; one of SMTP's own stays."""
    if status < HTTPStatus.BAD_REQUEST:
        return "250 2.0.0 OK: queued"
    kind = 4 if status < 500 else 5  # noqa: PLR2004 - SMTP's replies that are final
    return f"{status} {kind}.3.0 scripted"

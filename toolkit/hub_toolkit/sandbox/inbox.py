"""What left the responder: every delivery that a simulated system took, oldest first.

A delivery is a request that changes something (POST, PUT, PATCH, DELETE) and that the system
accepted. What it refused, or what a scripted fault kept from it, is kept apart with its reason, so
that counting deliveries counts effects. A search by POST is neither.

Secrets: headers are never kept, nor is the query (a Teams webhook's signature stands there); the
secret part of a webhook's path and the fields of a body that carry credentials by protocol are
masked. Texts are kept as they are: a secret that leaks into a message is to be seen.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec

from hub_responder.clock import iso
from hub_toolkit.sandbox.vendors.base import REASON_KEY, VERDICT_KEY, Verdict, collected
from hub_toolkit.sandbox.wsgi import App, Environ, StartResponse, TooLarge, read_body, respond

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_ENTRIES = 50_000
MAX_BYTES = 256 * 1024 * 1024
"""Of bodies, as received; the oldest entries go first."""

MASK = "***"

_EFFECTFUL = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_WEBHOOK_PATH = re.compile(r"(/services/).+")
_SECRET_FIELDS = frozenset(
    {"token", "api_token", "access_token", "routing_key", "password", "client_secret", "api_key"}
)
_FORM = "application/x-www-form-urlencoded"


class _Entry(msgspec.Struct, frozen=True):
    system: str
    connection: str
    at: float
    method: str
    path: str
    body: bytes
    form: bool
    status: int
    reason: str


class _Box:
    """The newest entries, bounded by number and by bytes."""

    def __init__(self) -> None:
        self._entries: deque[_Entry] = deque()
        self._bytes = 0

    def add(self, entry: _Entry) -> None:
        self._entries.append(entry)
        self._bytes += len(entry.body)
        while len(self._entries) > MAX_ENTRIES or self._bytes > MAX_BYTES:
            self._bytes -= len(self._entries.popleft().body)

    def copy(self) -> list[_Entry]:
        return list(self._entries)


class Inbox:
    """The deliveries and the refusals. Safe for threads.

    Args:
        clock: returns seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._accepted = _Box()
        self._refused = _Box()
        self._lock = threading.Lock()

    def add(
        self,
        *,
        system: str,
        connection: str,
        method: str,
        path: str,
        body: bytes,
        form: bool = False,
        status: int = 200,
        refused: bool = False,
        reason: str = "",
    ) -> None:
        """Keeps one request.

        Args:
            system: as faults name it: ``slack``, ``jira``, ``sns``.
            connection: the connection's name, or the system's where there is only one.
            method: the HTTP method, or the AWS operation.
            path: without the query.
            body: as received.
            form: the body is a URL-encoded form.
            status: the HTTP status that was answered.
            refused: nothing was done.
            reason: why it was refused, as far as the system says.
        """
        path = shown_path(path)
        with self._lock:
            at = self._clock()
            entry = _Entry(system, connection, at, method, path, body, form, status, reason)
            (self._refused if refused else self._accepted).add(entry)

    def deliveries(self) -> list[dict[str, Any]]:
        """What was accepted: system, connection, at (ISO 8601, UTC), method, path, body.

        ``body`` is the decoded JSON, the fields of a form, or else the text.
        """
        with self._lock:
            entries = self._accepted.copy()
        return [_shown(entry) for entry in entries]

    def refused(self) -> list[dict[str, Any]]:
        """What was refused: as ``deliveries``, with ``status`` and ``reason``."""
        with self._lock:
            entries = self._refused.copy()
        return [
            {**_shown(entry), "status": entry.status, "reason": entry.reason} for entry in entries
        ]


def record(app: App, inbox: Inbox, system: str, connection: str) -> App:
    """``app``, with every request that changes something kept in ``inbox``.

    Stands around ``faults.faulty``.
    """

    def wrapped(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        method = str(environ["REQUEST_METHOD"])
        if method not in _EFFECTFUL:
            return app(environ, start_response)
        try:
            body = read_body(environ)
        except TooLarge as error:
            return respond(start_response, 413, str(error).encode(), "text/plain")
        statuses: list[int] = []

        def watch(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            statuses.append(int(status[:3]))
            return start_response(status, headers, *rest)

        answer = collected(app(environ, watch))
        verdict = environ.get(VERDICT_KEY)
        if verdict != Verdict.READ:
            inbox.add(
                system=system,
                connection=connection,
                method=method,
                path=str(environ.get("PATH_INFO", "")),
                body=body,
                form=str(environ.get("CONTENT_TYPE", "")).startswith(_FORM),
                status=statuses[-1],
                refused=verdict == Verdict.REFUSED or statuses[-1] >= HTTPStatus.BAD_REQUEST,
                reason=str(environ.get(REASON_KEY, "")),
            )
        return answer

    return wrapped


def _shown(entry: _Entry) -> dict[str, Any]:
    return {
        "system": entry.system,
        "connection": entry.connection,
        "at": iso(entry.at),
        "method": entry.method,
        "path": entry.path,
        "body": shown_body(entry.body, form=entry.form),
    }


def shown_path(path: str) -> str:
    """``path`` without the secret part of a webhook's."""
    return _WEBHOOK_PATH.sub(rf"\1{MASK}", path)


def shown_body(body: bytes, *, form: bool) -> Any:
    """JSON decoded, the fields of a form, or else the text; credentials masked."""
    text = body.decode(errors="replace")
    if form:
        return _masked(dict(parse_qsl(text, keep_blank_values=True)))
    try:
        return _masked(msgspec.json.decode(body))
    except (msgspec.DecodeError, RecursionError):  # no JSON, or nested to break us
        return text


def _masked(value: Any) -> Any:
    """A copy with the credentials masked."""
    if isinstance(value, dict):
        return {
            key: MASK if key.lower() in _SECRET_FIELDS and held else _masked(held)
            for key, held in value.items()
        }
    if isinstance(value, list):
        return [_masked(entry) for entry in value]
    return value

"""Scripted failures: the next calls to a target fail as told, then things are well again.

An entry is an object with ``target`` and some of the others:

- ``target``: a system (``slack``), a connection (``slack-bot``) or an AWS operation
  (``securityhub.BatchUpdateFindings``). ``securityhub`` alone stands for all its operations.
- ``status``: the HTTP status that is answered instead of asking the system. Left out, the system
  answers itself, and does what it was asked.
- ``body``: JSON, or a text, which is sent as HTML as a proxy would. Only with ``status``.
- ``retry_after``: the ``Retry-After`` header, seconds or an HTTP date. Only with ``status``.
- ``delay_s``: real seconds before the answer, at most 120.
- ``truncate``: half of the answer's body is sent, with the ``Content-Length`` of the whole.
- ``drip_s``: the body is sent in small pieces over so many real seconds, at most 120.
- ``reset``: the connection is reset, ``before`` the system is asked, or ``after`` it did what it
  was asked. With ``delay_s`` only.
- ``time_out``: the time of the function that calls is up, ``before`` the system is asked, or
  ``after`` it did what it was asked: its process ends, and the clock goes to the end of its time.
  With nothing else; a call from elsewhere is answered.
- ``times``: how many calls it is good for, 1 where left out.
- ``skip``: how many calls go well before it, 0 where left out.

``{"target": "lambda", "kill": "before_effect" | "after_effect", "times": N}`` kills the worker
process at the next N such points; with ``skip`` it lives through as many of them first.
"""

from __future__ import annotations

import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec.structs import replace

from hub_toolkit.sandbox.vendors.base import REASON_KEY, VERDICT_KEY, Verdict, collected
from hub_toolkit.sandbox.wsgi import (
    SENDING_KEY,
    App,
    Environ,
    Sending,
    StartResponse,
    respond,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Point = Literal["before_effect", "after_effect"]
When = Literal["before", "after"]

MAX_ENTRIES = 10_000
LAMBDA = "lambda"
PIECES = 20
"""Of a body that drips."""


class FaultError(ValueError):
    """An entry that cannot be taken; the text says which and why."""


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry; the module says what the fields mean."""

    target: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]
    status: Annotated[int, msgspec.Meta(ge=200, le=599)] | None = None
    body: Any = None
    retry_after: Annotated[float, msgspec.Meta(ge=0, le=86_400)] | str | None = None
    delay_s: Annotated[float, msgspec.Meta(ge=0, le=120)] = 0.0
    truncate: bool = False
    drip_s: Annotated[float, msgspec.Meta(ge=0, le=120)] = 0.0
    reset: When | None = None
    time_out: When | None = None
    kill: Point | None = None
    times: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1
    skip: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0

    def __post_init__(self) -> None:
        """Refuses combinations that would do nothing.

        Raises:
            ValueError: so that decoding names the entry.
        """
        scripted = self.status is not None
        cut = bool(self.truncate or self.drip_s)
        if self.target == LAMBDA:
            others = scripted or self.delay_s or cut or self.reset or self.time_out
            if self.kill is None or others:
                raise ValueError("target lambda takes kill, times and skip, and nothing else")
            return
        if self.kill is not None:
            raise ValueError("kill is for target lambda")
        if not scripted and (self.body is not None or self.retry_after is not None):
            raise ValueError("body and retry_after need a status")
        if self.time_out and (scripted or cut or self.delay_s or self.reset):
            raise ValueError("time_out goes with times and skip only")
        if self.reset and (scripted or cut):
            raise ValueError("reset goes with delay_s only")
        if not (scripted or self.delay_s or cut or self.reset or self.time_out):
            raise ValueError(
                "one of status, delay_s, truncate, drip_s, reset or time_out is needed"
            )
        if isinstance(self.retry_after, str) and not self.retry_after.isprintable():
            raise ValueError("retry_after has characters that a header cannot have")


_UNANSWERED = Fault(target="nobody", status=HTTPStatus.SERVICE_UNAVAILABLE)
"""What is sent to a process that has ended."""


class Faults:
    """The scripted failures that are still to come. Safe for threads.

    Args:
        delay: waits real seconds; the default only sleeps.

    Attributes:
        time_out: ends the worker that calls from this local port as at the end of its time; False
            if none does, as the default says.
    """

    def __init__(self, delay: Callable[[float], None] = time.sleep) -> None:
        self.delay = delay
        self.time_out: Callable[[int], bool] = lambda _port: False
        self._entries: list[Fault] = []
        """``times`` and ``skip`` counted down."""
        self._lock = threading.Lock()

    def add(self, entries: object) -> None:
        """Appends entries, a list as decoded from JSON.

        Raises:
            FaultError: an entry is wrong; none is added.
        """
        if not isinstance(entries, list):
            raise FaultError("faults are a list of objects")
        faults = [_fault(entry, position) for position, entry in enumerate(entries)]
        with self._lock:
            if len(self._entries) + len(faults) > MAX_ENTRIES:
                raise FaultError(f"more than {MAX_ENTRIES} faults")
            self._entries.extend(faults)

    def take(self, *targets: str) -> Fault | None:
        """The oldest fault that is due for any of the targets, counted down; None: none is."""
        return self._take(
            lambda fault: (
                fault.kill is None and any(_covers(fault.target, target) for target in targets)
            )
        )

    def take_kill(self, point: Point) -> bool:
        """Whether the worker is to die at this point; counted down."""
        return self._take(lambda fault: fault.kill == point) is not None

    def clear(self) -> None:
        """Forgets all that is still to come."""
        with self._lock:
            self._entries.clear()

    def pending(self) -> list[dict[str, Any]]:
        """What is still to come, oldest first, ``times`` and ``skip`` counted down."""
        with self._lock:
            return [msgspec.to_builtins(fault) for fault in self._entries]

    def _take(self, wanted: Callable[[Fault], bool]) -> Fault | None:
        with self._lock:
            for position, fault in enumerate(self._entries):
                if not wanted(fault):
                    continue
                if fault.skip:
                    self._entries[position] = replace(fault, skip=fault.skip - 1)
                    continue
                if fault.times == 1:
                    del self._entries[position]
                else:
                    self._entries[position] = replace(fault, times=fault.times - 1)
                return fault
        return None


def faulty(app: App, faults: Faults, *targets: str) -> App:
    """``app``, but its calls fail as scripted for ``targets``: its system and its connection.

    Stands inside ``inbox.record``, so that the inbox knows what was refused.
    """

    def wrapped(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        fault = faults.take(*targets)
        if fault is None:
            return app(environ, start_response)
        if fault.delay_s:
            faults.delay(fault.delay_s)
        if fault.time_out:
            return _out_of_time(app, faults, fault.time_out)(environ, start_response)
        if fault.reset:
            environ[SENDING_KEY] = _reset
        elif fault.drip_s:
            environ[SENDING_KEY] = _dripping(faults.delay, fault.drip_s)
        answering = app
        if fault.status is not None or fault.reset == "before":
            answering = _scripted(fault, fault.status or HTTPStatus.SERVICE_UNAVAILABLE)
        if fault.truncate:
            return _truncated(answering, environ, start_response)
        return answering(environ, start_response)

    return wrapped


def _fault(entry: object, position: int) -> Fault:
    try:
        return msgspec.convert(entry, Fault)
    except msgspec.ValidationError as error:
        raise FaultError(f"fault {position}: {error}") from None


def _covers(scripted: str, target: str) -> bool:
    return target == scripted or target.startswith(f"{scripted}.")


def _scripted(fault: Fault, status: int) -> App:
    """An application that answers what the fault says; the inbox is told that nothing was done."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        environ[VERDICT_KEY], environ[REASON_KEY] = Verdict.REFUSED, "scripted fault"
        headers = []
        if fault.retry_after is not None:
            given = fault.retry_after
            value = given if isinstance(given, str) else f"{given:g}"
            headers.append(("Retry-After", value))
        if isinstance(fault.body, str):
            html = "text/html; charset=utf-8"
            return respond(start_response, status, fault.body.encode(), html, headers)
        body = b"" if fault.body is None else msgspec.json.encode(fault.body)
        return respond(start_response, status, body, headers=headers)

    return app


def _out_of_time(app: App, faults: Faults, when: When) -> App:
    """``app``, whose caller does not live to see the answer, and asked nothing if ``before``."""

    def wrapped(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        port = int(environ.get("REMOTE_PORT") or 0)
        if when == "before" and faults.time_out(port):
            return _scripted(_UNANSWERED, HTTPStatus.SERVICE_UNAVAILABLE)(environ, start_response)
        answer = collected(app(environ, start_response))
        if when == "after":
            faults.time_out(port)
        return answer

    return wrapped


def _reset(_answer: Iterable[bytes]) -> Iterable[bytes]:
    raise ConnectionResetError


def _dripping(delay: Callable[[float], None], seconds: float) -> Sending:
    """Sends the body in at most `PIECES` pieces, with pauses that take ``seconds`` together."""

    def sending(answer: Iterable[bytes]) -> Iterable[bytes]:
        body = b"".join(answer)
        size = max(1, -(-len(body) // PIECES))
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        for piece in pieces:
            yield piece
            delay(seconds / len(pieces))

    return sending


def _truncated(app: App, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Sends half of the body under the whole one's length; the server then cuts the connection."""
    seen: list[Any] = []

    def keep(status: str, headers: list[tuple[str, str]], _exc_info: object = None) -> None:
        seen[:] = [status, headers]

    body = b"".join(collected(app(environ, keep)))
    status, headers = seen
    others = [(name, value) for name, value in headers if name.lower() != "content-length"]
    start_response(status, [*others, ("Content-Length", str(len(body)))])
    return [body[: len(body) // 2]]

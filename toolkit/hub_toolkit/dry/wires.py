"""The responder's ways out of this process, led to a WSGI application; and its clock.

Mail servers get none of it: their protocol begins with a connection. AWS clients keep boto3's own
signing, parsing, exceptions and retries; the HTTP session keeps our checks of addresses, sizes and
answers. Only the last step, the socket, is another.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse

from hub_responder import aws, clock, http, lookup, member, observability, pace, secrets
from hub_responder.connections import smtp, turns
from hub_responder.vision_one import asking, inventory, snapshot
from hub_responder.workload_security import shields
from hub_toolkit.sandbox.in_process import answer_aws, call

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from hub_responder.connections.settings import Smtp
    from hub_toolkit.sandbox.wsgi import App

_AWS_OWN = ("AWS_", "POWERTOOLS_", "BOTO_")
_NOWHERE = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""Nothing of the developer's AWS settings is read: no credential of theirs signs anything here."""


@dataclass(slots=True)
class Wires:
    """Where this process's requests go, and its time; changed from one world to the next.

    Attributes:
        app: answers AWS requests.
        http: answers all others: (method, URL, headers, body) -> status, headers, content.
        mail: takes what goes to mail servers: (connection, recipients, message).
        now: epoch seconds.
        log: what the functions print; never shown, kept for the reason of an unexpected error.
    """

    app: App
    http: Callable[[requests.PreparedRequest], tuple[int, list[tuple[str, str]], bytes]]
    mail: Callable[[str, Sequence[str], bytes], None]
    now: Callable[[], float]
    log: io.StringIO

    def time(self) -> float:
        """The time of the world that is plugged in."""
        return self.now()

    def deliver(
        self, connection: str, settings: Smtp, _login: Any, content: bytes, _deadline: Any
    ) -> Mapping[str, str]:
        """Hand a message to the world that is plugged in, in place of a server."""
        self.mail(connection, settings.to, content)
        return {}


def forget() -> None:
    """Drop what the functions keep between invocations, so that worlds do not mix."""
    secrets.forget_all()
    asking.forget()
    inventory.forget()
    shields.forget()
    snapshot.forget()
    pace.forget()
    turns.forget()
    lookup.forget()
    member.forget()


def _unplugged(*_: object) -> Any:
    raise RuntimeError("no world is plugged in")


@contextmanager
def installed(environment: Mapping[str, str]) -> Iterator[Wires]:
    """Lead everything that leaves this process to the yielded `Wires`, until the end.

    Args:
        environment: variables for AWS clients: region, endpoint, credentials of no meaning.
    """
    wires = Wires(_unplugged, _unplugged, _unplugged, lambda: 0.0, io.StringIO())

    def before_send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        return answer_aws(wires.app, request)

    with variables({**_NOWHERE, **environment}), _logs(wires.log):
        forget_process()
        aws.session().events.register("before-send", before_send)
        sessions = (http.session(), http.public_session())
        for session in sessions:
            for scheme in ("https://", "http://"):
                session.mount(scheme, _Adapter(wires))
        clock.follow(wires.time)
        smtp.follow(wires.deliver)
        try:
            yield wires
        finally:
            clock.follow(None)
            smtp.follow(None)
            for session in sessions:
                session.close()
            forget()
            forget_process()


@contextmanager
def variables(environment: Mapping[str, str]) -> Iterator[None]:
    """The process's environment: ``environment``, and nothing of AWS's but that."""
    changed = {*environment, *(name for name in os.environ if name.startswith(_AWS_OWN))}
    before = {name: os.environ.get(name) for name in changed}
    _set({name: environment.get(name) for name in changed}, now=before)
    try:
        yield
    finally:
        _set(before, now={name: os.environ.get(name) for name in changed})


def _set(wanted: Mapping[str, str | None], now: Mapping[str, str | None]) -> None:
    """Change the variables that differ; None: there is none."""
    for name, value in wanted.items():
        if value == now[name]:
            continue
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


@contextmanager
def printed_to(log: io.StringIO) -> Iterator[None]:
    """What is printed goes to ``log``: the functions' metrics."""
    with contextlib.redirect_stdout(log):
        yield


def forget_process() -> None:
    """Drop the process's AWS clients and HTTP sessions."""
    aws.forget_clients()
    http.session.cache_clear()
    http.public_session.cache_clear()


@contextmanager
def _logs(log: io.StringIO) -> Iterator[None]:
    """The functions' logger writes to ``log``.

    It outlives this run: made here for the first time, it must not keep a stream that ends with it.
    """
    with contextlib.redirect_stdout(sys.__stdout__):
        handlers: Any = getattr(observability.logger(), "handlers", [])
    before = [(one, one.stream) for one in handlers if hasattr(one, "stream")]
    for handler, _ in before:
        handler.stream = log
    try:
        yield
    finally:
        for handler, stream in before:
            handler.stream = stream


class _Adapter(BaseAdapter):
    """requests' way out, without a socket."""

    def __init__(self, wires: Wires) -> None:
        super().__init__()
        self._wires = wires
        self._builder = HTTPAdapter()

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Answer ``request``."""
        status, headers, content = self._wires.http(request)
        body, named = io.BytesIO(content), HTTPHeaderDict(headers)
        raw = HTTPResponse(body, headers=named, status=status, preload_content=False)
        return self._builder.build_response(request, raw)

    def close(self) -> None:
        """Nothing is open."""


def through(app: App, request: requests.PreparedRequest, url: str) -> Any:
    """The answer of ``app`` to ``request``, sent to ``url``."""
    body = request.body
    content = body.encode() if isinstance(body, str) else bytes(body or b"")
    return call(app, str(request.method), url, request.headers.items(), content)

"""Calls a WSGI application in this process, as AWS clients and `requests` call a server."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

if TYPE_CHECKING:
    from hub_toolkit.sandbox.wsgi import App, Environ


class Answer(NamedTuple):
    """What an application answered."""

    status: int
    headers: list[tuple[str, str]]
    content: bytes


def call(
    app: App, method: str, url: str, headers: Iterable[tuple[str, str | bytes]], body: bytes
) -> Answer:
    """Send one request to ``app`` and take the whole answer."""
    started: list[tuple[int, list[tuple[str, str]]]] = []

    def start_response(status: str, sent: list[tuple[str, str]], *_: object) -> None:
        started.append((int(status.split(maxsplit=1)[0]), list(sent)))

    content = b"".join(app(environ(method, url, headers, body), start_response))
    status, answered = started[-1]
    return Answer(status, answered, content)


def environ(
    method: str, url: str, headers: Iterable[tuple[str, str | bytes]], body: bytes
) -> Environ:
    """The WSGI environment of a request (PEP 3333)."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    made: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1") or "/",
        "QUERY_STRING": parts.query,
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": parts.hostname or "",
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_PORT": "0",
        "HTTP_HOST": parts.netloc,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers:
        key = name.upper().replace("-", "_")
        if key == "CONTENT_TYPE":
            made[key] = _text(value)
        elif key != "CONTENT_LENGTH":
            made[f"HTTP_{key}"] = _text(value)
    return made


def answer_aws(app: App, request: AWSPreparedRequest) -> AWSResponse:
    """The answer for a handler of a client's ``before-send`` event: nothing is sent then."""
    url, method = str(request.url), str(request.method)
    answer = call(app, method, url, request.headers.items(), _body(request.body))
    return AWSResponse(
        url, answer.status, HTTPHeaders.from_pairs(answer.headers), _Raw(answer.content)
    )


def _body(body: object) -> bytes:
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, io.IOBase):
        content: bytes = body.read()
        return content
    return bytes(body) if isinstance(body, bytes | bytearray) else b""


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


class _Raw(io.BytesIO):
    """The part of urllib3's response that botocore reads."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()

"""A loopback HTTP server whose answers a test scripts, and an AWS endpoint made of it."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from werkzeug.test import Client


@dataclass(frozen=True)
class Request:
    """What arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What is answered. ``hang_up`` closes the connection after the request was read."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False

    def encoded(self) -> bytes:
        """The body as bytes; anything but bytes and None as JSON."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Loopback:
    """Serves until `close`; ``requests`` are what arrived, in order."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answer: Callable[[Request], Reply] = lambda _request: Reply(404)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # head and body are two packets: 40 ms an answer else

            def handle_any(self) -> None:
                length = int(self.headers.get("content-length", 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, headers, self.rfile.read(length))
                outer.requests.append(request)
                reply = outer.answer(request)
                if reply.hang_up:
                    self.close_connection = True
                    return
                content = reply.encoded()
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in reply.headers:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                if "Content-Length" in reply.headers:
                    self.close_connection = True

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

            def log_message(self, *_args: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def replies(self, *replies: Reply) -> None:
        """Answer with these, one after the other; the last one again and again."""
        left = list(replies)
        self.answer = lambda _request: left.pop(0) if len(left) > 1 else left[0]

    def speak_tls(self, context: ssl.SSLContext) -> None:
        """Speak TLS from now on."""
        listening = self._server.socket
        # Each connection's thread shakes hands, so that a refused one holds up no other.
        self._server.socket = context.wrap_socket(
            listening, server_side=True, do_handshake_on_connect=False
        )
        self.url = self.url.replace("http://", "https://")

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def simulated(client: Client) -> Callable[[Request], Reply]:
    """Answers as the simulator behind ``client`` does."""

    def answer(request: Request) -> Reply:
        headers = dict(request.headers)
        headers.pop("content-length", None)
        told = client.open(request.path, method=request.method, headers=headers, data=request.body)
        kept = {name: value for name, value in told.headers.items() if name != "Content-Length"}
        return Reply(told.status_code, told.data, kept)

    return answer


class Cloud(Loopback):
    """AWS as far as a test scripts it: secrets from a dict, other calls answered in order.

    ``calls`` are ``(operation, request)``; ``script[operation]`` holds replies or one for all.
    """

    def __init__(self) -> None:
        super().__init__()
        self.secrets: dict[str, Any] = {}
        self.script: dict[str, list[Reply]] = {}
        self.calls: list[tuple[str, Any]] = []
        self.answer = self._aws

    def called(self, operation: str) -> list[Any]:
        """The requests of one operation."""
        return [request for name, request in self.calls if name == operation]

    def _aws(self, request: Request) -> Reply:
        operation, content = _operation(request)
        self.calls.append((operation, content))
        if operation == "GetSecretValue":
            return self._secret(content["SecretId"])
        replies = self.script.get(operation, [])
        if not replies:
            return Reply(200, _DEFAULTS.get(operation, {}))
        return replies.pop(0) if len(replies) > 1 else replies[0]

    def _secret(self, name: str) -> Reply:
        value = self.secrets.get(name)
        if value is None:
            return error("ResourceNotFoundException", "Secrets Manager can't find it.")
        if isinstance(value, Reply):
            return value
        text = value if isinstance(value, str) else json.dumps(value)
        return Reply(200, {"Name": name, "SecretString": text})


_PUBLISHED = (
    b'<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>'
    b"<MessageId>m-1</MessageId></PublishResult></PublishResponse>"
)
_IDENTITY = (
    b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
    b"<GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult>"
    b"</GetCallerIdentityResponse>"
)
_DEFAULTS = {"Publish": _PUBLISHED, "GetCallerIdentity": _IDENTITY}


def error(code: str, message: str = "no", status: int = 400, **extra: Any) -> Reply:
    """An AWS error in the JSON protocols."""
    return Reply(status, {"__type": code, "message": message, **extra}, {"x-amzn-ErrorType": code})


def _operation(request: Request) -> tuple[str, Any]:
    target = request.headers.get("x-amz-target")
    if target:
        return target.rpartition(".")[2], request.json
    if request.path.startswith("/findings/batchupdate"):
        return "BatchUpdateFindings", request.json
    form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    return form.get("Action", request.path), form

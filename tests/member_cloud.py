"""AWS in several accounts for tests: the sandbox's member accounts behind one loopback address."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from factories import ACCOUNT, INSTANCE, REGION
from hub_toolkit.sandbox import targets
from hub_toolkit.sandbox.aws_app import AwsApp, Call, Performed
from hub_toolkit.sandbox.faults import Faults
from hub_toolkit.sandbox.members.plane import Members
from hub_toolkit.sandbox.wsgi import App, Environ, StartResponse, respond_error

MEMBER = "444455556666"
ROLE = "hub-responder-lookup"


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # else who puts an object waits a second for "100 Continue"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Quiet."""


def instance(name: str = INSTANCE, **overrides: Any) -> dict[str, Any]:
    """An instance as ``PUT /_sandbox/ec2/instances`` takes it."""
    return {
        "InstanceId": name,
        "OwnerId": ACCOUNT,
        "Region": REGION,
        "State": "running",
        "PrivateIpAddress": "10.0.0.5",
        "PrivateDnsName": "ip-10-0-0-5.ec2.internal",
        "Tags": {"Name": "web-01", "Owner": "pay"},
    } | overrides


class MemberCloud:
    """Serves until `close`. ``calls`` are the operations in order; ``faults`` script failures;
    ``findings`` are what Security Hub holds, by id."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.findings: dict[str, dict[str, Any]] = {}
        self.members = Members(lambda: self.now, ACCOUNT, REGION, self.findings.get)
        self.members.accounts.roles.add(ROLE)
        self.faults = Faults()
        self.calls: list[str] = []
        self.bodies: list[bytes] = []
        self.operations: dict[str, Any] = {
            **self.members.operations,
            "lambda.Invoke": targets.functions,
            "states.StartExecution": targets.StateMachines(lambda: self.now).app,
        }
        self.services: dict[str, Any] = {}
        self.other: App = _unknown
        app = AwsApp(
            self.services,
            self.operations,
            other=self._rest,
            faults=self.faults,
            targets=_no_targets,
            performed=self._performed,
        )
        self._server = make_server("127.0.0.1", 0, app, _Server, _Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def holds(self, *items: dict[str, Any]) -> None:
        """Replace the estate."""
        self.members.instances.replace(list(items))

    def count(self, operation: str) -> int:
        """How often an operation was called."""
        return self.calls.count(operation)

    def _performed(self, done: Performed) -> None:
        self.calls.append(done.call.target)
        self.bodies.append(done.body)

    def _rest(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        return self.other(environ, start_response)

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _no_targets(_call: Call) -> tuple[str, ...]:
    return ()


def _unknown(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    return respond_error(start_response, 501, f"nobody answers {environ['PATH_INFO']}")

"""Trend's simulators for tests: asked directly, or behind a loopback server that can misbehave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from werkzeug.test import Client as Wsgi
from werkzeug.test import TestResponse

from factories import ACCOUNT, INSTANCE
from hub_toolkit.sandbox.vendors.vision_one import VisionOne
from loopback import Loopback, Reply, Request

TOKEN = "t0ken"
LIST = "/v3.0/endpointSecurity/endpoints"


def endpoint(instance: str = INSTANCE, account: str = ACCOUNT, **overrides: Any) -> dict[str, Any]:
    """A protected server, as the list call returns it; what is no key of it goes to ``eppAgent``.

    Keys that begin with ``_`` are the simulator's own.
    """
    agent = {
        "protectionManager": "SWP-test",
        "policyName": "Linux Server",
        "status": "on",
        "lastConnectedDateTime": "-PT5M",
        "version": "20.0.2.1234",
        "componentVersion": "latestVersion",
        "virtualMachineDetails": {
            "cloudProvider": "AWS",
            "cloudAccountId": account,
            "cloudInstanceId": instance,
            "powerState": "on",
        },
    }
    outer: dict[str, Any] = {
        "agentGuid": f"guid-{instance}",
        "endpointName": "ip-10-20-1-12.ec2.internal",
        "displayName": "",
        "ipAddresses": ["10.20.1.12"],
        "type": "server",
        "isolationStatus": "off",
        "eppAgent": None,
        "edrSensor": {"status": "enabled", "lastConnectedDateTime": "-PT2M"},
    }
    own = {key: value for key, value in overrides.items() if key in outer or key.startswith("_")}
    agent |= {key: value for key, value in overrides.items() if key not in own}
    return outer | {"eppAgent": agent} | own


class Api:
    """A client of a Vision One simulator, without a network between; ``now`` is its clock."""

    def __init__(self, **options: Any) -> None:
        self.now = 1_795_000_000.0
        self.tenant = VisionOne(lambda: self.now, token=TOKEN, **options)
        self._client = Wsgi(self.tenant.app)

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> TestResponse:
        """Send the token unless told otherwise."""
        token = options.pop("token", TOKEN)
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
        return self._client.open(path, method=method, json=body, headers=headers, **options)

    def get(self, path: str = LIST, **options: Any) -> TestResponse:
        return self.call("GET", path, **options)

    def filtered(self, text: str, path: str = LIST, **options: Any) -> TestResponse:
        return self.get(path, headers={"TMV1-Filter": text}, **options)


class Tenant:
    """``replies`` are answered first, one for each request; None lets the simulator answer, and
    ``spoilt`` makes another answer of that."""

    def __init__(self, server: Loopback, now: float) -> None:
        self.server = server
        self.now = now
        self.simulator = VisionOne(lambda: self.now, token=TOKEN)
        self.replies: list[Reply | None] = []
        self.spoilt: Callable[[Request, Reply], Reply] | None = None
        server.answer = self._answer

    def holds(self, *items: object) -> None:
        """Replace the estate."""
        self.simulator.replace_endpoints(items)

    @property
    def lists(self) -> Sequence[Request]:
        """The list requests so far."""
        return [r for r in self.server.requests if r.path.partition("?")[0] == LIST]

    @property
    def details(self) -> Sequence[Request]:
        """The detail requests so far."""
        return [r for r in self.server.requests if r.path.startswith(LIST + "/")]

    def _answer(self, request: Request) -> Reply:
        scripted = self.replies.pop(0) if self.replies else None
        if scripted is not None:
            return scripted
        wanted = ("authorization", "content-type", "tmv1-filter", "tmv1-query")
        answer = Wsgi(self.simulator.app).open(
            request.path,
            method=request.method,
            headers={name: request.headers[name] for name in wanted if name in request.headers},
            data=request.body,
            base_url=self.server.url,
        )
        again = {k: v for k, v in answer.headers.items() if k == "Retry-After"}
        told = Reply(answer.status_code, answer.data, again)
        return self.spoilt(request, told) if self.spoilt else told

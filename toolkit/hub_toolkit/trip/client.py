"""Speaks to a sandbox over its one endpoint: the control routes, and Security Hub."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import quote, urlsplit

import msgspec
import requests

_TIMEOUT_S = 30.0
_AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=sandbox/20260101/us-east-1/securityhub/aws4_request, "
    "SignedHeaders=host, Signature=none"
)
"""The sandbox accepts any key and checks no signature; the scope names the service."""


class SandboxError(Exception):
    """The sandbox does not answer, or says that something is wrong."""


class SandboxClient:
    """One sandbox.

    Args:
        endpoint: its address, as ``http://127.0.0.1:4599``.
    """

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise SandboxError(f"{endpoint!r} is not the address of a sandbox (http://HOST:PORT)")
        self.endpoint = endpoint.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def send_event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Put an event on the bus; the answer names the rules that it matched."""
        answer: dict[str, Any] = self._call("POST", "/_sandbox/events", event)
        return answer

    def wait_idle(self, timeout: float) -> bool:
        """Wait until nothing is queued, running or due soon; False when ``timeout`` s went by."""
        response = self._send("GET", f"/_sandbox/idle?timeout={timeout:g}", None, timeout + 10)
        if response.status_code == HTTPStatus.REQUEST_TIMEOUT:
            return False
        self._check(response, "/_sandbox/idle")
        return True

    def now(self) -> float:
        """The time of the sandbox's clock (epoch seconds)."""
        return float(self._call("GET", "/_sandbox/clock", None)["now"])

    def advance(self, seconds: float) -> None:
        """Let time pass at once."""
        self._call("POST", "/_sandbox/clock", {"advance_s": seconds})

    def tick(self, function: str) -> Any:
        """Run a scheduled function now; what it returns."""
        return self._call("POST", "/_sandbox/tick", {"function": function})["result"]

    def connections(self) -> dict[str, dict[str, Any]]:
        """The connections' settings as the sandbox's functions have them, by name."""
        told: dict[str, dict[str, Any]] = self._call("GET", "/_sandbox/connections", None)
        return told

    def audit(self) -> list[dict[str, Any]]:
        """Every audit record, oldest first."""
        return self._list("audit")

    def inbox(self) -> list[dict[str, Any]]:
        """Every delivery that left the responder, oldest first."""
        return self._list("inbox")

    def dead_letters(self) -> list[dict[str, Any]]:
        """The messages in the dead-letter queue."""
        return self._list("dlq")

    def findings(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The findings with these ids as Security Hub holds them now, by id."""
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(ids), 20):
            wanted = [{"Value": item, "Comparison": "EQUALS"} for item in ids[start : start + 20]]
            body = {"Filters": {"Id": wanted}, "MaxResults": 100}
            answer = self._call("POST", "/findings", body, {"Authorization": _AUTHORIZATION})
            found.update({item["Id"]: item for item in answer.get("Findings", [])})
        return found

    def _list(self, name: str) -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = self._call("GET", f"/_sandbox/{quote(name)}", None)
        return answer

    def _call(
        self, method: str, path: str, body: Any, headers: Mapping[str, str] | None = None
    ) -> Any:
        response = self._send(method, path, body, _TIMEOUT_S, headers)
        self._check(response, path)
        return msgspec.json.decode(response.content)

    def _send(
        self,
        method: str,
        path: str,
        body: Any,
        timeout: float,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        try:
            return self._session.request(
                method,
                self.endpoint + path,
                data=None if body is None else msgspec.json.encode(body),
                headers={"Content-Type": "application/json", **(headers or {})},
                timeout=timeout,
            )
        except requests.RequestException as error:
            raise SandboxError(
                f"no sandbox answers at {self.endpoint}: {type(error).__name__}"
            ) from error

    def _check(self, response: requests.Response, path: str) -> None:
        if response.status_code != HTTPStatus.OK:
            raise SandboxError(
                f"the sandbox answered {response.status_code} to {path}: {response.text[:300]}"
            )

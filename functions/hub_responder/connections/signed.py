"""Signed requests to programs of one's own.

The receiver checks ``X-Hub-Responder-Signature``, which is ``v1=`` and the HMAC-SHA256, in hex, of
the header ``X-Hub-Responder-Timestamp`` (epoch seconds), a dot and the body, with the connection's
signing key; refuses old timestamps; and does the work of one ``Idempotency-Key`` once.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder import clock, http, secrets
from hub_responder.connections.settings import Webhook, read
from hub_responder.errors import ConfigurationError

if TYPE_CHECKING:
    from hub_responder.connections.resolve import Connection
    from hub_responder.runtime import Runtime

MAX_ANSWER = 65_536
MIN_KEY = 16


def post(
    connection: Connection, content: Mapping[str, Any], key: str, runtime: Runtime
) -> http.Response:
    """Post ``content`` as JSON to a connection of type webhook; ``key`` is the effect's.

    Raises:
        ConfigurationError: the connection or its secret is wrong.
        CallError: the receiver refused it or did not answer.
    """
    settings = read(connection.settings, Webhook, connection.name)
    body = msgspec.json.encode(content)
    session = http.session_for(private=settings.private, ca=settings.ca)

    def send(secret: Mapping[str, str]) -> http.Response:
        url = settings.url or secrets.value(secret, "url", connection.name)
        response = http.call(
            "POST",
            url,
            target=connection.name,
            deadline=runtime.deadline,
            headers=_headers(connection.name, secret, body) | {"Idempotency-Key": key},
            content=body,
            max_bytes=MAX_ANSWER,
            session=session,
        )
        http.raise_for_status(response, connection.name)
        return response

    return secrets.use(runtime.stage, connection.name, send)


def _headers(name: str, secret: Mapping[str, str], body: bytes) -> dict[str, str]:
    """Timestamp and signature."""
    signing_key = secrets.value(secret, "signing_key", name)
    if len(signing_key) < MIN_KEY:
        raise ConfigurationError(
            f"the signing_key of connection {name} is too short: {MIN_KEY} characters at least"
        )
    timestamp = str(int(clock.now()))
    signed = hmac.new(signing_key.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return {
        "X-Hub-Responder-Timestamp": timestamp,
        "X-Hub-Responder-Signature": f"v1={signed.hexdigest()}",
    }

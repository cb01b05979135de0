"""Signed requests to programs of one's own.

The receiver checks the `signature`, made with the connection's signing key; refuses old timestamps;
and does the work of one ``Idempotency-Key`` once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder import clock, http, secrets
from hub_responder.connections.settings import Webhook, read
from hub_responder.connections.signature import SIGNATURE, TIMESTAMP, key_of, signed

if TYPE_CHECKING:
    from hub_responder.connections.resolve import Connection
    from hub_responder.runtime import Runtime

MAX_ANSWER = 65_536


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
    key = key_of(secret, "signing_key", name)
    timestamp = str(int(clock.now()))
    return {TIMESTAMP: timestamp, SIGNATURE: signed(key, timestamp, body)}

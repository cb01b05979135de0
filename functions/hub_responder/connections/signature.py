"""The signature of our own: of what we send to programs, and of what ServiceNow's script sends us.

``X-Hub-Responder-Signature`` is ``v1=`` and the HMAC-SHA256, in hex, of the header
``X-Hub-Responder-Timestamp`` (epoch seconds), a dot and the body. Whoever checks it refuses old
timestamps.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from hub_responder import secrets
from hub_responder.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMESTAMP = "X-Hub-Responder-Timestamp"
SIGNATURE = "X-Hub-Responder-Signature"
MAX_AGE_S = 300.0
"""A timestamp that is further away is refused: a recorded request is of no use later."""
MIN_KEY = 16


def key_of(secret: Mapping[str, str], name: str, connection: str) -> str:
    """The key ``name`` of a connection's secret.

    Raises:
        ConfigurationError: there is none, or it is too short.
    """
    key = secrets.value(secret, name, connection)
    if len(key) < MIN_KEY:
        raise ConfigurationError(
            f"the {name} of connection {connection} is too short: {MIN_KEY} characters at least"
        )
    return key


def signed(key: str, timestamp: str, body: bytes) -> str:
    """What the header `SIGNATURE` holds."""
    made = hmac.new(key.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1={made.hexdigest()}"

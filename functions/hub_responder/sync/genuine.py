"""Whether a webhook comes from who has the connection's secret.

Jira Cloud signs admin webhooks in ``X-Hub-Signature`` ("Secure admin webhooks"), GitHub all of them
in ``X-Hub-Signature-256`` ("Validating webhook deliveries"), each with ``sha256=`` and the
HMAC-SHA256 of the body in hex. Neither signs a time: a request that is sent again is genuine, and
harmless, since nothing in it is believed. ServiceNow signs nothing by itself; the script that we
give signs as `hub_responder.connections.signature` says.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping

from hub_responder import clock
from hub_responder.connections.signature import MAX_AGE_S, SIGNATURE, TIMESTAMP, signed

Headers = Mapping[str, str]
_MAX_TIMESTAMP = 12


def genuine(kind: str, key: str, headers: Headers, body: bytes) -> bool:
    """Whether the body is signed with ``key``, in the way of a type of connections.

    Args:
        headers: by their names in lower case. body: as it was sent.
    """
    check = _CHECKS.get(kind)
    return bool(key) and check is not None and check(key, headers, body)


def _signs_the_body(header: str) -> Callable[[str, Headers, bytes], bool]:
    def check(key: str, headers: Headers, body: bytes) -> bool:
        made = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
        return _same(headers.get(header, ""), f"sha256={made}")

    return check


def _ours(key: str, headers: Headers, body: bytes) -> bool:
    timestamp = headers.get(TIMESTAMP.lower(), "")
    told = timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= _MAX_TIMESTAMP
    if not told or abs(clock.now() - int(timestamp)) > MAX_AGE_S:
        return False
    return _same(headers.get(SIGNATURE.lower(), ""), signed(key, timestamp, body))


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())


_CHECKS: Mapping[str, Callable[[str, Headers, bytes], bool]] = {
    "jira": _signs_the_body("x-hub-signature"),
    "github": _signs_the_body("x-hub-signature-256"),
    "servicenow": _ours,
}

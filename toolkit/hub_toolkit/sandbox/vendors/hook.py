"""A webhook that somebody has set up in a simulated system: its secret, and the way to its address.

How each system signs is told where it does so.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Send = Callable[[Mapping[str, str], bytes], None]
"""Headers and a body on their way; returns before they arrive."""


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook."""

    secret: str
    send: Send

    def of_body(self, body: bytes, method: str = "sha256") -> str:
        """``sha256=`` and the HMAC of the body, in hex."""
        return f"{method}={hmac.new(self.secret.encode(), body, method).hexdigest()}"

    def of_time(self, timestamp: str, body: bytes) -> str:
        """``v1=`` and the HMAC-SHA256 of a time, a dot and the body, in hex."""
        told = timestamp.encode() + b"." + body
        return f"v1={hmac.new(self.secret.encode(), told, hashlib.sha256).hexdigest()}"

"""A receiver of signed calls, as a team's own program would be.

It checks signature, age and idempotency key as the documentation of `call` asks receivers to, and
answers ``{"received": true}``; a scripted fault (status 200 and a body) lets it answer otherwise.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from werkzeug.routing import Rule

from hub_toolkit.sandbox.vendors.base import Simulator, Verdict, json_response, mark

if TYPE_CHECKING:
    from werkzeug.wrappers import Request, Response

    from hub_toolkit.sandbox.vendors.base import Clock

MAX_AGE_S = 300.0


class Webhook(Simulator):
    """One receiver.

    Args:
        clock: returns epoch seconds.
        signing_key: what calls are signed with.
    """

    def __init__(self, clock: Clock, *, signing_key: str) -> None:
        super().__init__([Rule("/", methods=["POST"], endpoint=self._receive)])
        self._clock = clock
        self._signing_key = signing_key.encode()
        self._seen: set[str] = set()

    def _receive(self, request: Request) -> Response:
        reason = self._refusal(request)
        if reason:
            return json_response({"error": reason}, 401)
        key = request.headers["Idempotency-Key"]
        if key in self._seen:  # the work was done when it came first
            mark(request, Verdict.READ)
        self._seen.add(key)
        return json_response({"received": True})

    def _refusal(self, request: Request) -> str:
        """Why a call is not taken, or empty."""
        timestamp = request.headers.get("X-Hub-Responder-Timestamp", "")
        if not timestamp.isdecimal() or abs(self._clock() - int(timestamp)) > MAX_AGE_S:
            return "the timestamp is missing or too old"
        signed = hmac.new(
            self._signing_key, timestamp.encode() + b"." + request.get_data(), hashlib.sha256
        )
        given = request.headers.get("X-Hub-Responder-Signature", "")
        if not hmac.compare_digest(given, f"v1={signed.hexdigest()}"):
            return "the signature is wrong"
        return "" if request.headers.get("Idempotency-Key") else "there is no Idempotency-Key"

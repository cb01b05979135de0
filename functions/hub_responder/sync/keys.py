"""The keys that webhooks are signed with, as one process holds them."""

from __future__ import annotations

from math import inf

from hub_responder import clock, observability, secrets
from hub_responder.connections.signature import key_of
from hub_responder.errors import ConfigurationError

NAME = "webhook_secret"
"""The key of a connection's secret."""
AGAIN_S = 60.0
"""A key that a webhook does not fit is read again, but no sooner: anybody can send one."""


class Keys:
    """By connection; a secret is read when it is first needed and every five minutes.

    Every method raises TransientError where Secrets Manager does not answer.
    """

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self._held: dict[str, tuple[str, float]] = {}

    def held(self, name: str) -> str:
        """The key; empty where there is none that can be used."""
        return self._read(name, secrets.CACHE_S)

    def newer(self, name: str) -> str:
        """The key as it is now, or as it was a minute ago at most."""
        return self._read(name, AGAIN_S)

    def _read(self, name: str, within: float) -> str:
        key, at = self._held.get(name, ("", -inf))
        now = clock.now()
        # No key at all is not asked for at every request either.
        if 0 <= now - at < (within if key else AGAIN_S):
            return key
        try:
            secrets.forget(self._stage, name)
            key = key_of(secrets.get(self._stage, name), NAME, name)
        except ConfigurationError as error:
            key = ""
            extra = {"connection": name, "error": str(error)}
            observability.logger().error("webhooks cannot be verified", extra=extra)
        self._held[name] = (key, now)
        return key

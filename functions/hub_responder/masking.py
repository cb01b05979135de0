"""Secrets that this process has read, and errors without them.

Another system can say in its error what it was sent, a token too. What an error says goes into the
trail, messages and logs, so every error of ours is written without the secrets that are known.
"""

from __future__ import annotations

MASK = "[secret]"
MIN = 8
"""Characters that a secret has at least; a shorter one would be found in ordinary words."""
OPEN = frozenset({"client_id", "email", "username"})
"""Parts of a connection's secret that say who it is, and are none themselves."""
_KNOWN: dict[str, None] = {}
_MOST = 1000
"""Secrets that are remembered; a rotation adds one, so that no process comes near."""


def remember(secret: str) -> None:
    """Have ``secret`` masked in all errors from now on."""
    if len(secret) >= MIN and secret not in _KNOWN:
        _KNOWN[secret] = None
        if len(_KNOWN) > _MOST:
            del _KNOWN[next(iter(_KNOWN))]


def masked(text: str) -> str:
    """``text`` without the secrets that this process has read.

    A text that was cut may hold the beginning of one: half of it is enough to be masked.
    """
    for secret in sorted(_KNOWN, key=len, reverse=True):
        begin = secret[: max(MIN, len(secret) // 2)]
        at = text.find(begin)
        while at >= 0:
            end = at + len(begin)
            while end < len(text) and text[end] == secret[end - at : end - at + 1]:
                end += 1
            text = text[:at] + MASK + text[end:]
            at = text.find(begin, at + len(MASK))
    return text

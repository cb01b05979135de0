"""What a check comes to."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["good", "warning", "failed", "unproved", "skipped"]


class Told(msgspec.Struct, frozen=True):
    """One thing that was looked at.

    Attributes:
        what: settings, secret, address, access, place, test.
        state: good; warning (it works, and something is unwise); failed; unproved (no harmless read
            can tell); skipped (what it needs failed).
        said: what was found, without a secret.
        do: what to do about it, or empty.
    """

    what: str
    state: State
    said: str
    do: str = ""


class Checked(msgspec.Struct, frozen=True):
    """One connection."""

    name: str
    type: str
    told: list[Told]

    @property
    def failed(self) -> bool:
        """Something about it is wrong."""
        return any(one.state == "failed" for one in self.told)


def good(what: str, said: str) -> Told:
    """It is as it should be."""
    return Told(what, "good", said)


def wrong(what: str, said: str, do: str) -> Told:
    """It does not work."""
    return Told(what, "failed", said, do)


def unproved(what: str, said: str) -> Told:
    """No harmless read can tell."""
    return Told(what, "unproved", said, "it can only be proved by --send-test")

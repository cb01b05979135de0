"""What can be said of a period of the archive."""

from __future__ import annotations

from typing import Literal

import msgspec

Verdict = Literal["valid", "modified", "missing", "gap", "moved", "unsigned", "extra", "skewed"]
MEANINGS: dict[str, str] = {
    "valid": "what was sealed is there, as it was sealed, by the key that was given",
    "modified": "something is there that is not what was sealed",
    "missing": "something that was sealed is not there",
    "gap": "something was never sealed: an hour, or an item between two of a run",
    "moved": "it was sealed for another place, or by another deployment",
    "unsigned": "none of the keys that were given signed it",
    "extra": "something is there that was never sealed",
    "skewed": "times in it disagree by more than five minutes",
}
"""Verdict -> what it means."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong; ``key`` is the object that shows it."""

    verdict: Verdict
    key: str
    detail: str


class Judged(msgspec.Struct, frozen=True):
    """A period.

    Attributes:
        start: of its hour (ISO 8601). verdict: of the worst that was found.
        records: that were sealed for it. findings: what is wrong; none where it is valid.
    """

    start: str
    verdict: Verdict
    records: int = 0
    findings: list[Finding] = []


class Report(msgspec.Struct, frozen=True):
    """An archive, period by period.

    Attributes:
        archive: what was verified. keys: ids of the keys that signatures were held against.
        first, last: the hours it covers (ISO 8601), empty where there are none.
        deployment: whose it is, by its digests.
    """

    archive: str
    keys: list[str]
    periods: list[Judged]
    first: str = ""
    last: str = ""
    deployment: str = ""

    @property
    def wrong(self) -> list[Judged]:
        """The periods that are not valid."""
        return [one for one in self.periods if one.verdict != "valid"]

    @property
    def records(self) -> int:
        """Records in all."""
        return sum(one.records for one in self.periods)

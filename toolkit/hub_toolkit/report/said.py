"""Numbers and times as the report says them, in its language and time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from hub_responder.archive.layout import HOUR_S
from hub_responder.markdown.characters import clean, one_line
from hub_toolkit.inventory.moments import local
from hub_toolkit.report import words

MINUTE_S = 60.0
_MANY = 10


@dataclass(frozen=True, slots=True)
class Said:
    """A language (``en``, ``ja``) and a time zone."""

    language: str
    zone: ZoneInfo

    def word(self, key: str, **facts: object) -> str:
        """A word or a sentence with its facts."""
        known = words.JA if self.language == "ja" else words.EN
        return known[key].format(**facts) if facts else known[key]

    def at(self, moment: float) -> str:
        """A time (epoch seconds), with its zone."""
        return local(moment, self.zone)

    def short(self, milliseconds: int) -> str:
        """A record's time, to the second."""
        return f"{datetime.fromtimestamp(milliseconds / 1000, self.zone):%Y-%m-%d %H:%M:%S}"

    def span(self, seconds: float) -> str:
        """A length of time."""
        for unit, size in (("hours", HOUR_S), ("minutes", MINUTE_S)):
            if seconds >= size:
                return self.word(unit, n=f"{seconds / size:.1f}".removesuffix(".0"))
        form = ".0f" if seconds >= _MANY else ".1f"
        return self.word("seconds", n=f"{seconds:{form}}".removesuffix(".0"))


def plain(text: str) -> str:
    """Text from elsewhere in one line, without characters that hide or reorder it."""
    return one_line(clean(text)).strip()

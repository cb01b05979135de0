"""Numbers and times as reports say them, in the settings' language and time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from hub_responder.markdown.characters import clean, one_line
from hub_responder.vision_one import wording
from hub_toolkit.inventory import moments, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zoneinfo import ZoneInfo

    from hub_responder.vision_one.coverage import Coverage
    from hub_toolkit.inventory.now import Now
    from hub_toolkit.inventory.past import Seen
    from hub_toolkit.inventory.periods import Period
    from hub_toolkit.inventory.trend import Bucket, Counts, Trend

VERDICTS = ("protected", "degraded", "unprotected", "unknown")


@dataclass(frozen=True, slots=True)
class Said:
    """A language and a time zone."""

    language: str
    zone: ZoneInfo

    def word(self, key: str, **facts: object) -> str:
        """A word or sentence with its facts."""
        known = words.JA if self.language == "ja" else words.EN
        return known[key].format(**facts) if facts else known[key]

    def at(self, moment: float | None) -> str:
        """A time, with its zone; empty where there is none."""
        return moments.local(moment, self.zone) if moment is not None else ""

    def short(self, moment: float | None) -> str:
        """A time to the minute, without its zone; empty where there is none."""
        if moment is None:
            return ""
        return f"{datetime.fromtimestamp(moment, self.zone):%Y-%m-%d %H:%M}"

    def begins(self, moment: float, unit: str) -> str:
        """The day or the hour that begins at ``moment``."""
        form = "%Y-%m-%d" if unit == "day" else "%m-%d %H:%M"
        return f"{datetime.fromtimestamp(moment, self.zone):{form}}"

    def span(self, seconds: float) -> str:
        """A length of time."""
        return moments.span(seconds, self.language)

    def verdict(self, name: str) -> str:
        """A verdict."""
        return wording.verdict(name, self.language)

    def reasons(self, codes: list[str]) -> str:
        """Reasons in words."""
        said = [wording.reason(code, self.language) for code in codes]
        return self.listed(said)

    def group(self, name: str) -> str:
        """An account, a region or a policy."""
        return plain(name) or self.word("no_group")

    def by(self, what: str) -> str:
        """The heading of the accounts, regions or policies."""
        return self.word("by", what=self.word(what).lower())

    def headline(self, counts: Counts) -> str:
        """``94.2 % protected``."""
        if counts.percent is None:
            return self.word("nothing")
        return self.word("share", percent=f"{counts.percent:.1f}")

    def sentence(self, last: Bucket) -> str:
        """How many are protected, and when that was."""
        counts = {"protected": f"{last.all.protected:,}", "total": f"{last.all.total:,}"}
        return self.word("of", **counts, at=self.at(last.taken_at))

    def change(self, now: Counts, before: Counts | None) -> str:
        """``+1.3 points`` of the percentage; that it is new where it was not there."""
        if before is None or before.percent is None:
            return self.word("new")
        if now.percent is None:
            return ""
        return self.word("points", points=f"{now.percent - before.percent:+.1f}")

    def since_beginning(self, told: list[Bucket]) -> str:
        """How the percentage changed from the first to the last snapshot."""
        first, last = told[0], told[-1]
        if first.all.percent is None or last.all.percent is None or first is last:
            return ""
        points = round(last.all.percent - first.all.percent, 1)
        key = "better" if points > 0 else "worse" if points < 0 else "same"
        since = self.short(first.taken_at)
        return self.word(key, points=f"{abs(points):.1f}", since=since)

    def listed(self, parts: Iterable[str]) -> str:
        """Parts of a list in one line."""
        return ("、" if self.language == "ja" else ", ").join(parts)

    def facts(self, seen: Seen) -> Iterator[str]:
        """What a snapshot says of an instance, beside the verdict."""
        running = {True: "running", False: "not_running", None: "running_unknown"}
        yield self.word(running[seen.running])
        yield (
            self.word("agent", status=seen.agent_status)
            if seen.agent_status
            else self.word("agent_none")
        )
        if seen.agent_version:
            yield self.word("version", version=seen.agent_version)
        if seen.last_contact is not None:
            yield self.word("contact", at=self.short(seen.last_contact))
        if seen.policy:
            yield self.word("policy_is", policy=plain(seen.policy))
        if seen.ips_state and seen.ips_rules is not None:
            yield self.word("ips_rules", state=seen.ips_state, rules=f"{seen.ips_rules:,}")
        elif seen.ips_state:
            yield self.word("ips", state=seen.ips_state)
        for key, modules in (("on", seen.modules_on), ("off", seen.modules_off)):
            if modules:
                yield self.word(key, modules=" ".join(modules))
        if seen.isolation == "on":
            yield self.word("isolation_on")
        if seen.tier:
            yield self.word("matched", tier=wording.tier(seen.tier, self.language))

    def state(self, one: Now) -> Iterator[str]:
        """What EC2 says of an instance, where it was asked."""
        if one.state is not None:
            yield self.word("state", state=one.state) if one.state else self.word("state_none")

    def evidence(self, coverage: Coverage) -> Iterator[str]:
        """What a verdict was given by, as far as its sentence does not say so."""
        told = coverage.evidence
        for key in ("endpoint", "agent_guid", "policy", "cause"):
            if told.get(key):
                yield f"{key}: {plain(str(told[key]))}"

    def notes(self, trend: Trend, period: Period) -> list[str]:
        """What was read and what was not, and what is counted."""
        gaps = sum(bucket.taken_at is None for bucket in trend.buckets)
        unit = self.word(f"unit_{period.unit}")
        read = [
            self.word("read", unit=unit, read=f"{trend.read:,}", available=f"{trend.available:,}")
        ]
        read += [self.word("gaps", count=gaps)] if gaps else []
        read += [self.word("damaged", count=len(trend.damaged))] if trend.damaged else []
        counted = self.word("counted", stopped=f"{trend.told[-1].stopped:,}")
        return [("" if self.language == "ja" else " ").join(read), counted]


def plain(text: str) -> str:
    """Text from elsewhere in one line, without characters that hide or reorder it."""
    return one_line(clean(text)).strip()

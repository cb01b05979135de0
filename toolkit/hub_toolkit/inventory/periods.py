"""A range of time in days or hours, as clocks in the settings' time zone count them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from hub_toolkit.inventory.moments import MomentError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

Unit = Literal["hour", "day"]
HOURS_UP_TO_S = 2 * 86_400.0
"""A range of two days or less is told by the hour."""
MOST_DAYS = 400
"""As long as the template keeps the history."""
_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start`` up to ``end`` (epoch seconds, not included), counted in ``zone``.

    Raises:
        MomentError: it ends before it begins, or is longer than ``MOST_DAYS``.
    """

    start: float
    end: float
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise MomentError("the range ends before it begins: --from must be before --to")
        if self.end - self.start > MOST_DAYS * 86_400.0:
            raise MomentError(f"the range is too long: {MOST_DAYS} days are read at most")

    @property
    def unit(self) -> Unit:
        """What it is told by."""
        return "hour" if self.end - self.start <= HOURS_UP_TO_S else "day"

    def bucket(self, at: float) -> float:
        """When the day or the hour of ``at`` begins."""
        moment = datetime.fromtimestamp(at, self.zone)
        if self.unit == "hour":
            return moment.replace(minute=0, second=0, microsecond=0).timestamp()
        return moment.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).timestamp()

    def buckets(self) -> Iterator[float]:
        """When each of its days or hours begins; the first may begin before it does."""
        begins = self.bucket(self.start)
        while begins < self.end:
            yield begins
            begins = self._after(begins)

    def _after(self, begins: float) -> float:
        if self.unit == "hour":
            return begins + _HOUR_S
        # 36 hours on is the next day, also where clocks are put back.
        return self.bucket(begins + 36 * _HOUR_S)

from __future__ import annotations

import itertools
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estate_history import moment
from hub_toolkit.inventory.moments import MomentError
from hub_toolkit.inventory.periods import MOST_DAYS, Period

ZONES = (
    "UTC",
    "Asia/Tokyo",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "America/Santiago",
)
DAY = 86_400.0


def test_two_days_are_told_by_the_hour_and_more_by_the_day() -> None:
    start, zone = moment("2026-11-20"), ZoneInfo("UTC")
    assert Period(start, start + 2 * DAY, zone).unit == "hour"
    assert Period(start, start + 2 * DAY + 1, zone).unit == "day"


def test_days_are_those_of_the_time_zone() -> None:
    period = Period(moment("2026-11-19T12:00"), moment("2026-11-22T12:00"), ZoneInfo("Asia/Tokyo"))
    begins = [datetime.fromtimestamp(one, period.zone) for one in period.buckets()]
    assert [f"{one:%m-%d %H:%M}" for one in begins] == [
        "11-19 00:00",
        "11-20 00:00",
        "11-21 00:00",
        "11-22 00:00",
    ]


@given(
    zone=st.sampled_from(ZONES),
    start=st.integers(1_600_000_000, 1_900_000_000),
    length=st.integers(1, 30 * 86_400),
    share=st.floats(0, 1, exclude_max=True),
)
def test_every_moment_of_a_range_is_in_one_of_its_buckets(
    zone: str, start: int, length: int, share: float
) -> None:
    period = Period(start, start + length, ZoneInfo(zone))
    buckets = list(period.buckets())
    assert all(one < other for one, other in pairwise(buckets))
    assert buckets[0] <= period.start
    at = min(start + share * length, start + length - 0.001)
    assert max(one for one in buckets if one <= at) == period.bucket(at)


def test_a_day_of_25_hours_is_one_day() -> None:
    zone = ZoneInfo("Europe/Berlin")
    days = Period(moment("2026-10-24T10:00"), moment("2026-10-27T10:00"), zone).buckets()
    began = [datetime.fromtimestamp(one, zone) for one in itertools.islice(days, 5)]
    assert [f"{one:%d %H:%M}" for one in began] == ["24 00:00", "25 00:00", "26 00:00", "27 00:00"]


def test_a_range_must_begin_before_it_ends_and_have_an_end() -> None:
    start, zone = moment("2025-01-01"), ZoneInfo("UTC")
    with pytest.raises(MomentError, match="--from must be before --to"):
        Period(start, start, zone)
    with pytest.raises(MomentError, match=f"{MOST_DAYS} days"):
        Period(start, start + (MOST_DAYS + 1) * DAY, zone)

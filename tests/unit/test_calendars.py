"""When calendars are open."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_responder.calendars import is_open
from hub_responder.errors import ExpressionError
from hub_responder.playbook import Calendar

TOKYO, BERLIN = "Asia/Tokyo", "Europe/Berlin"
CALENDARS = {
    "business": Calendar(
        timezone=TOKYO, weekdays=(0, 1, 2, 3, 4), start=540, end=1080, holidays=("2026-11-23",)
    ),
    "night": Calendar(timezone=TOKYO, weekdays=(4,), start=1320, end=360),
    "freeze": Calendar(timezone=TOKYO, dates=(("2026-12-28", "2027-01-03"),)),
    "berlin": Calendar(timezone=BERLIN, start=540, end=600),
}


def at(text: str, zone: str = TOKYO) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("calendar", "time", "open_"),
    [
        ("business", "2026-11-24T09:00", True),
        ("business", "2026-11-24T08:59", False),
        ("business", "2026-11-24T17:59", True),
        ("business", "2026-11-24T18:00", False),
        ("business", "2026-11-28T10:00", False),  # a Saturday
        ("business", "2026-11-23T10:00", False),  # a holiday, on a Monday
        ("night", "2026-11-27T22:00", True),  # a Friday
        ("night", "2026-11-28T05:59", True),  # began on Friday
        ("night", "2026-11-28T06:00", False),
        ("night", "2026-11-27T05:00", False),  # would have begun on Thursday
        ("freeze", "2026-12-28T00:00", True),
        ("freeze", "2027-01-03T23:59", True),
        ("freeze", "2027-01-04T00:00", False),
    ],
)
def test_a_calendar_is_open_in_its_hours_on_its_days(
    calendar: str, time: str, *, open_: bool
) -> None:
    assert is_open(CALENDARS, calendar, at(time)) is open_


@pytest.mark.parametrize("day", ["2026-03-28", "2026-03-29", "2026-10-24", "2026-10-25"])
def test_nine_o_clock_is_nine_o_clock_on_both_sides_of_a_change_of_the_clocks(day: str) -> None:
    assert is_open(CALENDARS, "berlin", at(f"{day}T09:00", BERLIN))
    assert not is_open(CALENDARS, "berlin", at(f"{day}T08:59", BERLIN))
    assert not is_open(CALENDARS, "berlin", at(f"{day}T10:00", BERLIN))


def test_a_calendar_that_does_not_exist_is_an_error_that_names_those_that_do() -> None:
    with pytest.raises(ExpressionError, match="no calendar 'busines'; there is: berlin, business"):
        is_open(CALENDARS, "busines", 0.0)


@given(st.floats(0, 4_000_000_000))
def test_without_hours_and_days_it_is_always_open(moment: float) -> None:
    assert is_open({"all": Calendar()}, "all", moment)


@pytest.mark.parametrize(
    ("day", "start", "minutes"),
    [
        ("2026-03-08", 120, 0),  # 02:00 to 03:00 is skipped
        ("2026-11-01", 60, 120),  # 01:00 to 02:00 comes twice
        ("2026-06-01", 60, 60),
    ],
)
def test_an_hour_that_is_skipped_never_opens_and_one_that_comes_twice_opens_twice(
    day: str, start: int, minutes: int
) -> None:
    calendars = {"hour": Calendar(timezone="America/New_York", start=start, end=start + 60)}
    midnight = at(f"{day}T00:00", "America/New_York")
    opened = [
        minute for minute in range(25 * 60) if is_open(calendars, "hour", midnight + 60 * minute)
    ]
    same_day = [m for m in opened if local_day(midnight + 60 * m, "America/New_York") == day]
    assert len(same_day) == minutes


@settings(derandomize=True, deadline=None)
@given(
    st.floats(1_750_000_000, 1_900_000_000),
    st.sampled_from(["Asia/Tokyo", "America/New_York", "Australia/Lord_Howe", "Europe/Berlin"]),
    st.integers(0, 1439),
    st.integers(0, 1439),
)
def test_the_wall_clock_decides_whatever_the_offset(
    moment: float, zone: str, start: int, end: int
) -> None:
    calendars = {"any": Calendar(timezone=zone, start=start, end=end)}
    local = datetime.fromtimestamp(moment, ZoneInfo(zone))
    minute = local.hour * 60 + local.minute
    within = start <= minute < end if start < end else minute >= start or minute < end
    assert is_open(calendars, "any", moment) is within


def local_day(moment: float, zone: str) -> str:
    return datetime.fromtimestamp(moment, ZoneInfo(zone)).date().isoformat()

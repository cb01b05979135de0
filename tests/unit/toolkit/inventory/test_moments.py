from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from estate_history import moment
from hub_toolkit.inventory.moments import MomentError, iso, local, read, span

TOKYO = ZoneInfo("Asia/Tokyo")
NOW = moment("2026-11-22T12:00")


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("2026-11-22T20:00", "2026-11-22T11:00"),
        ("2026-11-22 20:00", "2026-11-22T11:00"),
        ("20261122T200000", "2026-11-22T11:00"),
        ("2026-11-22T11:00Z", "2026-11-22T11:00"),
        ("2026-11-22T12:30:15+01:30", "2026-11-22T11:00:15"),
        ("2026-11-22", "2026-11-21T15:00"),
        ("-2h", "2026-11-22T10:00"),
        ("-30m", "2026-11-22T11:30"),
        ("-3d", "2026-11-19T12:00"),
        ("-1w", "2026-11-15T12:00"),
        (" -0m ", "2026-11-22T12:00"),
    ],
)
def test_times_with_and_without_a_zone_and_relative_ones_are_read(text: str, means: str) -> None:
    assert read(text, TOKYO, NOW, option="--at") == moment(means)


@pytest.mark.parametrize(
    "text", ["", "noon", "2h", "+2h", "-2", "-2y", "-d", "2026-13-01", "9" * 500]
)
def test_what_is_no_time_says_how_one_is_written(text: str) -> None:
    with pytest.raises(MomentError) as caught:
        read(text, TOKYO, NOW, option="--at")
    assert "--at" in str(caught.value)
    assert "2026-11-22T12:00 (Asia/Tokyo)" in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("text", ["2026-11-22T12:00:01Z", "2026-11-23", "9999-12-31T23:59-12:00"])
def test_the_future_cannot_be_asked_about(text: str) -> None:
    with pytest.raises(MomentError, match=r"in the future: it is 2026-11-22 21:00 JST now"):
        read(text, TOKYO, NOW, option="--at")


def test_a_range_ends_with_its_last_day_or_now() -> None:
    def until(text: str) -> float:
        return read(text, TOKYO, NOW, option="--to", ends=True)

    assert until("2026-11-20") == moment("2026-11-20T15:00")
    assert until("2026-11-22") == NOW
    assert until("2026-11-20T00:00") == moment("2026-11-19T15:00")
    with pytest.raises(MomentError):
        until("2026-11-23")


def test_a_day_ends_at_midnight_also_where_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    began = read("2026-10-25", berlin, NOW, option="--from")
    ended = read("2026-10-25", berlin, NOW, option="--to", ends=True)
    assert (ended - began) / 3600 == 25


@given(st.text(max_size=60) | st.from_regex(r"-\d{1,6}[mhdwy]") | st.datetimes().map(str))
@example("0001-01-01T00:00+14:00")
@example("-99999w")
@example("٢٠٢٦-١١-٢٢")
def test_any_text_is_a_time_up_to_now_or_a_clear_error(text: str) -> None:
    with suppress(MomentError):
        assert 0 <= read(text, TOKYO, NOW, option="--at", ends=True) <= NOW


def test_times_are_said_in_their_zone_and_for_programs_in_utc() -> None:
    assert local(NOW, TOKYO) == "2026-11-22 21:00 JST"
    assert local(NOW + 5, TOKYO) == "2026-11-22 21:00:05 JST"
    assert iso(NOW + 5.7) == "2026-11-22T12:00:05Z"
    assert datetime.fromisoformat(iso(NOW)) == datetime.fromtimestamp(NOW, UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (8100, "2 h 15 min"), (274_000, "3 d 4 h")],
)
def test_spans_are_said_in_two_units_at_most(seconds: float, said: str) -> None:
    assert span(seconds, "en") == said


def test_spans_are_said_in_japanese() -> None:
    assert [span(one, "ja") for one in (7, 8100)] == ["7秒", "2時間15分"]

"""The clock is tested against real time only where order or bounds matter, never durations."""

from __future__ import annotations

import logging
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from hub_toolkit.sandbox.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

T0 = 1_800_000_000.0
WAIT_S = 20.0


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock(start=T0)
    yield clock
    clock.close()


def test_starts_at_the_wall_clock_and_follows_it() -> None:
    before = time.time()
    clock = Clock()
    assert before <= clock.now() <= time.time()
    clock.close()


def test_never_goes_back(clock: Clock) -> None:
    seen = []
    for speed in (1e6, 1, 60, 1e6, 0.5):
        clock.set_speed(speed)
        seen.append(clock.now())
        clock.call_at(clock.now() + 1, lambda: None)
        seen.append(clock.now())
        with clock.running():
            seen.append(clock.now())
        clock.call_at(clock.now() - 1000, lambda: None).cancel()
        seen.append(clock.now())
    assert seen == sorted(seen)


def test_advance_calls_what_is_due_in_order_at_its_very_time(clock: Clock) -> None:
    seen: list[tuple[str, float]] = []

    def note(name: str) -> None:
        seen.append((name, clock.now()))

    for name, delay in (("c", 90.0), ("a", 10.0), ("b", 10.0), ("later", 500.0)):
        clock.call_at(T0 + delay, partial(note, name))
    clock.advance(100)
    assert [name for name, _ in seen] == ["a", "b", "c"]
    assert [at - T0 for _, at in seen] == pytest.approx([10, 10, 90], abs=2)
    assert 100 <= clock.now() - T0 < 110
    assert clock.next_due() == T0 + 500


def test_advance_calls_what_callbacks_add_on_the_way(clock: Clock) -> None:
    seen: list[float] = []

    def again() -> None:
        seen.append(clock.now())
        clock.call_at(clock.now() + 30, again)

    clock.call_at(T0 + 30, again)
    clock.advance(125)
    assert len(seen) == 4


def test_advance_in_a_callback_moves_the_clock_and_returns(clock: Clock) -> None:
    seen: list[float] = []

    def jump() -> None:
        clock.advance(1000)
        seen.append(clock.now())

    clock.call_at(T0 + 1, jump)
    clock.call_at(T0 + 500, lambda: seen.append(clock.now()))
    clock.advance(2)
    clock.advance(0)
    assert len(seen) == 2
    assert all(at >= T0 + 1001 for at in seen)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_advance_refuses_what_is_no_duration(clock: Clock, seconds: float) -> None:
    with pytest.raises(ValueError, match="cannot advance"):
        clock.advance(seconds)


@pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf")])
def test_refuses_a_speed_that_is_none(clock: Clock, speed: float) -> None:
    with pytest.raises(ValueError, match="cannot set the speed"):
        clock.set_speed(speed)


def test_a_very_fast_clock_steps_to_each_timer_exactly(clock: Clock) -> None:
    seen: list[float] = []
    done = threading.Event()
    for number in range(1, 201):
        clock.call_at(T0 + number * 1000, lambda: seen.append(clock.now()))
    clock.call_at(T0 + 201_000, done.set)
    clock.set_speed(1e6)
    assert done.wait(WAIT_S)
    late = [at - (T0 + number * 1000) for number, at in enumerate(seen, 1)]
    assert len(late) == 200
    assert all(0 <= behind < 10 for behind in late), max(late)


def test_a_fast_clock_goes_slowly_while_something_runs(clock: Clock) -> None:
    fired = threading.Event()
    with clock.running(), clock.running():
        clock.set_speed(1e6)
        clock.call_at(T0 + 3600, fired.set)
        clock.advance(0)  # the scheduler now waits for the timer at the slow rate
        assert clock.now() < T0 + 600
        assert not fired.is_set()
    assert fired.wait(WAIT_S)
    assert clock.now() >= T0 + 3600


def test_a_jump_waits_for_what_runs_at_its_start_and_on_its_way(clock: Clock) -> None:
    seen: list[str] = []
    held = [clock.running(), clock.running()]
    held[0].__enter__()

    def starts() -> None:
        seen.append("first")
        held[1].__enter__()

    clock.call_at(T0 + 10, starts)
    clock.call_at(T0 + 100, partial(seen.append, "second"))
    jumping = threading.Thread(target=clock.advance, args=(1000,))
    jumping.start()
    while not clock._target > T0:  # it has begun
        pass
    assert seen == []
    held[0].__exit__(None, None, None)
    while not seen:
        pass
    assert clock.now() < T0 + 100
    assert seen == ["first"]
    assert jumping.is_alive()
    held[1].__exit__(None, None, None)
    jumping.join(WAIT_S)
    assert seen == ["first", "second"]
    assert clock.now() >= T0 + 1000


def test_time_is_lost_while_something_runs_and_what_is_due_follows(clock: Clock) -> None:
    fired = threading.Event()
    with clock.running():
        before = clock.now()
        clock.call_at(before + 30, fired.set)
        clock.lose(60)
        assert clock.now() >= before + 60
        assert fired.wait(10)
    with pytest.raises(ValueError, match="cannot lose -1"):
        clock.lose(-1)


def test_running_can_end_on_another_thread(clock: Clock) -> None:
    held = clock.running()
    held.__enter__()
    clock.set_speed(1e6)
    at = clock.now()
    thread = threading.Thread(target=held.__exit__, args=(None, None, None))
    thread.start()
    thread.join()
    fired = threading.Event()
    clock.call_at(at + 100_000, fired.set)
    assert fired.wait(WAIT_S)


def test_a_cancelled_timer_does_not_fire_or_count(clock: Clock) -> None:
    seen: list[int] = []
    timers = [clock.call_at(T0 + 10 + i, partial(seen.append, i)) for i in range(1000)]
    for timer in timers[:-1]:
        timer.cancel()
        timer.cancel()
    assert not timers[0].waiting
    assert clock.next_due() == T0 + 1009
    clock.advance(2000)
    assert seen == [999]
    assert clock.next_due() is None
    timers[-1].cancel()
    clock.call_at(T0 + 9999, seen.clear)
    assert clock.next_due() == T0 + 9999


def test_a_timer_that_is_firing_still_counts_as_due(clock: Clock) -> None:
    seen: list[float | None] = []
    clock.call_at(T0 + 5, lambda: seen.append(clock.next_due()))
    clock.advance(6)
    assert seen == [T0 + 5]


def test_a_callback_that_raises_is_logged_and_stops_nothing(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    fired = threading.Event()

    def broken() -> None:
        raise KeyError("broken callback")

    clock.call_at(T0 + 1, broken)
    clock.call_at(T0 + 2, fired.set)
    with caplog.at_level(logging.ERROR):
        clock.advance(3)
    assert fired.is_set()
    assert "broken callback" in caplog.text


def test_a_timer_in_the_past_fires_at_once(clock: Clock) -> None:
    fired = threading.Event()
    clock.call_at(T0 - 100, fired.set)
    assert fired.wait(WAIT_S)


def test_callbacks_never_overlap(clock: Clock) -> None:
    inside = threading.Lock()
    overlaps: list[bool] = []
    done = threading.Event()

    def callback() -> None:
        overlaps.append(not inside.acquire(blocking=False))
        inside.release()

    def add() -> None:
        for _ in range(200):
            clock.call_at(clock.now() + 1, callback)

    clock.set_speed(1000)
    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clock.advance(10)
    clock.call_at(clock.now(), done.set)
    assert done.wait(WAIT_S)
    assert len(overlaps) == 800
    assert not any(overlaps)


def test_close_ends_its_thread_and_frees_who_waits_for_a_jump() -> None:
    clock = Clock(start=T0)
    started, go = threading.Event(), threading.Event()

    def slow() -> None:
        started.set()
        go.wait(WAIT_S)

    clock.call_at(T0 + 1, slow)
    jumping = threading.Thread(target=clock.advance, args=(5,))
    jumping.start()
    assert started.wait(WAIT_S)
    closing = threading.Thread(target=clock.close)
    closing.start()
    go.set()
    closing.join(WAIT_S)
    jumping.join(WAIT_S)
    assert not closing.is_alive()
    assert not jumping.is_alive()
    clock.close()
    assert clock.call_at(T0, lambda: None).when == T0
    assert "sandbox-clock" not in {t.name for t in threading.enumerate()}


def test_a_callback_may_close_the_clock() -> None:
    clock = Clock(start=T0)
    clock.call_at(T0 - 1, clock.close)
    clock.close()
    assert clock.now() >= T0

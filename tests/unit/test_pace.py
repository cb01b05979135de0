"""The pace that all functions keep together: over the sandbox's DynamoDB, in simulated time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import NOW
from hub_responder import clock, pace
from hub_responder.deadline import Deadline
from hub_responder.errors import PacedError, TransientError
from hub_responder.pace import Pace, Rate
from hub_responder.retry import Patience
from loopback import Cloud, error
from meters import Meter, metered

WINDOW_S = 60.0


@pytest.fixture(scope="module")
def meter() -> Iterator[Meter]:
    with metered() as made:
        yield made


def most_in_a_window(times: list[float]) -> int:
    return max((sum(first <= at <= first + WINDOW_S for at in times) for first in times), default=0)


steps = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.one_of(st.just(0.0), st.floats(0, 0.5), st.floats(0, 8), st.floats(50, 200)),
    ),
    max_size=120,
)


@settings(max_examples=60, deadline=None)
@given(per_minute=st.integers(2, 60), schedule=steps)
def test_no_minute_has_more_requests_than_were_agreed(
    meter: Meter, per_minute: int, schedule: list[tuple[int, float]]
) -> None:
    meter.fresh()
    clients = [Pace("ledger", "vision-one", Rate.per_minute(per_minute)) for _ in range(4)]
    times = []
    for who, passed in schedule:
        meter.now += passed
        if meter.granted(clients[who]):
            times.append(meter.now)
    assert most_in_a_window(times) <= per_minute


@pytest.mark.parametrize("per_minute", [10, 11, 60, 300, 997])
def test_a_greedy_client_gets_a_fifth_at_once_and_most_of_what_was_agreed(
    meter: Meter, per_minute: int
) -> None:
    meter.fresh()
    client = Pace("ledger", "vision-one", Rate.per_minute(per_minute))
    times = [meter.now] * meter.drain(client)
    assert len(times) == per_minute // 5
    end = meter.now + 120
    while meter.now < end:
        meter.now += 0.05
        if meter.granted(client):
            times.append(meter.now)
    assert most_in_a_window(times) <= per_minute
    assert len(times) >= 2 * (per_minute - per_minute // 5)


def test_many_at_once_share_what_there_is(meter: Meter) -> None:
    meter.fresh()
    start, granted = threading.Barrier(8), []

    def ask() -> None:
        client = Pace("ledger", "vision-one", Rate.per_minute(100))
        start.wait()
        granted.extend(meter.granted(client) for _ in range(10))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(granted) == 20


def test_one_update_is_made_for_a_request(meter: Meter) -> None:
    meter.fresh()
    client, before = Pace("ledger", "vision-one", Rate.per_minute(300)), meter.calls
    for _ in range(30):
        meter.now += 0.3
        assert meter.granted(client)
    for _ in range(10):
        assert meter.granted(client)
    assert meter.calls - before == 40


def test_connections_are_metered_by_themselves(meter: Meter) -> None:
    meter.fresh()
    one, other = (Pace("ledger", name, Rate.per_minute(10)) for name in ("one", "other"))
    assert [meter.granted(one), meter.granted(one), meter.granted(one)] == [True, True, False]
    assert meter.granted(other)


def test_who_is_refused_gets_through_at_the_time_that_was_told(meter: Meter) -> None:
    meter.fresh()
    client = Pace("ledger", "vision-one", Rate.per_minute(10))
    meter.drain(client)
    meter.now += meter.wait(client)
    assert meter.granted(client)


def test_a_short_wait_is_waited(meter: Meter, monkeypatch: pytest.MonkeyPatch) -> None:
    meter.fresh()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        meter.now += seconds

    monkeypatch.setattr(pace, "time", SimpleNamespace(sleep=sleep))
    client = Pace("ledger", "vision-one", Rate.per_minute(300))
    patience = Patience(2.0)
    for _ in range(60 + 8):
        client.take("vision_one", patience, Deadline.after(60))
    assert sum(slept) == pytest.approx(2.0)
    with pytest.raises(TransientError, match=r"vision-one is asked 300 times a minute at most"):
        client.take("vision_one", patience, Deadline.after(60))


def test_nobody_waits_longer_than_there_is_time(meter: Meter) -> None:
    meter.fresh()
    client = Pace("ledger", "vision-one", Rate.per_minute(10))
    meter.drain(client)
    with pytest.raises(TransientError):
        client.take("vision_one", Patience(100), Deadline.after(6))


def test_a_meter_of_times_to_come_begins_anew(meter: Meter) -> None:
    """Somebody's clock was wrong: nobody waits an hour for it."""
    meter.fresh()
    late = Pace("ledger", "vision-one", Rate.per_minute(60))
    assert meter.granted(late)
    meter.now += 3600
    assert meter.granted(Pace("ledger", "vision-one", Rate.per_minute(60)))
    meter.now -= 3600
    times = [meter.granted(late) for _ in range(20)]
    assert times == [True] * 12 + [False] * 8


CHANNEL = Rate(60, 3)


def channels(number: int = 1, place: str = "C1") -> list[Pace]:
    """As many processes that write to one channel."""
    return [Pace("ledger", "chat", CHANNEL, place) for _ in range(number)]


@settings(max_examples=40, deadline=None)
@given(burst=st.integers(1, 3), schedule=steps)
def test_a_channel_gets_a_message_a_second_and_a_short_burst(
    meter: Meter, burst: int, schedule: list[tuple[int, float]]
) -> None:
    meter.fresh()
    clients = [Pace("ledger", "chat", Rate(60, burst)) for _ in range(4)]
    times = []
    for who, passed in schedule:
        meter.now += passed
        if not meter.turn(clients[who]):
            times.append(meter.now)
    for seconds in (1, 10, 60):
        most = max((sum(0 <= at - one <= seconds for at in times) for one in times), default=0)
        assert most <= seconds + burst


def test_two_hundred_that_are_put_back_at_once_come_back_one_after_the_other(
    meter: Meter,
) -> None:
    meter.fresh()
    start, processes = meter.now, channels(4)
    turns = [meter.turn(processes[number % 4]) for number in range(200)]
    assert turns[:3] == [0, 0, 0]
    waiting = sorted(turns[3:])
    gaps = [after - before for before, after in pairwise(waiting)]
    assert min(gaps) >= 1
    assert waiting[0] <= 2
    assert waiting[-1] <= 200 * 1.06
    for number, wait in enumerate(waiting):
        meter.now = start + wait
        assert not meter.turn(processes[number % 4]), "it is its turn"


def test_channels_of_one_connection_are_metered_by_themselves(meter: Meter) -> None:
    meter.fresh()
    (one,), (other,) = channels(place="C1"), channels(place="C2")
    assert [meter.turn(one) == 0 for _ in range(4)] == [True, True, True, False]
    assert meter.turn(other) == 0
    assert {item["pk"]["S"] for item in meter.items()} == {"pace#chat"}


def test_whoever_waits_for_a_turn_is_told_and_nothing_was_sent(meter: Meter) -> None:
    meter.fresh()
    (one,) = channels()
    while not meter.turn(one):
        pass
    with pytest.raises(PacedError, match="chat gets messages 60 times a minute at most") as told:
        one.turn(Patience(0), Deadline.after(60))
    assert (told.value.target, told.value.sent) == ("chat", False)


def test_a_target_that_asked_to_be_left_alone_is_asked_by_nobody_until_then(meter: Meter) -> None:
    meter.fresh()
    start = meter.now
    told, other, third = channels(3)
    assert meter.turn(told) == 0
    told.hold(120, Deadline.after(60))
    turns = [meter.turn(one) for one in (other, told, third, other)]
    assert sorted(turns) == turns
    assert 120 <= turns[0] <= 120.1
    assert len({int(wait) for wait in turns}) == 4
    meter.now = start + 119
    assert meter.turn(third)
    meter.now = start + 121
    assert meter.turn(other) == 0


def test_a_shorter_time_to_be_left_alone_does_not_end_a_longer_one(meter: Meter) -> None:
    meter.fresh()
    one, other = channels(2)
    one.hold(300, Deadline.after(60))
    other.hold(10, Deadline.after(60))
    meter.now += 60
    assert meter.turn(channels()[0]) >= 239


def test_nobody_is_left_alone_for_days(meter: Meter) -> None:
    meter.fresh()
    (one,) = channels()
    one.hold(1e9, Deadline.after(60))
    meter.now += pace.MAX_HOLD_S + 1
    assert meter.turn(channels()[0]) == 0


def test_who_is_refused_again_asks_the_ledger_only_for_a_place_in_the_line(meter: Meter) -> None:
    meter.fresh()
    (one,) = channels()
    while not meter.turn(one):
        pass
    before = meter.calls
    for _ in range(20):
        assert meter.turn(one)
    assert meter.calls - before == 20


def test_the_meter_is_forgotten_some_day(meter: Meter) -> None:
    meter.fresh()
    assert meter.granted(Pace("ledger", "vision-one", Rate.per_minute(60)))
    (item,) = meter.items()
    assert item["pk"] == {"S": "pace#vision-one"}
    assert int(item["expires"]["N"]) > meter.now + 3600


@pytest.mark.parametrize(
    "reply",
    [
        error("InternalServerError", status=500),
        error("ThrottlingException"),
        error("AccessDeniedException"),
        error("ResourceNotFoundException"),
    ],
)
def test_where_the_ledger_does_not_answer_requests_go_out_and_it_is_left_alone_for_a_while(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, reply: Any
) -> None:
    time = SimpleNamespace(now=NOW)
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: time.now))
    cloud.script["UpdateItem"] = [reply]
    client = Pace("ledger", "vision-one", Rate.per_minute(10))
    for _ in range(50):
        client.take("vision_one", Patience(0), Deadline.after(60))
    assert len(cloud.called("UpdateItem")) == 1
    time.now += 31
    client.take("vision_one", Patience(0), Deadline.after(60))
    assert len(cloud.called("UpdateItem")) == 2


def test_without_a_ledger_there_is_no_meter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEDGER_TABLE", raising=False)
    assert pace.of("vision-one", Rate.per_minute(300)) is None
    monkeypatch.setenv("LEDGER_TABLE", "ledger-1")
    assert (
        pace.of("vision-one", Rate.per_minute(300))
        is pace.of("vision-one", Rate.per_minute(300))
        is not None
    )
    pace.forget()

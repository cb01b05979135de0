"""The pace that all functions keep together: over the sandbox's DynamoDB, in simulated time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import NOW
from hub_responder import aws, clock, pace
from hub_responder.deadline import Deadline
from hub_responder.errors import TransientError
from hub_responder.pace import Pace
from hub_responder.retry import Patience
from hub_toolkit.sandbox import dynamodb
from hub_toolkit.sandbox.dynamodb.store import ItemStore
from hub_toolkit.sandbox.in_process import answer_aws
from loopback import Cloud, error
from world import World

WINDOW_S = 60.0


class Meter:
    """A ledger, and the time that all go by."""

    def __init__(self) -> None:
        self.now = NOW
        self.calls = 0
        self.fresh()

    def fresh(self) -> None:
        """Nothing was asked yet."""
        self.store: ItemStore = World().store

    def answer(self, request: Any, **_: Any) -> Any:
        self.calls += 1
        return answer_aws(dynamodb.app(self.store), request)

    def granted(self, one: Pace, patience: float = 0.0) -> bool:
        try:
            one.take("vision_one", Patience(patience), Deadline.after(60))
        except TransientError:
            return False
        return True

    def drain(self, one: Pace) -> int:
        """Ask until one is refused; how many were granted."""
        return next(number for number in range(10_000) if not self.granted(one))

    def wait(self, one: Pace) -> float:
        """How long a refused client is told to wait."""
        with pytest.raises(TransientError) as told:
            one.take("vision_one", Patience(0), Deadline.after(60))
        assert told.value.status == 429
        assert told.value.retry_after is not None
        return told.value.retry_after


@pytest.fixture(scope="module")
def meter() -> Iterator[Meter]:
    made = Meter()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "eu-central-1",
        }.items():
            patch.setenv(name, value)
        patch.setattr(clock, "time", SimpleNamespace(time=lambda: made.now))
        aws.forget_clients()
        aws.session().events.register("before-send.dynamodb", made.answer)
        yield made
        aws.forget_clients()


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
    clients = [Pace("ledger", "vision-one", per_minute) for _ in range(4)]
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
    client = Pace("ledger", "vision-one", per_minute)
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
        client = Pace("ledger", "vision-one", 100)
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
    client, before = Pace("ledger", "vision-one", 300), meter.calls
    for _ in range(30):
        meter.now += 0.3
        assert meter.granted(client)
    for _ in range(10):
        assert meter.granted(client)
    assert meter.calls - before == 40


def test_connections_are_metered_by_themselves(meter: Meter) -> None:
    meter.fresh()
    one, other = (Pace("ledger", name, 10) for name in ("one", "other"))
    assert [meter.granted(one), meter.granted(one), meter.granted(one)] == [True, True, False]
    assert meter.granted(other)


def test_who_is_refused_gets_through_at_the_time_that_was_told(meter: Meter) -> None:
    meter.fresh()
    client = Pace("ledger", "vision-one", 10)
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
    client = Pace("ledger", "vision-one", 300)
    patience = Patience(2.0)
    for _ in range(60 + 8):
        client.take("vision_one", patience, Deadline.after(60))
    assert sum(slept) == pytest.approx(2.0)
    with pytest.raises(TransientError, match=r"vision-one is asked 300 times a minute at most"):
        client.take("vision_one", patience, Deadline.after(60))


def test_nobody_waits_longer_than_there_is_time(meter: Meter) -> None:
    meter.fresh()
    client = Pace("ledger", "vision-one", 10)
    meter.drain(client)
    with pytest.raises(TransientError):
        client.take("vision_one", Patience(100), Deadline.after(6))


def test_a_meter_of_times_to_come_begins_anew(meter: Meter) -> None:
    """Somebody's clock was wrong: nobody waits an hour for it."""
    meter.fresh()
    late = Pace("ledger", "vision-one", 60)
    assert meter.granted(late)
    meter.now += 3600
    assert meter.granted(Pace("ledger", "vision-one", 60))
    meter.now -= 3600
    times = [meter.granted(late) for _ in range(20)]
    assert times == [True] * 12 + [False] * 8


def test_the_meter_is_forgotten_some_day(meter: Meter) -> None:
    meter.fresh()
    assert meter.granted(Pace("ledger", "vision-one", 60))
    (item,) = meter.store.handle("Scan", {"TableName": "ledger"})["Items"]
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
    client = Pace("ledger", "vision-one", 10)
    for _ in range(50):
        client.take("vision_one", Patience(0), Deadline.after(60))
    assert len(cloud.called("UpdateItem")) == 1
    time.now += 31
    client.take("vision_one", Patience(0), Deadline.after(60))
    assert len(cloud.called("UpdateItem")) == 2


def test_without_a_ledger_there_is_no_meter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEDGER_TABLE", raising=False)
    assert pace.of("vision-one", 300) is None
    monkeypatch.setenv("LEDGER_TABLE", "ledger-1")
    assert pace.of("vision-one", 300) is pace.of("vision-one", 300) is not None
    pace.forget()

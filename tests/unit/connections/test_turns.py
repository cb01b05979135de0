"""Deliveries of a batch: one finds out what a target says, the others do not ask again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from factories import incident, playbook, runtime, work
from hub_responder import pace
from hub_responder.actions import call_webhook, notify, open_ticket
from hub_responder.actions.base import Outcome
from hub_responder.connections import turns
from hub_responder.connections.settings import CHANNELS, TRACKERS
from hub_responder.deadline import Deadline
from hub_responder.retry import Patience
from hub_responder.runtime import Runtime
from loopback import Cloud, Loopback, Reply, Request
from meters import Meter, metered

POSTED = Reply(200, {"ok": True, "ts": "1700000000.000100", "channel": "C1"})
KEY = {"signing_key": "0123456789abcdef"}


@pytest.fixture
def meter(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Meter]:
    monkeypatch.setenv("LEDGER_TABLE", "ledger")
    cloud.secrets |= {"hub-responder/test/chat": {"token": "xoxb-test"}}
    cloud.secrets |= {f"hub-responder/test/{name}": KEY for name in ("soar", "siem")}
    with metered() as made:
        yield made


@pytest.fixture
def other() -> Iterator[Loopback]:
    """A second system, which takes everything."""
    made = Loopback()
    made.replies(Reply(200))
    yield made
    made.close()


def run_time(server: Loopback, other: Loopback | None = None, **more: Any) -> Runtime:
    chat = {"type": "slack", "channel": "C1", "base_url": f"{server.url}/api", "private": True}
    soar = {"type": "webhook", "url": f"{server.url}/soar", "private": True}
    siem = {"type": "webhook", "url": f"{(other or server).url}/siem", "private": True}
    return runtime(
        playbook=playbook(connections={"chat": chat, "soar": soar, "siem": siem}), **more
    )


def tell(run_time: Runtime, *to: str) -> list[Outcome]:
    """One incident's message for each of ``to``."""
    works = [work(notify.Params(name, "message.md.j2"), incident()) for name in to]
    return notify.run(works, run_time)


def another_process() -> None:
    turns.forget()
    pace.forget()


def test_a_batch_sends_its_burst_and_puts_the_others_back_for_times_of_their_own(
    meter: Meter, server: Loopback
) -> None:
    server.replies(POSTED)
    outcomes = tell(run_time(server, deadline=Deadline(lambda: 2.5)), *["chat"] * 20)
    assert Counter(outcome.status for outcome in outcomes) == {"done": 3, "deferred": 17}
    assert len(server.requests) == 3
    waiting = sorted(one.retry_after or 0 for one in outcomes if one.status == "deferred")
    assert all(one.paced for one in outcomes if one.status == "deferred")
    assert min(b - a for a, b in pairwise(waiting)) >= 1
    assert not any(outcome.in_doubt for outcome in outcomes)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(429, None, {"Retry-After": "60"}),
        Reply(200, {"ok": False, "error": "ratelimited"}, {"Retry-After": "60"}),
        Reply(503, b"<html>", {"Retry-After": "60"}),
    ],
)
def test_a_target_that_names_a_time_is_asked_once_by_all_incidents_and_processes(
    meter: Meter, server: Loopback, reply: Reply
) -> None:
    server.replies(reply)
    outcomes = tell(run_time(server), *["chat"] * 50)
    another_process()
    outcomes += tell(run_time(server), *["chat"] * 5)
    assert len(server.requests) == 1
    assert {outcome.status for outcome in outcomes} == {"deferred"}
    assert all((outcome.retry_after or 0) >= 60 for outcome in outcomes)
    meter.now += 61
    server.replies(POSTED)
    another_process()
    assert tell(run_time(server), "chat")[0].status == "done"


def test_what_refuses_without_naming_a_time_is_left_alone_for_a_while(
    meter: Meter, server: Loopback
) -> None:
    server.replies(Reply(429))
    tell(run_time(server), "chat")
    another_process()
    (outcome,) = tell(run_time(server), "chat")
    assert len(server.requests) == 1
    assert outcome.retry_after == pytest.approx(turns.HOLD_S, abs=1)


def test_a_target_without_a_meter_that_names_a_time_names_it_to_the_whole_process(
    meter: Meter, cloud: Cloud, server: Loopback
) -> None:
    cloud.secrets["hub-responder/test/snow"] = {"username": "bot", "password": "pass"}
    snow = {"type": "servicenow", "url": server.url, "table": "incident", "private": True}
    made = runtime(playbook=playbook(connections={"snow": snow}))
    server.replies(Reply(429, None, {"Retry-After": "600"}))

    def opened(times: int) -> list[Outcome]:
        params = open_ticket.Params("snow", "ticket.md.j2")
        return open_ticket.run([work(params, incident()) for _ in range(times)], made)

    assert [one.retry_after for one in opened(3)] == [600.0] * 3
    assert len(server.requests) == 1
    meter.now += 200
    assert [one.retry_after for one in opened(1)] == [400.0]
    assert len(server.requests) == 1


def test_a_target_that_never_answers_costs_one_wait_and_the_others_get_their_messages(
    meter: Meter, server: Loopback, other: Loopback
) -> None:
    """50 incidents, half of which lead to a target that takes the connection and hangs."""
    end = threading.Event()

    def hang(_request: Request) -> Reply:
        end.wait(30)
        return Reply(hang_up=True)

    server.answer = hang
    # so little time that the wait is two seconds
    outcomes = tell(run_time(server, other, deadline=Deadline(lambda: 4.0)), *["soar", "siem"] * 25)
    end.set()
    assert [outcome.status for outcome in outcomes] == ["deferred", "done"] * 25
    assert len(server.requests) == 1
    assert [outcome.in_doubt for outcome in outcomes].count(True) == 1
    assert "did not answer" in outcomes[2].detail


def test_a_target_that_did_not_answer_is_asked_again_soon(meter: Meter, server: Loopback) -> None:
    server.replies(Reply(502, b"<html>bad gateway</html>"), Reply(200))
    assert tell(run_time(server), "soar", "soar")[1].status == "deferred"
    assert len(server.requests) == 1
    meter.now += turns.SILENT_S + 1
    assert tell(run_time(server), "soar")[0].status == "done"


def test_a_failure_that_may_be_one_messages_own_stops_no_other(
    meter: Meter, server: Loopback
) -> None:
    server.replies(Reply(500), Reply(200))
    first, *others = tell(run_time(server), *["soar"] * 5)
    assert first.status == "deferred"
    assert [outcome.status for outcome in others] == ["done"] * 4


def test_a_secret_that_cannot_be_read_or_a_run_without_time_says_nothing_of_the_target(
    meter: Meter, cloud: Cloud, server: Loopback
) -> None:
    cloud.secrets["hub-responder/test/soar"] = Reply(500)
    assert tell(run_time(server), "soar")[0].status == "deferred"
    cloud.secrets["hub-responder/test/soar"] = KEY
    assert tell(run_time(server, deadline=Deadline(lambda: 1.0)), "soar")[0].status == "deferred"
    server.replies(Reply(200))
    assert tell(run_time(server), "soar")[0].status == "done"


def test_githubs_rate_keeps_to_what_it_allows_in_a_minute_and_in_an_hour() -> None:
    rate = turns.RATES["github"]
    one = pace.Pace("ledger", "issues", rate)
    in_a_minute = rate.burst + 60_000 // one.step
    assert in_a_minute <= 80
    assert rate.burst + 3_600_000 // one.step <= 500


def test_everything_that_is_delivered_to_has_a_pace_but_servicenow() -> None:
    assert turns.RATES.keys() == {*CHANNELS, *TRACKERS} - {"servicenow"}
    assert all(1 <= rate.burst < rate.most for rate in turns.RATES.values())


@pytest.mark.parametrize(
    ("kind", "seconds", "most"),
    [("smtp", 60, 30), ("sns", 60, 60), ("security_hub", 1, 30), ("security_hub", 60, 600)],
)
def test_no_window_has_more_than_the_other_side_takes(kind: str, seconds: int, most: int) -> None:
    rate = turns.RATES[kind]
    one = pace.Pace("ledger", kind, rate)
    assert rate.burst + seconds * 1000 // one.step <= most


def call(run_time: Runtime, times: int) -> list[Outcome]:
    params = call_webhook.Params("soar")
    return call_webhook.run([work(params, incident()) for _ in range(times)], run_time)


def test_calls_take_turns_too(meter: Meter, server: Loopback) -> None:
    server.replies(Reply(200))
    hasty = run_time(server, patience=Patience(0))
    outcomes = [*call(hasty, turns.RATES["webhook"].burst), *tell(hasty, "soar"), *call(hasty, 1)]
    assert [one.status for one in outcomes] == ["done"] * 60 + ["deferred"] * 2
    assert all(one.paced for one in outcomes[60:])
    assert len(server.requests) == 60


def test_a_program_that_names_a_time_to_a_message_is_not_called_either(
    meter: Meter, server: Loopback
) -> None:
    server.replies(Reply(429, None, {"Retry-After": "60"}))
    tell(run_time(server), "soar")
    another_process()
    assert {one.status for one in call(run_time(server), 5)} == {"deferred"}
    assert len(server.requests) == 1

"""Scripted failures."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import requests
from werkzeug.test import Client

from hub_toolkit.sandbox.faults import FaultError, Faults, faulty
from hub_toolkit.sandbox.inbox import Inbox, record
from hub_toolkit.sandbox.listener import Listener
from hub_toolkit.sandbox.wsgi import App, Environ, StartResponse, respond_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ANSWER = {"items": ["one", "two"]}


class Target:
    """An application that counts how often it was asked."""

    calls = 0

    def app(self, _environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        self.calls += 1
        return respond_json(start_response, 200, ANSWER)


@pytest.fixture
def target() -> Target:
    return Target()


def scripted(*entries: dict[str, Any]) -> Faults:
    faults = Faults()
    faults.add(list(entries))
    return faults


def test_a_fault_answers_in_place_of_the_system_as_often_as_told(target: Target) -> None:
    body = {"error": {"code": "TooManyRequests"}}
    entry = {"target": "vision_one", "status": 429, "body": body, "retry_after": 7, "times": 2}
    client = Client(faulty(target.app, scripted(entry), "vision_one"))
    for _ in range(2):
        answer = client.get("/")
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
        assert answer.get_json() == body
    assert target.calls == 0
    assert client.get("/").get_json() == ANSWER


def test_a_text_is_sent_as_html(target: Target) -> None:
    entry = {"target": "jira", "status": 502, "body": "<html>Bad Gateway</html>"}
    answer = Client(faulty(target.app, scripted(entry), "jira")).get("/")
    assert (answer.status_code, answer.mimetype) == (502, "text/html")
    assert answer.text == "<html>Bad Gateway</html>"


def test_a_date_can_be_the_retry_after(target: Target) -> None:
    date = "Sun, 22 Nov 2026 00:00:00 GMT"
    entry = {"target": "jira", "status": 503, "retry_after": date}
    answer = Client(faulty(target.app, scripted(entry), "jira")).get("/")
    assert answer.headers["Retry-After"] == date
    assert answer.data == b""


def test_a_delay_without_a_status_lets_the_system_answer(target: Target) -> None:
    slept: list[float] = []
    faults = Faults(slept.append)
    faults.add([{"target": "jira", "delay_s": 3}])
    client = Client(faulty(target.app, faults, "jira"))
    assert client.get("/").get_json() == ANSWER
    assert slept == [3]


def test_the_oldest_fault_goes_first_and_other_targets_are_left() -> None:
    faults = scripted(
        {"target": "jira", "status": 500},
        {"target": "slack", "status": 501},
        {"target": "jira", "status": 502},
    )
    taken = [faults.take("jira") for _ in range(3)]
    assert [fault and fault.status for fault in taken] == [500, 502, None]
    assert [fault["target"] for fault in faults.pending()] == ["slack"]


def test_a_service_stands_for_its_operations_and_not_the_other_way() -> None:
    faults = scripted({"target": "securityhub", "status": 500})
    assert faults.take("securityhubx.GetFindings") is None
    assert faults.take("securityhub.BatchUpdateFindings") is not None
    faults = scripted({"target": "securityhub.GetFindings", "status": 500})
    assert faults.take("securityhub") is None
    assert faults.take("securityhub.BatchUpdateFindings") is None


def test_a_connection_and_its_system_can_both_be_targets(target: Target) -> None:
    faults = scripted({"target": "slack-bot", "status": 500}, {"target": "slack", "status": 503})
    client = Client(faulty(target.app, faults, "slack", "slack-bot"))
    assert [client.get("/").status_code for _ in range(3)] == [500, 503, 200]


def test_kills_are_counted_by_point() -> None:
    faults = scripted({"target": "lambda", "kill": "before_effect", "times": 2})
    assert not faults.take_kill("after_effect")
    assert [faults.take_kill("before_effect") for _ in range(3)] == [True, True, False]


def test_what_is_skipped_goes_well_first_and_counts_for_each_fault() -> None:
    faults = scripted(
        {"target": "lambda", "kill": "after_effect", "skip": 2},
        {"target": "lambda", "kill": "after_effect", "skip": 1},
    )
    assert [faults.take_kill("after_effect") for _ in range(4)] == [False, True, True, False]
    faults = scripted({"target": "jira", "status": 500, "skip": 1, "times": 2})
    assert faults.take("slack") is None
    assert [faults.take("jira") is not None for _ in range(4)] == [False, True, True, False]


def test_a_kill_is_no_fault_of_a_call() -> None:
    assert scripted({"target": "lambda", "kill": "after_effect"}).take("lambda") is None


def test_pending_counts_down_and_clear_forgets() -> None:
    faults = scripted({"target": "jira", "status": 500, "times": 3})
    faults.take("jira")
    assert [(fault["status"], fault["times"]) for fault in faults.pending()] == [(500, 2)]
    faults.clear()
    assert faults.pending() == []


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("text", "fault 1: Expected `object`"),
        ({"status": 500}, "target"),
        ({"target": "", "status": 500}, "target"),
        ({"target": "a b", "status": 500}, "target"),
        ({"target": "jira"}, "status, delay_s, truncate, drip_s, reset or time_out"),
        ({"target": "jira", "reset": "now"}, "reset"),
        ({"target": "jira", "reset": "after", "status": 500}, "delay_s only"),
        ({"target": "jira", "reset": "after", "truncate": True}, "delay_s only"),
        ({"target": "jira", "drip_s": 121}, "drip_s"),
        ({"target": "lambda", "kill": "before_effect", "reset": "after"}, "nothing else"),
        ({"target": "jira", "status": 99}, "status"),
        ({"target": "jira", "status": "500"}, "status"),
        ({"target": "jira", "status": 500, "times": 0}, "times"),
        ({"target": "jira", "status": 500, "skip": -1}, "skip"),
        ({"target": "jira", "status": 500, "delay_s": 121}, "delay_s"),
        ({"target": "jira", "status": 500, "retry_after": -1}, "retry_after"),
        ({"target": "jira", "status": 500, "retry_after": "1\r\nX: y"}, "retry_after"),
        ({"target": "jira", "status": 500, "retry": 1}, "retry"),
        ({"target": "jira", "delay_s": 1, "body": {}}, "need a status"),
        ({"target": "jira", "kill": "before_effect"}, "target lambda"),
        ({"target": "lambda"}, "kill"),
        ({"target": "lambda", "kill": "now"}, "kill"),
        ({"target": "lambda", "kill": "before_effect", "status": 500}, "nothing else"),
    ],
)
def test_a_wrong_entry_is_named_and_none_is_added(entry: Any, said: str) -> None:
    faults = Faults()
    with pytest.raises(FaultError, match="fault 1") as caught:
        faults.add([{"target": "jira", "status": 500}, entry])
    assert said in str(caught.value)
    assert faults.pending() == []


def test_faults_are_a_list() -> None:
    with pytest.raises(FaultError, match="list"):
        Faults().add({"target": "jira", "status": 500})


@contextmanager
def served(app: App) -> Iterator[str]:
    """The application on a loopback port, as the sandbox serves it."""
    listener = Listener(threads=2)
    listener.start(app)
    try:
        yield listener.endpoint
    finally:
        listener.stop()


@pytest.mark.parametrize("entry", [{}, {"status": 200, "body": "<html>cut off</html>"}])
def test_a_truncated_answer_breaks_at_the_client(target: Target, entry: dict[str, Any]) -> None:
    faults = scripted({"target": "jira", "truncate": True, **entry})
    with served(faulty(target.app, faults, "jira")) as url:
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            requests.get(url, timeout=10)
        assert requests.get(url, timeout=10).json() == ANSWER


@pytest.mark.parametrize(("reset", "asked"), [("before", 0), ("after", 1)])
def test_a_connection_is_reset_before_or_after_the_system_was_asked(
    target: Target, reset: str, asked: int
) -> None:
    inbox = Inbox(lambda: 0.0)
    failing = faulty(target.app, scripted({"target": "jira", "reset": reset}), "jira")
    with served(record(failing, inbox, "jira", "jira-sec")) as url:
        with pytest.raises(requests.exceptions.ConnectionError) as caught:
            requests.post(url, json={}, timeout=10)
        assert "Connection reset by peer" in str(caught.value)
        assert target.calls == asked
        assert (len(inbox.deliveries()), len(inbox.refused())) == (asked, 1 - asked)
        assert requests.post(url, json={}, timeout=10).json() == ANSWER


@pytest.mark.parametrize(("when", "asked"), [("before", 0), ("after", 1)])
def test_the_time_of_who_calls_is_up_before_or_after_the_system_was_asked(
    target: Target, when: str, asked: int
) -> None:
    ended: list[int] = []
    faults = scripted({"target": "jira", "time_out": when})
    faults.time_out = lambda port: not ended.append(port)
    client = Client(faulty(target.app, faults, "jira"))
    client.get("/", environ_base={"REMOTE_PORT": "4711"})
    assert (ended, target.calls) == ([4711], asked)
    assert client.get("/").get_json() == ANSWER
    assert ended == [4711]


def test_a_dripping_answer_arrives_in_pieces_and_is_whole(target: Target) -> None:
    first_read = threading.Event()
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        assert first_read.wait(10)

    faults = Faults(pause)
    faults.add([{"target": "jira", "drip_s": 40}])
    with (
        served(faulty(target.app, faults, "jira")) as url,
        requests.get(url, stream=True, timeout=10) as answer,
    ):
        pieces = answer.iter_content(1)
        body = [next(pieces)]
        first_read.set()
        body += pieces
    assert json.loads(b"".join(body)) == ANSWER
    assert sum(pauses) == pytest.approx(40)

"""Event source mappings over the real queues and clock; only the functions are played."""

from __future__ import annotations

import base64
import json
import queue as std_queue
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_toolkit.sandbox.clock import Clock
from hub_toolkit.sandbox.pollers import MAX_PAYLOAD, Pollers, Source, failed_ids
from hub_toolkit.sandbox.sqs import Depth, Queues

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

REGION, ACCOUNT = "ap-northeast-1", "111122223333"
WORK, DLQ = (f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}" for name in ("work", "dlq"))
T0 = 1_800_000_000.0
WAIT_S = 20.0


@dataclass
class Outcome:
    payload: Any = None
    error: Mapping[str, Any] | None = None


@dataclass
class Invocation:
    """One call of a function that waits for the test to say how it went."""

    event: Any
    answer: std_queue.Queue[Outcome | Exception] = field(default_factory=std_queue.Queue)

    @property
    def bodies(self) -> list[str]:
        return [record["body"] for record in self.event["Records"]]

    def ends(self, outcome: Outcome | Exception | None = None) -> None:
        self.answer.put(outcome or Outcome())

    def fails_for(self, *bodies: str) -> None:
        ids = [r["messageId"] for r in self.event["Records"] if r["body"] in bodies]
        self.ends(Outcome({"batchItemFailures": [{"itemIdentifier": i} for i in ids]}))


class Functions:
    """Every function: hands each invocation to the test and waits for its answer."""

    def __init__(self) -> None:
        self._calls: std_queue.Queue[Invocation] = std_queue.Queue()

    def invoke(self, name: str, event: Any) -> Outcome:
        assert name == "playbook"
        invocation = Invocation(event)
        self._calls.put(invocation)
        outcome = invocation.answer.get(timeout=WAIT_S)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def next(self) -> Invocation:
        return self._calls.get(timeout=WAIT_S)

    def idle(self) -> bool:
        return self._calls.empty()


@dataclass
class Bench:
    clock: Clock
    queues: Queues
    functions: Functions
    pollers: Pollers

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self.queues.send(WORK, body)

    def next_after(self, seconds: float) -> Invocation:
        """What a jump of the clock starts; the jump waits until that has ended."""
        threading.Thread(target=self.clock.advance, args=(seconds,), daemon=True).start()
        return self.functions.next()

    def settle(self) -> None:
        wait_until(lambda: self.pollers.running() == 0)


def wait_until(condition: Callable[[], bool]) -> None:
    done = threading.Event()
    for _ in range(int(WAIT_S / 0.002)):
        if condition():
            return
        done.wait(0.002)
    raise AssertionError("the condition did not come true")


@pytest.fixture
def bench() -> Iterator[Bench]:
    clock = Clock(start=T0)
    queues = Queues(clock, REGION, ACCOUNT, "http://127.0.0.1:1")
    queues.create("dlq")
    redrive = json.dumps({"deadLetterTargetArn": DLQ, "maxReceiveCount": 2})
    queues.create("work", {"VisibilityTimeout": "95", "RedrivePolicy": redrive})
    functions = Functions()
    pollers = Pollers(clock, queues, functions, REGION)
    yield Bench(clock, queues, functions, pollers)
    pollers.close()
    queues.close()
    clock.close()


def test_a_record_looks_as_lambda_makes_it(bench: Bench) -> None:
    bench.pollers.add(Source(WORK, "playbook"))
    bench.queues.send(
        WORK,
        "本文",
        {
            "reason": {"DataType": "String", "StringValue": "理由"},
            "blob": {"DataType": "Binary", "BinaryValue": "AAE="},
        },
    )
    invocation = bench.functions.next()
    (message,) = bench.queues.messages(WORK)
    assert invocation.event == {
        "Records": [
            {
                "messageId": message.id,
                "receiptHandle": message.receipt,
                "body": "本文",
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": str(int(message.sent * 1000)),
                    "SenderId": ACCOUNT,
                    "ApproximateFirstReceiveTimestamp": str(int(message.first_received * 1000)),
                },
                "messageAttributes": {
                    "reason": {
                        "stringValue": "理由",
                        "stringListValues": [],
                        "binaryListValues": [],
                        "dataType": "String",
                    },
                    "blob": {
                        "binaryValue": base64.b64encode(b"\x00\x01").decode(),
                        "stringListValues": [],
                        "binaryListValues": [],
                        "dataType": "Binary",
                    },
                },
                "md5OfBody": message.md5,
                "eventSource": "aws:sqs",
                "eventSourceARN": WORK,
                "awsRegion": REGION,
            }
        ]
    }
    invocation.ends()


def test_success_deletes_the_messages(bench: Bench) -> None:
    bench.pollers.add(Source(WORK, "playbook"))
    bench.send("a")
    assert bench.pollers.running() == 1
    bench.functions.next().ends()
    bench.settle()
    assert bench.queues.depth(WORK) == Depth(0, 0, 0)


def test_messages_that_are_there_already_are_received(bench: Bench) -> None:
    bench.send("a", "b")
    bench.pollers.add(Source(WORK, "playbook"))
    invocation = bench.functions.next()
    assert invocation.bodies == ["a", "b"]
    invocation.ends()


@pytest.mark.parametrize(
    "outcome",
    [Outcome(error={"errorType": "ValueError"}), RuntimeError("the pool is closed")],
    ids=["error", "exception"],
)
def test_a_failed_batch_comes_back_after_its_visibility_timeout_and_ends_in_the_dlq(
    bench: Bench, outcome: Outcome | Exception
) -> None:
    bench.pollers.add(Source(WORK, "playbook", report_failures=True))
    bench.send("a")
    bench.functions.next().ends(outcome)
    bench.settle()
    assert bench.queues.depth(WORK) == Depth(0, 1, 0)
    bench.clock.advance(90)
    assert bench.functions.idle()
    second = bench.next_after(6)
    assert second.event["Records"][0]["attributes"]["ApproximateReceiveCount"] == "2"
    second.ends(outcome)
    bench.settle()
    bench.clock.advance(96)
    assert bench.queues.depth(WORK) == Depth(0, 0, 0)
    (dead,) = bench.queues.messages(DLQ)
    assert (dead.body, dead.source) == ("a", WORK)
    assert bench.functions.idle()


def test_only_messages_named_as_failed_come_back(bench: Bench) -> None:
    bench.pollers.add(Source(WORK, "playbook", batch_size=3, window_s=300, report_failures=True))
    bench.send("a", "b", "c")
    bench.functions.next().fails_for("b")
    bench.settle()
    assert [m.body for m in bench.queues.messages(WORK)] == ["b"]
    assert bench.queues.depth(WORK) == Depth(0, 1, 0)


def test_without_report_failures_the_answer_means_nothing(bench: Bench) -> None:
    bench.pollers.add(Source(WORK, "playbook"))
    bench.send("a")
    bench.functions.next().fails_for("a")
    bench.settle()
    assert bench.queues.messages(WORK) == []


def test_a_malformed_answer_fails_the_whole_batch(bench: Bench) -> None:
    bench.pollers.add(Source(WORK, "playbook", batch_size=2, window_s=300, report_failures=True))
    bench.send("a", "b")
    bench.functions.next().ends(Outcome({"batchItemFailures": [{"itemIdentifier": "?"}]}))
    bench.settle()
    assert bench.queues.depth(WORK) == Depth(0, 2, 0)


@pytest.mark.parametrize(
    ("payload", "failed"),
    [
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": None}, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "a"}]}, {"a"}),
        ({"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "other"}]}, None),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, None),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, None),
        ({"batchItemFailures": [{"messageId": "a"}]}, None),
        ({"batchItemFailures": ["a"]}, None),
        ({"batchItemFailures": "a"}, None),
        ([], None),
        ("a", None),
    ],
)
def test_partial_batch_responses_mean_what_aws_documents(
    payload: Any, failed: set[str] | None
) -> None:
    assert failed_ids(payload, {"a", "b"}) == failed


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["batchItemFailures", "itemIdentifier"]), inner, max_size=2
            )
        ),
        max_leaves=6,
    )
)
def test_no_answer_names_a_message_that_was_not_in_the_batch(payload: Any) -> None:
    failed = failed_ids(payload, {"a", "b"})
    assert failed is None or failed <= {"a", "b"}


def test_a_window_collects_until_it_is_over(bench: Bench) -> None:
    bench.pollers.add(Source(WORK, "playbook", batch_size=50, window_s=5))
    bench.send("a")
    bench.clock.advance(3)
    bench.send("b")
    assert bench.functions.idle()
    assert bench.pollers.running() == 1
    first = bench.next_after(2.5)
    assert first.bodies == ["a", "b"]
    bench.send("c")
    first.ends()
    bench.clock.advance(4)
    assert bench.functions.idle()
    second = bench.next_after(2)
    assert second.bodies == ["c"]
    second.ends()


def test_a_full_batch_does_not_wait_for_its_window(bench: Bench) -> None:
    bench.pollers.add(Source(WORK, "playbook", batch_size=25, window_s=60))
    bodies = [str(number) for number in range(30)]
    bench.send(*bodies)
    first = bench.functions.next()
    assert first.bodies == bodies[:25]
    first.ends()
    bench.clock.advance(55)
    assert bench.functions.idle()
    second = bench.next_after(6)
    assert second.bodies == bodies[25:]
    second.ends()


def test_concurrency_never_exceeds_its_maximum(bench: Bench) -> None:
    bench.pollers.add(Source(WORK, "playbook", batch_size=1, max_concurrency=2))
    bench.send("a", "b", "c")
    first, second = bench.functions.next(), bench.functions.next()
    assert bench.pollers.running() == 2
    assert bench.functions.idle()
    assert bench.queues.depth(WORK) == Depth(1, 2, 0)
    second.ends()
    third = bench.functions.next()
    assert third.bodies == ["c"]
    for invocation in (first, third):
        invocation.ends()
    bench.settle()
    assert bench.queues.depth(WORK) == Depth(0, 0, 0)


def test_a_batch_over_the_payload_limit_is_split(bench: Bench) -> None:
    size = 1_000_000
    bench.send(*(str(number) * size for number in range(8)))
    bench.pollers.add(Source(WORK, "playbook", batch_size=10, max_concurrency=2))
    first, second = sorted(
        (bench.functions.next(), bench.functions.next()), key=lambda i: i.bodies[0]
    )
    assert [body[0] for body in first.bodies + second.bodies] == list("01234567")
    for invocation in (first, second):
        assert len(json.dumps(invocation.event, ensure_ascii=False).encode()) <= MAX_PAYLOAD
        invocation.ends()
    assert len(first.bodies) == 6


def test_the_rest_of_a_split_batch_waits_for_capacity_not_for_a_window(bench: Bench) -> None:
    bench.send(*(str(number) * 1_000_000 for number in range(8)))
    bench.pollers.add(Source(WORK, "playbook", batch_size=8, window_s=300, max_concurrency=1))
    first = bench.functions.next()
    assert len(first.bodies) == 6
    first.ends()
    second = bench.functions.next()
    assert len(second.bodies) == 2
    second.ends()


def test_quoted_text_counts_as_it_is_escaped(bench: Bench) -> None:
    bench.send(*('"' * 1_000_000 for _ in range(4)))
    bench.pollers.add(Source(WORK, "playbook", batch_size=4, window_s=300))
    first, second = bench.functions.next(), bench.functions.next()
    assert sorted((len(first.bodies), len(second.bodies))) == [1, 3]
    first.ends()
    second.ends()


def test_a_fast_clock_waits_while_an_invocation_runs(bench: Bench) -> None:
    bench.clock.set_speed(1e6)
    bench.pollers.add(Source(WORK, "playbook", window_s=5, batch_size=50))
    bench.send("a")
    invocation = bench.functions.next()
    real, simulated = time.monotonic(), bench.clock.now()
    for _ in range(1000):
        passed = bench.clock.now() - simulated
        assert passed <= time.monotonic() - real + 0.001
    assert bench.queues.depth(WORK) == Depth(0, 1, 0)
    invocation.ends()
    bench.settle()
    assert bench.queues.depth(WORK) == Depth(0, 0, 0)


def test_stop_puts_back_what_waits_for_its_window(bench: Bench) -> None:
    bench.pollers.add(Source(WORK, "playbook", batch_size=50, window_s=300))
    bench.send("a", "b")
    assert bench.queues.depth(WORK) == Depth(0, 2, 0)
    bench.queues.delete(WORK, bench.queues.messages(WORK)[0].receipt)
    bench.send("c")
    bench.pollers.stop()
    assert bench.queues.depth(WORK) == Depth(2, 0, 0)
    assert bench.pollers.running() == 0
    bench.clock.advance(301)
    bench.send("d")
    assert bench.functions.idle()
    assert bench.queues.depth(WORK) == Depth(3, 0, 0)


def test_close_waits_for_what_runs(bench: Bench) -> None:
    bench.pollers.add(Source(WORK, "playbook"))
    bench.send("a")
    invocation = bench.functions.next()
    closing = threading.Thread(target=bench.pollers.close)
    closing.start()
    invocation.ends()
    closing.join(WAIT_S)
    assert not closing.is_alive()
    assert bench.queues.depth(WORK) == Depth(0, 0, 0)


def test_mappings_are_listed(bench: Bench) -> None:
    source = Source(WORK, "playbook")
    bench.pollers.add(source)
    assert bench.pollers.sources == (source,)


def test_a_queue_that_goes_away_is_no_crash(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.pollers.add(Source(WORK, "playbook"))
    bench.send("a")
    invocation = bench.functions.next()
    bench.queues.drop(WORK)
    invocation.ends()
    bench.settle()
    assert "does not exist" in caplog.text


def test_a_thousand_messages_all_arrive_once(bench: Bench) -> None:
    seen: list[str] = []
    lock = threading.Lock()

    class Quick:
        def invoke(self, name: str, event: Any) -> Outcome:  # noqa: ARG002
            with lock:
                seen.extend(record["body"] for record in event["Records"])
            return Outcome({"batchItemFailures": []})

    pollers = Pollers(bench.clock, bench.queues, Quick(), REGION)
    pollers.add(
        Source(WORK, "playbook", batch_size=50, window_s=1, max_concurrency=4, report_failures=True)
    )
    bench.clock.set_speed(1000)
    senders = [
        threading.Thread(target=bench.send, args=[f"{i}-{n}" for n in range(250)]) for i in range(4)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    wait_until(lambda: len(seen) == 1000 and pollers.running() == 0)
    pollers.close()
    assert len(set(seen)) == 1000
    assert bench.queues.depth(WORK) == Depth(0, 0, 0)


@pytest.mark.parametrize(
    "settings",
    [
        {"batch_size": 0},
        {"batch_size": 11},
        {"batch_size": 10_001, "window_s": 1},
        {"max_concurrency": 0},
    ],
)
def test_settings_that_aws_refuses_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="playbook"):
        Source(WORK, "playbook", **settings)

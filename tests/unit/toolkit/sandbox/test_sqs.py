"""SQS through boto3 over HTTP, and the calls that pollers and the event plane make directly."""

from __future__ import annotations

import contextlib
import io
import json
import threading
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any, ClassVar
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_toolkit.sandbox.clock import Clock
from hub_toolkit.sandbox.sqs import Depth, Message, Queues, SqsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_sqs import SQSClient

    from hub_toolkit.sandbox.clock import Timer

REGION, ACCOUNT = "ap-northeast-1", "111122223333"
T0 = 1_800_000_000.0
WAIT_S = 20.0


class Server(ThreadingMixIn, WSGIServer):
    """A connection of its own for each request, so that stopping waits for none."""


class Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Requests are not worth a line."""


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock(start=T0)
    yield clock
    clock.close()


@pytest.fixture
def queues(clock: Clock) -> Iterator[Queues]:
    queues = Queues(clock, REGION, ACCOUNT, "http://127.0.0.1:1")
    yield queues
    queues.close()


@pytest.fixture
def queue(queues: Queues) -> str:
    queues.create("work")
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:work"


@pytest.fixture
def sqs(queues: Queues) -> Iterator[SQSClient]:
    server = make_server("127.0.0.1", 0, queues.app, Server, Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    client = boto3.client(
        "sqs",
        endpoint_url=f"http://127.0.0.1:{server.server_port}",
        region_name=REGION,
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"max_attempts": 0}, proxies={}),
    )
    yield client
    client.close()
    server.shutdown()
    server.server_close()
    thread.join(WAIT_S)


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return error.value.response["Error"]["Code"]


# boto3


def test_a_message_goes_through_with_its_attributes_and_sums(sqs: SQSClient, clock: Clock) -> None:
    moto = pytest.importorskip("moto.sqs.models")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    attributes: dict[str, Any] = {
        "reason": {"DataType": "String", "StringValue": "理由"},
        "attempt": {"DataType": "Number.int", "StringValue": "3"},
        "blob": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    sent = sqs.send_message(
        QueueUrl=url,
        MessageBody="本文 🙂",
        MessageAttributes=attributes,
        MessageSystemAttributes={
            "AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-2"}
        },
    )
    (message,) = sqs.receive_message(
        QueueUrl=url, MessageSystemAttributeNames=["All"], MessageAttributeNames=["All"]
    )["Messages"]

    reference = moto.Message("id", "本文 🙂")
    reference.message_attributes = attributes
    assert sent["MD5OfMessageAttributes"] == reference.attribute_md5
    assert sent["MD5OfMessageBody"] == reference.body_md5
    assert len(sent["MD5OfMessageSystemAttributes"]) == 32
    assert message["MessageId"] == sent["MessageId"]
    assert message["Body"] == "本文 🙂"
    assert message["MD5OfBody"] == sent["MD5OfMessageBody"]
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert message["MessageAttributes"] == attributes
    system = message["Attributes"]
    assert system["ApproximateReceiveCount"] == "1"
    assert system["SenderId"] == ACCOUNT
    assert system["AWSTraceHeader"] == "Root=1-2"
    assert int(T0 * 1000) <= int(system["SentTimestamp"]) <= clock.now() * 1000
    assert int(system["ApproximateFirstReceiveTimestamp"]) >= int(system["SentTimestamp"])


def test_only_attributes_asked_for_come_back(sqs: SQSClient) -> None:
    url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    value: Any = {"DataType": "String", "StringValue": "x"}
    sqs.send_message(
        QueueUrl=url,
        MessageBody="b",
        MessageAttributes={"a.one": value, "a.two": value, "b": value},
    )
    (plain,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert plain.keys() == {"MessageId", "ReceiptHandle", "MD5OfBody", "Body"}
    (some,) = sqs.receive_message(
        QueueUrl=url, MessageAttributeNames=["a.*"], AttributeNames=["SentTimestamp"]
    )["Messages"]
    assert some["MessageAttributes"].keys() == {"a.one", "a.two"}
    assert some["Attributes"].keys() == {"SentTimestamp"}


def test_queues_are_created_listed_described_tagged_and_deleted(sqs: SQSClient) -> None:
    dlq = sqs.create_queue(QueueName="app-dlq", tags={"team": "sec"})["QueueUrl"]
    assert dlq == f"http://127.0.0.1:1/{ACCOUNT}/app-dlq"
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:app-dlq"
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
    url = sqs.create_queue(
        QueueName="app-work", Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": "95"}
    )["QueueUrl"]
    sqs.create_queue(QueueName="other")

    assert sqs.get_queue_url(QueueName="app-work")["QueueUrl"] == url
    assert sqs.list_queues(QueueNamePrefix="app-")["QueueUrls"] == [dlq, url]
    pages = sqs.get_paginator("list_queues").paginate(PaginationConfig={"PageSize": 2})
    assert [len(page["QueueUrls"]) for page in pages] == [2, 1]
    assert sqs.list_dead_letter_source_queues(QueueUrl=dlq)["queueUrls"] == [url]
    assert sqs.list_queue_tags(QueueUrl=dlq)["Tags"] == {"team": "sec"}
    sqs.tag_queue(QueueUrl=dlq, Tags={"stage": "test"})
    sqs.untag_queue(QueueUrl=dlq, TagKeys=["team"])
    assert sqs.list_queue_tags(QueueUrl=dlq)["Tags"] == {"stage": "test"}

    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "900"})
    sqs.send_message(QueueUrl=url, MessageBody="later")
    sqs.send_message(QueueUrl=url, MessageBody="now", DelaySeconds=0)
    sqs.send_message(QueueUrl=url, MessageBody="now", DelaySeconds=0)
    sqs.receive_message(QueueUrl=url)
    every = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert every == {
        "QueueArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:app-work",
        "ApproximateNumberOfMessages": "1",
        "ApproximateNumberOfMessagesNotVisible": "1",
        "ApproximateNumberOfMessagesDelayed": "1",
        "CreatedTimestamp": str(int(T0)),
        "LastModifiedTimestamp": every["LastModifiedTimestamp"],
        "VisibilityTimeout": "95",
        "MaximumMessageSize": "1048576",
        "MessageRetentionPeriod": "345600",
        "DelaySeconds": "900",
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "true",
        "RedrivePolicy": redrive,
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": "", "DelaySeconds": "0"})
    some = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy", "DelaySeconds"])
    assert some["Attributes"] == {"DelaySeconds": "0"}

    sqs.purge_queue(QueueUrl=url)
    depth = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert depth["ApproximateNumberOfMessages"] == "0"
    assert depth["ApproximateNumberOfMessagesNotVisible"] == "0"
    assert depth["ApproximateNumberOfMessagesDelayed"] == "0"
    sqs.delete_queue(QueueUrl=url)
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.send_message(QueueUrl=url, MessageBody="x")


def test_creating_a_queue_again_needs_the_same_settings(sqs: SQSClient) -> None:
    first = sqs.create_queue(QueueName="q", Attributes={"DelaySeconds": "5"})
    again = sqs.create_queue(QueueName="q", Attributes={"DelaySeconds": "5"})
    assert first["QueueUrl"] == again["QueueUrl"]
    with pytest.raises(sqs.exceptions.QueueNameExists):
        sqs.create_queue(QueueName="q", Attributes={"DelaySeconds": "6"})


def test_batches_fail_entry_by_entry(sqs: SQSClient) -> None:
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sent = sqs.send_message_batch(
        QueueUrl=url,
        Entries=[
            {"Id": "good", "MessageBody": "1"},
            {"Id": "bad", "MessageBody": "\x00"},
            {"Id": "late", "MessageBody": "2", "DelaySeconds": 901},
        ],
    )
    assert [entry["Id"] for entry in sent["Successful"]] == ["good"]
    assert [(e["Id"], e["Code"], e["SenderFault"]) for e in sent["Failed"]] == [
        ("bad", "InvalidMessageContents", True),
        ("late", "InvalidParameterValue", True),
    ]
    (message,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    receipt = message["ReceiptHandle"]
    changed = sqs.change_message_visibility_batch(
        QueueUrl=url,
        Entries=[
            {"Id": "a", "ReceiptHandle": receipt, "VisibilityTimeout": 60},
            {"Id": "b", "ReceiptHandle": "nonsense", "VisibilityTimeout": 60},
        ],
    )
    assert [entry["Id"] for entry in changed["Successful"]] == ["a"]
    assert [entry["Code"] for entry in changed["Failed"]] == ["ReceiptHandleIsInvalid"]
    deleted = sqs.delete_message_batch(
        QueueUrl=url,
        Entries=[{"Id": "a", "ReceiptHandle": receipt}, {"Id": "b", "ReceiptHandle": "Zm9v"}],
    )
    assert [entry["Id"] for entry in deleted["Successful"]] == ["a"]
    assert [entry["Id"] for entry in deleted["Failed"]] == ["b"]


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([], "EmptyBatchRequest"),
        ([{"Id": str(i), "MessageBody": "x"} for i in range(11)], "TooManyEntriesInBatchRequest"),
        ([{"Id": "a", "MessageBody": "x"}] * 2, "BatchEntryIdsNotDistinct"),
        ([{"Id": "a b", "MessageBody": "x"}], "InvalidBatchEntryId"),
        ([{"Id": i, "MessageBody": "x" * 600_000} for i in "ab"], "BatchRequestTooLong"),
    ],
)
def test_a_wrong_batch_is_refused_whole(sqs: SQSClient, entries: list[Any], code: str) -> None:
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    with pytest.raises(ClientError) as error:
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert code_of(error) == f"AWS.SimpleQueueService.{code}"
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_errors_have_the_shape_that_boto3_knows(sqs: SQSClient) -> None:
    with pytest.raises(sqs.exceptions.QueueDoesNotExist) as error:
        sqs.get_queue_url(QueueName="nothing")
    assert code_of(error) == "AWS.SimpleQueueService.NonExistentQueue"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    with pytest.raises(sqs.exceptions.ReceiptHandleIsInvalid):
        sqs.delete_message(QueueUrl=url, ReceiptHandle="x")
    nonsense: Any = {"Nonsense": "1"}
    with pytest.raises(sqs.exceptions.InvalidAttributeName):
        sqs.set_queue_attributes(QueueUrl=url, Attributes=nonsense)
    with pytest.raises(ClientError) as error:
        sqs.start_message_move_task(SourceArn="arn:aws:sqs:r:a:q")
    assert code_of(error) == "InvalidAction"
    for other in ("999988887777/q", f"{ACCOUNT}/other"):
        with pytest.raises(sqs.exceptions.QueueDoesNotExist):
            sqs.receive_message(QueueUrl=f"http://127.0.0.1:1/{other}")


@pytest.mark.parametrize(
    "attributes",
    [
        {"DelaySeconds": "901"},
        {"VisibilityTimeout": "-1"},
        {"MaximumMessageSize": "1048577"},
        {"MessageRetentionPeriod": "soon"},
        {"Policy": "not json"},
        {"RedrivePolicy": "[]"},
        {"RedrivePolicy": '{"maxReceiveCount": 5}'},
        {"RedrivePolicy": '{"deadLetterTargetArn": "x", "maxReceiveCount": 0}'},
        {"FifoQueue": "true"},
    ],
)
def test_wrong_settings_are_refused(queues: Queues, attributes: dict[str, str]) -> None:
    with pytest.raises(SqsError) as error:
        queues.create("q", attributes)
    assert error.value.name == "InvalidAttributeValue"


def test_a_dead_letter_queue_must_exist(queues: Queues) -> None:
    policy = json.dumps({"deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:no"})
    policy = policy.replace("}", ', "maxReceiveCount": 1}')
    with pytest.raises(SqsError, match="Dead letter target does not exist"):
        queues.create("q", {"RedrivePolicy": policy})


@pytest.mark.parametrize("name", ["", "a.fifo", "a" * 81, "a b", "../x"])
def test_wrong_names_are_refused(queues: Queues, name: str) -> None:
    with pytest.raises(SqsError):
        queues.handle("CreateQueue", {"QueueName": name})


def test_a_message_may_have_one_mebibyte_and_no_more(sqs: SQSClient) -> None:
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x" * 1_048_576)
    with pytest.raises(ClientError, match="shorter than 1048576") as error:
        sqs.send_message(QueueUrl=url, MessageBody="x" * 1_048_574 + "語")
    assert code_of(error) == "InvalidParameterValue"


def test_a_request_that_is_no_json_object_is_refused(queues: Queues) -> None:
    for body in (b"{", b"[]", b'{"a": "\xff"}', b"[" * 100_000):
        status: list[str] = []
        environ: dict[str, Any] = {
            "HTTP_X_AMZ_TARGET": "AmazonSQS.ListQueues",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        answer = b"".join(queues.app(environ, lambda s, _: status.append(s)))  # noqa: B023
        assert status == ["400 Bad Request"]
        assert b"SerializationException" in answer


@pytest.fixture(scope="module")
def lasting_clock() -> Iterator[Clock]:
    clock = Clock(start=T0)
    yield clock
    clock.close()


@settings(max_examples=200, deadline=None)
@given(
    action=st.sampled_from(
        ["SendMessage", "ReceiveMessage", "SendMessageBatch", "CreateQueue", "DeleteMessage"]
    ),
    params=st.fixed_dictionaries(
        {},
        optional={
            key: st.recursive(
                st.none() | st.booleans() | st.integers(-2, 20) | st.text(max_size=5),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(st.text(max_size=5), inner, max_size=3)
                ),
                max_leaves=5,
            )
            for key in (
                "QueueName",
                "MessageBody",
                "MessageAttributes",
                "MessageSystemAttributes",
                "Attributes",
                "Entries",
                "DelaySeconds",
                "MaxNumberOfMessages",
                "MessageAttributeNames",
                "ReceiptHandle",
                "tags",
            )
        },
    ),
)
def test_whatever_a_request_holds_the_answer_is_an_answer_or_an_sqs_error(
    lasting_clock: Clock, action: str, params: dict[str, Any]
) -> None:
    queues = Queues(lasting_clock, REGION, ACCOUNT, "http://127.0.0.1:1")
    url = queues.create("work")
    with contextlib.suppress(SqsError):
        json.dumps(queues.handle(action, {"QueueUrl": url, **params}))
    queues.close()


# time


def test_a_received_message_comes_back_after_its_visibility_timeout(
    queues: Queues, queue: str, clock: Clock
) -> None:
    queues.send(queue, "x")
    (first,) = queues.receive(queue, visibility=95)
    assert queues.depth(queue) == Depth(0, 1, 0)
    clock.advance(90)
    assert queues.receive(queue) == []
    clock.advance(6)
    (second,) = queues.receive(queue)
    assert second.id == first.id
    assert (first.receive_count, second.receive_count) == (1, 2)
    assert second.receipt != first.receipt
    assert second.first_received == first.first_received


def test_an_old_receipt_deletes_nothing(queues: Queues, queue: str, clock: Clock) -> None:
    queues.send(queue, "x")
    (first,) = queues.receive(queue, visibility=10)
    clock.advance(11)
    (second,) = queues.receive(queue)
    queues.delete(queue, first.receipt)
    assert queues.depth(queue) == Depth(0, 1, 0)
    queues.delete(queue, second.receipt)
    queues.delete(queue, second.receipt)
    assert queues.depth(queue) == Depth(0, 0, 0)
    clock.advance(100)
    assert queues.receive(queue) == []


def test_an_expired_receipt_still_deletes_a_message_nobody_received_since(
    queues: Queues, queue: str, clock: Clock
) -> None:
    queues.send(queue, "x")
    (message,) = queues.receive(queue, visibility=10)
    clock.advance(11)
    queues.delete(queue, message.receipt)
    assert queues.depth(queue) == Depth(0, 0, 0)
    assert queues.receive(queue) == []


def test_visibility_can_be_changed_only_in_flight(queues: Queues, queue: str, clock: Clock) -> None:
    queues.send(queue, "x")
    (message,) = queues.receive(queue, visibility=10)
    queues.release(queue, message.receipt, 100)
    clock.advance(50)
    assert queues.depth(queue) == Depth(0, 1, 0)
    queues.release(queue, message.receipt)
    assert queues.depth(queue) == Depth(1, 0, 0)
    with pytest.raises(SqsError) as error:
        queues.release(queue, message.receipt, 5)
    assert error.value.name == "MessageNotInflight"
    queues.delete(queue, message.receipt)
    with pytest.raises(SqsError, match="does not exist"):
        queues.release(queue, message.receipt, 5)
    for visibility in (-1, 43_201):
        with pytest.raises(SqsError, match="Must be between"):
            queues.release(queue, message.receipt, visibility)


def test_a_delayed_message_waits(queues: Queues, queue: str, clock: Clock) -> None:
    queues.send(queue, "late", delay=900)
    queues.send(queue, "soon", delay=5)
    assert queues.depth(queue) == Depth(0, 0, 2)
    clock.advance(6)
    assert [m.body for m in queues.receive(queue)] == ["soon"]
    clock.advance(900)
    assert [m.body for m in queues.receive(queue)] == ["soon", "late"]
    with pytest.raises(SqsError, match="DelaySeconds"):
        queues.send(queue, "x", delay=901)


def test_the_last_receive_leads_to_the_dead_letter_queue(queues: Queues, clock: Clock) -> None:
    queues.create("dlq")
    dlq, work = (f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}" for name in ("dlq", "work"))
    queues.create("work", {"RedrivePolicy": {"deadLetterTargetArn": dlq, "maxReceiveCount": 3}})
    seen = threading.Event()
    queues.subscribe(dlq, seen.set)
    sent = queues.send(work, "x", {"reason": {"DataType": "String", "StringValue": "r"}})
    for count in (1, 2, 3):
        (message,) = queues.receive(work, visibility=10)
        assert message.receive_count == count
        clock.advance(11)
    assert not seen.is_set()
    assert queues.receive(work) == []
    assert queues.depth(work) == Depth(0, 0, 0)
    assert seen.is_set()
    (dead,) = queues.receive(dlq)
    assert (dead.id, dead.body, dead.sent, dead.source) == (sent.id, "x", sent.sent, work)
    assert dead.attributes == sent.attributes
    assert dead.system_attributes(ACCOUNT)["DeadLetterQueueSourceArn"] == work
    with pytest.raises(SqsError):
        queues.delete(dlq, message.receipt)
    queues.delete(dlq, dead.receipt)
    assert queues.messages(dlq) == []


def test_messages_can_be_looked_at_without_a_receive(queues: Queues, queue: str) -> None:
    for body in "abc":
        queues.send(queue, body, delay=60 if body == "b" else 0)
    assert [m.body for m in queues.messages(queue)] == ["a", "b", "c"]
    assert all(m.receive_count == 0 for m in queues.messages(queue))
    assert queues.depth(queue) == Depth(2, 0, 1)


def test_subscribers_hear_of_every_way_to_become_visible(
    queues: Queues, queue: str, clock: Clock
) -> None:
    heard: list[str] = []
    unsubscribe = queues.subscribe(queue, lambda: heard.append("x"))
    queues.send(queue, "now")
    assert len(heard) == 1
    queues.send(queue, "later", delay=30)
    assert len(heard) == 1
    clock.advance(31)
    assert len(heard) == 2
    now, later = queues.receive(queue, visibility=60)
    queues.release(queue, now.receipt)
    assert len(heard) == 3
    clock.advance(61)
    assert len(heard) == 4
    assert later.receipt
    unsubscribe()
    unsubscribe()
    queues.send(queue, "unheard")
    assert len(heard) == 4


def test_a_subscriber_that_raises_stops_no_other(
    queues: Queues, queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []

    def broken() -> None:
        raise RuntimeError("broken watcher")

    queues.subscribe(queue, broken)
    queues.subscribe(queue, lambda: heard.append("x"))
    queues.send(queue, "x")
    assert heard == ["x"]
    assert "broken watcher" in caplog.text


def test_a_subscriber_may_receive_and_send(queues: Queues, queue: str) -> None:
    queues.create("out")
    out = f"arn:aws:sqs:{REGION}:{ACCOUNT}:out"

    def forward() -> None:
        for message in queues.receive(queue):
            queues.send(out, message.body)

    queues.subscribe(queue, forward)
    queues.send(queue, "x")
    assert queues.depth(out) == Depth(1, 0, 0)


class ManualClock(Clock):
    """Keeps the callbacks, so that a test can call one that was on its way already."""

    callbacks: ClassVar[list[Callable[[], None]]] = []

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        self.callbacks.append(callback)
        return super().call_at(when, callback)


def test_a_timeout_that_comes_too_late_changes_nothing() -> None:
    clock = ManualClock(start=T0)
    queues = Queues(clock, REGION, ACCOUNT, "http://127.0.0.1:1")
    url = queues.create("work")
    queues.send(url, "x")
    (message,) = queues.receive(url, visibility=10)
    queues.release(url, message.receipt, 1000)
    late, _ = clock.callbacks
    late()
    assert queues.depth(url) == Depth(0, 1, 0)
    clock.close()


def long_poll(queues: Queues, queue: str) -> tuple[threading.Thread, list[list[Message]]]:
    got: list[list[Message]] = []
    entered = threading.Event()

    def poll() -> None:
        entered.set()
        got.append(queues.poll(queue, 10, None, 20))

    thread = threading.Thread(target=poll)
    thread.start()
    assert entered.wait(WAIT_S)
    return thread, got


def test_a_long_poll_ends_with_the_first_message(queues: Queues, queue: str) -> None:
    queues.clock.set_speed(1e-6)
    thread, got = long_poll(queues, queue)
    while queues.clock.next_due() is None:
        thread.join(0.001)
    thread.join(0.01)  # lets it begin to wait; without that the test proves less, not wrongly
    queues.send(queue, "x")
    thread.join(WAIT_S)
    assert [m.body for m in got[0]] == ["x"]


def test_a_long_poll_ends_after_its_simulated_time(
    queues: Queues, queue: str, clock: Clock
) -> None:
    clock.set_speed(1e5)
    thread, got = long_poll(queues, queue)
    thread.join(WAIT_S)
    assert got == [[]]
    assert clock.now() >= T0 + 20


def test_closing_frees_long_polls(queues: Queues, queue: str) -> None:
    thread, got = long_poll(queues, queue)
    queues.close()
    thread.join(WAIT_S)
    assert got == [[]]


def test_ten_thousand_messages_cost_no_more_than_their_number(queues: Queues, queue: str) -> None:
    """No timing: a quadratic queue would need minutes here, and its run would show it."""
    count = 10_000
    for number in range(count):
        queues.send(queue, str(number), delay=number % 2)
    assert sum(queues.depth(queue)) == count
    queues.clock.advance(2)
    bodies = []
    while batch := queues.receive(queue, 10):
        for message in batch:
            bodies.append(message.body)
            queues.delete(queue, message.receipt)
    assert sorted(bodies, key=int) == [str(number) for number in range(count)]
    assert queues.depth(queue) == Depth(0, 0, 0)
    assert queues.clock.next_due() is None

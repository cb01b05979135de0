"""``forward``: findings as they came, into real stores: moto's S3, Kinesis and SNS, our SQS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import msgspec
import pytest

from factories import ACCOUNT, REGION, finding, incident, runtime, work
from hub_responder.actions import forward
from hub_responder.actions.base import Outcome
from hub_responder.actions.forward import Params
from hub_responder.deadline import Deadline
from hub_responder.finding import Finding
from hub_toolkit.sandbox.clock import Clock
from hub_toolkit.sandbox.moto_store import MotoStore
from hub_toolkit.sandbox.sqs import Queues
from loopback import Cloud, Reply, error
from member_cloud import MemberCloud

RAW = {"Id": "f-1", "Title": "as it came", "Deep": {"b": 1, "a": [None, "é"]}}
BUCKET = "arn:aws:s3:::example-findings/security-hub"
STREAM = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/findings"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:findings"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:findings"
FIFO = QUEUE + ".fifo"


@pytest.fixture
def store(members: MemberCloud) -> Iterator[Queues]:
    """Everything that findings can be forwarded to."""
    moto = MotoStore(ACCOUNT, REGION)
    moto.create_bucket("example-findings")
    moto.create_stream("findings")
    moto.create_topic("findings")
    moto.load()
    members.other = moto.app
    clock = Clock(start=1_800_000_000.0)
    queues = Queues(clock, REGION, ACCOUNT, members.url)
    queues.create("findings")
    members.services["sqs"] = queues.app
    forward._queue_url.cache_clear()
    yield queues
    queues.close()
    clock.close()
    moto.reset()


def came(number: int = 1, **overrides: Any) -> Finding:
    return finding(id=f"f-{number}", raw={**RAW, "Id": f"f-{number}"}, **overrides)


def send(target: str, *findings: Finding, deadline: Deadline | None = None) -> Outcome:
    of = incident(findings=findings or (came(),))
    played = runtime(**({"deadline": deadline} if deadline else {}))
    (outcome,) = forward.run([work(Params(target), of)], played)
    return outcome


def client(service: str) -> Any:
    return boto3.client(service)  # type: ignore[call-overload]


def objects() -> dict[str, Any]:
    s3 = client("s3")
    listed = s3.list_objects_v2(Bucket="example-findings").get("Contents", [])
    return {one["Key"]: s3.get_object(Bucket="example-findings", Key=one["Key"]) for one in listed}


def test_s3_keeps_the_finding_as_it_came(store: Queues) -> None:
    outcome = send(BUCKET)
    assert (outcome.status, outcome.detail) == ("done", "1 to s3 example-findings/security-hub")
    assert outcome.result == {"sent": 1, "raw": 1, "compact": 0, "known": 0}
    ((key, held),) = objects().items()
    assert key.startswith(f"security-hub/{ACCOUNT}/")
    assert json.loads(held["Body"].read()) == RAW
    assert held["Metadata"] == {"form": "raw"}
    assert held["ContentType"] == "application/json"


def test_s3_keeps_each_content_once(store: Queues) -> None:
    send(BUCKET)
    again = send(BUCKET)
    assert (again.status, again.result["known"]) == ("done", 1)
    changed = finding(id="f-1", raw={**RAW, "Title": "changed"})
    assert send(BUCKET, changed).result["known"] == 0
    keys = sorted(objects())
    assert len(keys) == 2
    assert keys[0].rsplit("/", 1)[0] == keys[1].rsplit("/", 1)[0]


def test_a_finding_that_the_ledger_kept_is_sent_in_compact_form_and_says_so(
    store: Queues,
) -> None:
    kept = Finding.from_compact(came().compact())
    outcome = send(BUCKET, kept, came(2))
    assert outcome.result == {"sent": 2, "raw": 1, "compact": 1, "known": 0}
    assert "(1 in compact form)" in outcome.detail
    bodies = [json.loads(one["Body"].read()) for one in objects().values()]
    (compact,) = [one for one in bodies if forward.FORM in one]
    assert (compact[forward.FORM], compact["id"]) == ("compact", "f-1")


def test_kinesis_gets_a_record_for_each_finding(store: Queues) -> None:
    outcome = send(STREAM, *(came(number) for number in range(120)))
    assert (outcome.status, outcome.result["sent"]) == ("done", 120)
    kinesis = client("kinesis")
    shard = kinesis.describe_stream(StreamName="findings")["StreamDescription"]["Shards"][0]
    iterator = kinesis.get_shard_iterator(
        StreamName="findings", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    records = kinesis.get_records(ShardIterator=iterator)["Records"]
    ids = [json.loads(one["Data"])["Id"] for one in records]
    assert sorted(ids) == sorted(f"f-{number}" for number in range(120))


def test_sns_and_sqs_get_messages_with_form_and_id(store: Queues, members: MemberCloud) -> None:
    assert send(TOPIC, *(came(number) for number in range(12))).result["sent"] == 12
    assert members.count("sns.PublishBatch") == 2
    assert send(QUEUE, *(came(number) for number in range(12))).result["sent"] == 12
    messages = store.messages(QUEUE)
    assert len(messages) == 12
    assert json.loads(messages[0].body)["Title"] == "as it came"
    form, name = (messages[0].attributes[key].value for key in ("form", "id"))
    assert form == "raw"
    assert len(name) == 64


def test_a_fifo_queue_can_tell_a_finding_that_came_twice(cloud: Cloud) -> None:
    forward._queue_url.cache_clear()
    cloud.script["GetQueueUrl"] = [Reply(200, {"QueueUrl": cloud.url + "/q"})]
    send(FIFO)
    send(FIFO, came(), finding(id="f-1", raw={"Title": "changed"}))
    first, second = cloud.called("SendMessageBatch")
    tokens = [one["MessageDeduplicationId"] for one in second["Entries"]]
    assert first["Entries"][0]["MessageDeduplicationId"] == tokens[0] != tokens[1]
    assert len({one["MessageGroupId"] for one in second["Entries"]}) == 1


def test_a_finding_that_is_too_large_fails_alone(store: Queues) -> None:
    large = finding(id="f-2", raw={"Id": "f-2", "Text": "x" * 260_000})
    outcome = send(QUEUE, came(), large)
    assert (outcome.status, outcome.result["sent"]) == ("failed", 1)
    assert "has 260," in outcome.detail


def test_large_findings_do_not_share_a_call(store: Queues, members: MemberCloud) -> None:
    large = [finding(id=f"f-{n}", raw={"Text": "x" * 100_000, "n": n}) for n in range(5)]
    assert send(QUEUE, *large).result["sent"] == 5
    assert members.count("sqs.SendMessageBatch") == 3


def test_text_that_json_cannot_hold_is_sent_all_the_same(store: Queues) -> None:
    odd = finding(id="f-3", raw={"Id": "f-3", "Text": "a\ud800b", "n": float("nan")})
    assert send(QUEUE, odd).status == "done"
    assert json.loads(store.messages(QUEUE)[0].body) == {"Id": "f-3", "Text": "a\ufffdb", "n": None}


@pytest.mark.parametrize("target", [BUCKET, STREAM, TOPIC, QUEUE])
def test_a_target_that_is_not_there_fails_and_trouble_defers(
    store: Queues, members: MemberCloud, target: str
) -> None:
    gone = target.replace("example-findings", "no-such-bucket").replace("findings", "nothing")
    assert send(gone).status == "failed"
    assert send(target, deadline=Deadline.after(0)).status == "deferred"
    operation = {
        BUCKET: "s3.PutObject",
        STREAM: "kinesis.PutRecords",
        TOPIC: "sns.PublishBatch",
        QUEUE: "sqs.SendMessageBatch",
    }[target]
    members.faults.add([{"target": operation, "status": 503, "times": 3}])
    assert send(target).status == "deferred"


def test_an_entry_that_was_refused_is_told_and_one_that_may_pass_defers(cloud: Cloud) -> None:
    forward._queue_url.cache_clear()
    cloud.script["GetQueueUrl"] = [Reply(200, {"QueueUrl": cloud.url + "/q"})]
    refused = {"Id": "1", "Code": "InvalidMessageContents", "SenderFault": True}
    sent = {"Id": "0", "MessageId": "m", "MD5OfMessageBody": ""}
    cloud.script["SendMessageBatch"] = [Reply(200, {"Successful": [sent], "Failed": [refused]})]
    outcome = send(QUEUE, came(1), came(2))
    assert (outcome.status, outcome.result["sent"]) == ("failed", 1)
    assert "1 not: sqs.SendMessageBatch: InvalidMessageContents" in outcome.detail
    passing = refused | {"SenderFault": False}
    cloud.script["SendMessageBatch"] = [Reply(200, {"Successful": [sent], "Failed": [passing]})]
    outcome = send(QUEUE, came(1), came(2))
    assert (outcome.status, outcome.in_doubt) == ("deferred", True)
    cloud.script["SendMessageBatch"] = [Reply(200, {})]
    assert send(QUEUE).status == "deferred"
    cloud.script["PutRecords"] = [
        Reply(200, {"Records": [{"ErrorCode": "ProvisionedThroughputExceededException"}]})
    ]
    assert send(STREAM).status == "deferred"
    cloud.script["PutRecords"] = [error("AccessDeniedException")]
    assert send(STREAM).status == "failed"


@pytest.mark.parametrize(
    "arn",
    [
        "example-findings",
        "arn:aws:s3:::Bad_Bucket",
        "arn:aws:dynamodb:x:111122223333:table/t",
        "arn:aws:sqs:x:1:q",
        BUCKET + "/${x}",
        "arn:aws:s3:::b/*",
    ],
)
def test_a_target_is_named_by_its_arn(arn: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"target": arn}, Params)


@pytest.mark.parametrize(
    ("target", "actions", "resource"),
    [
        (BUCKET, ["s3:PutObject"], BUCKET + "/*"),
        (STREAM, ["kinesis:PutRecords"], STREAM),
        (TOPIC, ["sns:Publish"], TOPIC),
        (QUEUE, ["sqs:GetQueueUrl", "sqs:SendMessage"], QUEUE),
    ],
)
def test_the_role_may_write_to_this_target_only(
    target: str, actions: list[str], resource: str
) -> None:
    (statement,) = forward.ACTION.permissions({"target": target}, {})
    assert (statement["Action"], statement["Resource"]) == (actions, [resource])
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234"
    _, with_key = forward.ACTION.permissions({"target": target, "kms_key": key}, {})
    assert with_key["Resource"] == [key]
    assert forward.ACTION.constants == ("target", "kms_key")


def test_a_plan_sends_nothing(members: MemberCloud) -> None:
    assert forward.ACTION.plan is not None
    of = incident(findings=(came(), Finding.from_compact(came(2).compact())))
    told = forward.ACTION.plan(work(Params(QUEUE), of), runtime())
    assert told == "would forward 2 to sqs findings (1 in compact form)"
    assert members.calls == []

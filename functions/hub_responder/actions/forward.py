"""``forward``: the findings as they came, to S3, Kinesis, SNS or SQS.

A finding that was kept in the ledger for a while came back in its compact form: such a one says so
in ``hubResponderForm``. S3 keeps each content once; the others may get a finding again where a run
died, with the same id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from botocore.exceptions import ClientError

from hub_responder import aws
from hub_responder.actions.base import Action, Outcome, Statement, Work, each, line
from hub_responder.errors import CallError, PermanentError, TransientError
from hub_responder.identifiers import arn_account, arn_region
from hub_responder.strictjson import writable

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline
    from hub_responder.finding import Finding
    from hub_responder.runtime import Runtime

MAX_BYTES = 250_000
"""SNS and SQS take 256 KiB with the attributes."""
FORM = "hubResponderForm"
_AT_ONCE = {"kinesis": 100, "sns": 10, "sqs": 10}
_BATCH_BYTES = 250_000
_CALL_S = 10.0

_Arn = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^arn:aws[a-z-]*:("
        r"s3:::[a-z0-9.-]{3,63}(/[A-Za-z0-9!_.*'()/-]{0,500})?"
        r"|kinesis:[a-z0-9-]+:\d{12}:stream/[A-Za-z0-9_.-]{1,128}"
        r"|sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?"
        r"|sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,80}(\.fifo)?)$"
    ),
]


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``target`` is the ARN of a bucket (with a prefix, if wanted), stream, topic or queue.

    In a bucket the key is PREFIX/ACCOUNT/HASH OF THE ID/HASH OF THE CONTENT.json. ``kms_key`` is
    the ARN of the key that the target is encrypted with, where it is one of your own.
    """

    target: _Arn
    kms_key: Annotated[
        str, msgspec.Meta(pattern=r"^(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[a-z0-9-]{1,128})?$")
    ] = ""


class Result(msgspec.Struct, frozen=True):
    """How many findings were sent, and of these as they came and in compact form.

    ``known`` of them were in the bucket already.
    """

    sent: int
    raw: int = 0
    compact: int = 0
    known: int = 0


class Record(msgspec.Struct, frozen=True):
    """One finding on its way. ``id`` is equal for equal content of one finding."""

    finding: str
    account: str
    form: str
    body: bytes
    id: str


Refused = CallError | None
Send = Callable[[str, Sequence[Record], "Deadline"], Sequence["Refused | bool"]]
"""(ARN, records, deadline) -> for each None (sent), True (there already) or why not."""


def run(works: Sequence[Work], runtime: Runtime) -> list[Outcome]:
    """Send the findings of each incident."""
    return each(lambda work: _forward(work, runtime), works)


def _forward(work: Work, runtime: Runtime) -> Outcome:
    params: Params = work.params
    records, refusals = _records(work)
    known = 0
    sent: list[Record] = []
    service = params.target.split(":")[2]
    for some in _batches(records, _AT_ONCE.get(service, 1)):
        answers = _SENDERS[service](params.target, some, runtime.deadline)
        for record, answer in zip(some, answers, strict=True):
            if isinstance(answer, CallError):
                refusals.append(answer)
            else:
                sent.append(record)
                known += answer is True
    return _outcome(params.target, sent, known, refusals)


def _records(work: Work) -> tuple[list[Record], list[CallError]]:
    records, refusals = [], []
    for finding in work.incident.findings:
        record = _record(finding)
        if len(record.body) > MAX_BYTES:
            said = f"finding {finding.id[:100]} has {len(record.body):,} bytes"
            refusals.append(PermanentError(said, target="forward"))
        else:
            records.append(record)
    return records, list(refusals)


def _record(finding: Finding) -> Record:
    form = "raw" if finding.raw else "compact"
    content = writable(finding.raw) if finding.raw else {FORM: "compact", **finding.compact()}
    body = msgspec.json.encode(content, order="deterministic")
    digest = hashlib.sha256(finding.id.encode("utf-8", "replace") + b"\n" + body).hexdigest()
    return Record(finding.id, finding.account.id, form, body, digest)


def _batches(records: Sequence[Record], most: int) -> list[list[Record]]:
    """Records that go in one call: by number and by bytes."""
    batches: list[list[Record]] = []
    size = 0
    for record in records:
        fits = batches and len(batches[-1]) < most and size + len(record.body) <= _BATCH_BYTES
        if not fits:
            batches.append([])
            size = 0
        batches[-1].append(record)
        size += len(record.body) + 400  # attributes and ids
    return batches


def _outcome(
    target: str, sent: Sequence[Record], known: int, refusals: Sequence[CallError]
) -> Outcome:
    raw = sum(record.form == "raw" for record in sent)
    result = msgspec.to_builtins(Result(len(sent), raw, len(sent) - raw, known))
    said = f"{len(sent)} to {_name(target)}"
    if len(sent) > raw:
        said += f" ({len(sent) - raw} in compact form)"
    if refusals:
        said += f"; {len(refusals)} not: {refusals[0]}"
    passing = [one for one in refusals if isinstance(one, TransientError)]
    if passing:
        waits = [one.retry_after for one in passing if one.retry_after]
        return Outcome(
            "deferred",
            line(said),
            result=result,
            retry_after=max(waits) if waits else None,
            in_doubt=bool(sent) or any(one.sent for one in passing),
        )
    return Outcome("failed" if refusals else "done", line(said), result=result)


def _name(arn: str) -> str:
    return f"{arn.split(':')[2]} {arn.split(':', 5)[5]}"


def _s3(arn: str, records: Sequence[Record], deadline: Deadline) -> list[Refused | bool]:
    bucket, _, prefix = arn.split(":::", 1)[1].partition("/")
    prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""
    return [_put(bucket, prefix, record, deadline) for record in records]


def _put(bucket: str, prefix: str, record: Record, deadline: Deadline) -> Refused | bool:
    target = "s3.PutObject"
    finding = hashlib.sha256(record.finding.encode("utf-8", "replace")).hexdigest()[:32]
    try:
        deadline.timeout(_CALL_S, target=target)
        aws.client("s3").put_object(
            Bucket=bucket,
            Key=f"{prefix}{record.account}/{finding}/{record.id[:32]}.json",
            Body=record.body,
            ContentType="application/json",
            Metadata={"form": record.form},
            IfNoneMatch="*",
        )
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code == "PreconditionFailed":
            return True
        if code == "ConditionalRequestConflict":  # another attempt writes the same right now
            return TransientError(f"{target}: {code}", target=target)
        return aws.translate(error, target)
    except aws.ERRORS as error:
        return aws.translate(error, target)
    except TransientError as error:
        return error
    return None


def _kinesis(arn: str, records: Sequence[Record], deadline: Deadline) -> list[Refused | bool]:
    target = "kinesis.PutRecords"
    entries = [{"Data": one.body, "PartitionKey": _partition(one)} for one in records]

    def put() -> list[Refused | bool]:
        client = aws.client("kinesis", region=arn_region(arn), once=True)
        answer = client.put_records(StreamARN=arn, Records=entries)
        return [
            _refusal(one.get("ErrorCode"), target, sender=False)
            for one in answer.get("Records", ())
        ]

    return _called(put, records, target, deadline)


def _partition(record: Record) -> str:
    return hashlib.sha256(record.finding.encode("utf-8", "replace")).hexdigest()[:32]


def _sns(arn: str, records: Sequence[Record], deadline: Deadline) -> list[Refused | bool]:
    target = "sns.PublishBatch"
    entries = [
        {"Message": one.body.decode(), **_entry(arn, number, one)}
        for number, one in enumerate(records)
    ]

    def publish() -> list[Refused | bool]:
        client = aws.client("sns", region=arn_region(arn))
        answer = client.publish_batch(TopicArn=arn, PublishBatchRequestEntries=entries)
        return _by_id(answer, len(records), target)

    return _called(publish, records, target, deadline)


def _sqs(arn: str, records: Sequence[Record], deadline: Deadline) -> list[Refused | bool]:
    target = "sqs.SendMessageBatch"
    entries = [
        {"MessageBody": one.body.decode(), **_entry(arn, number, one)}
        for number, one in enumerate(records)
    ]

    def send() -> list[Refused | bool]:
        client = aws.client("sqs", region=arn_region(arn), once=True)
        answer = client.send_message_batch(QueueUrl=_queue_url(arn), Entries=entries)
        return _by_id(answer, len(records), target)

    return _called(send, records, target, deadline)


@lru_cache(maxsize=32)
def _queue_url(arn: str) -> str:
    client = aws.client("sqs", region=arn_region(arn))
    name = arn.rsplit(":", 1)[1]
    answer = client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=arn_account(arn))
    return str(answer["QueueUrl"])


def _entry(arn: str, number: int, record: Record) -> dict[str, Any]:
    """What SNS's and SQS's entries have in common."""
    entry: dict[str, Any] = {
        "Id": str(number),
        "MessageAttributes": {
            "form": {"DataType": "String", "StringValue": record.form},
            "id": {"DataType": "String", "StringValue": record.id},
        },
    }
    if arn.endswith(".fifo"):
        entry |= {"MessageGroupId": _partition(record), "MessageDeduplicationId": record.id}
    return entry


def _by_id(answer: Mapping[str, Any], count: int, target: str) -> list[Refused | bool]:
    """What a batch call of SNS or SQS says of each entry; what it does not name was not sent."""
    sent = {str(one.get("Id")) for one in answer.get("Successful", ())}
    failed = {str(one.get("Id")): one for one in answer.get("Failed", ())}

    def one(number: str) -> Refused:
        if number in sent:
            return None
        told = failed.get(number, {})
        return _refusal(told.get("Code", "unknown"), target, sender=bool(told.get("SenderFault")))

    return [one(str(number)) for number in range(count)]


def _refusal(code: Any, target: str, *, sender: bool) -> Refused:
    """Why one entry of a batch was not taken; None where it was."""
    if not code:
        return None
    message = f"{target}: {str(code)[:80]}"
    return (
        PermanentError(message, target=target) if sender else TransientError(message, target=target)
    )


def _called(
    call: Callable[[], list[Refused | bool]],
    records: Sequence[Record],
    target: str,
    deadline: Deadline,
) -> list[Refused | bool]:
    """The answer of a batch call; one that fails as a whole fails for each record."""
    try:
        deadline.timeout(_CALL_S, target=target)
        answers = call()
    except aws.ERRORS as error:
        return [aws.translate(error, target)] * len(records)
    except TransientError as error:
        return [error] * len(records)
    missing = len(records) - len(answers)
    unknown = TransientError(f"{target} answered for too few", target=target, sent=True)
    return [*answers[: len(records)], *[unknown] * missing]


_SENDERS: Mapping[str, Send] = {"s3": _s3, "kinesis": _kinesis, "sns": _sns, "sqs": _sqs}


def plan(work: Work, runtime: Runtime) -> str:
    """How many findings would go where."""
    del runtime
    records, refusals = _records(work)
    compact = sum(record.form == "compact" for record in records)
    said = f"would forward {len(records)} to {_name(work.params.target)}"
    said += f" ({compact} in compact form)" if compact else ""
    return line(said + (f"; {len(refusals)} are too large" if refusals else ""))


def permissions(
    with_: Mapping[str, Any], _connections: Mapping[str, Mapping[str, Any]]
) -> list[Statement]:
    """Writing to this target, and using its key."""
    arn = str(with_.get("target", ""))
    service = arn.split(":")[2] if arn.count(":") >= 5 else ""  # noqa: PLR2004 - an ARN's parts
    if not service:
        every = sorted({one for actions in _ALLOWED.values() for one in actions})
        return [{"Effect": "Allow", "Action": every, "Resource": ["*"]}]
    resource = arn.rstrip("/") + "/*" if service == "s3" else arn
    statements = [{"Effect": "Allow", "Action": _ALLOWED[service], "Resource": [resource]}]
    if with_.get("kms_key"):
        uses = ["kms:Decrypt", "kms:GenerateDataKey"]
        statements.append({"Effect": "Allow", "Action": uses, "Resource": [with_["kms_key"]]})
    return list(statements)


_ALLOWED = {
    "s3": ["s3:PutObject"],
    "kinesis": ["kinesis:PutRecords"],
    "sns": ["sns:Publish"],
    "sqs": ["sqs:GetQueueUrl", "sqs:SendMessage"],
}

ACTION = Action(
    name="forward",
    summary="Sends the findings as they came to a bucket, stream, topic or queue.",
    effects=True,
    params=Params,
    result=Result,
    permissions=permissions,
    example="- {uses: forward, with: {target: arn:aws:s3:::example-findings/security-hub}}",
    run=run,
    constants=("target", "kms_key"),
    plan=plan,
)

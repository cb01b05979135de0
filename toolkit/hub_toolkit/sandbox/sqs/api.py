"""The operations of the SQS API, from the parameters of a request to the members of its answer.

Shapes are those of the Amazon SQS API reference (API version 2012-11-05).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.sqs import attributes as settings
from hub_toolkit.sandbox.sqs.errors import SqsError, bad_value, missing, no_such_queue
from hub_toolkit.sandbox.sqs.message import (
    Attribute,
    Message,
    decode_attributes,
    md5_of_attributes,
    size,
)

if TYPE_CHECKING:
    from hub_toolkit.sandbox.sqs.queue import Queue
    from hub_toolkit.sandbox.sqs.queues import Queues

Params = Mapping[str, Any]
Operation = Callable[["Queues", Params], dict[str, Any]]

ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
MAX_ENTRIES = 10
MAX_RESULTS = 1000
MAX_TAGS = 50


def handle(queues: Queues, action: str, params: Params) -> dict[str, Any]:
    """Carry out ``action``.

    Raises:
        SqsError: it is refused, or not one of the operations here.
    """
    operation = OPERATIONS.get(action)
    if operation is None:
        raise SqsError(
            "InvalidAction", f"The action {action[:100]} is not valid for this endpoint."
        )
    return operation(queues, params)


def create_queue(queues: Queues, params: Params) -> dict[str, Any]:
    url = queues.create(
        _text(params, "QueueName"), _mapping(params, "Attributes"), _mapping(params, "tags")
    )
    return {"QueueUrl": url}


def get_queue_url(queues: Queues, params: Params) -> dict[str, Any]:
    name = _text(params, "QueueName")
    if params.get("QueueOwnerAWSAccountId", queues.account) != queues.account:
        raise no_such_queue()
    return {"QueueUrl": queues.find(f"/{queues.account}/{name}").url}


def list_queues(queues: Queues, params: Params) -> dict[str, Any]:
    prefix = str(params.get("QueueNamePrefix") or "")
    return _page([q for q in queues.all() if q.name.startswith(prefix)], params, "QueueUrls")


def list_dead_letter_source_queues(queues: Queues, params: Params) -> dict[str, Any]:
    return _page(queues.sources(_url(params)), params, "queueUrls")


def delete_queue(queues: Queues, params: Params) -> dict[str, Any]:
    queues.drop(_url(params))
    return {}


def purge_queue(queues: Queues, params: Params) -> dict[str, Any]:
    queues.purge(_url(params))
    return {}


def set_queue_attributes(queues: Queues, params: Params) -> dict[str, Any]:
    queues.configure(_url(params), _mapping(params, "Attributes"))
    return {}


def get_queue_attributes(queues: Queues, params: Params) -> dict[str, Any]:
    queue = queues.find(_url(params))
    wanted = _texts(params, "AttributeNames")
    for name in wanted:
        if name not in settings.NAMES:
            raise SqsError("InvalidAttributeName", f"Unknown Attribute {name[:100]}.")
    depth = queues.depth(queue.url)
    every = {
        **queue.attributes,
        "QueueArn": queue.arn,
        "ApproximateNumberOfMessages": str(depth.visible),
        "ApproximateNumberOfMessagesNotVisible": str(depth.in_flight),
        "ApproximateNumberOfMessagesDelayed": str(depth.delayed),
        "CreatedTimestamp": str(int(queue.created)),
        "LastModifiedTimestamp": str(int(queue.modified)),
    }
    chosen = {name: value for name, value in every.items() if name in wanted or "All" in wanted}
    return {"Attributes": chosen} if chosen else {}


def tag_queue(queues: Queues, params: Params) -> dict[str, Any]:
    queue = queues.find(_url(params))
    tags = {**queue.tags, **{str(k): str(v) for k, v in _mapping(params, "Tags").items()}}
    if len(tags) > MAX_TAGS:
        raise bad_value(len(tags), "Tags", f"A queue can have {MAX_TAGS} tags.")
    queue.tags = tags
    return {}


def untag_queue(queues: Queues, params: Params) -> dict[str, Any]:
    queue = queues.find(_url(params))
    gone = _texts(params, "TagKeys")
    queue.tags = {key: value for key, value in queue.tags.items() if key not in gone}
    return {}


def list_queue_tags(queues: Queues, params: Params) -> dict[str, Any]:
    tags = queues.find(_url(params)).tags
    return {"Tags": tags} if tags else {}


def send_message(queues: Queues, params: Params) -> dict[str, Any]:
    return _send(queues, _url(params), params)


def send_message_batch(queues: Queues, params: Params) -> dict[str, Any]:
    entries = _entries(params)
    total = sum(
        size(str(entry.get("MessageBody", "")), _attributes_or_none(entry)) for entry in entries
    )
    if total > settings.MAX_MESSAGE:
        raise SqsError(
            "BatchRequestTooLong",
            f"Batch requests cannot be longer than {settings.MAX_MESSAGE} bytes."
            f" You have sent {total} bytes.",
        )
    url = _url(params)
    return _batch(entries, lambda entry: _send(queues, url, entry))


def receive_message(queues: Queues, params: Params) -> dict[str, Any]:
    queue = queues.find(_url(params))
    count = _integer(params, "MaxNumberOfMessages", 1, 10, 1)
    low, high = settings.RANGES["VisibilityTimeout"]
    visibility = _integer(params, "VisibilityTimeout", low, high, None)
    default_wait = queue.number("ReceiveMessageWaitTimeSeconds")
    wait = _integer(params, "WaitTimeSeconds", 0, 20, default_wait) or 0
    system = {
        *_texts(params, "MessageSystemAttributeNames"),
        *_texts(params, "AttributeNames"),
    }
    names = _texts(params, "MessageAttributeNames")
    received = queues.poll(queue.url, count or 1, visibility, wait)
    if not received:
        return {}
    return {"Messages": [_received(m, queues.account, system, names) for m in received]}


def delete_message(queues: Queues, params: Params) -> dict[str, Any]:
    queues.delete(_url(params), _text(params, "ReceiptHandle"))
    return {}


def delete_message_batch(queues: Queues, params: Params) -> dict[str, Any]:
    url = _url(params)
    queues.find(url)

    def delete(entry: Params) -> dict[str, Any]:
        queues.delete(url, _text(entry, "ReceiptHandle"))
        return {}

    return _batch(_entries(params), delete)


def change_message_visibility(queues: Queues, params: Params) -> dict[str, Any]:
    _release(queues, _url(params), params)
    return {}


def change_message_visibility_batch(queues: Queues, params: Params) -> dict[str, Any]:
    url = _url(params)
    queues.find(url)
    return _batch(_entries(params), lambda entry: _release(queues, url, entry))


OPERATIONS: dict[str, Operation] = {
    "CreateQueue": create_queue,
    "GetQueueUrl": get_queue_url,
    "ListQueues": list_queues,
    "ListDeadLetterSourceQueues": list_dead_letter_source_queues,
    "DeleteQueue": delete_queue,
    "PurgeQueue": purge_queue,
    "SetQueueAttributes": set_queue_attributes,
    "GetQueueAttributes": get_queue_attributes,
    "TagQueue": tag_queue,
    "UntagQueue": untag_queue,
    "ListQueueTags": list_queue_tags,
    "SendMessage": send_message,
    "SendMessageBatch": send_message_batch,
    "ReceiveMessage": receive_message,
    "DeleteMessage": delete_message,
    "DeleteMessageBatch": delete_message_batch,
    "ChangeMessageVisibility": change_message_visibility,
    "ChangeMessageVisibilityBatch": change_message_visibility_batch,
}


def _send(queues: Queues, url: str, params: Params) -> dict[str, Any]:
    low, high = settings.RANGES["DelaySeconds"]
    system = decode_attributes(params.get("MessageSystemAttributes"))
    if set(system) - {"AWSTraceHeader"}:
        raise bad_value(
            sorted(system), "MessageSystemAttributes", "Only AWSTraceHeader can be sent."
        )
    trace = system.get("AWSTraceHeader")
    message = queues.send(
        url,
        _text(params, "MessageBody"),
        _mapping(params, "MessageAttributes"),
        _integer(params, "DelaySeconds", low, high, None),
        trace_header=str(trace.value) if trace else "",
    )
    answer = {"MessageId": message.id, "MD5OfMessageBody": message.md5}
    if message.attributes:
        answer["MD5OfMessageAttributes"] = md5_of_attributes(message.attributes)
    if system:
        answer["MD5OfMessageSystemAttributes"] = md5_of_attributes(system)
    return answer


def _release(queues: Queues, url: str, params: Params) -> dict[str, Any]:
    low, high = settings.RANGES["VisibilityTimeout"]
    visibility = _integer(params, "VisibilityTimeout", low, high, None)
    if visibility is None:
        raise missing("VisibilityTimeout")
    queues.release(url, _text(params, "ReceiptHandle"), visibility)
    return {}


def _received(message: Message, account: str, system: set[str], names: list[str]) -> dict[str, Any]:
    every = message.system_attributes(account)
    shown = {k: v for k, v in every.items() if k in system or "All" in system}
    attributes = {k: v for k, v in message.attributes.items() if _is_wanted(k, names)}
    answer: dict[str, Any] = {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "MD5OfBody": message.md5,
        "Body": message.body,
    }
    if shown:
        answer["Attributes"] = shown
    if attributes:
        answer["MD5OfMessageAttributes"] = md5_of_attributes(attributes)
        answer["MessageAttributes"] = {k: v.encode() for k, v in attributes.items()}
    return answer


def _is_wanted(name: str, wanted: list[str]) -> bool:
    return any(
        pattern in {"All", ".*", name}
        or (pattern.endswith(".*") and name.startswith(pattern.removesuffix(".*")))
        for pattern in wanted
    )


def _batch(entries: list[Params], act: Callable[[Params], dict[str, Any]]) -> dict[str, Any]:
    """Act on each entry; those that fail are named in the answer and stop no other."""
    successful: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for entry in entries:
        try:
            successful.append({"Id": entry["Id"], **act(entry)})
        except SqsError as error:
            if error.name == "QueueDoesNotExist":
                raise
            failed.append(
                {
                    "Id": entry["Id"],
                    "SenderFault": True,
                    "Code": error.query_code,
                    "Message": error.message,
                }
            )
    answer: dict[str, Any] = {"Successful": successful}
    return {**answer, "Failed": failed} if failed else answer


def _entries(params: Params) -> list[Params]:
    entries = params.get("Entries")
    if not isinstance(entries, list) or not entries:
        raise SqsError("EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > MAX_ENTRIES:
        raise SqsError(
            "TooManyEntriesInBatchRequest",
            f"Maximum number of entries per request are {MAX_ENTRIES}."
            f" You have sent {len(entries)}.",
        )
    ids = [entry.get("Id") if isinstance(entry, Mapping) else None for entry in entries]
    for entry_id in ids:
        if not isinstance(entry_id, str) or not ENTRY_ID.fullmatch(entry_id):
            raise SqsError(
                "InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and"
                " underscores. It can be at most 80 letters long.",
            )
    if len(set(ids)) < len(ids):
        raise SqsError("BatchEntryIdsNotDistinct", "Two or more batch entries have the same Id.")
    return entries


def _attributes_or_none(entry: Params) -> dict[str, Attribute]:
    """The entry's attributes for the sum of sizes; wrong ones fail with their entry later."""
    try:
        return decode_attributes(entry.get("MessageAttributes"))
    except SqsError:
        return {}


def _page(found: list[Queue], params: Params, key: str) -> dict[str, Any]:
    limit = _integer(params, "MaxResults", 1, MAX_RESULTS, None)
    after = _after(params.get("NextToken"))
    rest = [queue for queue in found if queue.name > after]
    page = rest[: limit or MAX_RESULTS]
    answer: dict[str, Any] = {key: [queue.url for queue in page]} if page else {}
    if limit and len(rest) > limit:
        answer["NextToken"] = base64.b64encode(page[-1].name.encode()).decode()
    return answer


def _after(token: object) -> str:
    if not token:
        return ""
    try:
        return base64.b64decode(str(token), validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise bad_value(token, "NextToken", "Invalid or expired next token.") from error


def _url(params: Params) -> str:
    return _text(params, "QueueUrl")


def _text(params: Params, key: str) -> str:
    value = params.get(key)
    if not isinstance(value, str) or not value:
        raise missing(key)
    return value


def _texts(params: Params, key: str) -> list[str]:
    value = params.get(key) or []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise bad_value(value, key, "It is not a list of texts.")
    return value


def _mapping(params: Params, key: str) -> Mapping[str, Any]:
    value = params.get(key) or {}
    if not isinstance(value, Mapping):
        raise bad_value(value, key, "It is not an object.")
    return value


def _integer(params: Params, key: str, low: int, high: int, default: int | None) -> int | None:
    value = params.get(key)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise bad_value(value, key, f"Must be between {low} and {high}, if provided.")
    return value

"""Messages, their attributes, and the MD5 sums that clients check.

Limits are those of the SQS developer guide, "Amazon SQS message quotas".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from hub_toolkit.sandbox.sqs.errors import SqsError, bad_value, missing

MAX_ATTRIBUTES = 10
NAME = re.compile(r"(?!AWS\.|Amazon\.)(?!\.)(?!.*\.\.)[A-Za-z0-9_.-]{1,256}(?<!\.)", re.IGNORECASE)
DATA_TYPE = re.compile(r"(String|Number|Binary)(\..{1,249})?")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
REFUSED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that a body may not hold ("MessageBody" in the SendMessage reference)."""

NO_ATTRIBUTES: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Attribute:
    """A message attribute.

    Attributes:
        data_type: ``String``, ``Number`` or ``Binary``, with a label of one's own after a dot.
        value: text, or bytes where the type is Binary.
    """

    data_type: str
    value: str | bytes

    @classmethod
    def decode(cls, name: str, raw: object) -> Self:
        """From the shape of the JSON API: ``{"DataType": ..., "StringValue": ...}``.

        Raises:
            SqsError: the name, type or value is not allowed.
        """
        if not NAME.fullmatch(name):
            raise bad_value(name, "MessageAttributes", "The attribute name is not valid.")
        if not isinstance(raw, Mapping):
            raise bad_value(name, "MessageAttributes", "The attribute is not an object.")
        data_type = raw.get("DataType")
        if not isinstance(data_type, str) or not DATA_TYPE.fullmatch(data_type):
            raise bad_value(
                name, "MessageAttributes", "DataType must begin with String, Number or Binary."
            )
        binary = data_type.startswith("Binary")
        value = _value(name, raw.get("BinaryValue" if binary else "StringValue"), binary=binary)
        if data_type.startswith("Number") and not NUMBER.fullmatch(str(value)):
            raise bad_value(name, "MessageAttributes", "The value is not a number.")
        return cls(data_type, value)

    @property
    def octets(self) -> bytes:
        """The value as bytes."""
        return self.value if isinstance(self.value, bytes) else self.value.encode()

    def encode(self) -> dict[str, str]:
        """The shape of the JSON API."""
        if isinstance(self.value, bytes):
            return {
                "DataType": self.data_type,
                "BinaryValue": base64.b64encode(self.value).decode(),
            }
        return {"DataType": self.data_type, "StringValue": self.value}


@dataclass(frozen=True, slots=True)
class Message:
    """A message as its queue holds it, or as it was received.

    Attributes:
        id: stays the same when the message moves to a dead-letter queue.
        body: the text.
        md5: of the body, hexadecimal.
        sent: simulated epoch seconds.
        attributes: what the sender added.
        trace_header: the system attribute ``AWSTraceHeader``, or an empty string.
        receive_count: how often it was received, this time included.
        first_received: simulated epoch seconds; 0 before.
        receipt: the handle of this receive, or of the last.
        source: ARN of the queue it was moved from when its receives were used up.
    """

    id: str
    body: str
    md5: str
    sent: float
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    trace_header: str = ""
    receive_count: int = 0
    first_received: float = 0.0
    receipt: str = ""
    source: str = ""

    def system_attributes(self, sender: str) -> dict[str, str]:
        """The attributes that SQS itself gives to a received message."""
        attributes = {
            "SenderId": sender,
            "SentTimestamp": _milliseconds(self.sent),
            "ApproximateReceiveCount": str(self.receive_count),
            "ApproximateFirstReceiveTimestamp": _milliseconds(self.first_received),
        }
        if self.trace_header:
            attributes["AWSTraceHeader"] = self.trace_header
        if self.source:
            attributes["DeadLetterQueueSourceArn"] = self.source
        return attributes


def decode_attributes(raw: object) -> dict[str, Attribute]:
    """The attributes of a SendMessage request.

    Raises:
        SqsError: there are too many, or one is not allowed.
    """
    if not raw:
        return {}
    if not isinstance(raw, Mapping):
        raise bad_value(raw, "MessageAttributes", "It is not an object.")
    if len(raw) > MAX_ATTRIBUTES:
        raise bad_value(
            len(raw), "MessageAttributes", f"A message can have {MAX_ATTRIBUTES} attributes."
        )
    return {str(name): Attribute.decode(str(name), value) for name, value in raw.items()}


def check_body(body: object, attributes: Mapping[str, Attribute], limit: int) -> str:
    """The body, if a queue whose largest message has ``limit`` bytes takes it.

    Raises:
        SqsError: it is empty, too long together with the attributes, or holds characters that
            SQS refuses.
    """
    if not isinstance(body, str) or not body:
        raise missing("MessageBody")
    if refused := REFUSED.search(body):
        raise SqsError(
            "InvalidMessageContents",
            f"Invalid binary character '#x{ord(refused.group()):X}' was found in the message body,"
            " the set of allowed characters is #x9 | #xA | #xD | #x20 to #xD7FF |"
            " #xE000 to #xFFFD | #x10000 to #x10FFFF",
        )
    if size(body, attributes) > limit:
        raise SqsError(
            "InvalidParameterValueException",
            "One or more parameters are invalid. "
            f"Reason: Message must be shorter than {limit} bytes.",
        )
    return body


def size(body: str, attributes: Mapping[str, Attribute]) -> int:
    """What counts towards the limit on a message, in bytes."""
    return len(body.encode()) + sum(
        len(name.encode()) + len(attribute.data_type.encode()) + len(attribute.octets)
        for name, attribute in attributes.items()
    )


def md5(text: str) -> str:
    """The MD5 sum of a body."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def md5_of_attributes(attributes: Mapping[str, Attribute]) -> str:
    """The MD5 sum of message attributes.

    As in the SQS developer guide, "Calculating the MD5 message digest for message attributes".
    """
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        attribute = attributes[name]
        for part in (name.encode(), attribute.data_type.encode()):
            digest.update(struct.pack("!I", len(part)) + part)
        transport = b"\x02" if isinstance(attribute.value, bytes) else b"\x01"
        octets = attribute.octets
        digest.update(transport + struct.pack("!I", len(octets)) + octets)
    return digest.hexdigest()


def _value(name: str, value: object, *, binary: bool) -> str | bytes:
    if not isinstance(value, str) or not value:
        raise bad_value(name, "MessageAttributes", "The attribute must have a value of its type.")
    if binary:
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise bad_value(name, "MessageAttributes", "The value is not base64.") from error
    if REFUSED.search(value):
        raise bad_value(name, "MessageAttributes", "The value holds characters that are refused.")
    return value


def _milliseconds(at: float) -> str:
    return str(int(at * 1000))

"""What the responder does to people and their programs through AWS services.

SNS messages, e-mail, OpsItems, functions and state machines that it starts, commands on instances,
findings that it forwards: they show up in the inbox, OpsItems also among the tickets, like any
vendor's.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Set
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import msgspec

from hub_toolkit.sandbox import mail, ses
from hub_toolkit.sandbox.opscenter import DECLINED, DONE

if TYPE_CHECKING:
    from hub_toolkit.sandbox.aws_app import Call, Performed
    from hub_toolkit.sandbox.inbox import Inbox
    from hub_toolkit.sandbox.opscenter import OpsCenter
    from hub_toolkit.sandbox.simulators import Simulators

_OPSCENTER = frozenset({"ssm.CreateOpsItem", "ssm.UpdateOpsItem"})
_SNS = frozenset({"sns.Publish", "sns.PublishBatch"})
_SYSTEMS = {
    **dict.fromkeys(_OPSCENTER, "opscenter"),
    **dict.fromkeys(_SNS, "sns"),
    "ses.SendEmail": "ses",
    "securityhub.CreateTicketV2": "security_hub",
    "kinesis.PutRecords": "kinesis",
    "lambda.Invoke": "lambda",
    "s3.PutObject": "s3",
    "sqs.SendMessageBatch": "sqs",
    "ssm.SendCommand": "ssm",
    "states.StartExecution": "stepfunctions",
}
_PATHS = frozenset({"lambda", "s3"})
"""Systems whose requests say in the path what they are about."""


class AwsEffects:
    """Keeps the effects of AWS calls in the inbox.

    Args:
        simulators: know the names of the connections of type sns and opscenter.
        outside: names of the queues that are not the responder's own.
        state: names of the buckets that hold the responder's own state: nobody else gets that.
    """

    def __init__(
        self,
        inbox: Inbox,
        simulators: Simulators,
        outside: frozenset[str] = frozenset(),
        state: Set[str] = frozenset(),
    ) -> None:
        self._state = state
        self._inbox = inbox
        self._simulators = simulators
        self._outside = outside

    def targets(self, call: Call) -> tuple[str, ...]:
        """How faults may name a call, beside ``SERVICE.Operation``."""
        if call.target in _OPSCENTER:
            return ("opscenter", self._simulators.name_of("opscenter", "opscenter"))
        if call.target == "securityhub.CreateTicketV2":
            return (self._simulators.name_of("security_hub", "security_hub"),)
        if call.service == "ses":
            return (self._simulators.name_of("ses", "ses"),)
        if call.target in _SNS:
            return (self._simulators.name_of("sns", "sns"),)
        return ()

    def performed(self, done: Performed) -> None:
        """Keep a request that changes something for people."""
        system = _SYSTEMS.get(done.call.target)
        if system is None or (system == "sqs" and _queue(done) not in self._outside):
            return
        if system == "s3" and done.path.split("/")[1] in self._state:
            return
        body = _mail(done.body) if system == "ses" else _body(done)
        self._inbox.add(
            system=system,
            connection=self._connection(system, done, body),
            method="PUT" if system == "s3" else "POST",
            path=done.path if system in _PATHS else f"/{done.call.operation}",
            body=msgspec.json.encode(body),
            status=done.status,
            refused=done.refused,
        )

    def _connection(self, system: str, done: Performed, body: Any) -> str:
        if system == "sns":
            return self._simulators.name_of_topic(_topic(done))
        if system == "ses":
            return self._simulators.name_of_mailer(body.get("from", ""), body.get("to", ()))
        return self._simulators.name_of(system, system)


def _mail(body: bytes) -> dict[str, Any]:
    """The message in a request to SES, or the request where it holds none."""
    try:
        return ses.shown(body)
    except mail.MailError:
        request = _parsed(body)
        return request if isinstance(request, dict) else {"body": request}


def _body(done: Performed) -> Any:
    """The request as JSON; a message that is JSON itself is shown parsed."""
    request: dict[str, Any]
    if done.form:
        fields = parse_qs(done.body.decode("utf-8", "replace"), keep_blank_values=True)
        request = {key: values[0] for key, values in fields.items()}
    else:
        request = _parsed(done.body)
    if isinstance(request, dict):
        request = {key: _shown(key, value) for key, value in request.items()}
    return request


def _shown(key: str, value: Any) -> Any:
    """A part of a request, with the JSON that messages and records carry shown parsed."""
    if key in {"Message", "MessageBody", "input"} and isinstance(value, str):
        return _parsed(value)
    if key == "Data" and isinstance(value, str):
        try:
            return _parsed(base64.b64decode(value, validate=True))
        except binascii.Error:
            return value
    if key in {"Entries", "Records"} and isinstance(value, list):
        return [
            {name: _shown(name, held) for name, held in one.items()}
            for one in value
            if isinstance(one, dict)
        ]
    return value


def _topic(done: Performed) -> str:
    """The ARN of the topic that a message goes to; SNS takes forms."""
    return parse_qs(done.body.decode("utf-8", "replace")).get("TopicArn", [""])[0]


def _queue(done: Performed) -> str:
    """The name of the queue that a message goes to."""
    request = _parsed(done.body)
    url = request.get("QueueUrl") if isinstance(request, dict) else ""
    return str(url).rsplit("/", 1)[-1]


def _parsed(text: str | bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text if isinstance(text, str) else text.decode("utf-8", "replace")


class OpsItems:
    """OpsCenter as one of the sandbox's ticket systems."""

    def __init__(self, center: OpsCenter) -> None:
        self._center = center

    def tickets(self) -> list[dict[str, Any]]:
        """All OpsItems as tickets."""
        return [_ticket(item) for item in self._center.items()]

    def decide(self, ticket: str, state: str) -> None:
        """What a person decides, as `OpsCenter.decide`."""
        self._center.decide(ticket, state)


def _state(item: dict[str, Any]) -> str:
    if item["Status"] not in DONE:
        return "open"
    return "declined" if DECLINED in item["OperationalData"] else "done"


def _ticket(item: dict[str, Any]) -> dict[str, Any]:
    data = item.get("OperationalData", {})
    labels = [str(held.get("Value", "")) for key, held in data.items() if key == "/aws/dedup"]
    return {
        "id": item["OpsItemId"],
        "url": "",
        "summary": item["Title"],
        "status": item["Status"],
        "state": _state(item),
        "labels": labels,
        "comments": [],
        "body": item["Description"],
    }

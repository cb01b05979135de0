"""What people and services did to the responder itself, as CloudTrail tells it through EventBridge.

A change of its rules, functions, queues, keys, tables or buckets is a record of its own, with the
event kept beside it. Reads of the archive come by the thousand where somebody verifies it: those of
one principal in one batch are one record that counts them.

An event names who called: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from hub_responder import strictjson
from hub_responder.errors import UnreadableEvent
from hub_responder.markdown.characters import clean, one_line, shorten

_SHOWN = 200
_NAMED = (
    "functionName",
    "queueUrl",
    "tableName",
    "bucketName",
    "topicArn",
    "keyId",
    "name",
    "rule",
    "uuid",
)
"""Members of ``requestParameters`` that name what was called upon, the most telling first."""


def read(body: str) -> Mapping[str, Any]:
    """The event of a message.

    Raises:
        UnreadableEvent: it is none.
    """
    event = strictjson.parse(body.encode("utf-8", "replace"))
    if not isinstance(event, dict) or not isinstance(event.get("detail"), dict):
        raise UnreadableEvent("no event of CloudTrail")
    return event


def records(events: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The kinds and fields of the records that tell of ``events``."""
    reads: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for event in events:
        detail = event["detail"]
        if detail.get("readOnly") is True:
            group = (who(detail), _text(detail, "eventName"), _item(detail), _error(detail))
            reads.setdefault(group, []).append(event)
        else:
            yield "cloudtrail", _change(event)
    for (_, operation, item, error), some in reads.items():
        keys = sorted({_text(_mapping(one["detail"], "requestParameters"), "key") for one in some})
        told = f"{operation} {len(some)} times on {item}: {', '.join(filter(None, keys))}"
        yield "read", {**_fields(some[0]), "count": len(some), "detail": _line(told, error)}


def who(detail: Mapping[str, Any]) -> str:
    """The ARN of who called; of a service its name."""
    identity = _mapping(detail, "userIdentity")
    named = (identity.get(name) for name in ("arn", "invokedBy", "principalId", "type"))
    return _short(next((one for one in named if isinstance(one, str) and one), "not told"))


def _change(event: Mapping[str, Any]) -> dict[str, Any]:
    detail = event["detail"]
    text = msgspec.json.encode(detail).decode()
    told = f"{_text(detail, 'eventName')} on {_item(detail)}"
    return {
        **_fields(event),
        "detail": _line(told, _error(detail)),
        "inputs": sha256(msgspec.json.encode(detail.get("requestParameters"))).hexdigest(),
        "texts": {"records": {_text(detail, "eventID") or "event": text}},
    }


def _fields(event: Mapping[str, Any]) -> dict[str, Any]:
    detail = event["detail"]
    account, region = _text(detail, "recipientAccountId"), _text(detail, "awsRegion")
    trigger = {
        "kind": "cloudtrail",
        "event_id": _text(detail, "eventID"),
        "account": account,
        "region": region,
        "at": _text(detail, "eventTime"),
    }
    error = _error(detail)
    return {
        "actor": who(detail),
        "uses": _text(detail, "eventName"),
        "trigger": {name: value for name, value in trigger.items() if value},
        "source": _source(detail),
        "target": {"account": account, "region": region, "resource": _item(detail)},
        "status": "failed" if error else "done",
        "error": error,
    }


def _source(detail: Mapping[str, Any]) -> dict[str, str]:
    service, _, _ = _text(detail, "eventSource").partition(".")
    source = {"operation": _text(detail, "eventName"), "service": service}
    address = _text(detail, "sourceIPAddress")
    try:
        ipaddress.ip_address(address)
    except ValueError:  # a service's name, where one calls on somebody's behalf
        return {**source, "endpoint": address or "not told"}
    return {**source, "endpoint": address, "ip": address}


def _item(detail: Mapping[str, Any]) -> str:
    """What was called upon."""
    parameters = _mapping(detail, "requestParameters")
    told = {**{name.lower(): value for name, value in parameters.items()}, **parameters}
    for name in _NAMED:
        if text := _text(told, name):
            return text
    listed = detail.get("resources")
    first = listed[0] if isinstance(listed, list) and listed else {}
    return _text(first, "ARN") if isinstance(first, dict) else ""


def _error(detail: Mapping[str, Any]) -> str:
    return _text(detail, "errorCode")


def _line(told: str, error: str) -> str:
    return shorten(f"{told}: {error}" if error else told, 300)


def _mapping(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    held = value.get(name)
    return held if isinstance(held, dict) else {}


def _text(value: Mapping[str, Any], name: str) -> str:
    held = value.get(name)
    return _short(held) if isinstance(held, str) else ""


def _short(text: str) -> str:
    return shorten(one_line(clean(text)), _SHOWN)

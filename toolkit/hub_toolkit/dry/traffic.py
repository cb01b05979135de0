"""What left the responder: every request, and the text of what people would see of it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from hub_responder.actions import notify
from hub_responder.errors import HubResponderError
from hub_responder.tickets import registry

BOOKKEEPING = frozenset({"dynamodb", "sqs", "secretsmanager", "sts"})
"""AWS services whose calls keep the responder's own state or credentials: counted, not listed."""
SNAPSHOT = "s3.GetObject"
"""The one call to read from S3: of the fleet's snapshot, which is the responder's own state too."""
TICKET_SYSTEMS = frozenset(registry.KINDS)
MESSAGE_SYSTEMS = frozenset(notify.KINDS) - {"slack_webhook", "webhook"}
"""As the inbox names them: Slack's bot and webhooks are one system. A program of one's own
gets more than messages."""
Kind = Literal["message", "update", "ticket", "request"]

_LINK = re.compile(r"<([^|<>\s]+)\|([^<>]*)>")
_BOLD = re.compile(r"(?<!\w)(\*{1,2})(?=\S)([^*\n]+?)(?<=\S)\1(?!\w)")
_MARKUP = frozenset({"mrkdwn", "plain_text"})


class Call(msgspec.Struct, frozen=True):
    """One request.

    Attributes:
        playbook: whose function sent it.
        system: ``aws``, or the type of the connection (``slack``, ``jira``).
        connection: the connection's name; of AWS calls the operation, as ``sns.Publish``.
        method, path: of HTTP; the query and the secret part of a webhook are not kept.
        body: JSON, the fields of a form, or text; credentials are masked.
        status: what was answered.
        effect: it changed something outside.
    """

    playbook: str
    system: str
    connection: str
    method: str
    path: str
    body: Any
    status: int
    effect: bool

    @property
    def bookkeeping(self) -> bool:
        """It only serves the responder itself."""
        service = self.connection.partition(".")[0]
        return self.system == "aws" and (service in BOOKKEEPING or self.connection == SNAPSHOT)


class Delivery(msgspec.Struct, frozen=True):
    """Something that a person or another system would have got.

    Attributes:
        kind: message, update (of a message that was sent before), ticket (opened, commented on or
            changed), or request (to a program: a call, a function, something forwarded).
        text: what people read, without markup. body: exactly what was sent.
    """

    playbook: str
    kind: Kind
    system: str
    connection: str
    method: str
    path: str
    text: str
    body: Any


def delivery(playbook: str, entry: Mapping[str, Any]) -> Delivery:
    """From an entry of the sandbox's inbox."""
    system = str(entry["system"])
    return Delivery(
        playbook=playbook,
        kind=_kind(system, str(entry["path"]), entry["body"]),
        system=system,
        connection=str(entry["connection"]),
        method=str(entry["method"]),
        path=str(entry["path"]),
        text=text_of(system, entry["body"]),
        body=entry["body"],
    )


def _kind(system: str, path: str, body: Any) -> Kind:
    if system in TICKET_SYSTEMS:
        return "ticket"
    if path.endswith("/chat.update"):
        return "update"
    is_message = system in MESSAGE_SYSTEMS or (system == "webhook" and _rendering(body))
    return "message" if is_message else "request"


def _rendering(body: Any) -> Mapping[str, Any]:
    """The text for people in what a program of one's own gets; nothing where it was called."""
    message = body.get("message") if isinstance(body, Mapping) else None
    return message if isinstance(message, Mapping) and "markdown" in message else {}


def text_of(system: str, body: Any) -> str:
    """What people read of a payload; what programs get stays JSON."""
    if isinstance(body, Mapping) and system in _MARKED_UP:
        parts = map(_plain, _MARKED_UP[system](body))
    elif isinstance(body, Mapping) and system in _BARE:
        parts = map(str, _BARE[system](body))
    else:
        return body if isinstance(body, str) else msgspec.json.encode(body).decode()
    return "\n".join(part for part in parts if part)


def _slack(body: Mapping[str, Any]) -> Iterator[str]:
    blocks = body.get("blocks")
    if not isinstance(blocks, list):
        yield str(body.get("text", ""))
        return
    for block in blocks:
        yield from _texts(block)


def _sns(body: Mapping[str, Any]) -> Iterator[str]:
    message = body.get("Message")
    content = message.get("content") if isinstance(message, Mapping) else None
    if isinstance(content, Mapping):
        yield str(content.get("title", ""))
        yield str(content.get("description", ""))
    else:
        yield str(body.get("Subject", ""))
        yield message if isinstance(message, str) else "\n".join(_texts(message))


def _teams(body: Mapping[str, Any]) -> Iterator[str]:
    from hub_toolkit.sandbox.vendors.teams import cards

    yield from cards.texts(body)


def _pagerduty(body: Mapping[str, Any]) -> Iterator[str]:
    payload = body.get("payload")
    if not isinstance(payload, Mapping):
        yield f"{body.get('event_action', '')} {body.get('dedup_key', '')}"
        return
    yield str(payload.get("summary", ""))
    details = payload.get("custom_details")
    for name, value in details.items() if isinstance(details, Mapping) else ():
        if isinstance(value, str):
            yield value if name == "message" else f"{name}: {value}"
    for link in body.get("links", ()):
        yield f"{link.get('text', '')} ({link.get('href', '')})"


def _opscenter(body: Mapping[str, Any]) -> Iterator[str]:
    for name in ("Title", "Description"):
        if name in body or "OpsItemId" not in body:
            yield str(body.get(name, ""))
    for name in ("Status", "Priority", "RelatedOpsItems"):
        if name in body and "OpsItemId" in body:
            yield f"{name}: {msgspec.json.encode(body[name]).decode()}"


def _github(body: Mapping[str, Any]) -> Iterator[str]:
    yield str(body.get("title", ""))
    yield str(body.get("body", ""))
    if "state" in body:
        yield f"{body['state']} ({body.get('state_reason') or '-'})"
    elif "title" not in body and "labels" in body:
        yield ", ".join(map(str, body["labels"]))


def _servicenow(body: Mapping[str, Any]) -> Iterator[str]:
    for name in ("short_description", "description", "work_notes"):
        yield str(body.get(name, ""))


def _jira(body: Mapping[str, Any]) -> Iterator[str]:
    from hub_toolkit.sandbox.vendors.jira import adf, wiki

    fields = body.get("fields", body)
    if not isinstance(fields, Mapping):
        return
    yield str(fields.get("summary", ""))
    for name in ("description", "body"):
        document = fields.get(name)
        if isinstance(document, Mapping):
            yield adf.plain(dict(document))
        elif isinstance(document, str):
            yield wiki.plain(document)


def _mail(body: Mapping[str, Any]) -> Iterator[str]:
    yield str(body.get("subject", ""))
    yield str(body.get("text", ""))


def _webhook(body: Mapping[str, Any]) -> Iterator[str]:
    message = _rendering(body)
    yield str(message["text"]) if message else msgspec.json.encode(body).decode()


_MARKED_UP = {
    "slack": _slack,
    "sns": _sns,
    "opscenter": _opscenter,
    "jira": _jira,
    "github": _github,
}
_BARE = {
    "jira_data_center": _jira,
    "pagerduty": _pagerduty,
    "ses": _mail,
    "smtp": _mail,
    "teams": _teams,
    "webhook": _webhook,
}
"""Which parts of a payload people read, by system: with the markup of the chat, and without."""


def _texts(value: Any) -> Iterator[str]:
    """Every text for people below ``value``: of Slack's, those that are text objects."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, Mapping):
        if value.get("type") in _MARKUP:
            yield str(value.get("text", ""))
            return
        for key, item in value.items():
            if isinstance(item, Mapping | list) or key in ("text", "title", "summary"):
                yield from _texts(item)


def _plain(text: str) -> str:
    shown = _LINK.sub(r"\2 (\1)", text)
    return _BOLD.sub(r"\2", html.unescape(shown)).strip()


def finding_of(raw: Mapping[str, Any]) -> str:
    """The id of a finding in either schema, or empty."""
    from hub_responder.events import decode_finding

    try:
        return decode_finding(dict(raw)).id
    except HubResponderError:
        return ""

"""How large a payload is against what its target takes, and what of the message was shortened."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder.markdown import adaptive_card, adf, slack, wiki
from hub_responder.markdown.characters import ELLIPSIS, width
from hub_responder.markdown.plain import to_text
from hub_responder.payload import MAX_BYTES as MAX_REQUEST
from hub_responder.tickets import github, opscenter, servicenow
from hub_responder.tickets.ticket import MAX_SUMMARY

if TYPE_CHECKING:
    from hub_responder.markdown.document import Document

_MORE = re.compile(r"… and \d+ more|…他\d+件")
_ALL = 10_000_000
_ENDING = 12
"""Characters before an ellipsis by which it is told from one that the message itself has."""


class Measure(msgspec.Struct, frozen=True):
    """A size and the most that is sent; ``unit``: characters (UTF-16 units), bytes, or parts."""

    what: str
    size: int
    limit: int
    unit: str = "characters"


def shortened(document: Document, body: Any) -> list[str]:
    """The places in a payload where something was left out, as ``path: what stands there``."""
    whole = to_text(document, _ALL)
    found: list[str] = []
    for path, text in _texts(body, ""):
        found += [f"{path}: {more}" for more in _MORE.findall(text) if more not in whole]
        for line in text.split("\n"):
            ending = line.rstrip("`*_ ")
            if ending.endswith(ELLIPSIS) and ending[-_ENDING:] not in whole:
                found.append(f"{path}: ends in {ending[-_ENDING - 8 :]}")
    return list(dict.fromkeys(found))


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _texts(item, f"{path}[{number}]")


def json_bytes(value: Any) -> int:
    """Bytes as JSON."""
    return len(msgspec.json.encode(value))


def of_slack(body: Mapping[str, Any]) -> list[Measure]:
    """A message: its blocks, and the longest text of each kind."""
    blocks = [one for one in body.get("blocks", ()) if isinstance(one, Mapping)]
    texts = [
        str(one["text"]["text"]) for one in blocks if one.get("type") == "section" and "text" in one
    ]
    fields = [one["fields"] for one in blocks if "fields" in one]
    headers = [str(one["text"]["text"]) for one in blocks if one.get("type") == "header"]
    values = [str(field["text"]) for group in fields for field in group]
    return [
        Measure("all texts of the blocks", sum(map(width, [*texts, *headers, *values])),
                slack.MAX_TOTAL),
        Measure("blocks", len(blocks), slack.MAX_BLOCKS, "parts"),
        Measure("header", _longest(headers), slack.MAX_HEADER),
        Measure("longest section", _longest(texts), slack.MAX_SECTION),
        Measure("fields of a section", max(map(len, fields), default=0), slack.MAX_FIELDS, "parts"),
        Measure("longest field", _longest(values), slack.MAX_FIELD),
        Measure("text for notifications", width(str(body.get("text", ""))), slack.MAX_FALLBACK),
    ]  # fmt: skip


def of_card(body: Mapping[str, Any]) -> list[Measure]:
    """The card that a Workflow posts."""
    card = body["attachments"][0]["content"]
    return [
        Measure("card", json_bytes(card), adaptive_card.MAX_BYTES, "bytes"),
        Measure("buttons", len(card.get("actions", ())), adaptive_card.MAX_BUTTONS, "parts"),
    ]


def of_notification(body: Mapping[str, Any]) -> list[Measure]:
    """A custom notification in SNS."""
    from hub_responder.connections import sns

    message = body["Message"]
    content = message["content"]
    return [
        Measure("title", width(content["title"]), sns.MAX_TITLE),
        Measure("description", width(content["description"]), sns.MAX_DESCRIPTION),
        Measure("message", json_bytes(message), 262_144, "bytes"),
    ]


def of_mail(body: Mapping[str, Any]) -> list[Measure]:
    """An e-mail as its reader gets it."""
    from hub_responder.markdown import email

    html = len(str(body["html"]).encode())
    return [
        Measure("subject", width(body["subject"]), email.MAX_SUBJECT),
        Measure("HTML", html, email.MAX_BYTES, "bytes"),
        Measure("plain text", width(body["text"]), email.MAX_TEXT),
    ]


def of_event(body: Mapping[str, Any]) -> list[Measure]:
    """An event of PagerDuty."""
    from hub_responder.connections import pagerduty as events
    from hub_responder.markdown import pagerduty

    details = body["payload"]["custom_details"]
    facts = [str(details[name]) for name in details if name not in {"message", "data"}]
    return [
        Measure("event", json_bytes(body), events.MAX_BYTES, "bytes"),
        Measure("summary", width(body["payload"]["summary"]), pagerduty.MAX_SUMMARY),
        Measure("facts", len(facts), pagerduty.MAX_FACTS, "parts"),
        Measure("longest fact", _longest(facts), pagerduty.MAX_VALUE),
        Measure("message", width(str(details.get("message", ""))), pagerduty.MAX_TEXT),
        Measure("links", len(body["links"]), pagerduty.MAX_LINKS, "parts"),
    ]


def of_webhook(body: Mapping[str, Any]) -> list[Measure]:
    """A signed request to a program."""
    from hub_responder.connections import webhook

    message = body["message"]
    return [
        Measure("request", json_bytes(body), MAX_REQUEST, "bytes"),
        Measure("text", width(message["text"]), webhook.MAX_TEXT),
        Measure("markdown", width(message["markdown"]), webhook.MAX_TEXT),
    ]


def of_jira(body: Mapping[str, Any]) -> list[Measure]:
    """An issue of Jira Cloud."""
    fields = body["fields"]
    return [
        Measure("summary", width(fields["summary"]), MAX_SUMMARY),
        Measure("description", json_bytes(fields["description"]), adf.MAX_BYTES, "bytes"),
        Measure("longest label", _longest(fields.get("labels", ())), MAX_SUMMARY),
    ]


def of_jira_data_center(body: Mapping[str, Any]) -> list[Measure]:
    """An issue of Jira Data Center."""
    fields = body["fields"]
    return [
        Measure("summary", width(fields["summary"]), MAX_SUMMARY),
        Measure("description", width(fields["description"]), wiki.MAX_TEXT),
        Measure("longest label", _longest(fields.get("labels", ())), MAX_SUMMARY),
    ]


def of_github(body: Mapping[str, Any]) -> list[Measure]:
    """An issue of GitHub."""
    return [
        Measure("title", width(body["title"]), MAX_SUMMARY),
        Measure("body", width(body["body"]), github.MAX_BODY),
        Measure("labels", len(body["labels"]), github.MAX_LABELS, "parts"),
        Measure("longest label", _longest(body["labels"]), github.MAX_LABEL),
    ]


def of_ops_item(body: Mapping[str, Any]) -> list[Measure]:
    """An OpsItem."""
    return [
        Measure("title", width(body["Title"]), MAX_SUMMARY),
        Measure("description", width(body["Description"]), opscenter.MAX_DESCRIPTION),
    ]


def of_record(body: Mapping[str, Any]) -> list[Measure]:
    """A record of ServiceNow."""
    return [
        Measure("short_description", width(body["short_description"]), servicenow.MAX_TITLE),
        Measure("description", width(body["description"]), servicenow.MAX_TEXT),
    ]


def _longest(texts: Iterable[str]) -> int:
    return max(map(width, texts), default=0)

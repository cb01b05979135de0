"""The texts of messages that SES took, kept for two weeks: what bounces is sent another way."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from hub_responder import aws, clock, observability
from hub_responder.connections.returned import key_of
from hub_responder.markdown.characters import shorten
from hub_responder.markdown.email import to_subject, to_text

if TYPE_CHECKING:
    from hub_responder.actions.base import Work
    from hub_responder.markdown.document import Document

KEPT_S = 14 * 86_400
"""SES tries for up to 14 hours; complaints may come after days."""
MAX_TEXT = 8000
_TEXT = "text"


class Kept(msgspec.Struct, frozen=True):
    """A message's text, and what of its incident channels ask for."""

    title: str
    text: str
    language: str
    severity: str
    resource: str


def keep(document: Document, work: Work) -> None:
    """Keep the text before the message is sent. Where that fails it is sent all the same: a bounce
    is then told without it."""
    table = os.environ.get("LEDGER_TABLE")
    if not table:
        return
    kept = Kept(
        title=to_subject(document),
        text=shorten(to_text(document), MAX_TEXT),
        language=document.language,
        severity=str(work.incident.severity),
        resource=work.incident.resource.id,
    )
    playbook = work.incident.key.partition("#")[0]
    item = {
        **key_of(playbook, work.key),
        "expires": {"N": str(int(clock.now()) + KEPT_S)},
        _TEXT: {"S": msgspec.json.encode(kept).decode()},
    }
    try:
        aws.client("dynamodb").put_item(TableName=table, Item=item)
    except aws.ERRORS as error:
        observability.log_bug(error)


def read(playbook: str, effect: str) -> Kept | None:
    """What was kept; None where there is nothing any more.

    Raises:
        CallError: the ledger cannot be read.
    """
    key = key_of(playbook, effect)
    try:
        answer = aws.client("dynamodb").query(
            TableName=os.environ["LEDGER_TABLE"],
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND sk = :sk",
            ExpressionAttributeValues={":pk": key["pk"], ":sk": key["sk"]},
        )
    except aws.ERRORS as error:
        raise aws.translate(error, "dynamodb") from error
    for item in answer.get("Items", []):
        if _TEXT in item:
            return msgspec.json.decode(item[_TEXT]["S"], type=Kept)
    return None

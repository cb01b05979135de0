"""A message to a program of one's own: what is known of the incident, and the text for people.

``{"idempotencyKey", "version", "playbook", "incident", "resource", "findings", ...,
"message": {"language", "title", "text", "markdown"}}``, signed as `signed` says. ``incident.key``
is the same in every message about one incident.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hub_responder.connections import signed
from hub_responder.markdown.characters import shorten
from hub_responder.markdown.plain import to_markdown, to_text
from hub_responder.payload import described, payload

if TYPE_CHECKING:
    from hub_responder.actions.base import Work
    from hub_responder.connections.resolve import Connection
    from hub_responder.markdown.document import Document
    from hub_responder.runtime import Runtime

MAX_TITLE = 255
MAX_TEXT = 8000
"""UTF-16 units of either rendering: with the facts, both stay below what `payload` allows."""


def send(
    connection: Connection,
    document: Document,
    work: Work,
    runtime: Runtime,
    ref: Mapping[str, Any],  # noqa: ARG001 - the incident's key is the thread's name
) -> dict[str, Any]:
    """Post the message.

    Raises:
        CallError: it was not taken; ``sent`` of a TransientError: it may have been.
    """
    content = {**described(work, runtime), "message": rendered(document)}
    signed.post(connection, payload(work, runtime, content, connection.name), work.key, runtime)
    return {}


def rendered(document: Document) -> dict[str, str]:
    """The message as plain text and as Markdown in which values are never markup."""
    return {
        "language": document.language,
        "title": shorten(document.title, MAX_TITLE),
        "text": to_text(document, MAX_TEXT),
        "markdown": to_markdown(document, MAX_TEXT),
    }

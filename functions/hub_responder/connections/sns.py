"""SNS, as a custom notification of Amazon Q Developer in chat applications.

Format: https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html. Its limits are not
documented; those here are guesses on the safe side (a Slack section takes 3,000 characters). SNS
itself takes 256 KiB and a subject of under 100 characters.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder import aws
from hub_responder.connections.settings import Sns, read
from hub_responder.errors import ConfigurationError
from hub_responder.markdown.characters import clean, shorten
from hub_responder.markdown.document import Document, Heading, Items, Paragraph, Value
from hub_responder.markdown.q_developer import to_client_markdown, to_title

if TYPE_CHECKING:
    from hub_responder.actions.base import Work
    from hub_responder.connections.resolve import Connection
    from hub_responder.runtime import Runtime

MAX_TITLE = 250
MAX_DESCRIPTION = 3000


def send(
    connection: Connection,
    document: Document,
    work: Work,
    runtime: Runtime,
    ref: Mapping[str, Any],  # noqa: ARG001 - the thread is called after the incident
) -> dict[str, Any]:
    """Publish a message, in the incident's thread; the effect's key is the notification's id.

    Raises:
        ConfigurationError: there is no topic.
        CallError: SNS refused it or did not answer.
    """
    settings = read(connection.settings, Sns, connection.name)
    topic = settings.topic_arn or os.environ.get("NOTIFICATIONS_TOPIC_ARN", "")
    if not topic:
        raise ConfigurationError(
            f"connection {connection.name} has no topic_arn, and NOTIFICATIONS_TOPIC_ARN is not set"
        )
    incident = work.incident
    thread = f"{incident.key}#{incident.gen}"
    payload = notification(document, work.key, thread, (incident.resource.id,))
    _publish(topic, payload, connection.name, runtime)
    return {"thread": thread}


def publish_lines(topic: str, title: str, lines: Sequence[str], runtime: Runtime) -> None:
    """Publish a title and lines that no template says; all of it is shown as it is.

    Raises:
        CallError: SNS refused it or did not answer.
    """
    items = tuple((Paragraph((Value(line),)),) for line in lines)
    document = Document(
        (Heading(1, (Value(title),)), *([Items(items)] if items else [])),
        runtime.playbook.language,
    )
    key = hashlib.sha256("\n".join([title, *lines]).encode("utf-8", "replace")).hexdigest()[:40]
    _publish(topic, notification(document, key, key), "sns", runtime)


def _publish(topic: str, payload: Mapping[str, Any], target: str, runtime: Runtime) -> None:
    runtime.deadline.timeout(10.0, target=target)
    client = aws.client("sns")
    try:
        client.publish(TopicArn=topic, Message=msgspec.json.encode(payload).decode())
    except aws.ERRORS as error:
        raise aws.translate(error, target) from error


def notification(
    document: Document, key: str, thread: str, resources: Sequence[str] = ()
) -> dict[str, Any]:
    """The custom notification as data; ``thread`` keeps messages about one incident together."""
    return {
        "version": "1.0",
        "source": "custom",
        "id": key,
        "content": {
            "textType": "client-markdown",
            "title": to_title(document, MAX_TITLE) or "hub-responder",
            "description": to_client_markdown(document.body, MAX_DESCRIPTION) or "-",
        },
        "metadata": {
            "threadId": thread,
            "summary": shorten(document.title, MAX_TITLE) or "hub-responder",
            "eventType": "hub-responder",
            "relatedResources": [shorten(clean(resource), 512) for resource in resources],
        },
    }

"""SNS, as a custom notification of Amazon Q Developer in chat applications.

Format: https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html. Its limits are not
documented; those here are guesses on the safe side (a Slack section takes 3,000 characters). SNS
itself takes 256 KiB and a subject of under 100 characters.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from hub_responder import aws
from hub_responder.connections.settings import Sns, read
from hub_responder.errors import ConfigurationError
from hub_responder.markdown.characters import shorten
from hub_responder.markdown.q_developer import to_client_markdown, value

if TYPE_CHECKING:
    from hub_responder.connections.resolve import Connection
    from hub_responder.incident import Incident
    from hub_responder.markdown.document import Document
    from hub_responder.runtime import Runtime

MAX_TITLE = 250
MAX_DESCRIPTION = 3000


def publish(
    connection: Connection, document: Document, incident: Incident, key: str, runtime: Runtime
) -> None:
    """Publish a message, in the incident's thread; ``key`` becomes the notification's id.

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
    runtime.deadline.timeout(10.0, target=connection.name)
    payload = notification(document, incident, key)
    try:
        aws.client("sns").publish(TopicArn=topic, Message=msgspec.json.encode(payload).decode())
    except (ClientError, BotoCoreError) as error:
        raise aws.translate(error, connection.name) from error


def notification(document: Document, incident: Incident, key: str) -> dict[str, Any]:
    """The custom notification as data."""
    title = document.title
    return {
        "version": "1.0",
        "source": "custom",
        "id": key,
        "content": {
            "textType": "client-markdown",
            "title": shorten(value(title), MAX_TITLE) or "hub-responder",
            "description": to_client_markdown(document.body, MAX_DESCRIPTION) or "-",
        },
        "metadata": {
            "threadId": f"{incident.key}#{incident.gen}"[-200:],
            "summary": shorten(title, MAX_TITLE) or "hub-responder",
            "eventType": "hub-responder",
            "relatedResources": [shorten(incident.resource.id, 512)],
        },
    }

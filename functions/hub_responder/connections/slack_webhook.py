"""Slack's incoming webhooks: they answer ``ok`` or an error as text, and name no message.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hub_responder import http, secrets
from hub_responder.connections.settings import SlackWebhook, read
from hub_responder.connections.slack import refused, without_previews
from hub_responder.errors import DeniedError

if TYPE_CHECKING:
    from hub_responder.actions.base import Work
    from hub_responder.connections.resolve import Connection
    from hub_responder.markdown.document import Document
    from hub_responder.runtime import Runtime


def send(
    connection: Connection,
    document: Document,
    work: Work,  # noqa: ARG001 - the channels' signature
    runtime: Runtime,
    ref: Mapping[str, Any],  # noqa: ARG001 - a webhook knows no threads
) -> dict[str, Any]:
    """Post a message; the webhook's address is the secret.

    Raises:
        CallError: it was not posted; ``sent`` of a TransientError: it may have been.
    """
    settings = read(connection.settings, SlackWebhook, connection.name)
    session = http.session_for(private=settings.private, ca=settings.ca)
    payload = without_previews(document)

    def call(secret: Mapping[str, str]) -> None:
        response = http.call(
            "POST",
            secrets.value(secret, "webhook_url", connection.name),
            target=connection.name,
            deadline=runtime.deadline,
            json=payload,
            session=session,
        )
        if response.status in {404, 410}:  # revoked, or its channel is gone: perhaps rotated
            raise DeniedError(
                refused(connection.name, f"the webhook answers {response.status}"),
                target=connection.name,
                status=response.status,
            )
        http.raise_for_status(response, connection.name)

    secrets.use(runtime.stage, connection.name, call)
    return {}

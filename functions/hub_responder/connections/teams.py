"""Microsoft Teams, through a Workflow of Power Automate that posts Adaptive Cards.

Its trigger, "When a Teams webhook request is received", answers 202 before anything is posted, so
that a message is accepted, never known to be delivered. It names no message: there are no threads.
https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hub_responder import http, secrets
from hub_responder.connections.settings import Teams, read
from hub_responder.errors import DeniedError
from hub_responder.markdown.adaptive_card import to_card

if TYPE_CHECKING:
    from hub_responder.actions.base import Work
    from hub_responder.connections.resolve import Connection
    from hub_responder.markdown.document import Document
    from hub_responder.runtime import Runtime

CARD = "application/vnd.microsoft.card.adaptive"


def send(
    connection: Connection,
    document: Document,
    work: Work,
    runtime: Runtime,
    ref: Mapping[str, Any],  # noqa: ARG001 - a Workflow knows no threads
) -> dict[str, Any]:
    """Hand a card to the Workflow; its address, with the signature in it, is the secret.

    Raises:
        CallError: it was not accepted; ``sent`` of a TransientError: it may have been.
    """
    settings = read(connection.settings, Teams, connection.name)
    session = http.session_for(private=settings.private, ca=settings.ca)
    card = to_card(document, str(work.incident.severity))
    payload = {"type": "message", "attachments": [{"contentType": CARD, "content": card}]}

    def call(secret: Mapping[str, str]) -> None:
        response = http.call(
            "POST",
            secrets.value(secret, "webhook_url", connection.name),
            target=connection.name,
            deadline=runtime.deadline,
            json=payload,
            session=session,
        )
        if response.status in {404, 410}:  # deleted, or made anew under another address
            raise DeniedError(
                f"{connection.name} answered {response.status}: the Workflow is gone",
                target=connection.name,
                status=response.status,
            )
        http.raise_for_status(response, connection.name)

    secrets.use(runtime.stage, connection.name, call)
    return {}

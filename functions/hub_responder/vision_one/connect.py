"""A connection of type ``vision_one`` -> its client."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hub_responder import pace, secrets
from hub_responder.connections.settings import VisionOne, read
from hub_responder.errors import ConfigurationError
from hub_responder.vision_one.client import Client
from hub_responder.vision_one.regions import base_url

if TYPE_CHECKING:
    from hub_responder.connections.resolve import Connection
    from hub_responder.deadline import Deadline

KIND = "vision_one"


def connect(connection: Connection, stage: str, deadline: Deadline) -> Client:
    """A client that reads the connection's secret when it first calls.

    Args:
        stage: the deployment's, which names the secret.
        deadline: bounds every call.

    Raises:
        ConfigurationError: it is of another type, or its settings are wrong.
    """
    name = connection.name
    if connection.type != KIND:
        raise ConfigurationError(f"connection {name} is of type {connection.type}, not {KIND}")
    settings = read(connection.settings, VisionOne, name)

    def with_token(call: Callable[[str], Any]) -> Any:
        return secrets.use(stage, name, lambda secret: call(secrets.token(secret, "token", name)))

    url = base_url(settings.region, settings.base_url)
    metered = pace.of(name, pace.Rate.per_minute(settings.requests_per_minute))
    return Client(name, url, with_token, deadline, pace=metered)

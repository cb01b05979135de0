"""All checks of connections, several at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub_responder import aws
from hub_responder.connections.resolve import Connection
from hub_responder.connections.settings import CHANNELS, TYPES, read
from hub_responder.deadline import Deadline
from hub_responder.errors import ConfigurationError
from hub_toolkit.acting import as_operator, led, sandbox_time
from hub_toolkit.checks import address, reads, secret, trying
from hub_toolkit.checks.amazon import own_topic
from hub_toolkit.checks.asker import WITHIN_S, Asker
from hub_toolkit.checks.told import Checked, Told, good, wrong
from hub_toolkit.stack import Stack
from hub_toolkit.trip.client import SandboxClient

if TYPE_CHECKING:
    from hub_toolkit.playbooks.load import Project

THREADS = 8
_TOPIC = "NOTIFICATIONS_TOPIC_ARN"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be checked.

    Attributes:
        names: of connections. endpoint: of AWS or a sandbox; None: what the environment says.
        send_test: whether a test message or ticket is sent as well.
    """

    names: Sequence[str]
    stage: str
    stack: str
    endpoint: str | None
    send_test: bool = False


def check(project: Project, wanted: Wanted) -> list[Checked]:
    """What is told of each connection, in the order of their names.

    Raises:
        DeploymentError: no AWS client can be made: there is no region, say.
    """
    endpoint = wanted.endpoint or os.environ.get("AWS_ENDPOINT_URL") or None
    sandbox = endpoint or "" if sandbox_time(endpoint) is not None else ""
    stack = Stack(endpoint, wanted.stack)
    region = stack.region
    stack.close()
    connections = led(project.connections.connections, sandbox)
    if sandbox:
        with SandboxClient(sandbox) as client:
            connections |= client.connections()

    def one(name: str) -> Checked:
        held = connections[name]
        kind = str(held.get("type"))
        asker = Asker(
            Connection(name, kind, held),
            wanted.stage,
            wanted.stack,
            region,
            Deadline.after(WITHIN_S),
            connections,
        )
        language = str(held.get("language") or project.settings.language)
        return Checked(name, kind, _told(asker, language, send_test=wanted.send_test))

    topic = _topic(endpoint, region, sandbox, wanted)
    with as_operator(endpoint, region, sandbox, **topic), ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, wanted.names))


def _topic(endpoint: str | None, region: str, sandbox: str, wanted: Wanted) -> dict[str, str]:
    """The stack's own topic, as the template names it to the functions."""
    if not wanted.send_test:
        return {}
    with as_operator(endpoint, region, sandbox):
        try:
            return {_TOPIC: own_topic(aws.client("sns"), wanted.stack)}
        except aws.ERRORS:
            return {}  # the check of a connection that needs it says so


def _told(asker: Asker, language: str, *, send_test: bool) -> list[Told]:
    """The checks in their order; what needs one that failed is not tried."""
    steps: list[tuple[str, Callable[[], list[Told]]]] = [
        ("settings", lambda: [_settings(asker)]),
        ("secret", lambda: secret.check(asker)),
        ("address", lambda: address.check(asker)),
        ("access", lambda: reads.check(asker)),
    ]
    if send_test:
        steps.append(("test", lambda: trying.check(asker, language)))
    told: list[Told] = []
    for what, look in steps:
        if any(one.state == "failed" for one in told):
            told.append(Told(what, "skipped", f"not tried: {told[-1].what} failed"))
            break
        told += look()
    return told


def _settings(asker: Asker) -> Told:
    connection = asker.connection
    try:
        read(connection.settings, TYPES[connection.type], connection.name)
    except ConfigurationError as error:
        return wrong("settings", str(error), "correct connections.yaml")
    fallback = connection.settings.get("fallback") if connection.type in CHANNELS else ""
    return good("settings", f"{connection.type}{f', fallback {fallback}' if fallback else ''}")

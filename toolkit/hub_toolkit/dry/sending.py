"""An event once more, for real: to the queue it came from, or to those of the playbooks it matches.

A sandbox gets it as from EventBridge. EventBridge itself takes no event of Security Hub's from
anybody (NotAuthorizedForSourceException), so a deployment gets it behind its rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub_toolkit.dry.replay import matching
from hub_toolkit.trip.client import SandboxClient, SandboxError

if TYPE_CHECKING:
    from hub_toolkit.dry.deployment import DeadLetter, Deployment
    from hub_toolkit.playbooks.format import Source
    from hub_toolkit.sandbox.identifiers import Place


@dataclass(frozen=True, slots=True)
class Arrived:
    """What is to be replayed.

    Attributes:
        name: how people named it. events: one, or those that a dead letter stands for.
        letter: the dead letter. place: the account and region of the deployment.
    """

    name: str
    events: Sequence[dict[str, Any]]
    place: Place
    letter: DeadLetter | None = None


def queues(arrived: Arrived, sources: Sequence[Source], stack: str) -> list[str]:
    """The queue that a dead letter came from, else those of the playbooks whose rules match."""
    letter = arrived.letter
    if letter is not None and letter.source.startswith(f"{stack}-"):
        return [letter.source]
    if letter is not None and letter.playbook:
        return [f"{stack}-{letter.playbook}-imports"]
    found: dict[str, None] = {}
    for event in arrived.events:
        for source in sources:
            for rule in matching(source, event, arrived.place):
                which = "clicks" if rule == "action" else "imports"
                found[f"{stack}-{source.name}-{which}"] = None
    return list(found)


def to_queues(arrived: Arrived, names: Sequence[str], deployment: Deployment) -> list[str]:
    """Send to each queue once; a line about each message.

    Raises:
        DeploymentError: a queue is not there, or does not take it.
    """
    return [
        f"sent once to {name}, message {deployment.send(name, event)}"
        for name in names
        for event in arrived.events
    ]


def to_sandbox(arrived: Arrived, endpoint: str) -> list[str] | None:
    """Send to a sandbox; a line about each event, or None where ``endpoint`` is no sandbox."""
    lines = []
    try:
        with SandboxClient(endpoint) as client:
            client.inbox()
            for event in arrived.events:
                rules = ", ".join(client.send_event(event)["rules"]) or "no rule"
                lines.append(f"sent once to the sandbox at {endpoint}: matched {rules}")
    except SandboxError:
        return None
    return lines

"""One tenant's fleet, read as a whole."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hub_responder.errors import HubResponderError
from hub_responder.inventory import states
from hub_responder.vision_one import inventory
from hub_responder.vision_one.modules import Identity, identity
from hub_responder.vision_one.snapshot import Snapshot, by_instance_id

if TYPE_CHECKING:
    from hub_responder.vision_one.client import Client
    from hub_responder.vision_one.inventory import Inventory
    from hub_responder.workload_security.client import Client as SecurityClient
    from hub_responder.workload_security.computer import Computer


@dataclass(frozen=True, slots=True)
class Walked:
    """What was found; ``left_out`` is what could not be read, and why, for people."""

    snapshot: Snapshot
    left_out: list[str] = field(default_factory=list)


def walk(client: Client, security: SecurityClient | None, running: Collection[str]) -> Walked:
    """The tenant's endpoints, and the computers behind them where ``security`` tells of any.

    Modules are asked of the list where agents are on that are no computer's. What is beside the
    endpoints may fail: then less is known of each, and ``left_out`` says so.

    Args:
        security: of the linked Server & Workload Protection; None: there is none.
        running: ids of the instances that are to be found if they can be.

    Raises:
        TransientError, PermanentError: the endpoints cannot be read to their end.
    """
    known = inventory.walk(client, running)
    computers, left_out = _computers(security) if security is not None else ([], [])
    whole = not left_out
    told = states.of_computers(known.endpoints(), computers, known.shared)
    if _untold(known, told):
        on, more = states.of_list(client)
        told, left_out = {**on, **told}, [*left_out, *more]
    snapshot = Snapshot(
        client.base_url,
        states.with_states(known, told),
        by_instance_id(computers),
        computers_complete=whole,
        modules=frozenset(states.ASKED),
    )
    return Walked(snapshot, left_out)


def _untold(known: Inventory, told: Collection[Identity]) -> bool:
    """Whether agents are on of whose modules no computer tells."""
    return any(each.epp_status == "on" and identity(each) not in told for each in known.endpoints())


def _computers(security: SecurityClient) -> tuple[list[Computer], list[str]]:
    """The computers that could be read, and what could not."""
    found: list[Computer] = []
    unreadable = 0
    left_out = []
    try:
        for page in security.pages():
            readable = [each for each in page if each is not None]
            unreadable += len(page) - len(readable)
            found += readable
    except HubResponderError as error:
        left_out.append(f"computers: {error}")
    if unreadable:
        left_out.append(f"{unreadable} computers that cannot be read")
    return found, left_out

"""Which protection modules of an endpoint are on, for a whole fleet at once.

The list of endpoints does not show it. Server & Workload Protection tells it of its computers, on
or off. Elsewhere the list is asked again, once per module, for the endpoints that have it on: being
in the answer proves something, being absent proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hub_responder.errors import HubResponderError
from hub_responder.vision_one import filters
from hub_responder.vision_one.modules import MODULES, ON, Identity, demand, identity

if TYPE_CHECKING:
    from hub_responder.vision_one.client import Client
    from hub_responder.vision_one.endpoint import Endpoint
    from hub_responder.vision_one.inventory import Inventory
    from hub_responder.workload_security.computer import Computer

ASKED = ("anti_malware", "intrusion_prevention")
OFF = "disabled"
States = Mapping[str, str]
"""Feature -> status, as in `Endpoint.features`."""


def of_list(client: Client) -> tuple[dict[Identity, dict[str, str]], list[str]]:
    """The modules that are on, by endpoint; and which could not be asked for, or not to the end:
    of those nothing is said, for it is only known at the end that the filter was heeded."""
    found: dict[Identity, dict[str, str]] = {}
    left_out = []
    for module in ASKED:
        feature = MODULES[module][0]
        try:
            for each in _having(client, module):
                found.setdefault(identity(each), {})[feature] = ON[0]
        except HubResponderError as error:
            left_out.append(f"{module}: {error}")
    return found, left_out


def _having(client: Client, module: str) -> list[Endpoint]:
    """The servers that have the module on; none where the filter was not heeded."""
    found: list[Endpoint] = []
    for page in client.pages(f"{filters.SERVERS} and {demand(module)}"):
        readable = [each for each in page.items if each is not None]
        if any(each.type == "desktop" for each in readable):
            return []
        found += readable
    return found


def of_computers(
    endpoints: Iterable[Endpoint], computers: Iterable[Computer], shared: Set[str]
) -> dict[Identity, dict[str, str]]:
    """What Server & Workload Protection says of the endpoints' modules.

    A computer is an endpoint's by instance and account, else by an agent that is nobody else's.
    Where two computers are one endpoint's and do not agree, nothing is known.
    """
    by_instance: dict[tuple[str, str], list[Computer]] = {}
    by_guid: dict[str, list[Computer]] = {}
    for one in computers:
        if one.instance_id:
            by_instance.setdefault((one.account_id, one.instance_id), []).append(one)
        elif one.guid:
            by_guid.setdefault(one.guid, []).append(one)
    found = {}
    for each in endpoints:
        own = by_instance.get((each.account_id, each.instance_id), [])
        if not own and each.guid not in shared:
            own = by_guid.get(each.guid.lower(), [])
        told = [_told(one) for one in own if one.has_agent is not False]
        if told and all(one == told[0] for one in told):
            found[identity(each)] = told[0]
    return found


def _told(computer: Computer) -> dict[str, str]:
    """On is what runs; what is only meant to be on is not known."""
    found = {}
    malware, prevention = (MODULES[module] for module in ASKED)
    if computer.am_state == "off":
        found[malware[1]] = OFF
    elif computer.am_state == "on" and computer.am_active:
        found[malware[1]] = ON[0]
    if computer.ips_state == "off":
        found[prevention[0]] = OFF
    elif computer.ips_state and computer.ips_active:
        found[prevention[0]] = ON[0]
    return found


def with_states(known: Inventory, states: Mapping[Identity, States]) -> Inventory:
    """The inventory, its endpoints with what is known of their modules."""
    return known.with_endpoints(
        replace(each, features={**each.features, **states[identity(each)]})
        if identity(each) in states and _is_one(each, known.shared)
        else each
        for each in known.endpoints()
    )


def _is_one(endpoint: Endpoint, shared: Set[str]) -> bool:
    """Whether no other endpoint can have its identity."""
    return bool(endpoint.instance_id or (endpoint.guid and endpoint.guid not in shared))

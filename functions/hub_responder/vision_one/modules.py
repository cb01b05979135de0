"""The protection modules, and a question that answers for a batch which endpoints have them on.

A filter can name agents and modules together, so one list call confirms about fifteen endpoints
whose modules are on; only those that it does not find need their detail. Being in the answer proves
something, being absent proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor

import msgspec

from hub_responder.errors import (
    ConfigurationError,
    DeniedError,
    HubResponderError,
    PermanentError,
    TransientError,
)
from hub_responder.vision_one import filters
from hub_responder.vision_one.client import Client
from hub_responder.vision_one.endpoint import Endpoint, merged

MODULES: Mapping[str, tuple[str, ...]] = {
    "anti_malware": ("AntiMalwareScans", "AntiMalware"),
    "intrusion_prevention": ("IntrusionPreventionSystem", "VulnerabilityProtection"),
    "behavior_monitoring": ("BehaviorMonitoring",),
    "predictive_machine_learning": ("PredictiveMachineLearning",),
    "web_reputation": ("WebReputation",),
    "firewall": ("Firewall",),
    "integrity_monitoring": ("IntegrityMonitoring",),
    "log_inspection": ("LogInspection",),
    "application_control": ("ApplicationControl",),
    "device_control": ("DeviceControl",),
    "activity_monitoring": ("ActivityMonitoring",),
}
"""Module -> names of the detail call's features, which are the suffixes of the inventory's filter
fields (``eppAgentIntrusionPreventionSystem``). The fields are published; of the features only
``AntiMalwareScans`` is, the others are inferred. The two names of a module belong to Endpoint
Security and to Server & Workload Protection."""
ON = ("enabled", "enabling")
OFF = ("disabled", "disabling", "notsupported")
_TOP = 100
THREADS = 10
"""Details at a time."""

Identity = tuple[str, str, str]
"""Agent GUID, account and instance: clones of one image can share the GUID."""


def identity(endpoint: Endpoint) -> Identity:
    """What tells one endpoint from another."""
    return endpoint.guid, endpoint.account_id, endpoint.instance_id


def demand(module: str) -> str:
    """The filter for endpoints that have ``module`` on."""
    return filters.any_of([f"eppAgent{name} eq 'enabled'" for name in MODULES[module]])


def with_modules(
    client: Client,
    endpoints: Iterable[Endpoint],
    modules: Sequence[str],
    shared: Set[str] = frozenset(),
) -> Mapping[Identity, Endpoint | HubResponderError]:
    """The ``endpoints`` as they are now, with their modules' states; or why that cannot be told.

    ``shared``: agent GUIDs that several endpoints have.
    """
    endpoints = list({identity(each): each for each in endpoints}.values())
    try:
        known: dict[Identity, Endpoint | HubResponderError] = {**_on(client, endpoints, modules)}
    except (TransientError, DeniedError, ConfigurationError) as error:
        return {identity(each): error for each in endpoints}
    rest = [each for each in endpoints if identity(each) not in known]
    return {**known, **with_details(client, rest, shared)}


def with_details(
    client: Client, endpoints: Iterable[Endpoint], shared: Set[str] = frozenset()
) -> Mapping[Identity, Endpoint | HubResponderError]:
    """The ``endpoints`` as their details show them now, a call for each; as `with_modules`."""
    wanted = list({identity(each): each for each in endpoints}.values())
    if not wanted:
        return {}
    with ThreadPoolExecutor(max_workers=min(THREADS, len(wanted))) as pool:
        details = list(pool.map(lambda each: _detailed(client, each, shared), wanted))
    return {identity(each): detail for each, detail in zip(wanted, details, strict=True)}


def _detailed(client: Client, listed: Endpoint, shared: Set[str]) -> Endpoint | HubResponderError:
    if not listed.guid:
        return listed
    try:
        return merged(listed, client.detail(listed.guid), shared=listed.guid in shared)
    except HubResponderError as error:
        return error


def _on(
    client: Client, endpoints: Sequence[Endpoint], modules: Sequence[str]
) -> Mapping[Identity, Endpoint]:
    """Those of ``endpoints`` that have all ``modules`` on, as they are now.

    Raises:
        TransientError, DeniedError: as `Client.pages`.
    """
    guids = {each.guid for each in endpoints}
    features = {MODULES[module][0]: ON[0] for module in modules}
    found: dict[Identity, Endpoint] = {}
    for expression in _expressions(endpoints, modules):
        try:
            items = [each for page in client.pages(expression, top=_TOP) for each in page.items]
        except PermanentError as error:
            if isinstance(error, DeniedError):
                raise
            return found  # an expression that is refused: the details tell as well
        told = [each for each in items if each is not None and each.guid in guids]
        if len(told) < len(items):
            return {}  # the filter was not heeded: being in the answer proves nothing
        for each in told:
            found[identity(each)] = msgspec.structs.replace(each, features=features)
    return found


def _expressions(endpoints: Iterable[Endpoint], modules: Sequence[str]) -> Iterator[str]:
    """As few as the header's length allows; GUIDs that no filter can carry are left out."""
    demands = " and ".join(map(demand, modules))
    room = filters.MAX_CHARACTERS - len(demands) - len("() and ")
    guids = dict.fromkeys(each.guid for each in endpoints if filters.is_safe(each.guid))
    for agents in filters.packed([filters.equals("agentGuid", guid) for guid in guids], room):
        yield f"({agents}) and {demands}"

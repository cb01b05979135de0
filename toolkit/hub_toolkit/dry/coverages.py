"""A verdict that a case gives, as an estate or as trouble of Vision One that leads to it.

Its ``tier`` is how the agent is to be found, its ``cves`` what Server & Workload Protection is to
tell; for both, and for some reasons, the connection must be linked to one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder.vision_one import clues
from hub_responder.vision_one.modules import MODULES
from hub_toolkit.sandbox import estate

if TYPE_CHECKING:
    from hub_responder.finding import Finding
    from hub_responder.vision_one.clues import Clues
    from hub_responder.workload_security.shields import Shield
    from hub_toolkit.dry.cases import Coverage
    from hub_toolkit.dry.world import World

Item = dict[str, Any]
"""An endpoint as Vision One's list call returns it."""
_FOREVER = 1_000_000
_FIRST_ID = 1000
"""Of computers that are made up: those that a case gives count from 1."""
_FIRST_RULE = 1_000_000
_AWAY: Mapping[str, Any] = {"status": 503, "retry_after": 60}
"""With a Retry-After that is too long to wait for, no real time is slept away."""


def _off(item: Item, _about: str) -> None:
    item["eppAgent"]["status"] = "off"


def _never(item: Item, _about: str) -> None:
    item["eppAgent"] |= {"status": "off", "lastConnectedDateTime": ""}


def _stale(item: Item, _about: str) -> None:
    item["eppAgent"]["lastConnectedDateTime"] = "-P400D"


def _module(item: Item, about: str, state: str) -> None:
    for name in MODULES.get(about, (about,)):
        item["_features"].pop(name, None)
        if state:
            item["_features"][name] = state


def _module_off(item: Item, about: str) -> None:
    _module(item, about, "disabled")


def _module_unknown(item: Item, about: str) -> None:
    _module(item, about, "")


def _outdated(item: Item, _about: str) -> None:
    item["eppAgent"]["componentVersion"] = "outdatedVersion"


def _no_policy(item: Item, _about: str) -> None:
    item["eppAgent"]["policyName"] = item["securityPolicy"] = ""


def _isolated(item: Item, _about: str) -> None:
    item["isolationStatus"] = "on"


def _no_agent(item: Item, _about: str) -> None:
    machine = item["eppAgent"]["virtualMachineDetails"]
    item |= {"eppAgent": {"virtualMachineDetails": machine}, "edrSensor": {"status": "disabled"}}


def _sensor_only(item: Item, _about: str) -> None:
    machine = item["eppAgent"]["virtualMachineDetails"]
    item |= {"eppAgent": {"virtualMachineDetails": machine}, "edrSensor": {"status": "enabled"}}


def _odd_status(item: Item, _about: str) -> None:
    item["eppAgent"]["status"] = "given"


def _no_contact(item: Item, _about: str) -> None:
    item["eppAgent"]["lastConnectedDateTime"] = ""


def _unreadable(item: Item, _about: str) -> None:
    """A cloud instance whose id cannot be read: it could be any."""
    item["eppAgent"]["virtualMachineDetails"]["cloudInstanceId"] = ""


def _elsewhere(item: Item, _about: str) -> None:
    machine = item["eppAgent"]["virtualMachineDetails"]
    other = "999988887777"
    machine["cloudAccountId"] = other if machine["cloudAccountId"] != other else "888877776666"


def _reboot(item: Item, _about: str) -> None:
    _says(item, "active", "Reboot Required")


def _upgrade(item: Item, _about: str) -> None:
    _says(item, "active", "Agent Upgrade Required")


def _activation(item: Item, _about: str) -> None:
    _says(item, "active", "Reactivation Required")


def _errors(item: Item, _about: str) -> None:
    _says(item, "error", "Multiple Errors")


def _unmanaged(item: Item, _about: str) -> None:
    _says(item, "inactive", "Unmanaged (Unknown)")
    item |= {"agentVersion": "0.0.0.0", "agentFingerPrint": None}  # noqa: S104


def _says(item: Item, status: str, message: str) -> None:
    item["computerStatus"] = {"agentStatus": status, "agentStatusMessages": [message]}


Change = Callable[[Item, str], None]
Trouble = Mapping[str, Any]

REASONS: Mapping[str, Mapping[str, Change | Trouble | None]] = {
    "PROTECTED": {},
    "UNPROTECTED": {"no_endpoint": None, "no_agent": _no_agent},
    "DEGRADED": {
        "offline": _off,
        "never_connected": _never,
        "stale": _stale,
        "module_off": _module_off,
        "components_outdated": _outdated,
        "policy_missing": _no_policy,
        "isolated": _isolated,
        "sensor_only": _sensor_only,
        "reboot_required": None,
        "upgrade_required": None,
        "activation_required": None,
        "agent_error": None,
        "unmanaged": None,
        "not_in_vision_one": None,
    },
    "UNKNOWN": {
        "vision_one_unreachable": _AWAY,
        "rate_limited": {"status": 429},
        "denied_401": {"status": 401},
        "denied_403": {"status": 403},
        "vision_one_refused": {"status": 400},
        "incomplete": _unreadable,
        "secret_missing": None,
        "account_mismatch": _elsewhere,
        "agent_status_unknown": _odd_status,
        "contact_unknown": _no_contact,
        "module_unknown": _module_unknown,
        "lookalike": None,
        "ambiguous": None,
        "workload_security": None,
    },
    "NOT_APPLICABLE": {},
}
"""What makes each reason: a change to a protected endpoint, or how Vision One answers. None: it is
made of something else than one endpoint."""
COMPUTERS: Mapping[str, Change] = {
    "reboot_required": _reboot,
    "upgrade_required": _upgrade,
    "activation_required": _activation,
    "agent_error": _errors,
    "unmanaged": _unmanaged,
}
"""Reasons that Server & Workload Protection gives: a change to its computer."""
_WITHOUT_ENDPOINT = frozenset({"no_endpoint", "not_in_vision_one", "workload_security"})
TIERS = ("instance_id", "host_name", "workload_agent_guid", "workload_instance_id")
"""How an agent can be let be found; a private address alone takes what only EC2 tells."""
VERDICTS = tuple(REASONS)
_DEFAULTS = {
    "UNPROTECTED": ("no_endpoint",),
    "DEGRADED": ("offline",),
    "UNKNOWN": ("vision_one_unreachable",),
}


@dataclass(slots=True)
class Estate:
    """What both systems are to hold."""

    endpoints: list[Item] = field(default_factory=list)
    computers: list[Item] = field(default_factory=list)
    rules: list[Item] = field(default_factory=list)


Machines = Mapping[str, str]
"""Instance id -> account."""


def cover(
    world: World, coverage: Coverage, machines: Machines, findings: Sequence[Finding]
) -> Estate:
    """What leads to the verdict, for ``machines``; trouble is scripted in ``world``."""
    reasons = coverage.reasons or _DEFAULTS.get(coverage.verdict, ())
    codes = {reason.partition(":")[0] for reason in reasons}
    if coverage.verdict == "NOT_APPLICABLE":
        return Estate()
    _trouble(world, coverage.verdict, codes)
    made = Estate()
    told = _clues(findings)
    for number, (name, account) in enumerate(machines.items(), 1):
        endpoint = endpoint_of(name, account)
        for reason in reasons:
            code, _, about = reason.partition(":")
            how = REASONS[coverage.verdict][code]
            if callable(how):
                how(endpoint, about)
        made.endpoints += _endpoints(endpoint, coverage.tier, codes, told.get(name))
        if coverage.verdict == "UNPROTECTED" or not _needs_computer(coverage, codes):
            continue
        made.computers.append(_computer(number, name, account, coverage, codes))
    made.rules = list(_rules(coverage.cves or ()))
    return made


def _trouble(world: World, verdict: str, codes: Iterable[str]) -> None:
    for code in codes:
        how = REASONS[verdict][code]
        if code == "secret_missing":
            for name in world.simulators.names.get("vision_one", ()):
                world.drop_secret(name)
        elif code == "workload_security":
            away = {"target": "workload_security", "times": _FOREVER, **_AWAY}
            world.core.faults.add([away])
        elif isinstance(how, Mapping):
            world.core.faults.add([{"target": "vision_one", "times": _FOREVER, **how}])


def _clues(findings: Sequence[Finding]) -> dict[str, Clues]:
    """What findings tell of the instances that they are about."""
    return {
        one.instance_id: clues.of(one)
        for finding in findings
        for one in finding.resources
        if one.instance_id
    }


def _endpoints(endpoint: Item, tier: str, codes: Iterable[str], told: Clues | None) -> list[Item]:
    """The endpoints of one instance: as its agent is to be found."""
    codes = set(codes)
    if codes & _WITHOUT_ENDPOINT or tier == "workload_instance_id":
        return []
    machine = endpoint["eppAgent"]["virtualMachineDetails"]
    if codes & {"lookalike", "ambiguous"}:
        # It shares one fact: the address that the finding tells, else the name.
        told = told or clues.Clues(instance_id="")
        endpoint["ipAddresses"] = list(told.addresses[:1])
        endpoint["endpointName"] = "" if told.addresses else "".join(told.names[:1])
        endpoint["displayName"] = ""
        del endpoint["eppAgent"]["virtualMachineDetails"]
        second = {**endpoint, "agentGuid": f"{endpoint['agentGuid']}-2"}
        return [endpoint, second] if "ambiguous" in codes else [endpoint]
    if tier in ("host_name", "workload_agent_guid"):
        named = f"host [{machine['cloudInstanceId']}]" if tier == "host_name" else "host"
        endpoint |= {"endpointName": named, "displayName": "", "ipAddresses": []}
        del endpoint["eppAgent"]["virtualMachineDetails"]
    return [endpoint]


def _needs_computer(coverage: Coverage, codes: Iterable[str]) -> bool:
    by_tier = coverage.tier.startswith("workload_")
    by_reason = not {"not_in_vision_one", *COMPUTERS}.isdisjoint(codes)
    return by_tier or by_reason or coverage.cves is not None


def _computer(
    number: int, name: str, account: str, coverage: Coverage, codes: Iterable[str]
) -> Item:
    """The instance's computer, with the rules that its CVEs' states take."""
    item = computer(_FIRST_ID + number, name, account)
    item["agentGUID"] = f"guid-{name}"
    item["displayName"] = item["hostName"] = "host"
    assigned = {"shielded", "detect_only"}
    shields = coverage.cves or ()
    prevention = item["intrusionPrevention"]
    prevention["ruleIDs"] = [
        rule for one in shields if one.state in assigned for rule in rules_of(one)
    ]
    telling = [rule for one in shields if one.state == "detect_only" for rule in rules_of(one)]
    item["_rules"] = {str(rule): {"detectOnly": True} for rule in telling}
    if any(one.state == "unknown" for one in shields):
        prevention["ruleIDs"] = None
    for code in codes:
        if code in COMPUTERS:
            COMPUTERS[code](item, "")
    return item


def rules_of(shield: Shield) -> Sequence[int]:
    """The rules of a CVE that the case names, or one that is made up for it."""
    return shield.rules or (_FIRST_RULE + int(shield.cve.rpartition("-")[2]) % _FIRST_RULE,)


def _rules(shields: Iterable[Shield]) -> Iterable[Item]:
    for one in shields:
        if one.state != "not_shieldable":
            for rule in rules_of(one):
                yield {"ID": rule, "name": f"Rule {rule}", "CVE": [one.cve]}


@lru_cache(maxsize=1)
def _examples() -> tuple[bytes, bytes]:
    """An endpoint of Vision One, and a computer of Server & Workload Protection."""
    known = estate.load()
    first = known.vision_one.endpoints[0], known.workload_security.computers[0]
    return msgspec.json.encode(first[0]), msgspec.json.encode(first[1])


def model(guid: str) -> Item:
    """A protected server on which everything is on."""
    item: Item = msgspec.json.decode(_examples()[0])
    item["agentGuid"] = guid
    return item


def computer(number: int, name: str, account: str) -> Item:
    """A managed computer that prevents intrusions, without rules: the case's instance."""
    item: Item = msgspec.json.decode(_examples()[1])
    item |= {"ID": number, "agentGUID": f"guid-{number}"}
    item["intrusionPrevention"]["ruleIDs"] = []
    if name:
        item["ec2VirtualMachineSummary"].update({"instanceID": name, "accountID": account})
    return item


def endpoint_of(name: str, account: str) -> Item:
    """A protected server that is an instance."""
    item = model(f"guid-{name}")
    machine = {"cloudInstanceId": name}
    if account:
        machine["cloudAccountId"] = account
    item["eppAgent"]["virtualMachineDetails"].update(machine)
    return item


def unrelated() -> Item:
    """One server of another account: an inventory that is empty altogether is looked at twice."""
    item = model("guid-unrelated")
    item["eppAgent"]["virtualMachineDetails"] |= {
        "cloudInstanceId": "i-0fffffffffffffff0",
        "cloudAccountId": "999988887777",
    }
    return item

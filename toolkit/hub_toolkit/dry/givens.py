"""What a case gives, made in a world: a verdict as an estate or as trouble, instances, other
findings, history."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder.ledger import history
from hub_responder.vision_one.modules import MODULES
from hub_toolkit.dry import leads, stimuli
from hub_toolkit.sandbox import estate

if TYPE_CHECKING:
    from hub_responder.finding import Finding
    from hub_toolkit.dry.cases import Coverage, Given
    from hub_toolkit.dry.world import World

Item = dict[str, Any]
"""An endpoint as Vision One's list call returns it."""
_FOREVER = 1_000_000
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
    },
    "NOT_APPLICABLE": {},
}
"""What makes each reason: a change to a protected endpoint, or how Vision One answers. None: the
endpoint, or the secret, is not there at all."""
VERDICTS = tuple(REASONS)
_DEFAULTS = {
    "UNPROTECTED": ("no_endpoint",),
    "DEGRADED": ("offline",),
    "UNKNOWN": ("vision_one_unreachable",),
}


def furnish(world: World, given: Given, findings: Sequence[Finding]) -> None:
    """Make the estate that ``given`` says, for the instances of ``findings`` and of the estate.

    Raises:
        EstateError, ValueError: an endpoint, computer, rule or instance of the case cannot be one.
    """
    machines = leads.named(findings) | _provide(world, given, findings)
    endpoints = [_unrelated()]
    for coverage in given.coverage.values():
        _cover(world, coverage, machines, endpoints)
    for position, item in enumerate(given.endpoints or []):
        endpoints.append(_laid_over(_model(f"given-{position}"), item))
    for simulator in world.simulators.vision_ones:
        simulator.replace_endpoints(endpoints)
    name, account = next(iter(machines.items()), ("", ""))
    computers = [
        _laid_over(_computer(number, name, account), item)
        for number, item in enumerate(given.computers, 1)
    ]
    for manager in world.simulators.workload_securities:
        manager.replace_rules([{"name": f"Rule {one.get('ID')}", **one} for one in given.rules])
        manager.replace_computers(computers)
    for number, changes in enumerate(given.related, 1):
        world.core.hub.seed(stimuli.beside(changes, number, findings, world.place))
    if given.faults:
        world.core.faults.add(list(given.faults))


def _provide(world: World, given: Given, findings: Sequence[Finding]) -> dict[str, str]:
    """Let the member accounts hold what the case gives, or what leads to a verdict that it gives.

    Returns:
        the accounts of the instances in there, by their ids.
    """
    own, members = _place(world, findings), world.core.members
    led = leads.Leads(
        instances=[{**own, **one} for one in given.instances],
        tasks=given.tasks,
        container_instances=given.container_instances,
        groups=[{**own, **one} for one in given.groups],
    )
    verdicts = {coverage.verdict for coverage in given.coverage.values()}
    if verdicts - {"NOT_APPLICABLE"} and not (led.instances or led.tasks or led.groups):
        led = leads.invented(findings)
    members.instances.replace(led.instances)
    members.groups.replace(led.groups)
    members.ecs.replace_tasks(led.tasks)
    members.ecs.replace_container_instances(led.container_instances)
    return {one.instance_id: one.owner_id for one in members.instances.all()}


def _place(world: World, findings: Sequence[Finding]) -> Mapping[str, str]:
    """Where things are that do not say it: where the first resource is."""
    first = next((one for finding in findings for one in finding.resources), None)
    return {
        "OwnerId": first.account if first and first.account else world.place.account,
        "Region": first.region if first and first.region else world.place.region,
    }


def remember(world: World, findings: Sequence[Finding], closed_as: str, at: float) -> None:
    """What an analyst's closing of ``findings`` leaves in the history, for ``seen()``."""
    for finding in findings:
        for resource in finding.resources:
            pk = history.partition(finding.with_resource(resource))
            what = history.closed(closed_as)
            item = history.put(world.ledger_table, pk, finding.id, what, at)
            world.core.tables.handle("PutItem", item["Put"])


def _cover(
    world: World, coverage: Coverage, machines: Mapping[str, str], endpoints: list[Item]
) -> None:
    """Add endpoints of ``machines`` (instance id -> account) that lead to a verdict."""
    reasons = coverage.reasons or _DEFAULTS.get(coverage.verdict, ())
    if coverage.verdict == "NOT_APPLICABLE" or "no_endpoint" in reasons:
        return
    made = [_of(name, account) for name, account in machines.items()]
    for reason in reasons:
        code, _, about = reason.partition(":")
        how = REASONS[coverage.verdict][code]
        if code == "secret_missing":
            for name in world.simulators.names.get("vision_one", ()):
                world.drop_secret(name)
        elif callable(how):
            for item in made:
                how(item, about)
        elif how is not None:
            world.core.faults.add([{"target": "vision_one", "times": _FOREVER, **how}])
    endpoints += made


@lru_cache(maxsize=1)
def _examples() -> tuple[bytes, bytes]:
    """An endpoint of Vision One, and a computer of Server & Workload Protection."""
    known = estate.load()
    first = known.vision_one.endpoints[0], known.workload_security.computers[0]
    return msgspec.json.encode(first[0]), msgspec.json.encode(first[1])


def _model(guid: str) -> Item:
    """A protected server on which everything is on."""
    item: Item = msgspec.json.decode(_examples()[0])
    item["agentGuid"] = guid
    return item


def _computer(number: int, name: str, account: str) -> Item:
    """A managed computer that prevents intrusions, without rules: the case's instance."""
    item: Item = msgspec.json.decode(_examples()[1])
    item |= {"ID": number, "agentGUID": f"guid-{number}"}
    item["intrusionPrevention"]["ruleIDs"] = []
    if name:
        item["ec2VirtualMachineSummary"].update({"instanceID": name, "accountID": account})
    return item


def _of(name: str, account: str) -> Item:
    item = _model(f"guid-{name}")
    machine = {"cloudInstanceId": name}
    if account:
        machine["cloudAccountId"] = account
    item["eppAgent"]["virtualMachineDetails"].update(machine)
    return item


def _unrelated() -> Item:
    """One server of another account: an inventory that is empty altogether is looked at twice."""
    item = _model("guid-unrelated")
    item["eppAgent"]["virtualMachineDetails"] |= {
        "cloudInstanceId": "i-0fffffffffffffff0",
        "cloudAccountId": "999988887777",
    }
    return item


def _laid_over(below: Item, changes: Mapping[str, Any]) -> Item:
    made = stimuli.laid_over(copy.deepcopy(below), changes)
    assert isinstance(made, dict)  # noqa: S101 - both are objects
    return made

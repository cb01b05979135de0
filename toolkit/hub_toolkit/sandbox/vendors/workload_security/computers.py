"""One computer, as much of it as ``expand`` asks for, and its assigned rules.

A computer is given as ``POST /api/computers/search?expand=all`` returns it, odd shapes included.
``ID`` is needed. A date (``lastAgentCommunication``, ...) can be relative to the clock, ``-PT5M``:
the agent goes on reporting while time is jumped. Keys that begin with ``_`` are never shown;
``_rules`` holds what is overridden of rules there, by the computer or by its policy:
``{"11": {"detectOnly": true}}``.

``intrusionPrevention.ruleIDs`` as given are its policy's where the computer has a ``policyID``,
else its own. Own rules are added and removed by the API; that a policy's rule cannot be unassigned
from one computer, and that a module's message changes only on a computer whose agent is active, are
guesses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hub_toolkit.sandbox.vendors.estate import EstateError
from hub_toolkit.sandbox.vendors.workload_security.rules import (
    identifier,
    milliseconds,
    whole_numbers,
)

DATES = frozenset(
    {
        "lastAgentCommunication",
        "lastApplianceCommunication",
        "lastSendPolicyRequest",
        "lastSendPolicySuccess",
    }
)
MODULES = frozenset(
    {
        "antiMalware",
        "webReputation",
        "activityMonitoring",
        "firewall",
        "intrusionPrevention",
        "integrityMonitoring",
        "logInspection",
        "applicationControl",
        "SAP",
    }
)
MACHINES = frozenset(
    {
        "azureARMVirtualMachineSummary",
        "azureVMVirtualMachineSummary",
        "ec2VirtualMachineSummary",
        "noConnectorVirtualMachineSummary",
        "vmwareVMVirtualMachineSummary",
        "vcloudVMVirtualMachineSummary",
        "workspaceVirtualMachineSummary",
        "gcpVirtualMachineSummary",
    }
)
GROUPS = MODULES | MACHINES | {"computerStatus", "tasks", "securityUpdates", "computerSettings"}
GROUPS = GROUPS | {"interfaces", "ESXSummary"}
"""Properties that hold objects: shown only where ``expand`` names them."""

_TOGETHER: Mapping[str, frozenset[str]] = {
    "none": frozenset(),
    "all": GROUPS,
    "allSecurityModules": MODULES,
    "allVirtualMachineSummaries": MACHINES,
}


class ExpandError(Exception):
    """``expand`` names something that there is not."""


def expanded(names: Sequence[str]) -> frozenset[str]:
    """The groups that ``expand`` asks for; all where it is left out, as documented.

    Raises:
        ExpandError: one is unknown; that the API refuses it is a guess.
    """
    found: frozenset[str] = frozenset()
    for name in names or ("all",):
        if name not in _TOGETHER and name not in GROUPS:
            raise ExpandError(f"there is nothing to expand that is called {name[:100]!r}")
        found |= _TOGETHER.get(name, frozenset({name}))
    return found


@dataclass(frozen=True, slots=True)
class Computer:
    """A computer; ``item`` is as it was given and is never changed.

    Attributes:
        own: rules that are assigned to the computer itself.
        inherited: rules that its policy assigns.
    """

    item: Mapping[str, Any]
    own: tuple[int, ...] = ()
    inherited: tuple[int, ...] = ()

    @property
    def id(self) -> int:
        """Its ID."""
        return int(self.item["ID"])

    @property
    def rules(self) -> list[int]:
        """All its rules, each once, in order of their IDs."""
        return sorted({*self.own, *self.inherited})

    @property
    def has_prevention(self) -> bool:
        """False where the module is hidden from the tenant: the group is null or missing."""
        return isinstance(self.item.get("intrusionPrevention"), Mapping)

    def overridden(self, rule: int) -> Mapping[str, Any]:
        """What is different of a rule on this computer."""
        found: Mapping[str, Any] = self.item.get("_rules", {}).get(str(rule), {})
        return found

    def assigned(self, own: Iterable[int]) -> Computer:
        """The computer with other rules of its own; those of its policy stay."""
        kept = dict.fromkeys(one for one in own if one not in self.inherited)
        return replace(self, own=tuple(kept))

    def value(self, field: str, now: float) -> Any:
        """What a searchable field holds, or None; ``GROUP/NAME`` looks into a group."""
        held: Any = self.item
        for key in field.split("/"):
            held = held.get(key) if isinstance(held, Mapping) else None
        return milliseconds(held, now)

    def shown(self, groups: frozenset[str], now: float) -> dict[str, Any]:
        """The computer as the API returns it, with these groups."""
        found = {
            key: milliseconds(value, now) if key in DATES else value
            for key, value in self.item.items()
            if not key.startswith("_") and (key not in GROUPS or key in groups)
        }
        if isinstance(found.get("intrusionPrevention"), dict):
            found["intrusionPrevention"] = self._prevention(found["intrusionPrevention"])
        return found

    def _prevention(self, given: dict[str, Any]) -> dict[str, Any]:
        rules = self.rules
        if rules == sorted(given.get("ruleIDs") or ()):
            return given
        shown = {**given, "ruleIDs": rules}
        message = {"prevent": "On, Prevent", "detect": "On, Detect"}.get(given.get("state", ""))
        if message and self._reached():
            status = {**(given.get("moduleStatus") or {}), "agentStatus": "active"}
            count = f"{len(rules)} rule{'' if len(rules) == 1 else 's'}"
            shown["moduleStatus"] = {**status, "agentStatusMessage": f"{message}, {count}"}
        return shown

    def _reached(self) -> bool:
        """Whether the agent has taken what was assigned."""
        return bool(self.value("computerStatus/agentStatus", 0.0) == "active")


def computers(items: Sequence[object]) -> dict[int, Computer]:
    """Computers by ID, in their order.

    Raises:
        EstateError: an item cannot be a computer, or an ID comes twice; the text says which.
    """
    found: dict[int, Computer] = {}
    for position, item in enumerate(items):
        made = _computer(item, f"computer {position}")
        if made.id in found:
            raise EstateError(f"computer {position}: ID {made.id} comes twice")
        found[made.id] = made
    return found


def _computer(item: object, what: str) -> Computer:
    identifier(item, what)
    assert isinstance(item, dict)  # noqa: S101 - identifier has looked
    prevention = item.get("intrusionPrevention")
    given = prevention.get("ruleIDs") if isinstance(prevention, dict) else None
    if given is not None and not whole_numbers(given):
        raise EstateError(f"{what}: intrusionPrevention.ruleIDs is not a list of integers")
    rules = tuple(given or ())
    return Computer(item, inherited=rules) if item.get("policyID") else Computer(item, own=rules)

"""The verdict: does Vision One protect this instance?

Every answer has its reasons and its evidence. What could not be told is UNKNOWN, never UNPROTECTED:
UNPROTECTED needs a complete walk without the instance, or a record without any agent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from hub_responder import clock
from hub_responder.errors import (
    CallError,
    ConfigurationError,
    DeniedError,
    HubResponderError,
    PermanentError,
    TransientError,
)
from hub_responder.vision_one.endpoint import Endpoint
from hub_responder.vision_one.inventory import Inventory

Verdict = Literal["PROTECTED", "DEGRADED", "UNPROTECTED", "UNKNOWN", "NOT_APPLICABLE"]

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
"""Module -> names of the detail call's features. ``AntiMalwareScans`` is published; the others are
inferred from the suffixes of the inventory's filter fields (``eppAgentIntrusionPreventionSystem``).
The two names of a module belong to Endpoint Security and to Server & Workload Protection."""
AGAIN_S = 60.0
"""When to ask again where Vision One does not say."""
_SKEW_S = 300.0
_ON = ("enabled", "enabling")
_CAN_PASS = ("vision_one_unreachable", "rate_limited", "incomplete")


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for one instance; also what later steps of a playbook read.

    ``reasons`` are codes, worst first. ``evidence`` holds what they were read from. ``checked_at``
    is when Vision One was asked (epoch seconds). ``retry_after``: seconds after which an UNKNOWN may
    be another verdict; None where asking again cannot help.
    """

    verdict: Verdict
    reasons: list[str] = []
    evidence: dict[str, Any] = {}
    summary: str = ""
    checked_at: float = 0.0
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Demand:
    """What counts as protected: contact within ``stale_after`` seconds, and modules that are on."""

    stale_after: float
    modules: Sequence[str] = ()


def not_applicable(resource_type: str) -> Coverage:
    """For a resource that is no EC2 instance."""
    reasons = [f"not_an_instance:{resource_type}"]
    return Coverage(verdict="NOT_APPLICABLE", reasons=reasons, checked_at=clock.now())


def unknown(error: HubResponderError) -> Coverage:
    """For a question that could not be asked, with its cause."""
    reason, retry_after = _cause(error)
    return Coverage(
        verdict="UNKNOWN",
        reasons=[reason],
        evidence={"cause": str(error)[:300]},
        checked_at=clock.now(),
        retry_after=retry_after,
    )


def _cause(error: HubResponderError) -> tuple[str, float | None]:
    if isinstance(error, ConfigurationError):
        return "secret_missing", None
    if isinstance(error, DeniedError):
        return "denied_401" if error.status == 401 else "denied_403", None  # noqa: PLR2004
    if isinstance(error, TransientError):
        limited = error.status == 429  # noqa: PLR2004
        reason = "rate_limited" if limited else "vision_one_unreachable"
        return reason, error.retry_after or AGAIN_S
    if isinstance(error, PermanentError | CallError):
        return "vision_one_refused", None
    return "internal", None


def find(inventory: Inventory, account: str, instance_id: str) -> Endpoint | Coverage:
    """The endpoint of an instance, or the verdict where there is none to look at.

    Several records of one instance are its earlier agents: the one with the latest contact counts.
    """
    records = inventory.find(instance_id)
    own = [record for record in records if record.account_id in (account, "")]
    if own:
        return max(own, key=lambda record: record.last_connected or 0.0)
    evidence: dict[str, Any] = {
        "matched_by": "cloud instance id and account",
        "servers_walked": inventory.walked,
    }
    if records:
        evidence["other_account"] = records[0].account_id
        return _verdict("UNKNOWN", ["account_mismatch"], evidence, inventory)
    if inventory.unreadable:
        evidence["unreadable"] = inventory.unreadable
        return _verdict("UNKNOWN", ["incomplete"], evidence, inventory, AGAIN_S)
    return _verdict("UNPROTECTED", ["no_endpoint"], evidence, inventory)


def _verdict(
    verdict: Verdict,
    reasons: list[str],
    evidence: dict[str, Any],
    inventory: Inventory,
    retry_after: float | None = None,
) -> Coverage:
    return Coverage(
        verdict=verdict,
        reasons=reasons,
        evidence=evidence,
        checked_at=inventory.read_at,
        retry_after=retry_after,
    )


def judge(endpoint: Endpoint, demand: Demand, checked_at: float) -> Coverage:
    """The verdict on an endpoint (with its detail's features) against what is demanded."""
    evidence: dict[str, Any] = {
        "endpoint": endpoint.name,
        "agent_guid": endpoint.guid,
        "matched_by": "cloud instance id and account" if endpoint.account_id else "instance id",
        "agent_status": endpoint.epp_status,
        "last_connected": clock.iso(endpoint.last_connected) if endpoint.last_connected else "",
        "policy": endpoint.policy,
    }
    gone = _without_agent(endpoint)
    if gone is not None:
        verdict, reason = gone
        return Coverage(verdict=verdict, reasons=[reason], evidence=evidence, checked_at=checked_at)
    untold = _cannot_tell(endpoint, demand)
    weak = _weaknesses(endpoint, demand, checked_at)
    if untold and not weak:
        return Coverage(verdict="UNKNOWN", reasons=untold, evidence=evidence, checked_at=checked_at)
    return Coverage(
        verdict="DEGRADED" if weak else "PROTECTED",
        reasons=[*weak, *untold],
        evidence=evidence,
        checked_at=checked_at,
    )


def _without_agent(endpoint: Endpoint) -> tuple[Verdict, str] | None:
    """A record alone is no protection: cloud connectors list instances without any agent."""
    if endpoint.epp_installed or endpoint.epp_status == "on":
        return None
    if endpoint.sensor_status in _ON:
        return "DEGRADED", "sensor_only"
    return "UNPROTECTED", "no_agent"


def _cannot_tell(endpoint: Endpoint, demand: Demand) -> list[str]:
    reasons = ["agent_status_unknown"] if endpoint.epp_status not in ("on", "off") else []
    for module in demand.modules:
        if not any(name in endpoint.features for name in MODULES[module]):
            reasons.append(f"module_unknown:{module}")
    return reasons


def _weaknesses(endpoint: Endpoint, demand: Demand, now: float) -> list[str]:
    reasons = []
    if endpoint.epp_status == "off":
        reasons.append("offline")
    contact = endpoint.epp_last_connected
    if contact is None:
        reasons.append("never_connected")
    elif now - contact > demand.stale_after or contact - now > _SKEW_S:
        reasons.append("stale")
    for module in demand.modules:
        states = [endpoint.features[n].lower() for n in MODULES[module] if n in endpoint.features]
        if states and not any(state in _ON for state in states):
            reasons.append(f"module_off:{module}")
    if endpoint.component_version == "outdatedVersion":
        reasons.append("components_outdated")
    if not endpoint.policy:
        reasons.append("policy_missing")
    if endpoint.isolation == "on":
        reasons.append("isolated")
    return reasons

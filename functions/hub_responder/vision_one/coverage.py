"""The verdict: does Vision One protect this instance?

Every answer has its reasons and its evidence. What could not be told is UNKNOWN, never UNPROTECTED:
UNPROTECTED needs a complete walk without the instance and without a server that could be it, or a
record that plainly has no agent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hub_responder import clock
from hub_responder.errors import (
    ConfigurationError,
    DeniedError,
    HubResponderError,
    IncompleteError,
    PermanentError,
    TransientError,
)
from hub_responder.retry import TOO_MANY
from hub_responder.vision_one.client import TARGET
from hub_responder.vision_one.endpoint import UNREADABLE, Endpoint
from hub_responder.vision_one.inventory import Inventory
from hub_responder.vision_one.modules import MODULES, OFF, ON

if TYPE_CHECKING:
    from hub_responder.finding import Resource

Verdict = Literal["PROTECTED", "DEGRADED", "UNPROTECTED", "UNKNOWN", "NOT_APPLICABLE"]

AGAIN_S = 60.0
"""When to ask again where Vision One does not say."""
LATEST_S = 900.0
"""The longest wait that is taken over from Vision One; it is also the queue's longest delay."""
_SKEW_S = 300.0
_NOT_FOUND = 404


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for one instance; also what later steps of a playbook read.

    ``reasons`` are codes, worst first. ``evidence`` holds what they were read from. ``checked_at``
    is when Vision One was asked (epoch seconds). ``retry_after``: seconds after which an UNKNOWN
    may be another verdict; None where asking again cannot help.
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


def not_applicable(resource_type: str, why: str = "") -> Coverage:
    """For a resource that is no EC2 instance; ``why`` no agent can be there (`behind.words`)."""
    reasons = [f"not_an_instance:{resource_type[:64]}", *([why] if why else [])]
    return Coverage(verdict="NOT_APPLICABLE", reasons=reasons, checked_at=clock.now())


def no_instance_id() -> Coverage:
    """For an EC2 instance whose id the finding does not tell: nothing can be looked up."""
    return Coverage(verdict="UNKNOWN", reasons=["no_instance_id"], checked_at=clock.now())


def unknown(error: HubResponderError, reason: str = "") -> Coverage:
    """For a question that could not be asked, with its cause; ``reason`` where it is known."""
    cause, retry_after = _cause(error)
    return Coverage(
        verdict="UNKNOWN",
        reasons=[reason or cause],
        evidence={"cause": str(error)[:300]},
        checked_at=clock.now(),
        retry_after=retry_after,
    )


def _cause(error: HubResponderError) -> tuple[str, float | None]:
    if isinstance(error, ConfigurationError):
        return "secret_missing", None
    if isinstance(error, TransientError):
        return _passing(error), min(error.retry_after or AGAIN_S, LATEST_S)
    if isinstance(error, DeniedError):
        return "denied_401" if error.status == 401 else "denied_403", None  # noqa: PLR2004
    if isinstance(error, PermanentError) and error.status == _NOT_FOUND:
        return "endpoint_gone", AGAIN_S  # a detail of an endpoint that was listed a moment ago
    if isinstance(error, PermanentError) and error.status is None:
        return "configuration", None  # never sent: the address is one that is not called
    return "vision_one_refused", None


def _passing(error: TransientError) -> str:
    if error.target != TARGET:
        return "secret_unreachable"
    if isinstance(error, IncompleteError):
        return "incomplete"
    return "rate_limited" if error.status == TOO_MANY else "vision_one_unreachable"


def find(inventory: Inventory, resource: Resource) -> Endpoint | Coverage:
    """The endpoint of an instance, or the verdict where there is none to look at.

    Several records of one instance are its earlier agents, or a cloud connector's: one with an
    agent counts before one that may have it, and that before one without; then the latest contact.
    An account that either side does not tell is taken to fit: instance ids are unique.
    """
    account = resource.account
    records = inventory.find(resource.instance_id)
    own = [record for record in records if not account or record.account_id in (account, "")]
    if own:
        return max(own, key=_standing)
    evidence: dict[str, Any] = {
        "matched_by": "cloud instance id and account",
        "servers_walked": inventory.walked,
    }
    if records:
        evidence["other_account"] = records[0].account_id
        return _verdict("UNKNOWN", "account_mismatch", evidence, inventory)
    unseen = inventory.unseen(account)
    if unseen:
        evidence["unreadable"] = unseen
        return _verdict("UNKNOWN", "incomplete", evidence, inventory, AGAIN_S)
    other = inventory.resembling(resource)
    if other is not None:
        evidence |= {"endpoint": other.name, "agent_guid": other.guid}
        return _verdict("UNKNOWN", "lookalike", evidence, inventory)
    return _verdict("UNPROTECTED", "no_endpoint", evidence, inventory)


def _standing(record: Endpoint) -> tuple[bool, bool, bool, float]:
    on, bare = record.epp_status == "on", _plainly_without_agent(record)
    return on, has_agent(record), not bare, record.epp_last_connected or 0.0


def _verdict(
    verdict: Verdict,
    reason: str,
    evidence: dict[str, Any],
    inventory: Inventory,
    retry_after: float | None = None,
) -> Coverage:
    return Coverage(
        verdict=verdict,
        reasons=[reason],
        evidence=evidence,
        checked_at=inventory.read_at,
        retry_after=retry_after,
    )


def judge(endpoint: Endpoint, demand: Demand, checked_at: float) -> Coverage:
    """The verdict on an endpoint (with its modules' states) against what is demanded."""
    evidence: dict[str, Any] = {
        "endpoint": endpoint.name,
        "agent_guid": endpoint.guid,
        "matched_by": "cloud instance id and account" if endpoint.account_id else "instance id",
        "agent_status": endpoint.epp_status,
        "last_connected": clock.iso(endpoint.last_connected) if endpoint.last_connected else "",
        "policy": endpoint.policy or "",
    }
    verdict, reasons = _judged(endpoint, demand, checked_at)
    return Coverage(verdict=verdict, reasons=reasons, evidence=evidence, checked_at=checked_at)


def _judged(endpoint: Endpoint, demand: Demand, now: float) -> tuple[Verdict, list[str]]:
    if not has_agent(endpoint):
        return _without_agent(endpoint)
    weak, untold = _weaknesses(endpoint, demand, now), _untold(endpoint, demand, now)
    if weak:
        return "DEGRADED", [*weak, *untold]
    return ("UNKNOWN", untold) if untold else ("PROTECTED", [])


def has_agent(endpoint: Endpoint) -> bool:
    """Whether a protection agent is there, as far as is told."""
    return endpoint.epp_installed or endpoint.epp_status == "on"


def _without_agent(endpoint: Endpoint) -> tuple[Verdict, list[str]]:
    """A record alone is no protection: cloud connectors list instances without any agent."""
    if endpoint.epp_status != UNREADABLE and endpoint.sensor_status in ON:
        return "DEGRADED", ["sensor_only"]
    if _plainly_without_agent(endpoint):
        return "UNPROTECTED", ["no_agent"]
    return "UNKNOWN", ["agent_status_unknown"]


def _plainly_without_agent(endpoint: Endpoint) -> bool:
    silent = endpoint.epp_status in ("", "off") and endpoint.sensor_status in ("", "disabled")
    return silent and not has_agent(endpoint)


def _untold(endpoint: Endpoint, demand: Demand, now: float) -> list[str]:
    reasons = ["agent_status_unknown"] if endpoint.epp_status not in ("on", "off") else []
    contact = endpoint.epp_last_connected
    if (contact is None and endpoint.epp_status == "on") or (contact or 0.0) - now > _SKEW_S:
        reasons.append("contact_unknown")
    for module in demand.modules:
        states = _states(endpoint, module)
        if not any(state in ON for state in states) and not _all_off(states):
            reasons.append(f"module_unknown:{module}")
    return reasons


def _weaknesses(endpoint: Endpoint, demand: Demand, now: float) -> list[str]:
    reasons = []
    if endpoint.epp_status == "off":
        reasons.append("offline")
    contact = endpoint.epp_last_connected
    if contact is None and endpoint.epp_status == "off":
        reasons.append("never_connected")
    elif contact is not None and now - contact > demand.stale_after:
        reasons.append("stale")
    off = [module for module in demand.modules if _all_off(_states(endpoint, module))]
    reasons += [f"module_off:{module}" for module in off]
    if endpoint.component_version == "outdatedVersion":
        reasons.append("components_outdated")
    if endpoint.policy == "":
        reasons.append("policy_missing")
    if endpoint.isolation == "on":
        reasons.append("isolated")
    return reasons


def _states(endpoint: Endpoint, module: str) -> list[str]:
    return [endpoint.features[name] for name in MODULES[module] if name in endpoint.features]


def _all_off(states: Sequence[str]) -> bool:
    return bool(states) and all(state in OFF for state in states)

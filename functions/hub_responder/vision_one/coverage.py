"""The verdict: does Vision One protect this instance?

Every answer has its reasons and its evidence. What could not be told is UNKNOWN, never UNPROTECTED:
UNPROTECTED needs a complete walk without the instance and without a server that could be it, or a
record that plainly has no agent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

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
from hub_responder.vision_one import computers
from hub_responder.vision_one.client import TARGET
from hub_responder.vision_one.endpoint import UNREADABLE, Endpoint
from hub_responder.vision_one.matching import Absent, Found, Match, Tier
from hub_responder.vision_one.modules import MODULES, OFF, ON
from hub_responder.workload_security.computer import Computer
from hub_responder.workload_security.shields import Shield

Verdict = Literal["PROTECTED", "DEGRADED", "UNPROTECTED", "UNKNOWN", "NOT_APPLICABLE"]

AGAIN_S = 60.0
"""When to ask again where Vision One does not say."""
LATEST_S = 900.0
"""The longest wait that is taken over from Vision One; it is also the queue's longest delay."""
_SKEW_S = 300.0
_NOT_FOUND = 404
_MAX_ACTIONS = 5


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for one instance; also what later steps of a playbook read.

    ``reasons`` are codes, worst first. ``evidence`` holds what they were read from. ``checked_at``
    is when Vision One was asked (epoch seconds). ``retry_after``: seconds after which an UNKNOWN
    may be another verdict; None where asking again cannot help. ``tier`` is how the endpoint was
    found: instance_id, workload_agent_guid, workload_instance_id, host_name or private_ip; empty
    where none was. ``cves`` says of the finding's CVEs, the most urgent 20, whether intrusion
    prevention shields them (only where the connection is linked to Server & Workload Protection);
    ``computer`` is the instance's id there.
    """

    verdict: Verdict
    reasons: list[str] = []
    evidence: dict[str, Any] = {}
    summary: str = ""
    checked_at: float = 0.0
    retry_after: float | None = None
    tier: Tier = ""
    cves: list[Shield] = []
    computer: int | None = None


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


def of(
    found: Found,
    demand: Demand,
    checked_at: float,
    *,
    now: float | None = None,
    walked: int = 0,
    computer: Computer | None = None,
) -> Coverage:
    """The verdict on what was found for an instance.

    Args:
        checked_at: when that was read (epoch seconds). now: when contact counts; None: then.
        walked: how many servers were read for it.
        computer: of the instance, as Server & Workload Protection knows it.
    """
    if isinstance(found, Match):
        return judge(found, demand, checked_at, computer, now)
    if isinstance(found, Absent) and found.bare is not None:
        return judge(found.bare, demand, checked_at, computer, now)
    asked = {"matched_by": "cloud instance id and account", "servers_walked": walked}
    if isinstance(found, Absent):
        return Coverage(
            verdict="UNPROTECTED", reasons=["no_endpoint"], evidence=asked, checked_at=checked_at
        )
    return Coverage(
        verdict="UNKNOWN",
        reasons=[found.reason],
        evidence=asked | dict(found.evidence),
        checked_at=checked_at,
        retry_after=AGAIN_S if found.passing else None,
    )


def judge(
    match: Match,
    demand: Demand,
    checked_at: float,
    computer: Computer | None = None,
    now: float | None = None,
) -> Coverage:
    """The verdict on a record (with its modules' states) against what is demanded.

    Where Server & Workload Protection says otherwise of the same agent, the worse counts.
    """
    endpoint = match.endpoint
    last = endpoint.epp_last_connected
    evidence: dict[str, Any] = {
        "endpoint": endpoint.name,
        "agent_guid": endpoint.guid,
        "matched_by": match.by,
        "agent_status": endpoint.epp_status,
        "last_connected": clock.iso(last) if last else "",
        "policy": endpoint.policy or "",
    }
    if endpoint.actions:
        evidence["recommended"] = list(endpoint.actions[:_MAX_ACTIONS])
    verdict, reasons = _judged(match, demand, checked_at if now is None else now, computer)
    return Coverage(
        verdict=verdict,
        reasons=reasons,
        evidence=evidence,
        checked_at=checked_at,
        tier=match.tier,
    )


def _judged(
    match: Match, demand: Demand, now: float, computer: Computer | None
) -> tuple[Verdict, list[str]]:
    endpoint = match.endpoint
    if not endpoint.has_agent:
        return _without_agent(endpoint)
    objections: list[str] = []
    if computer is not None and computers.is_of(computer, endpoint):
        objections = computers.objections(computer, demand.stale_after, demand.modules, now)
        endpoint = _completed(endpoint, computer, demand)
    weak = ["not_in_vision_one"] if match.tier == "workload_instance_id" else []
    weak = list(dict.fromkeys([*weak, *_weaknesses(endpoint, demand, now), *objections]))
    untold = _untold(endpoint, demand, now)
    if weak:
        return "DEGRADED", [*weak, *(one for one in untold if _is_open(one, weak))]
    return ("UNKNOWN", untold) if untold else ("PROTECTED", [])


def _completed(endpoint: Endpoint, computer: Computer, demand: Demand) -> Endpoint:
    """The endpoint with those modules' states that only Server & Workload Protection tells."""
    untold = [module for module in demand.modules if not _states(endpoint, module)]
    more = computers.features(computer, untold)
    return msgspec.structs.replace(endpoint, features={**endpoint.features, **more})


def _is_open(untold: str, weak: Sequence[str]) -> bool:
    """A module that one of both says is off is told."""
    return untold.replace("module_unknown:", "module_off:") not in weak


def _without_agent(endpoint: Endpoint) -> tuple[Verdict, list[str]]:
    """A record alone is no protection: cloud connectors list instances without any agent."""
    if endpoint.epp_status != UNREADABLE and endpoint.sensor_status in ON:
        return "DEGRADED", ["sensor_only"]
    if endpoint.bare:
        return "UNPROTECTED", ["no_agent"]
    return "UNKNOWN", ["agent_status_unknown"]


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
    return reasons + [reason for reason in map(_required, endpoint.actions) if reason]


def _required(action: str) -> str:
    """The reason that a recommended action is, as ``sensorUpdateRequired``; what is recommended
    only (``swpMaintenanceRecommended``) is none: managers always recommend something.

    The names are those that the inventory's filter takes (``availableActions``); that the detail
    call's ``recommendedActions`` are the same is a guess.
    """
    text = action.lower()
    if "required" not in text:
        return ""
    if "reboot" in text or "restart" in text:
        return "reboot_required"
    return "upgrade_required" if "update" in text or "upgrade" in text else "action_required"


def _states(endpoint: Endpoint, module: str) -> list[str]:
    return [endpoint.features[name] for name in MODULES[module] if name in endpoint.features]


def _all_off(states: Sequence[str]) -> bool:
    return bool(states) and all(state in OFF for state in states)

"""A batch of questions to one tenant: does it protect these instances, and from which CVEs?

Whatever fails is said of those instances that it concerns, and nothing is raised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder import clock
from hub_responder.errors import HubResponderError
from hub_responder.vision_one import computers
from hub_responder.vision_one import coverage as verdicts
from hub_responder.vision_one.inventory import inventory
from hub_responder.vision_one.matching import Match
from hub_responder.vision_one.modules import identity, with_modules
from hub_responder.vision_one.tiers import Answer, Tiers, Trouble
from hub_responder.workload_security import shields

if TYPE_CHECKING:
    from hub_responder.vision_one.client import Client
    from hub_responder.vision_one.clues import Clues
    from hub_responder.vision_one.coverage import Coverage, Demand
    from hub_responder.vision_one.endpoint import Endpoint
    from hub_responder.workload_security.client import Client as Workload

THREADS = 10
MAX_RULES = 30
"""Rules of one CVE that an answer names."""
_OUT_OF_CONTACT = frozenset({"offline", "stale", "never_connected", "unmanaged"})


@dataclass(frozen=True, slots=True)
class Question:
    """One instance.

    Attributes:
        cves: the finding's, the most urgent first.
        clicked: an analyst asks: nothing that is kept answers.
    """

    clues: Clues
    cves: Sequence[str] = ()
    clicked: bool = False


@dataclass(frozen=True, slots=True)
class Tenant:
    """Who is asked. ``workload``: its Server & Workload Protection, or why that cannot be asked;
    None: it is not linked."""

    client: Client
    workload: Workload | HubResponderError | None = None


def answers(tenant: Tenant, questions: Sequence[Question], demand: Demand) -> list[Coverage]:
    """An answer to each question, in their order."""
    return _live(tenant, questions, demand)


def _live(tenant: Tenant, questions: Sequence[Question], demand: Demand) -> list[Coverage]:
    ids = [question.clues.instance_id for question in questions]
    try:
        known = inventory(tenant.client, ids)
    except HubResponderError as error:
        return [_unasked(tenant, question, error) for question in questions]
    tiers = Tiers(tenant.client, known, _computers(tenant, ids))
    found = tiers.find([question.clues for question in questions])
    asked_at = clock.now()
    closer = _closer(tenant.client, found, demand, tiers)

    def told(question: Question, answer: Answer) -> Coverage:
        now = closer.get(identity(answer.endpoint)) if isinstance(answer, Match) else None
        if isinstance(now, HubResponderError):
            return _told(tiers, question, Trouble(now), demand, asked_at)
        if isinstance(answer, Match) and now is not None:
            nearer = msgspec.structs.replace(answer, endpoint=now)
            return _told(tiers, question, nearer, demand, asked_at)
        return _told(tiers, question, answer, demand, known.read_at)

    return _with_shields(tenant, tiers, questions, list(map(told, questions, found)), demand)


def _unasked(tenant: Tenant, question: Question, error: HubResponderError) -> Coverage:
    found = verdicts.unknown(error)
    if tenant.workload is None:
        return found
    named, _ = shields.asked(question.cves)
    return msgspec.structs.replace(found, cves=[shields.Shield(one, "unknown") for one in named])


def _computers(tenant: Tenant, instance_ids: Sequence[str]) -> computers.Known:
    if tenant.workload is None:
        return {}
    if isinstance(tenant.workload, HubResponderError):
        return dict.fromkeys(instance_ids, tenant.workload)
    return computers.look_up(tenant.workload, instance_ids)


def _closer(
    client: Client, found: Sequence[Answer], demand: Demand, tiers: Tiers
) -> Mapping[Any, Endpoint | HubResponderError]:
    """The endpoints with their modules' states, where those count."""
    if not demand.modules:
        return {}
    matches = [one for one in found if isinstance(one, Match) and one.endpoint.has_agent]
    agents = [one.endpoint for one in matches if one.tier != "workload_instance_id"]
    return with_modules(client, agents, demand.modules, tiers.inventory.shared)


def _told(
    tiers: Tiers, question: Question, answer: Answer, demand: Demand, read_at: float
) -> Coverage:
    if isinstance(answer, Trouble):
        return verdicts.unknown(answer.error, answer.reason)
    return verdicts.of(
        answer,
        demand,
        read_at,
        walked=tiers.inventory.walked,
        computer=tiers.computer(question.clues),
    )


# Shields


def _with_shields(
    tenant: Tenant,
    tiers: Tiers,
    questions: Sequence[Question],
    told: Sequence[Coverage],
    demand: Demand,
) -> list[Coverage]:
    """The answers with what Server & Workload Protection says of computer and CVEs."""
    if tenant.workload is None:
        return list(told)
    if not isinstance(tenant.workload, HubResponderError):
        wanted = [cve for question in questions for cve in shields.asked(question.cves)[0]]
        shields.rules_of(tenant.workload, list(dict.fromkeys(wanted)))  # once for all instances
    with ThreadPoolExecutor(max_workers=THREADS) as pool:
        add = partial(_with_computer, tenant.workload, tiers, demand)
        return list(pool.map(add, questions, told))


def _with_computer(
    workload: Workload | HubResponderError,
    tiers: Tiers,
    demand: Demand,
    question: Question,
    told: Coverage,
) -> Coverage:
    held = tiers.computers.get(question.clues.instance_id, ())
    trouble = workload if isinstance(workload, HubResponderError) else held
    named, left_out = shields.asked(question.cves)
    computer = tiers.computer(question.clues)
    evidence: dict[str, Any] = {"cves_left_out": left_out} if left_out else {}
    if isinstance(trouble, HubResponderError) or isinstance(workload, HubResponderError):
        evidence["workload_security"] = f"not told: {trouble}"[:200]
        cves = [shields.Shield(one, "unknown") for one in named]
    elif computer is None and told.verdict not in ("UNPROTECTED", "NOT_APPLICABLE"):
        evidence["workload_security"] = "no computer"
        cves = [shields.Shield(one, "unknown") for one in named]
    else:
        evidence["workload_security"] = computers.said(computer) if computer else "no computer"
        contact = _OUT_OF_CONTACT.isdisjoint(told.reasons)
        cves = shields.shields(
            workload, computer, named, in_contact=contact, stale_after=demand.stale_after
        )
    return msgspec.structs.replace(
        told,
        evidence=told.evidence | evidence,
        computer=computer.id if computer is not None else None,
        cves=[shields.Shield(one.cve, one.state, one.rules[:MAX_RULES]) for one in cves],
    )

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
from hub_responder.vision_one import computers, confirm, snapshot
from hub_responder.vision_one import coverage as verdicts
from hub_responder.vision_one.matching import Match
from hub_responder.vision_one.modules import identity, with_details, with_modules
from hub_responder.vision_one.tiers import Answer, Tiers, judged, of_snapshot
from hub_responder.workload_security import shields

if TYPE_CHECKING:
    from hub_responder.vision_one.client import Client
    from hub_responder.vision_one.clues import Clues
    from hub_responder.vision_one.coverage import Coverage, Demand
    from hub_responder.vision_one.endpoint import Endpoint
    from hub_responder.vision_one.snapshot import Snapshot
    from hub_responder.workload_security.client import Client as Workload

THREADS = 10
MAX_DETAILS = 10
"""Details that are read for analysts; more instances at once are looked at like any others."""
CONFIRMED_S = 120.0
"""How long an answer that was confirmed stands, for whoever does not click."""
MAX_CONFIRMED = 5000
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
    """An answer to each question, in their order.

    With a snapshot of the fleet, what it shows to be protected is answered from it, unless an
    analyst asks; everything else is confirmed first. Without one, everything is looked up.
    """
    client = tenant.client
    kept = snapshot.load(client.name, client.base_url, client.deadline)
    told = {} if kept is None else _from_snapshot(tenant, kept, questions, demand)
    rest = [one for number, one in enumerate(questions) if number not in told]
    now = iter(_live(tenant, rest, demand, kept) if rest else ())
    return [
        _dated(told[number] if number in told else next(now)) for number in range(len(questions))
    ]


def _dated(found: Coverage) -> Coverage:
    """With the age of what the answer rests on, in seconds."""
    age = max(0, round(clock.now() - found.checked_at))
    return msgspec.structs.replace(found, evidence={**found.evidence, "age_s": age})


# From what is kept


def _from_snapshot(
    tenant: Tenant, kept: Snapshot, questions: Sequence[Question], demand: Demand
) -> dict[int, Coverage]:
    """By number, the answers that need no confirmation: who is protected, and who was confirmed
    not to be a short time ago."""
    known = of_snapshot(kept)
    found = known.find([question.clues for question in questions])
    told: dict[int, Coverage] = {}
    for number, (question, answer) in enumerate(zip(questions, found, strict=True)):
        if question.clicked:
            continue
        one = judged(known, question.clues, answer, demand, kept.read_at, now=clock.now())
        confirmed = _remembered(tenant, question, demand)
        if one.verdict == "PROTECTED":
            told[number] = one
        elif confirmed is not None:
            told[number] = confirmed
    asked = [questions[number] for number in told]
    whole = _with_shields(tenant, known, asked, list(told.values()), demand)
    return dict(zip(told, whole, strict=True))


_CONFIRMED: dict[tuple[object, ...], Coverage] = {}


def _key(tenant: Tenant, question: Question, demand: Demand) -> tuple[object, ...]:
    client = tenant.client
    wanted = (demand.stale_after, *demand.modules)
    return client.name, client.base_url, question.clues, wanted


def _remembered(tenant: Tenant, question: Question, demand: Demand) -> Coverage | None:
    """What was confirmed a short time ago: a storm of findings does not ask again and again."""
    found = _CONFIRMED.get(_key(tenant, question, demand))
    if found is None or not 0 <= clock.now() - found.checked_at < CONFIRMED_S:
        return None
    return found


def _remember(tenant: Tenant, question: Question, demand: Demand, found: Coverage) -> None:
    if found.verdict == "UNKNOWN":
        return
    if len(_CONFIRMED) >= MAX_CONFIRMED:
        _CONFIRMED.clear()
    _CONFIRMED[_key(tenant, question, demand)] = found


def forget() -> None:
    """Drop what is kept in the process."""
    _CONFIRMED.clear()


# Live


def _live(
    tenant: Tenant, questions: Sequence[Question], demand: Demand, kept: Snapshot | None
) -> list[Coverage]:
    sought = [question.clues for question in questions]
    clicked = any(question.clicked for question in questions)
    try:
        if kept is None:
            known, searched = confirm.walked(tenant.client, sought, clicked=clicked)
        else:
            before = of_snapshot(kept)
            known, searched = confirm.confirmed(
                tenant.client, sought, before, before.find(sought), clicked=clicked
            )
    except HubResponderError as error:
        return [_unasked(tenant, question, error) for question in questions]
    ids = [clues.instance_id for clues in sought]
    tiers = Tiers(tenant.client, known, _computers(tenant, ids), searched=searched)
    found = tiers.find(sought)
    asked_at = clock.now()
    closer = _closer(tenant.client, questions, found, demand, tiers)

    def told(question: Question, answer: Answer) -> Coverage:
        now = closer.get(identity(answer.endpoint)) if isinstance(answer, Match) else None
        if isinstance(now, HubResponderError):
            return verdicts.unknown(now)
        if isinstance(answer, Match) and now is not None:
            nearer = msgspec.structs.replace(answer, endpoint=now)
            return judged(tiers, question.clues, nearer, demand, asked_at)
        return judged(tiers, question.clues, answer, demand, known.read_at)

    answers = list(map(told, questions, found))
    for question, answer in zip(questions, answers, strict=True):
        _remember(tenant, question, demand, answer)
    return _with_shields(tenant, tiers, questions, answers, demand)


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
    client: Client,
    questions: Sequence[Question],
    found: Sequence[Answer],
    demand: Demand,
    tiers: Tiers,
) -> Mapping[Any, Endpoint | HubResponderError]:
    """The endpoints with what the list does not tell, where that counts: their modules' states,
    and for an analyst what is recommended to do."""
    agents: list[Endpoint] = []
    clicked: list[Endpoint] = []
    for question, one in zip(questions, found, strict=True):
        if isinstance(one, Match) and one.endpoint.has_agent and one.tier != "workload_instance_id":
            few = question.clicked and len(clicked) < MAX_DETAILS
            (clicked if few else agents).append(one.endpoint)
    shared = tiers.inventory.shared
    closer = with_details(client, clicked, shared)
    if not demand.modules:
        return closer
    return {**with_modules(client, agents, demand.modules, shared), **closer}


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

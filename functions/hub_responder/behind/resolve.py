"""The EC2 instances behind the resources of a batch of incidents, in few calls."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from hub_responder.behind.answer import Behind, merged
from hub_responder.behind.clues import clues
from hub_responder.behind.kinds import why_not
from hub_responder.deadline import Deadline
from hub_responder.finding import INSTANCE, Resource
from hub_responder.identifiers import arn_region, instance_arn

if TYPE_CHECKING:
    from hub_responder.finding import Clue
    from hub_responder.incident import Incident
    from hub_responder.instances import Place

AT_MOST_S = 10.0
"""How long AWS may be asked; what is not known then is asked again later."""
THREADS = 8
_ASKED = frozenset({"container_instance", "task", "node", "group"})

Told = Mapping["Place", Mapping[str, Behind]]


def behind(incidents: Sequence[Incident], role: str, deadline: Deadline) -> list[Behind]:
    """What is behind each; AWS is asked only where no finding of an incident names an instance.

    Nothing is raised: what cannot be told is in the answer.

    Args:
        role: the name of the role to assume in member accounts; empty: there is none.
    """
    named = [_named(incident) for incident in incidents]
    wanted: dict[Place, dict[str, Clue]] = {}
    for incident, found in zip(incidents, named, strict=True):
        for clue in found:
            if clue.kind in _ASKED:
                wanted.setdefault(_place(incident, clue), {})[clue.name] = clue
    told = _told(wanted, role, deadline)
    return [_of(incident, found, told) for incident, found in zip(incidents, named, strict=True)]


def _named(incident: Incident) -> list[Clue]:
    """The clues of all its findings, each once; only those that name instances, where some do."""
    if incident.resource.type == INSTANCE:
        return []
    told = (clue for finding in incident.findings for clue in clues(finding))
    found = {(clue.kind, clue.name): clue for clue in told}.values()
    return [clue for clue in found if clue.kind in ("instance", "more")] or list(found)


def _place(incident: Incident, clue: Clue) -> Place:
    return incident.resource.account, arn_region(clue.name) or incident.resource.region


def _told(wanted: Mapping[Place, Mapping[str, Clue]], role: str, deadline: Deadline) -> Told:
    if not wanted:
        return {}
    # Imported here: most findings are of instances themselves.
    from hub_responder.behind.places import ask

    end = time.monotonic() + AT_MOST_S
    bounded = Deadline(lambda: min(deadline.left(), end - time.monotonic()))
    with ThreadPoolExecutor(max_workers=min(THREADS, len(wanted))) as pool:
        answers = pool.map(lambda place: ask(place, wanted[place].values(), role, bounded), wanted)
        return dict(zip(wanted, answers, strict=True))


def _of(incident: Incident, named: Sequence[Clue], told: Told) -> Behind:
    resource = incident.resource
    if resource.type == INSTANCE:
        return Behind((resource,))
    if not named:
        return Behind(reason=why_not(resource.type))
    return merged([_answer(incident, clue, told) for clue in named])


def _answer(incident: Incident, clue: Clue, told: Told) -> Behind:
    if clue.kind in _ASKED:
        return told[_place(incident, clue)][clue.name]
    if clue.kind == "more":
        return Behind(left_out=int(clue.name))
    if clue.kind == "instance" and clue.name.startswith("i-"):
        return Behind((_instance(clue.name, incident),), clue.field)
    return Behind(reason="fargate" if clue.kind == "fargate" else "outside_ec2")


def _instance(name: str, incident: Incident) -> Resource:
    """An instance that a finding names: one of its resources, with the tags, or its id alone."""
    for finding in incident.findings:
        for one in finding.resources:
            if one.instance_id == name:
                return one
    of = incident.resource
    partition = of.id.split(":")[1] if of.id.startswith("arn:") else "aws"
    arn = instance_arn(partition, of.region, of.account, name)
    return Resource(INSTANCE, arn, name, of.account, of.region)
